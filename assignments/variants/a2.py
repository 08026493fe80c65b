"""Redraws the bug clinic: cases, their order, specimens, hidden bugs, conventions, seeds.

    python -m assignments.variants.a2     writes the published draw into the master

The texts, specimens and keys come from the pool of cases in ``assignments/support/a2``.
"""

from __future__ import annotations

import inspect
import random
import textwrap
from dataclasses import dataclass
from pathlib import Path

import nbformat

from assignments.support.a2 import judge

MASTER = Path(__file__).parents[1] / "a2_bug_clinic.ipynb"
CASES = ("labels", "pairing", "weights", "report", "tokens", "training", "cutmix", "fresh")
SLOTS = 7
HIDDEN = 4  # hidden bugs of a case

TEST_DOC = '''    """Raises AssertionError if the implementation breaks a promise."""'''
REQUIRED = 4  # cases that give points; the others are there for practice
HIDDEN_TESTS = {  # id -> (points, message, what the verdict is asked)
    "accepts": (0.5, "Your test is missing, breaks, lets the specimen through, rejects a correct "
                     "implementation, or catches hardly any bug. What does the interface of case "
                     "{i} leave free?", "accepts()"),
    "half": (0.5, "Your test catches less than half of the hidden bugs of case {i}. Does it look "
                  "at every promise?", f"catches({HIDDEN // 2})"),
    "most": (0.5, "More than one hidden bug slips through your test of case {i}. Which promise "
                  "does it leave out?", f"catches({HIDDEN - 1})"),
    "all": (1, "At least one bug of case {i} slips through your test. Which promise, and which "
               "inputs that the interface allows, does it leave out?", "catches()"),
    "stable": (0.5, "Your test of case {i} depends on luck, or catches less than half of the "
                    "bugs. Count in how many of many runs it fails, on the specimen and on your "
                    "fix.", "stable()"),
}
FIX_TESTS = {
    "promise": "Your fix of case {i} breaks a promise of the interface. Does your own test "
               "look at all of them?",
    "edges": "Your fix of case {i} breaks a promise for less common inputs that the interface "
             "allows, or changes the caller's tensors.",
}


@dataclass(frozen=True)
class Slot:
    """What stands at one place of the gallery."""

    name: str
    specimen: str
    bugs: tuple[str, ...]  # hidden
    flip: bool = False


PUBLISHED = (
    Slot("labels", "averaged", ("overwritten", "exchanged", "half_classes", "heavier")),
    Slot("pairing", "two_permutations", ("two_weights", "complement", "mean_weight", "inverse")),
    Slot("weights", "rate", ("alpha_itself", "folded", "one_sided", "repeated")),
    Slot("report", "silently_folded", ("other_side", "inverse", "drawn_again", "mean_reported")),
    Slot("tokens", "averaged", ("padding_counts", "own_mask", "unmoved_mask", "full_weight")),
    Slot("training", "Always", ("ByGradient", "EvalOnly", "OneWay", "InPlace")),
    Slot("cutmix", "planned", ("sides_swapped", "not_rounded", "reversed_share", "one_more")),
)


def draw_slots(rng: random.Random) -> list[Slot]:
    """A gallery of other cases in another order. Its required cases are those whose convention can
    be exchanged, in most of them it is, and one whose key is not published; so the published
    answers earn little, also at the place of their own title."""
    flippable = [name for name in CASES if hasattr(judge.case(name), "FLIP")]
    kept = rng.choice([None, *flippable])
    published = {slot.name for slot in PUBLISHED}
    required = flippable + [name for name in CASES if name not in published]
    names = rng.sample(required, len(required))
    rest = [name for name in CASES if name not in required]
    names += rng.sample(rest, SLOTS - len(names))
    slots = []
    for name in names:
        module = judge.case(name)
        specimen = rng.choice([bug for bug in module.BUGS
                               if bug not in getattr(module, "HIDDEN_ONLY", ())])
        others = [bug for bug in module.BUGS if bug != specimen]
        slots.append(Slot(name, specimen, tuple(rng.sample(others, HIDDEN)),
                          name in flippable and name != kept))
    return slots


def draw(rng: random.Random) -> dict[str, str]:
    """Sources of the cells of a variant, by cell id."""
    return cells(draw_slots(rng), rng.randrange(1000, 10**6))


def cells(slots, first_seed: int = 0) -> dict[str, str]:
    """Sources of all cells that depend on the draw, by cell id."""
    found = {"variant": f"RUNS = {judge.RUNS}\nALLOWED_MS = {judge.ALLOWED_MS}\n"
                        f"FIRST_SEED = {first_seed}"}
    for number, slot in enumerate(slots, 1):
        found |= slot_cells(number, slot)
    return found


def slot_cells(i: int, slot: Slot) -> dict[str, str]:
    """The cells of place i, from 1: questions 2i - 1 (the test) and 2i (the fix)."""
    module, test, fix = judge.case(slot.name), f"q{2 * i - 1}", f"q{2 * i}"
    note = "" if i <= REQUIRED else " (for practice)"
    specimen = judge.source(module.BUGS[slot.specimen], slot.flip, f"specimen_{i}", doc=False)
    question, code = warm_up(module.key_warm_up, slot.flip, f"specimen_{i}")
    found = {
        f"case-{i}-task": f"## Case {i}. {module.TITLE}{note}\n\n{module.text(slot.flip)}",
        f"case-{i}-specimen": specimen,
        f"case-{i}-warm-up": "**Warm-up, without points.** " + question,
        f"case-{i}-warm-up-code": code,
        f"{test}-solution": solution(judge.source(module.key_test, slot.flip, f"test_case_{i}")),
        f"{fix}-solution": solution(judge.source(module.key_fix, slot.flip, f"fixed_{i}",
                                                 doc=False)),
    }
    arguments = f'"{slot.name}", "{slot.specimen}"', f'"{" ".join(slot.bugs)}"', f"{slot.flip}"
    for what, (points, message, asked) in HIDDEN_TESTS.items():
        points = points if i <= REQUIRED else 0
        found[f"{test}-{what}"] = test_cell(f"test_{test}_{what}", points, message.format(i=i), (
            "    from support.a2 import judge\n\n"
            "    verdict = judge.Verdict(\n"
            f'        env.get("test_case_{i}"),\n'
            + "".join(f"        {argument},\n" for argument in arguments)
            + f"    )\n    verdict.{asked}"))
    for part, message in FIX_TESTS.items():
        points = (0.5 if i == 1 else 1) if i <= REQUIRED else 0  # the other half pays question 0
        found[f"{fix}-{part}"] = test_cell(f"test_{fix}_{part}", points, message.format(i=i), (
            "    from support.a2 import judge\n\n"
            "    judge.property_test(\n"
            f'        env.get("fixed_{i}"), "{slot.name}", "{part}", {slot.flip}\n    )'))
    return found


def warm_up(function, flip: bool, specimen: str) -> tuple[str, str]:
    """What a warm-up asks, and its code, in which the function's argument is the specimen."""
    _, body = judge.source(function, flip, doc=False).split("\n", 1)
    return (" ".join(inspect.getdoc(function).split()),
            textwrap.dedent(body).replace("specimen(", f"{specimen}("))


def solution(source: str) -> str:
    """A key's function or class with its body marked, and a docstring where it is a test."""
    head, _, body = source.partition("\n")
    while not head.endswith(":"):  # a signature of several lines
        more, _, body = body.partition("\n")
        head += "\n" + more
    doc = f"{TEST_DOC}\n" if head.startswith("def test_case_") else ""
    return f"{head}\n{doc}    # BEGIN SOLUTION\n{body}\n    # END SOLUTION"


def test_cell(name: str, points: float, message: str, body: str) -> str:
    """A hidden test in otter's format."""
    return (f'""" # BEGIN TEST CONFIG\npoints: {points}\nhidden: true\nfailure_message: >-\n'
            + textwrap.indent(textwrap.fill(message, 76), "  ")
            + f'\n""" # END TEST CONFIG\n\n\ndef {name}(env):\n{body}\n\n\n{name}(globals())')


def write() -> None:
    """Puts the published draw into the master, cell by cell."""
    notebook = nbformat.read(MASTER, as_version=4)
    sources = cells(PUBLISHED)
    for cell in notebook.cells:
        cell.source = sources.get(cell.id, cell.source)
    nbformat.write(notebook, MASTER)


if __name__ == "__main__":
    write()
