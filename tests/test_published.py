"""Published figures: each has a source that the book cites; ours are set beside them rightly."""

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest

from mixup_lib.evidence import results
from mixup_lib.evidence.interval import Interval
from mixup_lib.evidence.literature import (
    Reproduction,
    beside,
    finding,
    names,
    published,
    reproduce,
    source,
    sources,
)
from tools import literature

ENTRIES = json.loads((results.folder() / "published.json").read_text(encoding="utf-8"))
NAMES = list(ENTRIES)
REFERENCES = Path(__file__).parents[1] / "book" / "references.bib"
SOURCE = ("reference", "where", "checked")
FIGURES = (*SOURCE, "what", "measure", "unit", "baseline_tuned")
CHECKED = ("read in the source", "as cited by ")
IN_NUMBERS = [name for name in NAMES if "values" in ENTRIES[name]]
IN_WORDS = [name for name in NAMES if "says" in ENTRIES[name]]


def keys():
    return re.findall(r"^@\w+\{([^,]+),", REFERENCES.read_text("utf-8"), re.M)


def test_an_entry_has_figures_or_words():
    assert sorted(IN_NUMBERS + IN_WORDS) == sorted(NAMES) and NAMES == names()
    assert len(keys()) == len(set(keys()))


@pytest.mark.parametrize("name", NAMES)
def test_every_entry_has_a_source_and_a_status(name):
    entry = published(name)
    assert entry["reference"] in keys()
    for part in FIGURES if name in IN_NUMBERS else (*SOURCE, "says"):
        assert entry[part] == entry[part].strip() != "", part
    assert entry["checked"].startswith(CHECKED) and "memory" not in entry["checked"]
    if name in IN_WORDS:
        assert set(entry) - {"alpha"} == {*SOURCE, "says"} and entry["says"].endswith(".")


@pytest.mark.parametrize("name", IN_NUMBERS)
def test_every_figure_has_a_unit_an_alpha_and_pairs(name):
    entry = published(name)
    parts = {*FIGURES, "values", "alpha", "pairs"}
    assert parts <= set(entry) <= parts | {"note"}
    assert entry["unit"] in ("percent", "decibels", "nats")
    assert re.match(r"(yes|no|not known)(: .|$)", entry["baseline_tuned"])
    values = entry["values"]
    assert len(values) > 1 and all(type(value) in (int, float) for value in values.values())
    top = 100 if entry["unit"] == "percent" else math.inf
    assert all(0 <= value <= top for value in values.values())
    assert all(len(pair) == 2 and set(pair) <= set(values) for pair in entry["pairs"])
    alpha = entry["alpha"]
    if isinstance(alpha, dict):
        assert alpha and all(any(method in value for value in values) for method in alpha)
    else:
        assert alpha.strip()


@pytest.mark.parametrize("name", NAMES)
def test_every_entry_says_something(name):
    text = finding(name)
    assert text.endswith(".") and "\n" not in text and re.search("[a-z]", text)
    assert ENTRIES[name].get("pairs", True), "figures without a pair say nothing"


def test_a_finding_has_each_baseline_once_and_the_digits_of_its_source():
    text = finding("openmixup-cifar10-400")
    assert text.startswith("CIFAR-10, ResNet-18, 400 epochs: accuracy on the test data, median")
    assert "none 95.10 → mixup 96.55 (+1.45), cutmix 96.13 (+1.03), manifold" in text
    assert finding("manifold-pgd") == ENTRIES["manifold-pgd"]["says"]


def test_gains_by_epochs_are_those_that_the_benchmark_prints():
    gains = []
    for name in ("openmixup-cifar10", *(f"openmixup-cifar10-{n}" for n in (400, 800, 1200))):
        values = published(name)["values"]
        gains.append(round(values["mixup"] - values["none"], 2))
    assert gains == [0.83, 1.45, 1.12, 1.25]


def test_the_page_of_references_has_every_entry_once():
    page = literature.block()
    for name in NAMES:
        assert page.count(f'<span id="{literature.anchor(name)}"></span>') == 1
    with pytest.raises(ValueError, match="name='nowhere'"):
        literature.link("nowhere")


def test_percentages_are_told_from_accuracies():
    for name in IN_NUMBERS:
        if (entry := ENTRIES[name])["unit"] == "percent":
            assert ("accuracy" in entry["measure"]) != ("error" in entry["measure"])


def test_an_unknown_name_is_an_error_that_lists_the_known():
    with pytest.raises(ValueError, match=f"name='nowhere' is not published.*{NAMES[0]}"):
        published("nowhere")
    with pytest.raises(ValueError, match="name='nowhere'"):
        sources("nowhere")


@pytest.mark.parametrize(
    ("theirs", "ours", "outcome"),
    [
        ((5.0, 4.0), [-0.5, -0.6, -0.4, -0.5, -0.5], "same direction"),
        ((5.0, 4.0), [0.5, 0.6, 0.4, 0.5, 0.5], "opposite direction"),
        ((4.0, 5.0), [0.5, 0.6, 0.4, 0.5, 0.5], "same direction"),
        ((5.0, 4.0), [-2.5, 1.6, 0.4, -1.5, 0.1], "undecided"),
        ((5.0, 4.0), [-0.5, 0.6, 0.4, -0.5, 0.1], "smaller, if any"),
        ((4.0, 5.0), [-0.5, 0.6, 0.4, -0.5, 0.1], "smaller, if any"),
        ((5.0, 4.0), [-0.5, -0.6, -0.4, -0.5], "points only"),
        ((5.0, 4.0), [], "not recorded"),
        ((2.0, 2.0), [-0.5, 0.6, 0.4, -0.5, 0.1], "no difference, either"),
        ((2.0, 2.0), [0.5, 0.6, 0.4, 0.5, 0.5], "a difference, unlike theirs"),
        (None, [0.5, 0.6, 0.4, 0.5, 0.5], "nothing published"),
    ],
)
def test_outcome_is_seen_from_the_published_difference(theirs, ours, outcome):
    base = np.full(len(ours), 3.0)
    row = Reproduction("row", theirs, (base, base + ours))
    assert row.outcome == outcome
    assert (row.share is None) == (row.interval is None or theirs in (None, (2.0, 2.0)))
    cells = beside([row]).rows[0]
    assert cells[0] == "row" and cells[-2:] == [str(len(ours)), outcome]


def test_a_share_of_one_is_the_published_difference():
    gaps = np.array([-0.9, -1.1, -1.0, -0.8, -1.2])
    row = Reproduction("row", (5.53, 4.24), (np.full(5, 5.0), 5.0 + gaps * 1.29))
    assert row.share.mean == pytest.approx(1)
    assert row.share.low == pytest.approx(Interval.of(-gaps).low)
    assert row.share.high == pytest.approx(Interval.of(-gaps).high)
    assert beside([row], 2).rows[0][1:3] == ["5.53 → 4.24", "-1.29"]


def test_overlapping_splits_widen_the_interval():
    gaps = np.array([-0.9, -1.1, -1.0, -0.8, -1.2])
    row = Reproduction("row", (5.0, 4.0), (np.full(5, 5.0), 5.0 + gaps), splits=(90, 10))
    wanted = Interval.resampled(gaps, 90, 10)
    assert (row.interval.low, row.interval.high) == pytest.approx((wanted.low, wanted.high))
    assert row.interval.low < Interval.of(gaps).low


def test_recorded_runs_are_paired_by_seed(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "folder", lambda: tmp_path)
    for method, seed, error in (("plain", 0, 0.5), ("plain", 1, 0.25), ("mixup", 1, 0.125)):
        results.save(
            {
                "experiment": "toy",
                "method": method,
                "seed": seed,
                "metrics": {"test": {"error": error}},
            },
            tmp_path,
        )
    row = reproduce("toy", "toy", ("plain", "mixup"), theirs=(30.0, 10.0))
    assert row.differences.tolist() == [-12.5]  # seed 1 only: mixup lacks seed 0
    assert beside([row]).rows[0][3:] == ["25.0 → 12.5", "-12.5", "1", "points only"]
    for experiment, method in (("toy", "cutmix"), ("absent", "mixup")):
        assert reproduce("toy", experiment, ("plain", method)).outcome == "not recorded"


def test_sources_say_how_a_figure_was_checked():
    table = sources("mixup-cifar10-repository", "mixup-cifar10-preact18")
    read, quoted = (row[2] for row in table.rows)
    assert read.startswith("read in the source; baseline tuned: yes: ")
    assert quoted.startswith("as cited by public reading notes") and "verma2019" in quoted
    assert "; baseline tuned: not known" in quoted
    text = source("mixup-cifar10-repository")
    assert max(map(len, text.splitlines())) <= 76
    whole = " ".join(text.split())
    assert whole.startswith("published in zhang2017code, README.md") and " alpha: mixup 1 " in whole
    checked, tuned = read.split("; baseline tuned: ")
    assert whole.endswith(f"checked: {checked} baseline tuned: {tuned}")
