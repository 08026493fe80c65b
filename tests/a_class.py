"""A class of thirty: what students hand in, by their kind, and how a teacher grades it.

    python tests/a_class.py a2 [--busy]

builds an assignment, grades its class twice, with --busy once more beside two processes that
compute all the time, and prints the marks by kind and the time. The suite does the same with the
trial assignment, whose thirty take seconds.
"""

import argparse
import csv
import importlib
import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import nbformat

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]

from tools.assignments import build, grade, masters, prove  # noqa: E402

TRIAL = {
    "styles": [
        {"q1": "double = lambda x: x + x"},
        {"q1": "import operator\n\n\ndef double(x):\n    return operator.mul(2, x)"},
        {
            "q1": "class Double:\n    def __call__(self, x):\n        return x << 1\n\n\n"
            "double = Double()"
        },
    ],
    "half": [{"q1": "def double(x):\n    return abs(x) * 2"}],
    "strategic": [{"q1": "def double(x):\n    return 4"}],
}
# In place of the first answer, and what the teacher must then be told, if anything.
HOSTILE = {
    "loops": ("while True:\n    pass", ""),
    "sleeps": ("import time\ntime.sleep(3600)", ""),
    "eats-memory": ("kept = []\nwhile True:\n    kept.append(b'x' * 4 * 10**8)", ""),
    "prints": ("while True:\n    print('x' * 10_000)", ""),
    "exits": ("import os\nos._exit(0)", "writes to open files"),
    "forks": ("import os, time\nfor _ in range(7):\n    os.fork()\ntime.sleep(60)", ""),
    "patches-tests": (
        "from otter.test_files.exception_test import test_case\n"
        "test_case.call_func = lambda *_: None",
        "tampered with",
    ),
    "spies": (
        "import os\nraise ValueError(open(f'/proc/{os.getppid()}/environ').read())",
        "reads where no data lie",
    ),
}


def class_of(name: str, built: Path, folder: Path) -> dict[str, str]:
    """Writes the submissions of a class into a folder; returns each student's kind."""
    place = next(built.glob(f"{name}_*"))
    key = next((place / "instructor").glob("*_key.ipynb")).read_text()
    student = next((place / "student").glob("*.ipynb")).read_text()
    questions = build.load(name, built)["questions"]
    solved = prove.answers(key, questions)
    first = next(iter(solved))
    kinds: dict[str, str] = {}

    def hand_in(kind, number, text, suffix=".ipynb"):
        who = f"{kind}{number}"
        kinds[who] = kind
        path = folder / f"{who}_{1000 + len(kinds)}_assignsubmission_file_work{suffix}"
        path.write_bytes(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text)
        return path

    content = json.loads(key)
    bare = {
        **content,
        "metadata": {},
        "nbformat_minor": 4,
        "cells": [{k: v for k, v in cell.items() if k != "id"} for cell in content["cells"]],
    }
    old = nbformat.writes(nbformat.convert(nbformat.reads(key, as_version=4), 3))
    unchecked = {
        **content,
        "cells": [cell for cell in content["cells"] if not cell["id"].endswith("-check")],
    }
    for i, text in enumerate((key, "\ufeff" + key, json.dumps(bare), old, json.dumps(unchecked))):
        hand_in("good", i, text)
    if name == "a0":
        styles, half, strategic = TRIAL["styles"], TRIAL["half"], TRIAL["strategic"]
    else:
        pool = importlib.import_module(f"assignments.answers.{name}")
        styles = [answer["answers"] for answer in pool.RIGHT.values()]
        some = list(solved)[: len(solved) // 3]
        half = [{question: solved[question] for question in some}]
        strategic = [answer["answers"] for answer in list(pool.WRONG.values())[:3]]
    for i, answers in enumerate(styles):
        hand_in("style", i, prove.replaced(key, answers))
    for i, answers in enumerate(half):
        hand_in("half", i, prove.replaced(student, answers))
        if len(solved) > 1:
            broken = answers | {list(solved)[-1]: "1 / 0"}
            hand_in("half", f"{i}b", prove.replaced(student, broken))
    hand_in("careless", "-untouched", student)
    hand_in("careless", "-syntax", prove.replaced(key, {first: "def ("}))
    hand_in("careless", "-raises", prove.replaced(key, {first: "raise ValueError('late')"}))
    hand_in(
        "careless", "-renamed", key.replace("double", "twice").replace("test_case_1", "testing")
    )
    for i, answers in enumerate(strategic):
        hand_in("strategic", i, prove.replaced(key, answers))
    for what, (source, _) in HOSTILE.items():
        hand_in("hostile", f"-{what}", prove.replaced(student, {first: source}))
    for i, text in enumerate(("", key[:-50], '{"cells": 3}', "\ud800", b"\xff\xfe\x00")):
        hand_in("broken", i, text)
    hand_in("broken", "-pdf", "%PDF", ".pdf")
    os.mkfifo(folder / "broken-pipe_2001_assignsubmission_file_work.ipynb")
    (folder / "broken-link_2002_assignsubmission_file_work.ipynb").symlink_to("/dev/zero")
    return kinds | {"broken-pipe": "broken", "broken-link": "broken"}


def marks(rows: list[dict]) -> dict[str, float | None]:
    return {row["student"]: row["score"] for row in rows}


def by_kind(kinds: dict[str, str], got: dict[str, float | None]) -> dict[str, list]:
    found = defaultdict(list)
    for student, kind in kinds.items():
        found[kind].append(got[student])
    return dict(found)


def compute() -> None:
    """Keeps a core busy."""
    while True:
        sum(range(10**6))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("name", help="such as a2")
    parser.add_argument("--busy", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as base:
        base = Path(base)
        build.build(asked.name, masters.find([asked.name])[asked.name], out=base / "built")
        (base / "given").mkdir()
        kinds = class_of(asked.name, base / "built", base / "given")
        results = []
        for way in ["once", "again"] + ["beside two busy processes"] * asked.busy:
            busy = [multiprocessing.Process(target=compute, daemon=True) for _ in range(2)]
            for one in busy * way.startswith("beside"):
                one.start()
            began = time.monotonic()
            rows = grade.folder(base / "given", base / way, built=base / "built")
            print(f"{way}: {len(rows)} submissions in {time.monotonic() - began:.0f} s")
            for one in busy * way.startswith("beside"):
                one.kill()
            results.append(marks(rows))
        for kind, got in by_kind(kinds, results[0]).items():
            print(f"{kind}: {', '.join('none' if one is None else f'{one:g}' for one in got)}")
        print("the same marks each time:", all(one == results[0] for one in results))
        for one in results[1:]:
            print({who: (results[0][who], one[who]) for who in one if one[who] != results[0][who]})
        print(list(csv.reader((base / "once" / "class.csv").open()))[0])


if __name__ == "__main__":
    main()
