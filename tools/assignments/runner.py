"""What happens inside the sandbox: a notebook's cells are executed, then its tests.

otter-grader's own classes check the answers, so marks are those that Gradescope gives. Like there,
tests run in the process of the submission: limits stop accidents, not a forger. Hidden tests lie on
no disk here, and what they import can be imported only while a check runs.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.abc
import importlib.util
import json
import linecache
import os
import random
import re
import resource
import signal
import sys
import tempfile
import time
from pathlib import Path

MEBIBYTE = 2**20
SHOWN = 500  # characters of an error's message
TICK = 0.5  # seconds between two looks at a cell's time
# A hidden test's message is the teacher's. What follows this, up to the line's end, is told.
TOLD = re.compile(r"Told to the student: (.*)")
# The last line of a failed test's message, where no assertion failed but the answer raised.
RAISED = re.compile(r"^(?!AssertionError\b)([A-Z]\w{2,30}(?:Error|Exception)): [^\n]*\s*\Z", re.M)
# Cell magics that run a program, as `%%bash` does.
PROGRAMS = (
    "bash",
    "sh",
    "script",
    "system",
    "sx",
    "!",
    "cmd",
    "perl",
    "ruby",
    "pypy",
    "python",
    "python2",
    "python3",
    "js",
    "javascript_node",
)
IMPOSSIBLE = """OK_FORMAT = False
from otter.test_files import test_case
name = "impossible"
points = 0
@test_case(points=0, hidden=True)
def test_impossible():
    raise AssertionError("nothing passes this test")
"""


class OutOfTime(BaseException):
    """A cell or a check has used up its time. No Exception, so that few except clauses take it."""


class Blocked(importlib.abc.MetaPathFinder):
    """A finder that refuses modules, with a sentence."""

    def __init__(self, names: list[str], assignment: str):
        self.names, self.assignment = tuple(names), assignment

    def find_spec(self, name, path=None, target=None):
        if any(name == blocked or name.startswith(blocked + ".") for blocked in self.names):
            raise ImportError(
                f"{name} is not available in assignment {self.assignment}: "
                "write the function yourself"
            )
        return None


class InMemory(importlib.abc.MetaPathFinder, importlib.abc.SourceLoader):
    """Modules whose sources lie on no disk; a folder of them is a package."""

    def __init__(self, files: dict[str, str]):
        self.files = {f"/unseen/{path}": text for path, text in files.items()}
        for path in list(self.files):
            for parent in Path(path).parents[:-2]:
                self.files.setdefault(f"{parent}/__init__.py", "")

    def find_spec(self, name, path=None, target=None):
        base = "/unseen/" + name.replace(".", "/")
        for file in (f"{base}/__init__.py", f"{base}.py"):
            if file in self.files:
                return importlib.util.spec_from_file_location(
                    name,
                    file,
                    loader=self,
                    submodule_search_locations=[base] if file.endswith("__init__.py") else None,
                )
        return None

    def get_filename(self, name):
        return self.find_spec(name).origin

    def get_data(self, path):
        return self.files[path].encode()

    @contextlib.contextmanager
    def importable(self):
        """Within this, and not after it, the modules can be imported."""
        sys.meta_path.insert(0, self)
        try:
            yield
        finally:
            sys.meta_path.remove(self)
            for name in [
                name
                for name, module in sys.modules.items()
                if str(getattr(module, "__file__", "")).startswith("/unseen/")
            ]:
                del sys.modules[name]
            linecache.clearcache()


class Clock:
    """Ends what takes too long: a cell, or the checks of a question, not the whole notebook."""

    def __init__(self, sleep: float):
        self.cpu, self.sleep, self.running = 0.0, sleep, False
        signal.signal(signal.SIGALRM, self.look)

    def look(self, *_):
        if not self.running:
            return
        cpu, asleep = self.used()
        if cpu > self.cpu:
            raise OutOfTime(f"stopped after {self.cpu:g} seconds of computing")
        if asleep > self.sleep:
            raise OutOfTime(f"stopped after {self.sleep:g} seconds of waiting")

    def used(self) -> tuple[float, float]:
        """Seconds since the start: computing, and neither computing nor waiting for a core."""
        times = os.times()
        cpu = sum(times[:4]) - self.cpu_began
        queued = self.queued() - self.queue_began
        return cpu, time.monotonic() - self.began - cpu - queued

    @staticmethod
    def queued() -> float:
        try:
            return int(Path("/proc/self/schedstat").read_text().split()[1]) / 1e9
        except (OSError, ValueError, IndexError):
            return 0.0

    @contextlib.contextmanager
    def limited(self, cpu: float):
        """So many seconds for what happens within; an outer limit is continued afterwards."""
        outer = dict(self.__dict__)
        self.cpu = cpu
        self.cpu_began, self.began = sum(os.times()[:4]), time.monotonic()
        self.queue_began, self.running = self.queued(), True
        signal.setitimer(signal.ITIMER_REAL, TICK, TICK)
        try:
            yield
        finally:
            if outer["running"]:  # the time within was not that of the outer one
                shift = sum(os.times()[:4]) - self.cpu_began
                pause, queue = time.monotonic() - self.began, self.queued() - self.queue_began
                self.__dict__ |= outer
                self.cpu_began += shift
                self.began += pause
                self.queue_began += queue
            else:
                self.running = False
                signal.setitimer(signal.ITIMER_REAL, 0)


class Report:
    """The pipe to the warden: JSON by lines, since unpickling could run a submission's code."""

    def __init__(self, descriptor: int):
        self.descriptor, self.process = descriptor, os.getpid()

    def __call__(self, kind: str, value) -> None:
        if os.getpid() != self.process:  # a copy, made by a cell that forks
            os._exit(0)
        data = json.dumps({"kind": kind, "value": value}).encode() + b"\n"
        while data:
            data = data[os.write(self.descriptor, data) :]


def main(job: dict, folder: Path, descriptor: int) -> None:
    """Grades one submission; reports each question when it is finished.

    Args:
        job: See :class:`tools.assignments.warden.Run`.
        folder: A temporary folder with ``work/``, ``home/``, ``tests/``.
        descriptor: Where the report goes.
    """
    confine(folder, job["limits"], job.pop("loaded"))
    report = Report(descriptor)
    report("end", execute(folder, job, report))
    os._exit(0)  # whatever the submission registered for the end does not run


def confine(folder: Path, limits: dict, loaded: int) -> None:
    """A process group, an environment, standard streams and the kernel's limits; ``loaded`` is how
    many bytes the libraries take in memory."""
    os.setsid()
    output = os.open(folder / "output", os.O_WRONLY | os.O_CREAT)
    for target in (1, 2):
        os.dup2(output, target)
    sys.stdin = open(0)
    sys.stdout = sys.__stdout__ = open(1, "w", buffering=1, errors="replace")
    sys.stderr = sys.__stderr__ = open(2, "w", buffering=1, errors="replace")
    home = str(folder / "home")
    os.environ |= {
        "HOME": home,
        "TMPDIR": home,
        "IPYTHONDIR": f"{home}/ipython",
        "MPLCONFIGDIR": f"{home}/matplotlib",
    }
    tempfile.tempdir = None
    os.chdir(folder / "work")
    cpu = int(limits["cpu"]) + 5
    largest = limits["memory"] * MEBIBYTE
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu))
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))
    if sys.platform == "linux":
        # A tenth below the warden's limit: a cell that asks for too much always gets a MemoryError,
        # and the next one follows. The warden's is for what several processes use together.
        data = data_size() + max(0, largest - loaded) * 9 // 10
        resource.setrlimit(resource.RLIMIT_DATA, (data, data))
        give_up_rights()


def data_size() -> int:
    """Bytes of private memory that the libraries take up already."""
    return next(
        int(line.split()[1]) * 1024
        for line in Path("/proc/self/status").read_text().splitlines()
        if line.startswith("VmData")
    )


def give_up_rights() -> None:
    """No rights of the system's administrator, if the grader has them; none to be regained."""
    libc = ctypes.CDLL(None)
    libc.prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
    if os.geteuid() == 0:
        for capability in range(64):
            libc.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP
        header = (ctypes.c_uint32 * 2)(0x20080522, 0)
        libc.capset(header, (ctypes.c_uint32 * 6)())


def execute(folder: Path, job: dict, report) -> dict:
    """Runs all cells, then the tests that no cell has run.

    Returns:
        ``errors``, a sentence for each cell or check that failed; ``names`` of functions that the
        notebook defines; ``identity``, the text of the variable that the assignment names;
        whether a cell or a check has ``broken`` a limit; and whether an ``impossible`` test passed.
    """
    import nbformat
    import numpy as np
    import otter
    import torch
    from otter.execute import Checker
    from otter.test_files import create_test_file

    for path in [path for path in sys.path if (Path(path) / "tools/assignments").is_dir()]:
        sys.path.remove(path)
    sys.path.insert(0, str(folder / "work"))
    sys.meta_path.insert(0, Blocked([*job["blocked"], "tools", "assignments"], job["assignment"]))
    random.seed(0), np.random.seed(0), torch.manual_seed(0)  # the same marks every time
    tests, hidden = dict(job["tests"]), InMemory(job["hidden_files"])
    possible, identity = dict(job["possible"]), job["identity"]
    limits = dict(job["limits"])
    clock = Clock(limits["sleep"])
    errors, stopped, broken = [], {}, False
    for name in [name for name in sys.modules if name.split(".")[0] in ("tools", "assignments")]:
        del sys.modules[name]
    job.clear()

    def check(cls, path, config, test_name=None, global_env=None):
        """Checker.check, with the whole test in place of what lies on the disk."""
        question = Path(path).stem
        if question in stopped:
            raise RuntimeError(f"the checks of {question} were {stopped[question]}")
        report("where", f"the checks of {question}")
        source, shown = tests.get(question, ""), Path(path).read_text()
        Path(path).write_text(source)
        try:
            test = create_test_file(path, config, test_name=test_name)
        finally:
            Path(path).write_text(shown)
        try:
            with hidden.importable(), clock.limited(limits["checks"]):
                test.run(global_env)
        except BaseException as error:  # otter takes Exception only
            stopped[question] = str(error) or type(error).__name__
            nonlocal broken
            broken |= isinstance(error, OutOfTime | MemoryError)
            report("question", {question: nothing(possible[question], error)})
            raise
        cls._test_files.append(test)
        report("question", {question: outcome(test)})
        return test

    Checker.check = classmethod(check)
    shell = new_shell()
    otter.Notebook.init_grading_mode(str(folder / "tests"))
    for number, cell in enumerate(nbformat.read("submission.ipynb", as_version=4).cells):
        if cell.cell_type != "code" or not cell.source.strip():
            continue
        where = f"cell {number + 1} ({cell.get('id', 'no id')})"
        report("where", where)
        with clock.limited(limits["cell"]):
            ran = shell.run_cell(cell.source, store_history=False)
        error = ran.error_before_exec or ran.error_in_exec
        if error is not None:
            errors.append(f"{where} raised {describe(error)}")
            broken |= isinstance(error, OutOfTime | MemoryError)
    for question in tests:
        if question in stopped:
            continue
        try:
            Checker.check_if_not_already_checked(
                str(folder / "tests" / f"{question}.py"), global_env=shell.user_ns
            )
        except BaseException as error:
            errors.append(f"the checks of {question} were stopped by {describe(error)}")
    names = sorted(
        name
        for name, value in shell.user_ns.items()
        if callable(value) and not name.startswith("_")
    )
    sys.stdout.flush()
    return {
        "errors": errors,
        "names": names,
        "broken": broken,
        "impossible": passes_anything(folder),
        "identity": str(shell.user_ns.get(identity, ""))[:200],
    }


def passes_anything(folder: Path) -> bool:
    """Whether a test that fails counts as passed: then somebody changed how tests are run."""
    from otter.nbmeta_config import NBMetadataConfig
    from otter.test_files import create_test_file

    path = folder / "tests" / "impossible.py"
    path.write_text(IMPOSSIBLE)
    test = create_test_file(str(path), NBMetadataConfig())
    test.run({})
    return any(result.passed for result in test.test_case_results)


def new_shell():
    """An IPython shell that neither installs packages nor runs programs by its magics."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    shell = InteractiveShell.instance(config=config)
    for magic in ("pip", "conda", "mamba", "uv", "micromamba", "sx", "system"):
        shell.register_magic_function(lambda line: None, "line", magic)
    shell.register_magic_function(lambda line: None, "line", "matplotlib")  # Agg stays
    for magic in PROGRAMS:
        shell.register_magic_function(
            lambda line, cell: print("no programs while grading:", cell), "cell", magic
        )
    shell.system = lambda command: print("no programs while grading:", command)
    shell.getoutput = lambda command, *_, **__: []
    shell.user_ns["get_ipython"] = shell.get_ipython
    return shell


def outcome(test) -> dict:
    """An otter test file's result: points and, per case, what to tell to whom."""
    return {
        "score": float(test.score),
        "possible": float(test.possible),
        "cases": [
            {
                "hidden": bool(result.test_case.hidden),
                "points": float(result.test_case.points),
                "passed": bool(result.passed),
                "message": result.test_case.success_message
                if result.passed
                else result.test_case.failure_message,
                "told": "" if result.passed else told(result.message or ""),
                "detail": "" if result.passed else (result.message or "")[-3 * SHOWN :],
            }
            for result in test.test_case_results
        ],
    }


def told(message: str) -> str:
    """What a student may read of a failed hidden test."""
    if found := TOLD.findall(message):
        return " ".join(found)
    raised = RAISED.search(message)
    return f"It ended in a {raised[1]}, not in a comparison." if raised else ""


def nothing(possible: float, error: BaseException) -> dict:
    """The result of a question whose checks did not come to an end."""
    case = {
        "hidden": False,
        "points": possible,
        "passed": False,
        "message": "The checks did not come to an end.",
        "told": "",
        "detail": describe(error),
    }
    return {"score": 0.0, "possible": possible, "cases": [case]}


def describe(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:SHOWN]}" if text else type(error).__name__
