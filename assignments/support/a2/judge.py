"""Grades a student's test, and a student's fix, of one case of the bug clinic.

A case is a module of this folder. It holds real functions: CORRECT and BUGS (name -> function), two
property tests of a fix, and, beside the masters only, the test and the fix of the key. Their source
is text that an assignment redraws: where a case has a convention, such as whose weight lambda is,
FLIP says which lines to exchange to get the other one.
"""

import contextlib
import importlib
import inspect
import io
import itertools
import random
import re
import time
import traceback

import numpy as np
import torch

RUNS = 20  # with other random numbers each
ENOUGH = 0.8  # of the runs must agree before an implementation counts as told apart
ALLOWED_MS = 250  # milliseconds of processor time, on average, for one run of a student's test
SPARE = 2  # times this the grader waits, since its machine may be slower than the student's
FEWEST = 5  # runs of each implementation: with so many finished, a slow test is still judged
IMPLEMENTATION = "<implementation>"  # stands for a file's name in tracebacks
PRELUDE = "import random\nimport time\n\nimport numpy as np\nimport torch\nfrom torch import nn\n"
DOCSTRING = re.compile(r'^    """.*?"""\n+', re.DOTALL | re.MULTILINE)

_seen: dict = {}  # (case, flip, names, id of the test) -> (the test, its outcomes)


def case(name: str):
    """The module of a case, such as "labels"."""
    return importlib.import_module(f"{__package__}.{name}")


def source(function, flip: bool = False, rename: str | None = None, doc: bool = True) -> str:
    """Source of a pool function: convention exchanged if flip, renamed, without docstrings if
    not doc."""
    text = inspect.getsource(function)
    module = inspect.getmodule(function)
    for old, new in getattr(module, "FLIP", {}).items() if flip else ():
        text = text.replace(old, new)
    if rename:
        text = re.sub(rf"\b{function.__name__}\b", rename, text)
    text = re.sub(r"  # noqa.*", "", text)
    return text.strip("\n") if doc else DOCSTRING.sub("", text, count=1).strip("\n")


def load(function, flip: bool = False):
    """The pool function, with the convention exchanged if flip."""
    namespace = {}
    exec(compile(PRELUDE + source(function, flip), IMPLEMENTATION, "exec"), namespace)
    loaded = namespace[function.__name__]
    methods = vars(loaded).values() if isinstance(loaded, type) else ()
    for part in (loaded, *filter(inspect.isfunction, methods)):
        part.__qualname__ = "implementation"  # an error's message does not give away which one
    return loaded


def isolated(function, seed: int):
    """The function with random numbers of its own: a seed set in a test can't make luck last."""
    calls = itertools.count()

    def call(*args, **kwargs):
        generator = torch.default_generator  # torch.random.fork_rng does the same, slower
        state = generator.get_state()
        generator.manual_seed(1_000_003 * (seed + 1) + next(calls))
        try:
            return function(*args, **kwargs)
        finally:
            generator.set_state(state)

    return call


def outcome(test, implementation) -> str:
    """ "passes", "fails" (an AssertionError, or any error inside the implementation) or
    "breaks: …" (an error of the test's own)."""
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            test(implementation)
    except AssertionError:
        return "fails"
    except (Exception, SystemExit) as error:
        frames = traceback.extract_tb(error.__traceback__)
        if any(frame.filename == IMPLEMENTATION for frame in frames):
            return "fails"
        return f"breaks: {type(error).__name__}: {error}"
    return "passes"


class Told(AssertionError):
    """What a student's test lacks: a sentence for the student, which names no hidden bug, and
    more for the teacher."""

    def __init__(self, student: str, teacher: str = ""):
        super().__init__(f"Told to the student: {student}\n{teacher}".strip())


def outcomes(test, name: str, implementations: dict, flip: bool = False) -> dict[str, list[str]]:
    """Outcomes of RUNS runs of a test against each implementation, by name.

    All implementations get their first run, then all their second one, so that a slow test is
    judged by what it has finished when its time is over: fewer runs, of all of them alike.
    """
    key = (name, flip, tuple(implementations), id(test))
    if key not in _seen:
        module, found = case(name), {label: [] for label in implementations}
        functions = {label: load(f, flip) for label, f in implementations.items()}
        seconds = SPARE * RUNS * len(functions) * ALLOWED_MS / 1000
        stop = time.process_time() + seconds
        for seed in range(RUNS):
            if time.process_time() > stop:
                break
            for label, function in functions.items():
                random.seed(seed)
                np.random.seed(seed)
                # torch.manual_seed also writes down the whole stack for devices that may come.
                torch.default_generator.manual_seed(seed)
                own = function if getattr(module, "RAW", False) else isolated(function, seed)
                found[label].append(outcome(test, own))
        _seen[key] = (test, found)  # the test is kept, so that its id stays its own
    return _seen[key][1]


class Verdict:
    """What a student's test does: to the specimen, to correct implementations, to hidden bugs.

    Raises Told where nothing can be said: the test is missing, breaks, is far too slow, or
    doesn't tell the specimen from a single correct implementation.
    """

    def __init__(self, test, name: str, specimen: str, bugs: str, flip: bool = False):
        """bugs: names of the hidden ones, with blanks between them."""
        if not callable(test):
            raise Told("There is no test function under this name.")
        module, self.bugs, self.correct = case(name), bugs.split(), list(case(name).CORRECT)
        self.functions = module.CORRECT | {b: module.BUGS[b] for b in (specimen, *self.bugs)}
        self.runs = outcomes(test, name, self.functions, flip)
        rounds = min(map(len, self.runs.values()))
        if rounds < FEWEST:
            raise Told(
                f"Your test is too slow: only {rounds} of {RUNS} runs fit into the time. "
                f"A run may take {ALLOWED_MS} ms on average."
            )
        broken = [
            run for runs in self.runs.values() for run in runs if run not in ("passes", "fails")
        ]
        if broken:
            raise Told(
                "Your test is broken: every run must end with a pass or an AssertionError, "
                f"and one {broken[0]}."
            )
        if not self.share(specimen, "fails"):
            raise Told("Your test lets the specimen itself through.")
        if not any(self.share(label, "passes") for label in self.correct):
            raise Told("Your test fails for every implementation, also for correct ones.")

    def share(self, label: str, wanted: str) -> bool:
        return self.runs[label].count(wanted) >= ENOUGH * len(self.runs[label])

    def missed(self, labels, wanted: str) -> list[str]:
        """Descriptions of the implementations on which the test doesn't do what is wanted."""
        return [
            inspect.getdoc(self.functions[label]).rstrip(".")
            for label in labels
            if not self.share(label, wanted)
        ]

    def accepts(self) -> None:
        """Asserts that correct implementations pass, and that a hidden bug is caught: what looks at
        nothing accepts everything."""
        rejected = self.missed(self.correct, "passes")
        if rejected:
            raise Told("Your test rejects a correct implementation: " + "; ".join(rejected) + ".")
        self.catches(1)

    def catches(self, least: int | None = None) -> None:
        """Asserts that at least so many of the hidden bugs are caught (None: all)."""
        missed = self.missed(self.bugs, "fails")
        least = len(self.bugs) if least is None else least
        if len(self.bugs) - len(missed) < least:
            raise Told(
                f"Your test misses {len(missed)} of {len(self.bugs)} hidden bugs.",
                "It lets these through: " + "; ".join(missed),
            )

    def stable(self) -> None:
        """Asserts that no outcome depends on the random numbers, and that half of the hidden bugs
        are caught: what looks at nothing is no steady test."""
        self.catches(len(self.bugs) // 2)
        flaky = [label for label, runs in self.runs.items() if len(set(runs)) > 1]
        if flaky:
            raise Told(
                f"Your test depends on luck: {len(flaky)} of {len(self.runs)} "
                "implementations pass in some runs and fail in others. Make it decide by "
                "more draws, or by wider bounds."
            )


def property_test(fixed, name: str, part: str, flip: bool = False) -> None:
    """Runs one of the two property tests ("promise", "edges") of a case on a student's fix."""
    assert callable(fixed), "There is no fix under this name."
    for seed in (11, 12, 13):  # the same every time, so that a fix gets the same marks
        torch.manual_seed(seed)
        getattr(case(name), part)(fixed, flip)


def same(actual, expected, what: str, tolerance: float = 1e-5) -> None:
    """Asserts that two tensors agree in shape, type and values."""
    assert isinstance(actual, torch.Tensor), f"{what} is no tensor but {type(actual).__name__}."
    assert actual.shape == expected.shape, (
        f"{what} has shape {tuple(actual.shape)} instead of {tuple(expected.shape)}."
    )
    assert actual.dtype == expected.dtype, (
        f"{what} has dtype {actual.dtype} instead of {expected.dtype}."
    )
    gap = (actual.double() - expected.double()).abs().max() if actual.numel() else 0
    assert gap <= tolerance, f"{what} differs from what the promise says, by up to {gap:.3g}."
