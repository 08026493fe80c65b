"""Claims: the verdict follows from the numbers, and the page cannot state another."""

import json
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.formatters import DisplayFormatter

from mixup_lib.evidence.claims import VERDICTS, claim
from tools import ledger

SUPPORTED, REFUTED, DEPENDS, INCONCLUSIVE, UNDECIDABLE = VERDICTS


def interval(low, high, n=5):
    return SimpleNamespace(mean=(low + high) / 2, low=low, high=high, n=n)


def make(smallest_effect=0.5, **changes):
    texts = {
        "measure": "paired difference in test error",
        "unit": "points",
        "scale": "digits, five seeds",
        "refuted_if": "the whole interval lies below half a point",
    }
    return claim(
        "C15", "Mixup lowers the error", smallest_effect=smallest_effect, **texts | changes
    )


@pytest.mark.parametrize(
    "effect, verdict",
    [
        (interval(0.5, 2.0), SUPPORTED),
        (interval(0.49, 2.0), INCONCLUSIVE),
        (interval(-2.0, 0.5), INCONCLUSIVE),
        (interval(-2.0, 0.49), REFUTED),
        (0.5, SUPPORTED),
        (0.4, REFUTED),
        (True, SUPPORTED),
        (False, REFUTED),
        (np.bool_(True), SUPPORTED),
        (np.float64(0.1), REFUTED),
        (torch.tensor(0.7), SUPPORTED),
        ({"a": interval(1, 2), "b": interval(3, 4)}, SUPPORTED),
        ({"a": interval(1, 2), "b": interval(-4, -3)}, DEPENDS),
        ({"a": interval(1, 2), "b": interval(-4, -3), "c": interval(-1, 1)}, DEPENDS),
        ({"a": interval(1, 2), "b": interval(-1, 1)}, INCONCLUSIVE),
        ({"a": True, "b": False}, DEPENDS),
    ],
)
def test_the_verdict_follows_from_the_effect(effect, verdict):
    assert make().verdict(effect, stated=verdict).verdict == verdict
    for other in set(VERDICTS) - {verdict}:
        with pytest.raises(AssertionError, match=f"C15.*{other}.*{verdict}"):
            make().verdict(effect, stated=other)


@given(low=st.floats(-1e6, 1e6), width=st.floats(0, 1e6), least=st.floats(-1e6, 1e6))
def test_one_verdict_for_every_interval(low, width, least):
    c = make(smallest_effect=least)
    effect = SimpleNamespace(mean=low, low=low, high=low + width, n=5)
    expected = SUPPORTED if low >= least else REFUTED if low + width < least else INCONCLUSIVE
    (finding,) = c.verdict(effect, stated=expected).findings
    assert finding.distance >= 0


def test_the_distance_from_the_threshold_is_recorded():
    found = [
        make().verdict(effect, stated=stated).findings[0].distance
        for effect, stated in [
            (interval(0.75, 2), SUPPORTED),
            (interval(-2, 0.25), REFUTED),
            (interval(0.25, 2), INCONCLUSIVE),
        ]
    ]
    assert found == [0.25, 0.25, 0.25]


@pytest.mark.parametrize("effect", [float("nan"), interval(1, float("inf")), interval(2, 1), {}])
def test_an_effect_that_is_none_raises(effect):
    with pytest.raises(ValueError, match="effect"):
        make().verdict(effect, stated=SUPPORTED)


def test_without_a_smallest_effect_only_a_check_decides():
    c = make(smallest_effect=None)
    assert c.verdict(True, stated=SUPPORTED).verdict == SUPPORTED
    with pytest.raises(ValueError, match="no smallest_effect"):
        c.verdict(1.0, stated=SUPPORTED)


def test_what_cannot_be_decided_needs_a_reason():
    assert make().undecidable("no distance is named").verdict == UNDECIDABLE
    with pytest.raises(ValueError, match="reason"):
        make().undecidable("")
    with pytest.raises(AssertionError, match=SUPPORTED):
        make().undecidable("no distance is named", stated=SUPPORTED)


@pytest.mark.parametrize("id", ["C0", "C31", "c1", "C01", "1", ""])
def test_only_the_ledgers_claims(id):
    with pytest.raises(ValueError, match="C1.*C30"):
        claim(id, "s", measure="m", smallest_effect=1, scale="s", refuted_if="r")


def test_a_claim_is_written_down_in_full():
    for name in ("measure", "scale", "refuted_if"):
        with pytest.raises(ValueError, match=name):
            make(**{name: ""})
    with pytest.raises(ValueError, match="smallest_effect"):
        make(smallest_effect=float("nan"))
    with pytest.raises(ValueError, match="stated is 'true'"):
        make().verdict(True, stated="true")


def test_display_is_a_table_and_the_record_is_metadata():
    verdict = make().verdict({"<a>": interval(1, 2)}, stated=SUPPORTED)
    data, metadata = DisplayFormatter().format(verdict)
    assert data["text/plain"] == "C15: supported"
    assert "&lt;a&gt;" in data["text/html"] and "<a>" not in data["text/html"]
    record = json.loads(json.dumps(metadata["mixup_claim"], allow_nan=False))
    assert record == json.loads(json.dumps(verdict.record))
    assert record["id"] == "C15" and record["findings"][0]["low"] == 1
    assert f'id="{record["anchor"]}"' in data["text/html"]


def test_a_registered_claim_has_no_verdict_yet():
    data, metadata = DisplayFormatter().format(make())
    assert "before the experiment" in data["text/html"] and not metadata


def test_the_anchor_names_the_test_and_not_its_result():
    first, second = make().verdict(1, stated=SUPPORTED), make().verdict(0, stated=REFUTED)
    assert (
        first.anchor == second.anchor != make(scale="other").verdict(True, stated=SUPPORTED).anchor
    )


def notebook(tmp_path, monkeypatch, *verdicts):
    def cell(number, verdict):
        metadata = {"mixup_claim": verdict.record}
        output = nbformat.v4.new_output("display_data", {"text/plain": ""}, metadata=metadata)
        return nbformat.v4.new_code_cell(id=f"claim-{number}", outputs=[output])

    book = nbformat.v4.new_notebook(cells=[cell(k, v) for k, v in enumerate(verdicts)])
    nbformat.write(book, tmp_path / "04_image.ipynb")
    monkeypatch.setattr(ledger.course, "NOTEBOOKS", tmp_path)


def test_the_ledger_reads_the_notebooks(tmp_path, monkeypatch):
    verdict = make().verdict(interval(1, 2), stated=SUPPORTED, margin=0.1)
    notebook(tmp_path, monkeypatch, verdict)
    page = ledger.page()
    assert "Verdicts of 1 tests: 1 supported. Claims not tested yet: 29." in page
    assert f'../notebooks/04_image.html#{verdict.anchor}">supported</a>' in page
    assert "`1.5 [1, 2] points, n = 5`" in page


def test_the_ledger_rejects_a_narrow_escape(tmp_path, monkeypatch):
    close = make().verdict(interval(0.51, 2), stated=SUPPORTED, margin=0.1)
    notebook(tmp_path, monkeypatch, close)
    with pytest.raises(ValueError, match="from the threshold, margin 0.1"):
        ledger.page()


def test_the_ledger_rejects_the_same_test_twice(tmp_path, monkeypatch):
    verdict = make().verdict(interval(1, 2), stated=SUPPORTED)
    notebook(tmp_path, monkeypatch, verdict, verdict)
    with pytest.raises(ValueError, match="second verdict"):
        ledger.page()


def test_opposite_claims_stand_side_by_side(tmp_path, monkeypatch):
    texts = {"measure": "share", "unit": "", "scale": "digits", "refuted_if": "above"}
    cheap = claim("C16", "Mixing is cheap", smallest_effect=0.5, **texts)
    notebook(tmp_path, monkeypatch, cheap.verdict(interval(1, 2), stated=SUPPORTED))
    section = ledger.page().partition("## Claims that contradict each other")[2]
    heads = [line for line in section.splitlines() if line in ("| C3 | C21 |", "| C16 | C18 |")]
    assert len(heads) == 2
    judged = section[section.index(heads[1]) :].splitlines()[3]
    left, right = judged.strip("| ").split(" | ")
    assert left.endswith(">supported</a>") and right == ledger.OPEN
