"""The passage map and the page in Chinese say what the ledger says, of every passage."""

import re

import pytest

from mixup_lib.evidence import registry
from mixup_lib.evidence.literature import names
from tools import course, ledger, passages, sync

BOOK = course.ROOT / "book"
CHINESE = BOOK / "zh.md"
HAN = re.compile(r"[\u4e00-\u9fff]")
LISTINGS = {f"L{number}" for number in range(1, 15)}
VERDICT = re.compile(r"\[(C\d+)\]\(#([\w-]+)\)：\*\*([^*]+)\*\*")


@pytest.fixture(scope="module")
def told():
    return ledger.summary()


def cases():
    return [(heading, one) for heading in passages.headings() for one in heading["passages"]]


def errata():
    """Each heading of the errata by its address as MyST makes it, with its listings."""
    text, listings, found = passages.ERRATA.read_text(), [], {}
    for level, title in re.findall(r"(?m)^(##+) (.+)$", re.sub(r"(?ms)^```.*?^```", "", text)):
        if level == "##":
            listings = re.findall(r"\bL\d+", title)
        found[re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")] = listings
    return found


def test_the_pages_are_in_step():
    assert passages.PAGE.read_text() == passages.page() == sync.derived()[passages.PAGE]


def test_every_claim_stands_under_its_heading_with_its_own_words():
    for name, claim in registry.claims().items():
        assert any(
            one.get("claim") == name
            and claim["phrase"] in one["phrase"]
            and heading["zh"] == claim["heading"][0]
            for heading, one in cases()
        ), name


def test_no_other_claim_is_named():
    assert {one["claim"] for _, one in cases() if "claim" in one} == set(registry.claims())


def test_every_listing_stands_once():
    assert sorted(one["listing"] for _, one in cases() if "listing" in one) == sorted(LISTINGS)


def test_errata_are_linked_where_they_stand():
    found = errata()
    for _, one in cases():
        if "erratum" in one:
            assert one["erratum"] in found, one["phrase"]
        if "listing" in one:
            assert one["listing"] in found[one["erratum"]], one["phrase"]


def test_what_the_map_must_not_forget():
    phrases = " ".join(one["phrase"] for _, one in cases())
    assert "连续性和平滑性" in phrases
    promises = [heading["zh"] for heading, one in cases() if "通过实验结果来验证" in one["phrase"]]
    assert promises == ["Mixup在图像识别中的代码实例", "Mixup在自然语言处理中的代码实例"]


def test_each_answer_is_the_ledgers(told):
    text = passages.page()
    for claim in told.values():
        assert f"**{claim['word'].capitalize()}.** {claim['answer']}" in text


def test_a_passage_with_two_answers_or_none_is_an_error(told):
    for passage in ({"phrase": "a"}, {"phrase": "a", "claim": "C1", "answer": "yes"}):
        with pytest.raises(ValueError, match="needs a claim, or an answer of its own"):
            passages.row(passage, told, set())


def test_old_links_to_the_concordance_still_work():
    text = passages.PAGE.read_text()
    assert passages.PAGE.name == "concordance.md" and "\n(concordance)=\n" in text


def test_the_chinese_page_says_what_the_ledger_says(told):
    said = {name: (anchor, word) for name, anchor, word in VERDICT.findall(CHINESE.read_text())}
    assert said == {name: (one["anchor"], one["word_zh"]) for name, one in told.items()}


def test_the_chinese_page_names_each_claim_once_and_explains_each_word(told):
    text = CHINESE.read_text()
    assert len(VERDICT.findall(text)) == len(told)
    for _, word in ledger.STANDS.values():
        assert f"**{word}**" in text.split("##")[0]


def test_the_chinese_page_names_every_listing():
    text, named = CHINESE.read_text(), set()
    for first, last in re.findall(r"L(\d+)(?:至L(\d+))?", text):
        named |= {f"L{number}" for number in range(int(first), int(last or first) + 1)}
    assert named == LISTINGS


def test_the_chinese_page_is_short_and_chinese():
    assert 2000 <= len(HAN.findall(CHINESE.read_text())) <= 3200


def test_the_chinese_page_leads_to_every_chapter_of_the_article():
    text = CHINESE.read_text()
    linked = {int(number) for number in re.findall(r"\.\./notebooks/(\d\d)_", text)}
    assert linked >= set(range(1, 15))
    for path in re.findall(r"\]\((\.\./notebooks/[^)#]+)\)", text):
        assert (BOOK / path).resolve().is_file(), path


def test_the_chinese_page_has_no_numbers_of_its_own():
    """Measured numbers belong to the ledger: here only names, dates and addresses have digits."""
    text = re.sub(r"\(\.\./[^)]*\)|\(#[^)]*\)|`[^`]*`", "", CHINESE.read_text())
    text = re.sub(r"\[?[CL]\d+|第\d+[章类条]|CIFAR-10|ICLR 2018|ResNet-\d+|v2", "", text)
    assert re.findall(r"\d+", text.replace("0到1", "").replace("α等于1", "")) == []


def test_literature_is_published():
    for name, claim in registry.claims().items():
        for place in claim["literature"]:
            assert place.split("#")[0] in names(), (name, place)
