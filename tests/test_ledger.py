"""The ledger: a line for each claim, held to the cards; what it refuses; what other pages read."""

import re

import nbformat
import pytest

from mixup_lib.evidence import registry
from mixup_lib.evidence.literature import published
from tools import claims, course, ledger

KNOWN = registry.claims()


@pytest.fixture(scope="module")
def found():
    return claims.records()


@pytest.fixture(scope="module")
def page():
    return ledger.PAGE.read_text("utf-8")


def test_a_line_for_each_claim_with_passage_answer_grade_and_link(page):
    table = page.partition("## All claims")[2].partition("\n## ")[0]
    lines = [line for line in table.splitlines() if line.startswith("| [C")]
    assert len(lines) == 30
    for line, (name, claim) in zip(lines, KNOWN.items(), strict=True):
        first, passage, answer, evidence = (cell.strip() for cell in line.strip("|").split("|"))
        assert first == f"[{name}](claim-{name.lower()})"
        assert claim["heading"][0] in passage and claim["phrase"] in passage
        assert answer.startswith("**") and answer.endswith(".") and len(answer.split()) > 8, name
        assert evidence and not re.search(r"supported|refuted|inconclusive", line)
    for name in KNOWN:
        assert f"(claim-{name.lower()})=\n### {name}: " in page


def test_every_registered_test_of_a_run_experiment_is_judged(found):
    waiting = {test.id for test in registry.tests().values() if not test.stated}
    assert set(registry.tests()) - set(found) == waiting


def test_every_claim_stands_as_its_tests_say(found):
    for claim in KNOWN.values():
        assert ledger.stand(claim, found) in ledger.STANDS


def test_an_answer_that_its_tests_contradict_is_refused(found):
    claim = KNOWN["C12"]
    turned = {**found["C12/cifar"], "word": "helps"}
    with pytest.raises(ValueError, match="C12 is stated to stand as 'fails', .* 'open'"):
        claims.stand(claim, {**found, "C12/cifar": turned})


def test_toys_decide_nothing_about_practice(found):
    for claim in KNOWN.values():
        kinds = {test.kind for test in claims.deciding(claim)}
        if claim["about"] == "practice":
            assert "toy" not in kinds
            if not kinds:
                assert claim["stands"] == "untested" and claims.grade(claim) == "toy only"
    turned = {**found["C12/digits"], "word": "helps"}
    assert claims.stand(KNOWN["C12"], {**found, "C12/digits": turned}) == "fails"


def test_literature_is_in_the_file_of_published_figures(page):
    for name, claim in KNOWN.items():
        for place in claim["literature"]:
            told = claims.literature(place)
            assert published(place.split("#")[0])["reference"] in told, name
            assert told in page, place


def test_numbers_are_filled_in_from_the_record(found):
    text = claims.filled("a {C12/cifar} b {openmixup-cifar10#none>mixup} c", found)
    finding = found["C12/cifar"]["findings"][0]
    assert f"{finding['mean']:.1f} [{finding['low']:.1f}" in text and "94.87 → 95.7" in text
    assert f"{-finding['mean']:.1f} [" in claims.filled("costs {-C12/cifar}", found)
    for wrong in ("{C12}", "{C12/cifar|flip}", "{C99}"):
        with pytest.raises(ValueError, match=re.escape(repr(wrong[1:-1]))):
            claims.filled(wrong, found)


def test_each_bar_says_why_and_what_is_published(page):
    section = page.partition("(claims-bars)=")[2].partition("(claims-tests)=")[0]
    for name, bar in registry.bars().items():
        (line,) = (line for line in section.splitlines() if line.startswith(f"| {name} |"))
        assert bar["why"] in line
        for place in bar.get("above", ()):
            assert published(place.split("#")[0])["what"] in line


def test_what_a_design_could_have_shown_stands_with_every_undecided_test(page, found):
    for name, record in found.items():
        if record["word"] == "undecided" and registry.tests()[name].rule.asks == "effect":
            block = page.partition(f"**{name}. ")[2].partition("\n**C")[0]
            assert "would have shown an effect of" in block, name


def test_the_words_are_explained_and_the_old_ones_gone(page):
    for word in claims.words.WORDS:
        assert f"\n{word}\n: " in page
    assert "not decidable as stated" not in page and "at this scale" not in page


def test_no_chapter_speaks_in_the_old_words():
    for path in claims.course.notebooks():
        for cell in claims.course.read(path).cells:
            if cell.cell_type == "markdown":
                old = re.search(r"inconclusive at this scale|not decidable as stated", cell.source)
                assert not old, f"{path.name}, {cell.id}"


def test_other_pages_can_be_held_to_the_summary(found):
    told = ledger.summary()
    assert list(told) == list(KNOWN)
    for name, entry in told.items():
        assert entry["word_zh"] == ledger.STANDS[entry["stands"]][1]
        assert set(entry["tests"]) == {t.id for t in claims.tests_of(name)} & set(found)
        assert not re.search(r"[{}]", entry["answer"])


def test_the_front_page_has_five_findings_with_numbers():
    lines = ledger.front()
    assert len(lines) == 5
    assert all(not re.search(r"[{}]", line) for line in lines)
    assert sum("[" in line for line in lines) >= 3


def card(word="harms", test="C12/cifar"):
    record = {
        "test": test,
        "claim": "C12",
        "word": word,
        "unit": "",
        "anchor": "a",
        "findings": [],
        "rivals": [],
    }
    metadata = {"mixup_claim": record}
    return nbformat.v4.new_output("display_data", {"text/plain": ""}, metadata=metadata)


@pytest.mark.parametrize(
    "name, cards, message",
    [
        ("08_comparisons", [card("helps")], "stored as 'helps' and stated as 'harms'"),
        ("08_comparisons", [card(), card()], "a second card of C12/cifar"),
        ("08_comparisons", [card(test="C12/else")], "C12/else is not in claims.toml"),
        ("04_image", [card()], "C12/cifar is registered in 08_comparisons"),
    ],
)
def test_what_the_ledger_refuses(tmp_path, monkeypatch, name, cards, message):
    cells = [nbformat.v4.new_code_cell(id=f"c-{k}", outputs=[c]) for k, c in enumerate(cards)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / f"{name}.ipynb")
    monkeypatch.setattr(claims.course, "NOTEBOOKS", tmp_path)
    with pytest.raises(ValueError, match=message):
        claims.records()


def test_the_front_page_shows_the_turn_as_recorded():
    """More errors on its own data, less to gain: six rows in that order, then what breaks it."""
    rows = [row.split(" | ") for row in ledger.turn().replace("−", "-").splitlines()[2:]]
    known, gains = ([float(row[i].split()[0]) for row in rows] for i in (1, 3))
    assert known[:6] == sorted(known[:6]) and gains[:6] == sorted(gains[:6], reverse=True)
    assert gains[0] > 0 > gains[5]
    assert len(rows) >= 8 and known[-1] < 5 and gains[-1] < 0
    assert ledger.turn() in (course.ROOT / "book" / "preface.md").read_text()
