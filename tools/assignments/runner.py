"""What happens inside the sandbox: a notebook's cells are executed, then its tests.

otter-grader's own classes check the answers, so marks are those that Gradescope gives. Like there,
tests run in the process of the submission: limits stop accidents, not a forger.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

# What stays of the environment: a submission sees no token and no home of the grader's.
KEPT = ("PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "SYSTEMROOT")
SHOWN = 500  # characters of an error's message


class Blocked:
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


def main(job: dict, connection) -> None:
    """Grades one submission; sends the result as JSON, since unpickling could run its code.

    Args:
        job: ``folder`` (a temporary folder with ``work/``, ``home/``, ``tests/``), ``notebook``
            (a name in ``work/``), ``assignment``, ``blocked``, ``bytes`` (limit of one file's
            size and, four times, of private memory).
        connection: Where the result goes.
    """
    folder = Path(job["folder"])
    confine(folder, job["bytes"])
    result = execute(folder, job)
    sys.stdout.flush()
    connection.send_bytes(json.dumps(result).encode())
    os._exit(0)  # whatever the submission registered for the end does not run


def confine(folder: Path, limit: int) -> None:
    """A process group, an environment, standard streams and hard limits of its own."""
    import resource
    import tempfile

    os.setsid()
    output = os.open(folder / "output", os.O_WRONLY | os.O_CREAT)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    sys.stdin = open(0)
    sys.stdout = sys.__stdout__ = open(1, "w", buffering=1, errors="replace")
    sys.stderr = sys.__stderr__ = open(2, "w", buffering=1, errors="replace")
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    os.environ.clear()
    os.environ |= kept | {
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "home"),
        "IPYTHONDIR": str(folder / "home" / "ipython"),
        "MPLBACKEND": "Agg",
        "OMP_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "",
        "TQDM_DISABLE": "1",
        "GRADING": "1",
    }
    tempfile.tempdir = None
    os.chdir(folder / "work")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    if sys.platform == "linux":  # the watcher looks at times; this one catches a single big bite
        resource.setrlimit(resource.RLIMIT_DATA, (4 * limit, 4 * limit))


def execute(folder: Path, job: dict) -> dict:
    """Runs all cells, then the tests that no cell has run."""
    import nbformat
    import otter
    from otter.execute import Checker

    tests = folder / "tests"
    notebook = nbformat.read(job["notebook"], as_version=4)
    sys.path[:0] = [str(folder / "work")]
    sys.meta_path.insert(0, Blocked(job["blocked"], job["assignment"]))
    shell = new_shell()
    otter.Notebook.init_grading_mode(str(tests))
    errors = []
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type != "code" or not cell.source.strip():
            continue
        where = f"cell {number + 1} ({cell.get('id', 'no id')})"
        progress(folder, where)
        outcome = shell.run_cell(cell.source, store_history=False)
        error = outcome.error_before_exec or outcome.error_in_exec
        if error is not None:
            errors.append(f"{where} raised {describe(error)}")
    for path in sorted(tests.glob("*.py")):
        progress(folder, f"the tests of {path.stem}")
        try:
            Checker.check_if_not_already_checked(str(path), global_env=shell.user_ns)
        except BaseException as error:  # otter catches Exception only; SystemExit comes here
            errors.append(f"the tests of {path.stem} were stopped by {describe(error)}")
    names = sorted(
        name
        for name, value in shell.user_ns.items()
        if callable(value) and not name.startswith("_")
    )
    return {
        "questions": {test.name: question(test) for test in Checker.get_results()},
        "errors": errors,
        "names": names,
    }


def new_shell():
    """An IPython shell that neither installs packages nor runs commands."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    shell = InteractiveShell.instance(config=config)
    for magic in ("pip", "conda", "mamba", "uv"):
        shell.register_magic_function(lambda line: None, "line", magic)
    shell.register_magic_function(lambda line: None, "line", "matplotlib")  # Agg stays
    shell.system = lambda command: print("no commands while grading:", command)
    shell.user_ns["get_ipython"] = shell.get_ipython
    return shell


def progress(folder: Path, where: str) -> None:
    """Notes what runs now: if it is stopped, the report can say where."""
    (folder / "progress").write_text(where)


def question(test) -> dict:
    """An otter test file's result: points and, per case, what to tell."""
    return {
        "score": test.score,
        "possible": test.possible,
        "cases": [
            {
                "hidden": bool(result.test_case.hidden),
                "points": result.test_case.points,
                "passed": bool(result.passed),
                "message": result.test_case.success_message
                if result.passed
                else result.test_case.failure_message,
                # A hidden test's own text stays hidden.
                "detail": ""
                if result.passed or result.test_case.hidden
                else (result.message or "")[-3 * SHOWN :],
            }
            for result in test.test_case_results
        ],
    }


def describe(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:SHOWN]}" if text else type(error).__name__
