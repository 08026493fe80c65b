"""The sandbox: each limit gives zero marks and a reason, and nothing of a submission stays."""

import json
import os
import sys
import time

import psutil
import pytest
import trial_assignment

from tools.assignments import build, prove, sandbox

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="grading needs Linux or macOS")
NAME = "a0_trial"


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return trial_assignment.built(tmp_path_factory.mktemp("trial"))


@pytest.fixture(scope="module")
def autograder(out):
    return build.load("a0", out)


@pytest.fixture(scope="module")
def key(out):
    return (out / NAME / "autograder/key.ipynb").read_text()


@pytest.fixture(scope="module")
def student(out):
    return (out / NAME / "student" / f"{NAME}.ipynb").read_text()


def run(notebook, autograder, source, **limits):
    return sandbox.run(
        prove.replaced(notebook, {"q1": source}),
        autograder,
        sandbox.Limits(**{"seconds": 60, **limits}),
    )


@pytest.mark.parametrize(
    "source, limits, reason",
    [
        ("while True:\n    pass", {"seconds": 2}, "it ran for more than 2 seconds, in cell "),
        ("x = b'x' * 2 * 10**9", {"memory": 1200}, "it used more than 1200 MiB of memory"),
        ("while True:\n    print('x' * 9999)", {"output": 1}, "it printed more than 1 MiB"),
        (
            "import os\nos.remove('submission.ipynb')",
            {},
            "it deleted or changed files of its folder",
        ),
        (
            "open('submission.ipynb', 'w').write('')",
            {},
            "it deleted or changed files of its folder",
        ),
        ("import os\nos._exit(3)", {}, "it ended itself (exit code 3) before its tests did"),
        ("import os\nos.kill(os.getpid(), 9)", {}, "it ended itself (exit code -9)"),
        (
            "f = open('big', 'wb')\nfor _ in range(900):\n    f.write(b'x' * 10**6)\n"
            "import time\ntime.sleep(60)",
            {"disk": 100},
            "it wrote more than 100 MiB to its folder",
        ),
        (
            "import subprocess, time\n"
            "many = [subprocess.Popen(['sleep', '60']) for _ in range(12)]\n"
            "time.sleep(60)",
            {"processes": 10},
            "it started more than 10 processes",
        ),
    ],
    ids=["loop", "memory", "output", "delete", "overwrite", "exit", "kill", "disk", "processes"],
)
def test_limits_give_zero_and_a_reason(student, autograder, source, limits, reason):
    result = run(student, autograder, source, **limits)
    assert reason in result["reason"] and prove.marks(result) == 0
    if "in cell" in reason:
        assert "(q1-solution)" in result["reason"]


def test_marks_need_no_reason_to_be_zero(key, student, autograder):
    assert prove.marks(sandbox.run(key, autograder)) == prove.full(autograder) == 3
    assert prove.marks(sandbox.run(student, autograder)) == 0
    assert prove.marks(run(student, autograder, "def double(x):\n    return abs(x) * 2")) == 1


def test_a_raising_cell_does_not_stop_the_next(key, autograder):
    result = run(key, autograder, "def double(x):\n    return x + x\nraise ValueError('late')")
    assert prove.marks(result) == 3
    assert [error.split(" ", 2)[2] for error in result["errors"]] == [
        "(q1-solution) raised ValueError: late"
    ]


@pytest.mark.parametrize(
    "source",
    [
        "import sys\nsys.exit()",
        "def double(x):\n    raise SystemExit",
        "exit()",
        "quit()",
        "%pip install nothing\n!touch made",
        "if:",
    ],
)
def test_odd_cells_get_no_marks_and_do_not_stop_the_grader(student, autograder, source):
    result = run(student, autograder, source)
    assert prove.marks(result) == 0 and not result["reason"]


def test_magics_and_displays_are_harmless(key, autograder):
    source = (
        "%matplotlib inline\n%pip install nothing-at-all\nimport matplotlib.pyplot as plt\n"
        "plt.plot([1])\nplt.show()\ndisplay(1)\ndef double(x):\n    return 2 * x"
    )
    result = run(key, autograder, source)
    assert prove.marks(result) == 3 and result["errors"] == []


def test_orphans_are_ended(student, autograder):
    seconds = f"60.{os.getpid()}"  # to know them again
    run(
        student,
        autograder,
        "import subprocess\n"
        f"subprocess.Popen(['setsid', 'sleep', '{seconds}'], start_new_session=True)",
    )
    time.sleep(0.2)
    alive = [
        one
        for one in psutil.process_iter(["cmdline", "status"])
        if seconds in (one.info["cmdline"] or []) and one.info["status"] != "zombie"
    ]
    assert alive == []


def test_environment_and_home_are_not_the_graders(key, autograder, monkeypatch, tmp_path):
    monkeypatch.setenv("SECRET_TOKEN", "abc")
    result = run(
        key,
        autograder,
        "import os, pathlib, tempfile\n"
        "raise ValueError(str([os.environ.get('SECRET_TOKEN'), str(pathlib.Path.home()), "
        "tempfile.gettempdir(), os.getcwd()]))",
    )
    token, home, temporary, cwd = json.loads(
        result["errors"][0].split("ValueError: ")[1].replace("'", '"').replace("None", "null")
    )
    assert token is None and "grading-" in home and home == temporary
    assert cwd.endswith("work") and not os.path.exists(cwd)


@pytest.mark.parametrize(
    "line",
    [
        "import mixup_lib",
        "from timm.data import Mixup",
        "import torchvision.transforms.v2",
        "__import__('keras')",
    ],
)
def test_finished_implementations_are_blocked(key, autograder, line):
    blocked = autograder | {"blocked": ["mixup_lib", "timm", "keras", "torchvision.transforms.v2"]}
    result = run(key, blocked, line)
    assert "is not available in assignment a0: write the function yourself" in result["errors"][0]
    if "mixup_lib" in line:
        assert run(key, autograder, line)["errors"] == []


def test_reading_a_result_runs_no_code(student, autograder, tmp_path):
    """A submission that reaches the pipe can forge its marks, but not run code in the grader."""
    marker = tmp_path / "ran"
    result = run(
        student,
        autograder,
        f"""
import gc, os, pickle
from multiprocessing.connection import Connection
class Trap:
    def __reduce__(self):
        return os.system, ("touch {marker}",)
for one in gc.get_objects():
    if isinstance(one, Connection) and one.writable:
        one.send(Trap())
os._exit(0)
""",
    )
    assert result["reason"] and not marker.exists()
