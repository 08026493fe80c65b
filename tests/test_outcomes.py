"""Which examples are named wrongly: packed into a record, and what a comparison makes of it."""

import numpy as np
import pytest

from mixup_lib import Comparison, Interval
from mixup_lib.evidence import results
from mixup_lib.evidence.outcomes import packed, unpacked
from mixup_lib.experiments import EXPERIMENTS


@pytest.mark.parametrize("n", [1, 7, 8, 9, 10_000])
def test_what_is_packed_comes_back(n):
    wrong = np.random.default_rng(n).random(n) < 0.3
    assert (unpacked(packed(wrong), n) == wrong).all()
    with pytest.raises(ValueError, match=f"not n={n + 8}"):
        unpacked(packed(wrong), n + 8)


def record(method, seed, wrong, keep=True):
    metrics = {"test": {"error": wrong.mean(), "n": len(wrong)}}
    return {"method": method, "seed": seed, "metrics": metrics} | (
        {"outcomes": {"test": packed(wrong)}} if keep else {}
    )


def test_a_comparison_counts_the_examples_where_the_records_know_them():
    hard = np.random.default_rng(0).random(400)  # both methods err on the hard ones
    draws = np.random.default_rng(1).random((2, 5, 400))
    wrong = {"plain": draws[0] / 2 + hard > 0.9, "mixup": draws[1] / 2 + hard > 0.95}

    def compared(*keeping):
        return Comparison.from_records(
            [record(m, s, row, m in keeping) for m in wrong for s, row in enumerate(wrong[m])]
        )

    pair = ("plain", "mixup", "error")
    known = compared("plain", "mixup").shared(*pair)
    assert known == Interval.of_outcomes(wrong["plain"], wrong["mixup"])
    bound = compared("plain").shared(*pair)  # one of the two is not enough
    assert known.mean == pytest.approx(bound.mean) and known.high < bound.high


RECORDED = [name for name in EXPERIMENTS if (results.folder() / name).is_dir()]


@pytest.mark.parametrize("name", RECORDED)
def test_the_examples_of_a_record_give_its_error(name):
    for run in results.load(name):
        for part, text in run.get("outcomes", {}).items():
            found = run["metrics"][part]
            assert unpacked(text, found["n"]).mean() == pytest.approx(found["error"], abs=1e-6)
