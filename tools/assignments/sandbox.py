"""Runs submissions within limits, and says in a sentence which one was broken, and by whom.

A submission has a temporary home and working folder, an environment that holds nothing of the
grader's, and limits on processor time, memory, output, disk and the number of processes. All its
processes end with it, and with the grader, however that ends (:mod:`warden`). It is not cut off
from absolute paths: untrusted code belongs in a container or under a throw-away account
(``tools/assignments/Dockerfile``).
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import os
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass

from tools import course
from tools.assignments import AssignmentError

# What stays of the environment: a submission sees no token and no home of the grader's.
KEPT = ("PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "SYSTEMROOT")
FIXED = {
    "MPLBACKEND": "Agg",
    "OMP_NUM_THREADS": "1",
    "CUDA_VISIBLE_DEVICES": "",
    "TQDM_DISABLE": "1",
    "GRADING": "1",
    "PYTHONHASHSEED": "0",
    "HOME": "/nonexistent",
    # Where matplotlib keeps its list of fonts, which takes seconds to make.
    "MPLCONFIGDIR": str(course.ROOT / "_build" / "matplotlib"),
}

COMMAND = ["-m", "tools.assignments.warden"]


@dataclass(frozen=True)
class Limits:
    """What a submission may use, in all its processes together.

    Time is the processor's, so that a busy machine costs no marks. The clock on the wall comes in
    only where a submission waits, or where the machine is so busy that nothing comes of it.
    """

    cpu: float = 120  # seconds of processor time
    cell: float = 60  # of them, for one cell; the next one follows
    checks: float = 60  # of them, for the checks of one question
    sleep: float = 30  # seconds in which a cell or a check waits and does not compute
    wall: float = 1800  # seconds on the clock
    memory: int = 3072  # MiB, resident; torch itself takes some 400
    output: int = 10  # MiB printed
    disk: int = 500  # MiB in its folders
    processes: int = 64


class Warden:
    """The process that submissions are forked from; see :mod:`tools.assignments.warden`."""

    def __init__(self):
        if sys.platform == "win32":
            raise AssignmentError(
                "grading needs Linux or macOS; on Windows use the container of "
                "tools/assignments/Dockerfile, or WSL"
            )
        environment = {name: os.environ[name] for name in KEPT if name in os.environ}
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [sys.executable, *COMMAND],
            cwd=course.ROOT,
            env=environment | FIXED,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            start_new_session=True,
        )
        if self.process.stdout.readline() != b"ready\n":
            raise RuntimeError(f"the sandbox did not start: {self.said()}")

    def said(self) -> str:
        self.errors.seek(0)
        return self.errors.read()[-500:].decode(errors="replace").strip()

    def run(self, job: dict) -> dict:
        """The result of a job.

        Raises:
            RuntimeError: The warden ended.
        """
        try:
            self.process.stdin.write(json.dumps(job).encode() + b"\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except OSError:
            line = b""
        if not line.endswith(b"\n"):
            self.process.wait()
            raise RuntimeError(
                f"the sandbox ended (exit code {self.process.returncode}) {self.said()}"
            )
        return json.loads(line)

    def end(self) -> None:
        """Closes the pipe, upon which the warden ends with all that descends from it."""
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()
        self.errors.close()


_own = threading.local()  # each thread has a warden of its own, started when it is first needed


def warden() -> Warden:
    """This thread's warden."""
    found = getattr(_own, "warden", None)
    if found is None or found.process.poll() is not None:
        found = _own.warden = Warden()
    return found


def close() -> None:
    """Ends this thread's warden."""
    if found := _own.__dict__.pop("warden", None):
        found.end()


def run(notebook: str, autograder: dict, limits: Limits | None = None) -> dict:
    """Grades a notebook.

    Args:
        notebook: Its text.
        autograder: As :func:`tools.assignments.build.load` gives it.
        limits: What it may use; those of the assignment if None.

    Returns:
        ``questions`` (by name; those that were finished, also if it was stopped), ``errors``,
        ``names``, ``identity`` as :func:`runner.execute` gives them; ``reason``, empty or the
        sentence that says why it was stopped; ``fault``, "submission" or "grader" if it or one of
        its cells or checks was stopped, else empty; ``signs`` of tampering; ``seconds``, ``cpu``.

    Raises:
        AssignmentError: Grading isn't possible on this system.
        RuntimeError: The sandbox failed. No fault of the submission.
    """
    limits = limits or Limits(**autograder.get("limits", {}))
    texts = {path: content.decode() for path, content in autograder["support"].items()}
    hidden = set(autograder.get("hidden_support", ()))
    job = {
        "assignment": autograder["assignment"],
        "blocked": list(autograder["blocked"]),
        "tests": autograder["tests"],
        "public": autograder.get("public", {}),
        "possible": autograder["possible"],
        "identity": autograder.get("identity", ""),
        "files": {"submission.ipynb": notebook}
        | {path: text for path, text in texts.items() if path not in hidden},
        "hidden_files": {path: text for path, text in texts.items() if path in hidden},
        "limits": dataclasses.asdict(limits),
    }
    job = json.loads(json.dumps(job).encode("utf-8", "replace"))
    return checked(warden().run(job), autograder["possible"])


def checked(result: dict, possible: dict[str, float]) -> dict:
    """The result, if it has the shape and range that results have; else one that says it hasn't.

    What a submission reports is not to be trusted: it shares its process with the tests.
    """
    signs = (
        [f"it deleted or changed files of its folder: {', '.join(result.pop('changed'))}"]
        if result.get("changed")
        else []
    )
    odd = next((problem for problem in problems(result, possible)), "")
    if odd:
        result |= {
            "questions": {},
            "errors": [],
            "names": [],
            "identity": "",
            "reason": f"what it reported is no result ({odd})",
            "fault": "submission",
        }
        signs.append(f"its report was not made by the tests: {odd}")
    if result.pop("impossible", False):
        signs.append("a test that nothing can pass was passed: the tests were tampered with")
        result |= {"questions": {}, "reason": "it changed how tests are run", "fault": "submission"}
    return result | {"signs": signs}


def problems(result: dict, possible: dict[str, float]):
    """What a result has that none can have."""
    for name, question in result["questions"].items():
        if name not in possible:
            yield f"a question {name[:40]!r}"
        elif not isinstance(question, dict) or set(question) != {"score", "possible", "cases"}:
            yield f"{name} has other entries than a result"
        elif not all(
            isinstance(question[key], int | float) and math.isfinite(question[key])
            for key in ("score", "possible")
        ):
            yield f"the points of {name} are no numbers"
        elif not 0 <= question["score"] <= possible[name] or question["possible"] != possible[name]:
            yield f"{name} has {question['score']} of {question['possible']} points"
        elif not isinstance(question["cases"], list) or not all(map(is_case, question["cases"])):
            yield f"the tests of {name}"
        elif question["score"] > 1e-9 + sum(
            case["points"] for case in question["cases"] if case["passed"]
        ):
            yield f"{name} has more points than its tests give"
    for key in ("errors", "names"):
        if not isinstance(result[key], list) or not all(
            isinstance(one, str) for one in result[key]
        ):
            yield f"its {key}"
    if not isinstance(result["identity"], str):
        yield "its name"


def is_case(case) -> bool:
    """Whether this is the outcome of one test."""
    kinds = {
        "hidden": bool,
        "points": int | float,
        "passed": bool,
        "message": str | None,
        "told": str,
        "detail": str,
    }
    return (
        isinstance(case, dict)
        and set(case) == set(kinds)
        and all(isinstance(case[key], kind) for key, kind in kinds.items())
    )
