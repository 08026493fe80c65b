"""Quizzes: what their files hold, how they are refused, and how they work in the page."""

import pytest
from bs4 import BeautifulSoup

from tools import course, prose, quiz

FILES = sorted(quiz.FOLDER.glob("*.toml"))
GOOD = """
[[question]]
id = "first-{0}"
text = "Which?"
[[question.answer]]
text = "this"
right = true
why = "It is."
[[question.answer]]
text = "that"
right = false
why = "It is not."
"""


@pytest.fixture(params=FILES, ids=lambda file: file.stem)
def file(request):
    return request.param


@pytest.mark.parametrize("chapter", [path.stem for path in course.notebooks()])
def test_every_chapter_has_a_quiz(chapter):
    assert quiz.path(chapter) in FILES


def test_every_quiz_has_a_chapter():
    assert {file.stem for file in FILES} <= {path.stem for path in course.notebooks()}


def test_questions_have_one_right_answer_or_say_that_there_are_several(file):
    questions = quiz.read(file)
    assert 4 <= len(questions) <= 6
    for question in questions:
        right = sum(answer.right for answer in question.answer)
        assert right >= 2 if question.several else right == 1, question.id
        assert right < len(question.answer), question.id
        reasons = [answer.why.strip() for answer in question.answer]
        assert all(reasons) and len(set(reasons)) == len(reasons), question.id


def test_the_right_answer_is_not_always_in_one_place(file):
    places = {
        tuple(answer.right for answer in question.answer).index(True)
        for question in quiz.read(file)
    }
    assert len(places) > 1


def test_ids_are_unique_in_the_book():
    ids = [question.id for file in FILES for question in quiz.read(file)]
    assert sorted(ids) == sorted(set(ids))


def test_no_result_is_typed(file):
    assert not prose.typed_numbers(file.read_text("utf-8"), prose.allowed_phrases())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.replace("right = true", "right = false"), "0 right answers"),
        (lambda t: t.replace("right = false", "right = true"), "one of them wrong"),
        (
            lambda t: t.replace('text = "Which?"', 'text = "Which?"\nseveral = true'),
            "several = true",
        ),
        (lambda t: t.replace('why = "It is."', 'why = ""'), "answer 1: why = ''"),
        (lambda t: t.replace('why = "It is."', 'why = "  "'), "why is blank"),
        (lambda t: t.replace('why = "It is not."\n', ""), "answer 2: why = None"),
        (lambda t: t.replace("right = true", 'right = "yes"'), "needed is bool"),
        (lambda t: t.replace("why =", "because ="), "unknown because"),
        (lambda t: t.replace("first-0", "First Question"), "lower case"),
        (lambda t: t.replace("first-1", "first-0"), "'first-0' stands there twice"),
        (lambda t: t.replace('"that"', '"this"'), "an answer stands there twice"),
        (lambda t: t + "[more]\n", "should hold"),
        (lambda t: t + "[[question\n", "is no TOML"),
        (lambda t: t[: t.index('id = "first-1"') - len("[[question]]\n")], "1 questions"),
        (lambda t: t + GOOD.format(4) + GOOD.format(5) + GOOD.format(6), "7 questions"),
    ],
)
def test_a_file_that_breaks_a_rule_is_refused(tmp_path, change, message):
    good = "".join(GOOD.format(number) for number in range(4))
    path = tmp_path / "01_topic.toml"
    path.write_text(good)
    assert [question.id for question in quiz.read(path)][3] == "first-3"
    path.write_text(change(good))
    with pytest.raises(ValueError, match="01_topic.toml") as caught:
        quiz.read(path)
    assert message in str(caught.value)


def test_without_a_script_questions_and_all_reasons_are_readable(site, file):
    page = BeautifulSoup(
        (site / "notebooks" / f"{file.stem}.html").read_text("utf-8"), "html.parser"
    )
    shown = page.select("article .quiz-question")
    questions = quiz.read(file)
    assert [block["id"] for block in shown] == [f"quiz-{question.id}" for question in questions]
    for block, question in zip(shown, questions):
        assert block.fieldset.legend.get_text().strip()
        kind = "checkbox" if question.several else "radio"
        inputs = block.select(f"fieldset label input[type={kind}]")
        rights = [answer.right for answer in question.answer]
        assert [field.has_attr("data-right") for field in inputs] == rights
        assert block.button.has_attr("hidden") and block.select_one("[role=status]")
        reasons = block.select("details li")
        assert ["quiz-right" in reason["class"] for reason in reasons] == rights
        assert all(reason.select_one(".quiz-why").get_text().strip() for reason in reasons)
        assert ("Several answers are right." in block.legend.get_text()) == question.several
    contents = page.select(".bd-sidebar-secondary a")
    assert contents[-1].get_text().strip() == "Check yourself"


def ask(tab, number):
    """One question of chapter 1, with the keyboard's focus on its first answer."""
    tab.open("notebooks/01_principle.html")
    tab.wait_for_selector(".quiz-question mjx-container")
    question = tab.locator(".quiz-question").nth(number)
    question.locator("input").first.focus()
    return question, question.get_by_role("status")


def test_a_question_is_answered_by_keyboard(tab):
    question, said = ask(tab, 2)  # the third answer is right
    before = len(tab.context.cookies()), tab.evaluate("JSON.stringify(localStorage)")
    tab.keyboard.press("Space")
    tab.keyboard.press("Tab")
    tab.keyboard.press("Enter")
    assert said.inner_text().startswith("Not yet.") and "large" in said.inner_text()
    assert question.get_attribute("data-result") == "wrong"
    assert said.locator("mjx-container").count() and not said.locator("[id]").count()
    question.locator("input").first.focus()
    tab.keyboard.press("ArrowDown")
    assert said.inner_text() == ""  # another choice, not judged yet
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("Tab")
    tab.keyboard.press("Space")
    assert said.inner_text().startswith("That is right.")
    assert "nearly all of its mass" in said.inner_text()
    assert before == (len(tab.context.cookies()), tab.evaluate("JSON.stringify(localStorage)"))
    assert not tab.troubles, tab.troubles


def test_several_right_answers_must_all_be_chosen(tab):
    question, said = ask(tab, 4)  # the first and the third are right
    button = question.get_by_role("button")
    button.click()
    assert said.inner_text() == "Choose an answer first."
    results = []
    for place in (0, 2, 1):
        question.locator("input").nth(place).check()
        button.click()
        results.append(question.get_attribute("data-result"))
    assert results == ["missing", "right", "wrong"]
    assert said.locator("li").count() == 3


def test_a_question_has_names_for_a_screen_reader(tab):
    question, _ = ask(tab, 2)
    group = question.get_by_role("group").first
    assert group.get_by_role("radio", name="Almost like one of the two examples").count() == 1
    assert question.get_by_role("button", name="Check").is_visible()
    summary = question.locator("summary")
    summary.focus()
    tab.keyboard.press("Enter")
    assert question.locator("details li").last.is_visible()
