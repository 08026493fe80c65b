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
from scipy import stats

from mixup_lib import results
from mixup_lib.comparisons import GROUPS, compared
from tools import course

PATH = course.NOTEBOOKS / "13_reproduction.ipynb"
PUBLISHED = json.loads((results.folder() / "published.json").read_text("utf-8"))
TREC, UCI = "mixuptext-trec-cnn-random", ("mixup-uci-erm", "mixup-uci-mixup")


def row(experiment, baseline, method, *, part="test", metric="error", scale=100, theirs=None):
    return experiment, baseline, method, part, metric, scale, theirs


def pair(name, baseline, method):
    values = PUBLISHED[name]["values"]
    return values[baseline], values[method]


def benchmark(method):
    return tuple(round(100 - value, 2) for value in pair("openmixup-cifar10", "none", method))


# What each row of the chapter's tables compares, told a second time.
ROWS = {
    "TREC, hidden": row("trec-cnn", "plain", "hidden", metric="accuracy",
                        theirs=pair(TREC, "none", "hidden")),
    "TREC, embedding": row("trec-cnn", "plain", "embedding", metric="accuracy",
                           theirs=pair(TREC, "none", "embed")),
    "TREC, sentence": row("trec-cnn", "plain", "sentence", metric="accuracy",
                          theirs=pair(TREC, "none", "sent")),
    "IMDB, embedding": row("imdb-bilstm", "plain", "embedding", metric="accuracy",
                           theirs=pair("mixuptext-imdb-lstm-glove", "none", "embed")),
    "Airfoil, mixup": row("airfoil", "plain", "mixup", metric="rmse", scale=1,
                          theirs=pair("cmixup-airfoil", "ERM", "mixup")),
    "Airfoil, Mani mixup": row("airfoil", "plain", "manifold", metric="rmse", scale=1,
                               theirs=pair("cmixup-airfoil", "ERM", "Mani mixup")),
    "Airfoil, C-Mixup": row("airfoil", "plain", "cmixup", metric="rmse", scale=1,
                            theirs=pair("cmixup-airfoil", "ERM", "C-Mixup")),
    "Speech Commands, LeNet": row(None, "", "", theirs=(10.3, 11.3)),
    "Speech Commands, VGG-11": row(None, "", "", theirs=(4.6, 3.4)),
}
for _place in ("embedding", "hidden", "sentence"):
    ROWS[f"Rotten Tomatoes, {_place}"] = row("rotten-tomatoes-cnn", "plain", _place,
                                             metric="accuracy")
for _method in ("waveform", "log-mel", "loudness", "specaugment"):
    ROWS[f"digits, {_method}"] = row("fsdd", "plain", _method)
for _name in ("Abalone", "Arrhythmia", "HTRU2", "Iris", "Phishing"):
    _key = _name.lower()
    ROWS[_name] = row("uci", "plain", "mixup", part=_key,
                      theirs=tuple(PUBLISHED[name]["values"][_key] for name in UCI))
for _share in (20, 50, 80):
    _source, _part = f"mixup-noise-{_share}", _share / 100
    for _epoch in ("best", "last"):
        ROWS[f"{_share} %, {_epoch} epoch"] = row(
            "cifar10-noisy-labels", f"plain-{_part}", f"mixup-8-{_part}", part=_epoch,
            theirs=pair(_source, f"ERM, {_epoch}", f"mixup, {_epoch}"))
    ROWS[f"{_share} %, against dropout"] = row(
        "cifar10-noisy-labels", f"dropout-{_part}", f"mixup-8-{_part}", part="last",
        theirs=pair(_source, "dropout, last", "mixup, last"))
for _size, _experiment, _mixup in (("2,000", "cifar10-methods", "mixup-1"),
                                   ("5,000", "cifar10-5000", "mixup"),
                                   ("45,000", "cifar10-full", "mixup"),
                                   ("the paper's", "cifar10-paper", "mixup")):
    for _name, _key, _method in (("mixup", "mixup", _mixup), ("CutMix", "cutmix", "cutmix"),
                                 ("manifold", "manifold", "manifold")):
        ROWS[f"{_size}: {_name}"] = row(
            _experiment, "plain", _method, theirs=benchmark(_key),
            part="median" if _experiment == "cifar10-paper" else "test")

# Their runs are still coming in: the stored table may show fewer seeds than there are.
GROWING = ("cifar10-full", "cifar10-paper")
OTHERS = {
    "CIFAR-10, 5,000": row("cifar10-5000", "plain", "mixup"),
    "CIFAR-10, 2,000": row("cifar10-methods", "plain", "mixup-1"),
    "CIFAR-10, transformer": row("cifar10-vit", "plain", "mixup-1"),
    "digits, few": row("few-digits", "plain", "mixup"),
    "digits, placed": row("placed-digits", "plain", "mixup"),
    "digits, moving": row("moving-digits", "plain", "clip"),
    "digits, spoken": row("fsdd", "plain", "waveform"),
    "digits, heard": row("heard-schedules", "plain", "mixup-1"),
    "digits, seen and heard": row("seen-and-heard", "plain", "together"),
    "TREC": row("trec-cnn", "plain", "embedding"),
    "Rotten Tomatoes": row("rotten-tomatoes-cnn", "plain", "embedding"),
} | {name: ROWS[name] for name in ("Abalone", "Arrhythmia", "HTRU2", "Iris", "Phishing")}


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


def interval(values):
    mean, half = values.mean(), stats.sem(values) * stats.t.ppf(0.975, len(values) - 1)
    return mean, mean - half, mean + half


@cache
def outputs():
    return {cell.id: cell.outputs for cell in course.read(PATH).cells if cell.cell_type == "code"}


def tables(cell):
    """The stored tables of a cell: header and rows of text."""
    found = []
    for output in outputs()[cell]:
        if markdown := output.get("data", {}).get("text/markdown"):
            lines = [re.split(r" \| ", line.strip("|").strip(" ")) for line in
                     markdown.splitlines()]
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
        wanted = interval(method - base) if len(base) >= 5 else method - base
        assert numbers(own) == [pytest.approx(value, abs=within) for value in wanted], name


def test_every_row_is_shown():
    shown = {cells[0] for cell in BESIDE for _, rows in tables(cell) for cells in rows}
    absent = {"5,000: manifold", "the paper's: manifold"}  # no such method in the experiment
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
            _, low, high = interval((method - base) * math.copysign(1, gap))
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
    (record,) = [output.metadata["mixup_claim"] for output in outputs()[cell]
                 if "mixup_claim" in output.metadata]
    return record


def test_c30_takes_every_row_with_a_published_difference_and_five_seeds():
    record = verdict("c30-verdict")
    wanted = {}
    for name, spec in ROWS.items():
        base, method = measured(spec)
        if spec[-1] and spec[-1][0] != spec[-1][1] and len(base) >= 5 and spec[0] not in GROWING:
            wanted[name] = interval((method - base) / (spec[-1][1] - spec[-1][0]))
    assert {finding["condition"] for finding in record["findings"]} == set(wanted)
    verdicts = set()
    for finding in record["findings"]:
        mean, low, high = wanted[finding["condition"]]
        assert [finding[k] for k in ("mean", "low", "high")] == pytest.approx([mean, low, high])
        verdicts.add("supported" if low >= 0.5 else "refuted" if high < 0.5 else "?")
    assert record["verdict"] == "depends" and {"supported", "refuted"} <= verdicts


def test_c15_takes_every_data_set_with_plain_training_and_mixup():
    record = verdict("c15-verdict")
    assert {finding["condition"] for finding in record["findings"]} == set(OTHERS)
    lower = {name: interval(np.subtract(*measured(spec))) for name, spec in OTHERS.items()}
    for finding in record["findings"]:
        wanted = lower[finding["condition"]]
        assert [finding[k] for k in ("mean", "low", "high")] == pytest.approx(list(wanted))
    assert record["verdict"] == "inconclusive at this scale"
    assert not any(low >= 1 for _, low, _ in lower.values())
    assert any(high >= 1 for _, _, high in lower.values())


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
    erm, mixed = ([own[f"{way}, decay {decay}"] for decay in ("1e-4", "5e-4")]
                  for way in ("ERM", "mixup"))
    paper, other, bench = (PUBLISHED[name]["values"] for name in (
        "mixup-cifar10-preact18", "leehomyc-cifar10", "openmixup-cifar10"))
    wanted = [paper["ERM"] - paper["mixup"], erm[0] - mixed[0], erm[1] - mixed[1],
              min(erm) - min(mixed), other["mixup"] - other["none"],
              bench["mixup"] - bench["none"]]
    ((_, rows),) = tables("cifar-published")
    assert [float(row[-1]) for row in rows] == [pytest.approx(v, abs=0.0051) for v in wanted]
    for _, errors, gain in rows:
        baseline, method = numbers(errors)
        assert baseline - method == pytest.approx(float(gain), abs=0.0051)


def test_an_unknown_group_is_an_error_that_lists_the_known():
    assert all(compared(group) for group in GROUPS)
    with pytest.raises(ValueError, match="group='taxes' is not known; valid are CIFAR-10 else"):
        compared("taxes")
