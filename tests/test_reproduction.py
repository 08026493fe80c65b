"""Chapter 13: every number of its tables and verdicts, computed once more from the JSON files.

The files are read, paired by seed and averaged anew, without the library, and compared with what
the notebook's stored outputs show.
"""

import json
import math
import re
from functools import cache

import numpy as np
import pytest
from chapter13_rows import GROWING, OTHERS, OVERLAP, PUBLISHED, ROWS
from scipy import stats

from mixup_lib.evidence import results
from mixup_lib.evidence.comparisons import GROUPS, compared
from tools import course

PATH = course.NOTEBOOKS / "13_reproduction.ipynb"


@cache
def read(experiment):
    files = (results.folder() / experiment).glob("*.json") if experiment else ()
    return [json.loads(file.read_text("utf-8")) for file in files]


def measured(spec, most=None):
    """Numbers of baseline and method, by seed, as two arrays in the same order."""
    experiment, baseline, method, part, metric, scale, _ = spec
    found = {baseline: {}, method: {}}
    for record in read(experiment):
        if record["method"] in found:
            value = record["metrics"][part][metric]
            found[record["method"]][record["seed"]] = scale * value
    seeds = sorted(set(found[baseline]) & set(found[method]))[:most]
    return [np.array([found[name][seed] for seed in seeds]) for name in (baseline, method)]


def overlap(spec):
    experiment, part = spec[0], spec[3]
    return OVERLAP.get(part if experiment == "uci" else experiment, 0)


def interval(values, extra=0.0):
    n, mean = len(values), values.mean()
    half = values.std(ddof=1) * math.sqrt(1 / n + extra) * stats.t.ppf(0.975, n - 1)
    return mean, mean - half, mean + half


@cache
def outputs():
    return {cell.id: cell.outputs for cell in course.read(PATH).cells if cell.cell_type == "code"}


def tables(cell):
    """The stored tables of a cell: header and rows of text."""
    found = []
    for output in outputs()[cell]:
        if markdown := output.get("data", {}).get("text/markdown"):
            lines = [
                re.split(r" \| ", line.strip("|").strip(" ")) for line in markdown.splitlines()
            ]
            found.append((lines[0], lines[2:]))
    assert found, f"cell {cell} shows no table"
    return found


BESIDE = ("library", "cifar-ours", "noise", "noise-dropout", "uci", "text", "airfoil", "sound")


def numbers(text):
    return [float(number) for number in re.findall(r"[-+]?\d+(?:\.\d+)?", text)]


@pytest.mark.parametrize("cell", BESIDE)
def test_tables_are_what_the_records_say(cell):
    ((_, rows),) = tables(cell)
    for name, published, gap, ours, own, seeds, _ in rows:
        spec = ROWS[name]
        theirs = spec[-1]
        assert numbers(published) == ([] if theirs is None else list(theirs)), name
        if theirs is not None:
            assert numbers(gap) == [pytest.approx(theirs[1] - theirs[0], abs=0.006)], name
        most = int(seeds) if spec[0] in GROWING else None
        base, method = measured(spec, most)
        assert len(base) == int(seeds), name
        if not len(base):
            assert (ours, own) == ("–", "–")
            continue
        places = len(ours.split(" → ")[0].partition(".")[2])
        within = 0.5 * 10**-places + 1e-9
        assert numbers(ours) == [pytest.approx(v.mean(), abs=within) for v in (base, method)]
        wanted = interval(method - base, overlap(spec)) if len(base) >= 5 else method - base
        assert numbers(own) == [pytest.approx(value, abs=within) for value in wanted], name


def test_every_row_is_shown():
    shown = {cells[0] for cell in BESIDE for _, rows in tables(cell) for cells in rows}
    absent = {f"{size}: manifold" for size in ("5,000", "45,000", "the paper's")} | {
        "45,000: CutMix"  # no such method in the experiment
    }
    assert shown == set(ROWS) - absent


@pytest.mark.parametrize("cell", BESIDE)
def test_outcomes_follow_from_the_intervals(cell):
    for _, rows in tables(cell):
        for name, *_, seeds, outcome in rows:
            theirs, count = ROWS[name][-1], int(seeds)
            if count < 5:
                assert outcome == ("points only" if count else "not recorded")
                continue
            if theirs is None:
                assert outcome == "nothing published"
                continue
            base, method = measured(ROWS[name])
            gap = theirs[1] - theirs[0]
            _, low, high = interval((method - base) * math.copysign(1, gap), overlap(ROWS[name]))
            if gap == 0:
                wanted = "no difference, either" if low <= 0 <= high else None
            elif low > 0:
                wanted = "same direction"
            elif high < 0:
                wanted = "opposite direction"
            else:
                wanted = "undecided" if high >= abs(gap) else "smaller, if any"
            assert outcome == wanted, name


def verdict(cell):
    (record,) = [
        output.metadata["mixup_claim"]
        for output in outputs()[cell]
        if "mixup_claim" in output.metadata
    ]
    return record


def same_strength(name):
    """Mixed as strongly as the source mixes, where it says so."""
    return not re.search(r"CutMix|00: manifold|50 %|80 %", name) or name == "2,000: manifold"


def shown(finding, wanted):
    got = [finding[key] for key in ("mean", "low", "high")]
    assert got == pytest.approx(list(wanted)), finding["condition"]


def test_c30_takes_every_like_row_with_a_published_difference_and_five_seeds():
    record = verdict("c30-verdict")
    wanted = {}
    for name, spec in ROWS.items():
        base, method = measured(spec)
        theirs = spec[-1]
        if theirs and theirs[0] != theirs[1] and len(base) >= 5 and spec[0] not in GROWING:
            if same_strength(name):
                share = (method - base) / (theirs[1] - theirs[0])
                wanted[name] = interval(share, overlap(spec))
    assert {finding["condition"] for finding in record["findings"]} == set(wanted)
    words = set()
    for finding in record["findings"]:
        mean, low, high = wanted[finding["condition"]]
        shown(finding, (mean, low, high))
        words.add("true" if low >= 0.5 else "false" if high < 0.5 else "undecided")
    assert record["word"] == "depends" and {"true", "false"} <= words


def test_c15_takes_the_alpha_that_validation_data_chose_and_the_tuned_decay():
    record = verdict("c15-verdict")
    by = {(r["method"], r["seed"]): r["metrics"]["test"] for r in read("cifar10-rivals")}
    pairs = {
        "α = 1": ("plain", "mixup-1"),
        "α chosen": ("plain", "mixup"),
        "over weight decay": ("decay", "mixup-decay"),
    }
    assert [finding["condition"] for finding in record["findings"]] == list(pairs)
    for finding, pair in zip(record["findings"], pairs.values(), strict=True):
        seeds = [seed for name, seed in by if name == pair[0] and (pair[1], seed) in by]
        base, method = (100 * np.array([by[name, s]["error"] for s in seeds]) for name in pair)
        assert finding["mean"] == pytest.approx((base - method).mean())
        assert finding["bar"] == pytest.approx(0.03 * base.mean())
        apart = finding["low"] > 0
        assert finding["word"] == ("helps" if apart else "undecided")
    assert {rival["condition"] for rival in record["rivals"]} >= {"dropout", "weight decay"}


def test_the_overview_takes_every_data_set_with_plain_training_and_mixup():
    rows = {row.name: row.interval for row in compared("everything")}
    assert set(rows) == set(OTHERS)
    for name, spec in OTHERS.items():
        base, method = measured(spec)
        got = rows[name]
        wanted = interval(method - base, overlap(spec))
        assert [got.mean, got.low, got.high] == pytest.approx(list(wanted)), name


def test_by_hand_and_seeds_needed():
    base, method = measured(ROWS["TREC, hidden"])
    (printed,) = [output.text for output in outputs()["ten-pairs"]]
    assert numbers(printed)[:10] == [pytest.approx(v, abs=0.051) for v in method - base]
    assert numbers(printed)[10:] == [pytest.approx(v, abs=0.0051) for v in interval(method - base)]
    ((_, rows),) = tables("seeds-needed")
    assert rows
    for name, gap, deviation, seeds, needed in rows:
        base, method = measured(ROWS[name])
        published = ROWS[name][-1][1] - ROWS[name][-1][0]
        spread = (method - base).std(ddof=1)
        assert float(gap) == pytest.approx(published, abs=0.0051)
        assert float(deviation) == pytest.approx(spread, abs=0.0051)
        assert (int(seeds), int(needed)) == (len(base), math.ceil((4 * spread / published) ** 2))


def test_gains_of_the_four_sources():
    own = PUBLISHED["mixup-cifar10-repository"]["values"]
    erm, mixed = (
        [own[f"{way}, decay {decay}"] for decay in ("1e-4", "5e-4")] for way in ("ERM", "mixup")
    )
    paper, other, bench = (
        PUBLISHED[name]["values"]
        for name in ("mixup-cifar10-preact18", "leehomyc-cifar10", "openmixup-cifar10")
    )
    wanted = [
        paper["ERM"] - paper["mixup"],
        erm[0] - mixed[0],
        erm[1] - mixed[1],
        min(erm) - min(mixed),
        other["mixup"] - other["none"],
        bench["mixup"] - bench["none"],
    ]
    ((_, rows),) = tables("cifar-published")
    assert [float(row[-1]) for row in rows] == [pytest.approx(v, abs=0.0051) for v in wanted]
    for _, errors, gain in rows:
        baseline, method = numbers(errors)
        assert baseline - method == pytest.approx(float(gain), abs=0.0051)


def test_an_unknown_group_is_an_error_that_lists_the_known():
    assert all(compared(group) for group in GROUPS)
    with pytest.raises(ValueError, match="group='taxes' is not known; valid are CIFAR-10 else"):
        compared("taxes")
