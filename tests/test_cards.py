"""The claims as data, and the card of a test: what is written, when, and what a page shows."""

import json
import re
import subprocess
import tomllib
from functools import cache
from types import SimpleNamespace

import pytest
from IPython.core.formatters import DisplayFormatter

from mixup_lib.evidence import cards, literature, registry, results
from mixup_lib.evidence.interval import Interval
from mixup_lib.evidence.words import HELPS, KINDS, UNTESTED, WORDS
from tools import course

TESTS = registry.tests()
CLAIMS = registry.claims()
TOML = "book/data/claims.toml"
RULE = ("measure", "unit", "asks", "predicts", "side", "combine", "conditions", "needs")


def interval(low, high, n=5):
    return SimpleNamespace(mean=(low + high) / 2, low=low, high=high, n=n)


def git(*words):
    command = ["git", *words]
    done = subprocess.run(command, cwd=course.ROOT, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else None


def test_thirty_claims_each_told_in_full():
    assert list(CLAIMS) == [f"C{n}" for n in range(1, 31)]
    for name, claim in CLAIMS.items():
        assert claim["about"] in ("practice", "fact"), name
        assert claim["combine"] in ("all", "any", "depends"), name
        for key in ("phrase", "says", "zh", "answer", "literature", "test"):
            assert claim[key], f"{name} lacks {key}"
        assert re.search(r"[\u4e00-\u9fff]", claim["zh"])
        assert len(claim["phrase"]) <= 24, f"{name}: a phrase, not a passage"


def test_answers_type_no_number():
    for name, claim in CLAIMS.items():
        said = re.sub(r"\{[^{}]+\}|CIFAR-100?", "", claim["answer"])
        assert not re.search(r"\d+\.\d|\d\s*%|percentage point", said), f"{name}: {said}"


def test_contradictions_name_claims():
    pairs = {(name, claim["against"]) for name, claim in CLAIMS.items() if "against" in claim}
    assert pairs == {("C3", "C21"), ("C16", "C18")}


def test_every_test_has_a_chapter_a_kind_and_a_bar_with_a_reason():
    chapters = {path.stem for path in course.notebooks()}
    for test in TESTS.values():
        assert test.id.partition("/")[0] == test.claim["id"]
        assert test.chapter in chapters, test.id
        assert test.kind in KINDS and test.stated in ("", *WORDS), test.id
        if test.rule.asks == "effect":
            assert test.why, f"{test.id}: say why the bar is where it is"
        if test.rule.needs == "room":
            assert test.room, f"{test.id}: say what must be so"
        for experiment in test.records:
            known = {path.name for path in results.folder().iterdir()}
            assert experiment in known or not test.stated, f"{test.id}: {experiment}"
    anchors = [test.anchor for test in TESTS.values()]
    assert len(set(anchors)) == len(anchors)


def published_gain(place):
    before, after = place.split(">")
    entry, key = before.split("#")
    other, _, last = after.rpartition("#")
    figures = [literature.published(entry), literature.published(other or entry)]
    values = [figures[0]["values"][key], figures[1]["values"][last]]
    if "accuracy" in figures[0]["measure"]:
        values = [100 - value for value in values]
    return 1 - values[1] / values[0]


@pytest.mark.parametrize("name", registry.bars())
def test_a_bar_lies_below_what_is_published(name):
    bar = registry.bars()[name]
    assert bar["why"] and ("share" in bar) != ("bar" in bar)
    for place in bar.get("above", ()):
        assert published_gain(place) > bar["share"], place


def test_every_bar_is_used():
    assert {test.bar for test in TESTS.values()} - {""} == set(registry.bars())


@cache
def first_commit(path):
    """The commit that first added something at a path; None where history does not tell."""
    log = git("log", "--diff-filter=A", "--format=%H", "--reverse", "--", path)
    return log.split()[0] if log and log.split() else None


@cache
def rules_at(commit):
    """The tests of the claims file as it stood at a commit."""
    text = git("show", f"{commit}:{TOML}")
    if text is None:
        return {}
    data = tomllib.loads(text)
    bars = data["bars"]
    found = {}
    for claim in data["claim"]:
        for test in claim["test"]:
            rule = {key: test.get(key) for key in RULE}
            bar = test.get("bar")
            rule["bar"] = bars[bar].get("share", bars[bar].get("bar")) if bar in bars else bar
            found[test["id"]] = rule
    return found


@pytest.mark.parametrize("test", [t for t in TESTS.values() if t.records], ids=lambda t: t.id)
def test_registration_is_what_git_says(test):
    if git("rev-parse", "--is-shallow-repository") != "false\n":
        pytest.skip("no history")
    now = rules_at("HEAD").get(test.id)
    firsts = [first_commit(f"results/{experiment}") for experiment in test.records]
    if None in firsts or now is None:
        assert test.registered == "before" or now is None, f"{test.id} has no record yet"
        return
    before = all(rules_at(f"{commit}^").get(test.id) == now for commit in firsts)
    together = all(rules_at(commit).get(test.id) == now for commit in firsts)
    expected = "before" if before else "with" if together else "after"
    assert test.registered == expected, f"{test.id}: git says {expected}"


def test_a_toy_is_called_one():
    """Embedded digits and points never pass for real data."""
    for test in TESTS.values():
        scale = test.scale.lower()
        spoken = "spoken" in scale or "fsdd" in scale
        if re.search(r"\bdigits\b|rings|moons|numbers to words", scale) and not spoken:
            assert test.kind in ("toy", "exact"), test.id


@pytest.fixture
def small(monkeypatch):
    """One test of one claim, in place of the book's."""

    def put(**changes):
        raw = {
            "id": "C15/cifar",
            "says": "Mixup <helps>.",
            "chapter": "04_image",
            "measure": "paired difference",
            "unit": "points",
            "asks": "effect",
            "predicts": "helps",
            "bar": 1.0,
            "why": "because",
            "kind": "small",
            "scale": "CIFAR-10",
            "registered": "before",
            "stated": HELPS,
        } | changes
        data = {
            "headings": {"h": ["中", "e"]},
            "bars": {"images": {"share": 0.1, "why": "a tenth"}},
            "claim": [{"id": "C15", "heading": "h", "test": [raw]}],
        }
        monkeypatch.setattr(registry, "_data", lambda: data)

    return put


def test_a_card_holds_rule_and_verdict(small):
    small()
    card = cards.claim("C15/cifar", interval(1, 2), rivals={"dropout": interval(0, 3)})
    data, metadata = DisplayFormatter().format(card)
    assert data["text/plain"] == "C15/cifar: helps"
    html = data["text/html"]
    assert "&lt;helps&gt;" in html and "<helps>" not in html
    for told in (
        "1.5 [1, 2] points, n = 5",
        "would have shown",
        "Beside it: dropout",
        "small;",
        "inside ±1 point, or below zero",
        "before its runs",
        "▲ helps",
    ):
        assert told in html.replace("\N{NO-BREAK SPACE}", " "), told
    assert html.count("<table") == 1 and html.count('scope="row"') == html.count("<tr>")
    record = json.loads(json.dumps(metadata["mixup_claim"], allow_nan=False))
    assert record["test"] == "C15/cifar" and record["word"] == HELPS
    assert f'id="{record["anchor"]}"' in html and record["anchor"] == "c15-cifar"


def test_a_claim_of_harm_says_which_way_a_word_speaks(small):
    small(predicts="harms", stated="harms")
    assert (
        "▼ harms, as claimed"
        in cards.claim("C15/cifar", interval(-2, -1))._repr_mimebundle_()[0]["text/html"]
    )
    small(predicts="harms", stated=HELPS)
    assert (
        "▲ helps, against the claim"
        in cards.claim("C15/cifar", interval(1, 2))._repr_mimebundle_()[0]["text/html"]
    )


def test_the_data_decide_and_not_the_page(small):
    small()
    with pytest.raises(AssertionError, match="'helps', but the data say 'harms'"):
        cards.claim("C15/cifar", interval(-2, -1))
    small(stated="")
    with pytest.raises(AssertionError, match="but the data say 'helps'"):
        cards.claim("C15/cifar", interval(1, 2))


def test_what_is_asked_for_must_be_given(small):
    small(conditions=["a", "b"], stated=HELPS)
    with pytest.raises(ValueError, match=r"conditions \['a'\]; registered are \['a', 'b'\]"):
        cards.claim("C15/cifar", {"a": interval(1, 2)})
    with pytest.raises(ValueError, match=r"id is 'C15'; .*C15/cifar"):
        cards.claim("C15", interval(1, 2))
    small(bar="images", needs="fit", stated=UNTESTED)
    with pytest.raises(ValueError, match="baseline lacks"):
        cards.claim("C15/cifar", interval(1, 2))
    card = cards.claim("C15/cifar", interval(1, 2), baseline=50, training=40)
    assert card.word == UNTESTED
    small(bar="unknown")
    with pytest.raises(ValueError, match="C15/cifar: bar is 'unknown'; valid are"):
        registry.tests()
    small(kind="huge")
    with pytest.raises(ValueError, match="C15/cifar: kind is 'huge'"):
        registry.tests()
    small(threshold=1)
    with pytest.raises(ValueError, match="C15/cifar: unknown keys"):
        registry.tests()
    small(measure="")
    with pytest.raises(ValueError, match="measure is empty"):
        registry.tests()


def test_a_narrow_escape_is_refused(small):
    small(margin=0.1)
    assert cards.claim("C15/cifar", interval(0.5, 2)).word == HELPS
    with pytest.raises(AssertionError, match="closer than 0.1"):
        cards.claim("C15/cifar", interval(0.05, 2))


def test_what_an_interval_covers_is_said(small):
    small()
    covered = Interval.resampled([5, 5.1, 5.2, 5.1, 5], train=90, test=10)
    html = cards.claim("C15/cifar", covered)._repr_mimebundle_()[0]["text/html"]
    assert "overlapping splits" in html
