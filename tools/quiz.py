"""The quizzes at the ends of chapters: book/quizzes/NN_topic.toml, read and checked.

[[question]]
id = "beta-ends"            # stable and the same in every language
text = "Markdown with $math$; what follows the first paragraph may be code."
several = false             # true: several answers are right, and the page says so
[[question.answer]]
text = "One paragraph of Markdown"
right = true
why = "One paragraph that says why the answer is right or wrong"
"""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from tools import course

FOLDER = course.ROOT / "book" / "quizzes"
QUESTIONS = range(4, 7)
ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@dataclass(frozen=True)
class Answer:
    """One answer: Markdown of its text, whether it is right, and Markdown that says why."""

    text: str
    right: bool
    why: str


@dataclass(frozen=True)
class Question:
    """A question; `several` tells the reader that more than one answer is right."""

    id: str
    text: str
    answer: tuple[Answer, ...]
    several: bool = False


def path(chapter: str) -> Path:
    """Where the questions to a chapter, such as "01_principle", stand or would stand."""
    return FOLDER / f"{chapter}.toml"


def record(kind: type, table: dict, where: str):
    """A table of the file as a dataclass.

    Raises:
        ValueError: an entry is missing, unknown, empty or of the wrong type.
    """
    fields = kind.__dataclass_fields__
    if unknown := sorted(set(table) - set(fields)):
        raise ValueError(f"{where}: unknown {', '.join(unknown)}; valid: {', '.join(fields)}")
    for name, field in fields.items():
        expected = list if name == "answer" else field.type
        default = name == "several" and name not in table
        if not default and (type(table.get(name)) is not expected or table[name] in ("", [])):
            raise ValueError(
                f"{where}: {name} = {table.get(name)!r}; needed is {expected.__name__}, not empty"
            )
        if expected is str and not table[name].strip():
            raise ValueError(f"{where}: {name} is blank")
    return kind(**table)


def question(table: dict, where: str) -> Question:
    """One table `[[question]]`, checked.

    Raises:
        ValueError: with a sentence on what is wrong, and where.
    """
    where = f"{where}, question {table.get('id', '(no id)')!r}"
    answers = tuple(
        record(Answer, answer, f"{where}, answer {number}")
        for number, answer in enumerate(table.get("answer", ()), 1)
    )
    found = record(Question, table, where)
    if not ID.fullmatch(found.id):
        raise ValueError(f"{where}: an id is words in lower case with hyphens between them")
    right = sum(answer.right for answer in answers)
    if len(answers) < 2 or right == len(answers):
        raise ValueError(
            f"{where}: {len(answers)} answers, {right} of them right; "
            "needed are two or more, one of them wrong"
        )
    if right == 0 or (right == 1) == found.several:
        raise ValueError(
            f"{where}: {right} right answers with several = {str(found.several).lower()}"
        )
    if len({answer.text for answer in answers}) < len(answers):
        raise ValueError(f"{where}: an answer stands there twice")
    return Question(found.id, found.text, answers, found.several)


def read(file: Path) -> list[Question]:
    """The questions of a file.

    Raises:
        ValueError: a question breaks a rule; the message names the file, the question, the rule.
        OSError: the file can't be read.
    """
    try:
        tables = tomllib.loads(file.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{file.name} is no TOML: {error}") from error
    if set(tables) != {"question"}:
        raise ValueError(f"{file.name} holds {sorted(tables)}; it should hold [[question]] only")
    questions = [question(table, file.name) for table in tables["question"]]
    if len(questions) not in QUESTIONS:
        raise ValueError(f"{file.name} has {len(questions)} questions; four to six are right")
    ids = [question.id for question in questions]
    if twice := sorted({name for name in ids if ids.count(name) > 1}):
        raise ValueError(f"{file.name}: the id {twice[0]!r} stands there twice")
    return questions
