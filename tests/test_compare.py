"""Paired comparison: the t interval, its refusal, the table, the cache."""

import json

import numpy as np
import pytest
from scipy import stats

from mixup_lib.evidence.paired import Comparison, Interval, compare
from mixup_lib.page.tables import Table, unbroken

SEEDS = (3, 1, 4, 15, 9)


def noisy(gain, calls=None):
    """A method whose metric shares the noise of the seed with the others."""

    def method(seed):
        if calls is not None:
            calls.append(seed)
        rng = np.random.default_rng(seed)
        shared, own = rng.normal(0, 10), np.random.default_rng([seed, int(100 * gain)]).normal()
        return {"accuracy": shared + gain + 0.1 * own, "nll": -shared}

    return method


def test_interval_is_scipys():
    values = np.random.default_rng(0).normal(2, 1, 7)
    interval = Interval.of(values)
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high))
    assert interval.mean == pytest.approx(values.mean())
    assert interval.n == 7
    narrow = Interval.of(values, level=0.5)
    assert interval.low < narrow.low < narrow.high < interval.high


def test_interval_covers_as_often_as_it_says():
    rng = np.random.default_rng(1)
    intervals = [Interval.of(rng.normal(1, 3, 5)) for _ in range(500)]
    # A normal instead of a t quantile covers 88 %; three standard errors are 3 points.
    assert np.mean([i.low <= 1 <= i.high for i in intervals]) == pytest.approx(0.95, abs=0.03)


def test_interval_in_another_unit():
    interval = Interval(0.01, -0.02, 0.03, 5)
    assert 100 * interval == Interval(1.0, -2.0, 3.0, 5)
    assert interval * -1 == Interval(-0.01, -0.03, 0.02, 5)
    assert f"{interval:.2f}" == "0.01 [-0.02, 0.03]"
    assert str(interval) == "0.01 [-0.02, 0.03], n = 5"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Interval(1, 0, 2, 4), "n must be at least 5 .* got 4: show the points"),
        (lambda: Interval(3, 0, 2, 5), "low <= mean <= high"),
        (lambda: Interval.of([1, 2, 3, 4]), "at least 5 numbers .* got 4: show the points"),
        (lambda: Interval.of([1, 2, 3, 4, float("nan")]), "values must be finite"),
        (lambda: Interval.of(range(5), level=95), r"level must lie in \(0, 1\), got 95"),
        (lambda: compare({}, [1]), "methods must hold at least one"),
        (lambda: compare({"a": noisy(0)}, []), "seeds must be different and at least one"),
        (lambda: compare({"a": noisy(0)}, [1, 1]), r"seeds must be different .* \(1, 1\)"),
    ],
)
def test_refusals(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_differences_are_paired_by_seed():
    result = compare({"plain": noisy(0), "mixup": noisy(1)}, SEEDS)
    gap = result.difference("mixup", "plain", "accuracy")
    assert gap.low < 1 < gap.high
    assert gap.high - gap.low < 1  # unpaired, the noise of the seeds alone is ten times that
    own = result.interval("plain", "accuracy")
    assert own.high - own.low > 5
    back = result.difference("plain", "mixup", "accuracy")
    assert back.mean == pytest.approx(-gap.mean)
    expected = [noisy(1)(seed)["accuracy"] for seed in SEEDS]
    assert result.values("mixup", "accuracy") == pytest.approx(expected)


def test_a_shared_test_set_counts_and_its_size_comes_from_the_runs():
    runs = {
        "plain": [{"error": 0.2 + 0.01 * k, "n": 400} for k in range(5)],
        "mixup": [{"error": 0.15 + 0.01 * k, "n": 400} for k in range(5)],
    }
    result = Comparison(runs, tuple(range(5)))
    rates = (0.22, 0.17)
    wanted = Interval.shared_test(result.differences("plain", "mixup", "error"), rates, 400)
    got = result.shared("plain", "mixup", "error")
    assert (got.mean, got.low, got.high) == pytest.approx((wanted.mean, wanted.low, wanted.high))
    assert result.shared("plain", "mixup", "error", test=10**6).low > wanted.low


def test_fewer_than_five_seeds_show_points_only():
    result = compare({"plain": noisy(0), "mixup": noisy(1)}, SEEDS[:4])
    assert result.differences("mixup", "plain", "accuracy").shape == (4,)
    for ask in (
        lambda: result.difference("mixup", "plain", "accuracy"),
        lambda: result.interval("mixup", "accuracy"),
    ):
        with pytest.raises(ValueError, match="show the points"):
            ask()
    text = str(result.table(["accuracy"]))
    assert "[" not in text
    assert text.splitlines()[2].count(",") == 3


def test_table_keeps_the_order_and_shows_paired_differences():
    result = compare({"z": noisy(0), "a": noisy(1)}, SEEDS)
    table = result.table(["accuracy"], baseline="z", digits=2)
    assert [row[0] for row in table.rows] == ["z", "a"]
    assert table.header == ["method", "accuracy", "accuracy − z"]
    assert table.rows[0][2] == "–"
    assert table.rows[1][2] == f"{result.difference('a', 'z', 'accuracy'):+.2f}"
    assert table._repr_markdown_().splitlines()[1] == "| --- | --- | --- |"
    assert table._repr_html_().count("<tr>") == 3
    assert "0x" not in repr(table)
    lines = str(table).splitlines()
    assert lines[0].index("accuracy") == lines[2].index(table.rows[0][1])


def test_unknown_names_tell_the_known_ones():
    result = compare({"plain": noisy(0)}, SEEDS)
    with pytest.raises(KeyError, match=r"no method 'mix'; there are \['plain'\]"):
        result.values("mix", "accuracy")
    with pytest.raises(KeyError, match=r"no metric 'acc'; there are \['accuracy', 'nll'\]"):
        result.values("plain", "acc")


def test_cache_measures_once_and_survives_an_interruption(tmp_path):
    path, calls = tmp_path / "runs.json", []

    def breaking(seed):
        if seed == SEEDS[2]:
            raise KeyboardInterrupt
        return noisy(0, calls)(seed)

    breaking.__qualname__ = noisy(0).__qualname__
    with pytest.raises(KeyboardInterrupt):
        compare({"plain": breaking}, SEEDS, cache=path)
    first = compare({"plain": noisy(0, calls)}, SEEDS, cache=path)
    assert calls == list(SEEDS)
    again = compare({"plain": noisy(0, calls)}, SEEDS, cache=path)
    assert calls == list(SEEDS)
    assert first == again
    assert list(json.loads(path.read_text())) == ["plain"]
    with pytest.raises(ValueError, match="runs.json.* holds 'plain' as .*remove the file"):
        compare({"plain": test_refusals}, SEEDS, cache=path)


def records():
    return [
        {"method": method, "seed": seed, "metrics": {"test": {"error": gap + seed}}}
        for method, gap in (("plain", 0.5), ("mixup", 0.0))
        for seed in range(6)
    ]


def test_recorded_runs_keep_complete_pairs_only():
    result = Comparison.from_records(records()[:-1])
    assert result.seeds == (0, 1, 2, 3, 4)
    gap = result.difference("plain", "mixup", "error")
    assert (gap.mean, gap.low, gap.high) == pytest.approx((0.5, 0.5, 0.5))
    with pytest.raises(ValueError, match="share no seed"):
        Comparison.from_records([records()[0], records()[-1]])
    with pytest.raises(ValueError, match=r"part must be in \['test'\], got 'train'"):
        Comparison.from_records(records(), "train")
    assert list(Comparison.from_records(records(), methods=["mixup"]).runs) == ["mixup"]
    turned = Comparison.from_records(records(), methods=["mixup", "plain"])
    assert list(turned.runs) == ["mixup", "plain"]
    with pytest.raises(ValueError, match=r"methods must be among .* got \['cutmix'\]"):
        Comparison.from_records(records(), methods=["cutmix", "plain"])


def test_a_page_does_not_tear_an_interval():
    space, told = "\N{NO-BREAK SPACE}", unbroken("-0.5 [-0.6, -0.4], 5.1 → 4.3, mixup-0.1, n = 5")
    assert told == f"−0.5 [−0.6,{space}−0.4], 5.1{space}→{space}4.3, mixup-0.1, n{space}={space}5"
    html = Table(["gain"], [["1.0 [0.5, 1.5]"]])._repr_html_()
    assert f"1.0 [0.5,{space}1.5]" in html
