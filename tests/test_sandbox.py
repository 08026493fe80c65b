"""The sandbox: each limit gives zero marks and a reason, and nothing of a submission stays."""

import ast
import json
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest
import trial_assignment

from tools import course
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
    return (out / NAME / "instructor" / f"{NAME}_key.ipynb").read_text()


@pytest.fixture(scope="module")
def student(out):
    return (out / NAME / "student" / f"{NAME}.ipynb").read_text()


def run(notebook, autograder, source, **limits):
    return sandbox.run(
        prove.replaced(notebook, {"q1": source}), autograder, sandbox.Limits(**limits)
    )


@pytest.mark.parametrize(
    "source, limits, reason",
    [
        (
            "while True:\n    try:\n        while True:\n            pass\n"
            "    except BaseException:\n"
            "        pass",
            {"cpu": 3},
            "it computed for more than 3 seconds, in cell ",
        ),
        (
            "import os, time\nos.fork()\nkept = b'x' * 7 * 10**8\ntime.sleep(60)",
            {"memory": 1600},
            "it used more than 1600 MiB of memory",
        ),
        ("while True:\n    print('x' * 9999)", {"output": 1}, "it printed more than 1 MiB"),
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
        (
            "import signal, time\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\ntime.sleep(60)",
            {"wall": 2},
            "it waited for more than 1 seconds without computing",
        ),
    ],
    ids=["loop", "memory", "output", "exit", "kill", "disk", "processes", "asleep"],
)
def test_a_broken_limit_gives_a_reason(student, autograder, source, limits, reason):
    result = run(student, autograder, source, **limits)
    assert reason in result["reason"] and prove.marks(result) == 0
    assert result["fault"] == "submission" and "(q1-solution)" in result["reason"]


@pytest.mark.parametrize(
    "source, limits, sentence",
    [
        ("while True:\n    pass", {"cell": 1}, "OutOfTime: stopped after 1 seconds of computing"),
        (
            "import time\ntime.sleep(60)",
            {"sleep": 1},
            "OutOfTime: stopped after 1 seconds of waiting",
        ),
        ("x = b'x' * 2 * 10**9", {"memory": 1200}, "raised MemoryError"),
    ],
    ids=["loop", "sleep", "memory"],
)
def test_what_is_finished_counts(key, autograder, source, limits, sentence):
    """A cell that takes too much ends, and the next one follows."""
    content = json.loads(key)
    at = next(i for i, cell in enumerate(content["cells"]) if cell["id"] == "q1-check")
    content["cells"].insert(
        at + 1,
        {
            "cell_type": "code",
            "id": "odd",
            "metadata": {},
            "outputs": [],
            "execution_count": None,
            "source": source,
        },
    )
    result = sandbox.run(json.dumps(content), autograder, sandbox.Limits(**limits))
    assert prove.marks(result) == 3 and not result["reason"]
    assert sentence in result["errors"][0]
    content["cells"][at + 1]["source"] = "import os\nos._exit(1)"
    assert prove.marks(sandbox.run(json.dumps(content), autograder)) == 3


def test_a_check_that_loops_costs_its_question_only(student, autograder):
    result = run(student, autograder, "def double(x):\n    while True:\n        pass", checks=1)
    assert not result["reason"] and prove.marks(result) == 0
    assert "did not come to an end" in prove.tell(result)


def test_a_busy_machine_is_not_the_submissions_fault(student, autograder, monkeypatch):
    """Halted from outside, a submission neither computes nor sleeps of its own will; here the
    watcher is told that it waited for a processor all the time."""
    code = (
        "from tools.assignments import warden\n"
        "warden.waited_for_a_processor = lambda process: 10.0\nwarden.main()"
    )
    monkeypatch.setattr(sandbox, "COMMAND", ["-c", code])
    sandbox.close()
    try:
        result = run(
            student,
            autograder,
            "import signal, time\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\ntime.sleep(60)",
            wall=2,
        )
    finally:
        sandbox.close()
    assert result["fault"] == "grader" and "the machine was too busy" in result["reason"]


def test_data_loaders_with_workers_work_as_in_otter_run(key, autograder):
    """Their processes are children of the submission's, which must not be a daemon."""
    result = run(
        key,
        autograder,
        "import torch\nfrom torch.utils.data import DataLoader\n"
        "batches = list(DataLoader(torch.arange(6), batch_size=2, num_workers=2))\n"
        "def double(x):\n    return len(batches) // 3 * 2 * x",
    )
    assert prove.marks(result) == 3 and result["errors"] == []


def test_marks_are_the_same_every_time(student, autograder):
    """What a submission draws without a seed is the same in each grading."""
    source = (
        "import random\nimport numpy as np\nimport torch\ndraws = (random.random(), "
        "np.random.rand(), torch.rand(1).item())\nraise ValueError(str(draws))"
    )
    first = run(student, autograder, source)["errors"]
    sandbox.close()
    assert run(student, autograder, source)["errors"] == first


# A shell that starts something in the background has it ignore SIGINT, and what it starts, too. At
# a terminal, where Ctrl-C is pressed, nothing does.
GRADER = """
import signal, sys
from pathlib import Path
from tools.assignments import build, sandbox
signal.signal(signal.SIGINT, signal.default_int_handler)
sandbox.run(Path(sys.argv[2]).read_text(), build.load("a0", Path(sys.argv[1])))
"""


def alive(mark):
    return [
        one
        for one in psutil.process_iter(["cmdline", "status"])
        if mark in " ".join(one.info["cmdline"] or ()) and one.info["status"] != "zombie"
    ]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_keeps_running_after_the_grader(out, student, tmp_path, number):
    """Neither the submission nor what it started in a session of its own, nor its folder."""
    mark = f"ended-{os.getpid()}-{number:d}"
    said = tmp_path / "said"
    source = (
        "import os, subprocess, sys\n"
        "looping = [sys.executable, '-c', 'while True: pass', '" + mark + "']\n"
        "subprocess.Popen(looping)\nsubprocess.Popen(looping, start_new_session=True)\n"
        f"open({str(said)!r}, 'w').write(f'{{os.getpid()}} {{os.getppid()}} {{os.getcwd()}}')"
        "\nwhile True:\n    pass"
    )
    (tmp_path / "loops.ipynb").write_text(prove.replaced(student, {"q1": source}))
    grader = subprocess.Popen(
        [sys.executable, "-c", GRADER, out, tmp_path / "loops.ipynb"], cwd=course.ROOT
    )
    try:
        wait(lambda: said.exists() and len(said.read_text().split()) == 3 and len(alive(mark)) == 2)
        submission, warden, folder = said.read_text().split()
        assert psutil.pid_exists(int(submission)) and psutil.pid_exists(int(warden))
    finally:
        grader.send_signal(number)
        grader.wait()
    wait(
        lambda: (
            not alive(mark)
            and not psutil.pid_exists(int(submission))
            and not psutil.pid_exists(int(warden))
        ),
        seconds=5,
    )
    assert not os.path.exists(folder)


def test_the_kernel_ends_a_submission_whose_warden_is_killed(student, autograder, tmp_path):
    said = tmp_path / "said"
    with pytest.raises(RuntimeError, match="the sandbox ended"):
        run(
            student,
            autograder,
            "import os, time\n"
            f"open({str(said)!r}, 'w').write(str(os.getpid()))\nos.kill(os.getppid(), 9)\n"
            "while True:\n    pass",
        )
    wait(lambda: not psutil.pid_exists(int(said.read_text())), seconds=5)
    assert prove.marks(sandbox.run(student, autograder)) == 0  # a new warden serves the next


def test_the_kernel_limits_processor_time(student, autograder):
    result = run(
        student,
        autograder,
        "import resource\nraise ValueError(str(resource.getrlimit(resource.RLIMIT_CPU)))",
        cpu=50,
    )
    assert "(55, 55)" in result["errors"][0]


def wait(condition, seconds=60):
    stop = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < stop, "it took too long"
        time.sleep(0.1)


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
        "%%bash\necho 'double() { }'",
        "%%python3\nprint(1)",
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


def test_environment_and_home_are_not_the_graders(out, key, autograder, monkeypatch):
    """Neither its own environment nor that of any process above it holds the teacher's."""
    monkeypatch.setenv("SECRET_TOKEN", "teachers-own-abc")
    sandbox.close()
    result = run(
        key,
        autograder,
        """
import os, pathlib, tempfile
found, pid = [], os.getpid()
while pid:
    try:
        found.append("teachers-own" in open(f"/proc/{pid}/environ").read())
        pid = int(open(f"/proc/{pid}/stat").read().rsplit(")")[1].split()[1])
    except OSError as error:
        found.append(type(error).__name__)
        break
found.append("teachers-own" in str(os.environ))
raise ValueError([str(pathlib.Path.home()), tempfile.gettempdir(), os.getcwd(), str(found)])
""",
    )
    home, temporary, cwd, found = ast.literal_eval(result["errors"][0].split("ValueError: ")[1])
    assert home == temporary and "grading-" in home
    assert cwd.endswith("work") and not os.path.exists(cwd)
    if sys.platform == "linux":
        assert ast.literal_eval(found) == [False, "PermissionError", False]


def test_hidden_tests_lie_on_no_disk(student, autograder):
    result = run(
        student,
        autograder,
        "from pathlib import Path\ntext = ''.join("
        "path.read_text(errors='replace') for path in Path('..').rglob('*')"
        " if path.is_file())\nraise ValueError('test_two' in text, '-' + '14' in text)",
    )
    assert "(True, False)" in result["errors"][0]


def test_what_tests_import_cannot_be_imported_by_a_submission(out, key, autograder):
    """While a check runs it can; before and after there is nothing of it."""
    tests = {
        "q1": autograder["tests"]["q1"].replace(
            "assert double(-7) == -14",
            "from support.a0 import judge\n    assert judge.wanted(-7) == "
            "double(-7)\n    import inspect\n    assert 'x + x' in inspect.getsource(judge.wanted)",
        )
    }
    assert tests["q1"] != autograder["tests"]["q1"]
    changed = autograder | {
        "tests": tests,
        "hidden_support": ["support/a0/judge.py"],
        "support": {"support/a0/judge.py": b"def wanted(x):\n    return x + x\n"},
    }
    assert prove.marks(sandbox.run(key, changed)) == 3
    content = json.loads(key)
    for i in (1, len(content["cells"]) - 1):
        content["cells"].insert(
            i,
            {
                "cell_type": "code",
                "id": f"early-{i}",
                "metadata": {},
                "outputs": [],
                "execution_count": None,
                "source": "from support.a0 import judge",
            },
        )
    result = sandbox.run(json.dumps(content), changed)
    assert prove.marks(result) == 3 and len(result["errors"]) == 2
    assert all("No module named 'support'" in error for error in result["errors"])


@pytest.mark.parametrize(
    "source, sign",
    [
        ("import os\nos.remove('submission.ipynb')", "it deleted or changed files of its folder"),
        ("open('submission.ipynb', 'w').write('')", "it deleted or changed files of its folder"),
        (
            "import json, os, stat\n"
            "line = json.dumps({'kind': 'question', 'value': {'q1': {'score': 99, "
            "'possible': 3, 'cases': []}}}) + '\\n'\nfor fd in range(3, 60):\n    try:\n        "
            "if stat.S_ISFIFO(os.fstat(fd).st_mode):\n            os.write(fd, line.encode())\n"
            "    except OSError:\n        pass\nos._exit(0)",
            "its report was not made by the tests",
        ),
        (
            "from otter.test_files.exception_test import test_case\n"
            "test_case.call_func = lambda *_: None",
            "the tests were tampered with",
        ),
    ],
    ids=["delete", "overwrite", "report", "tests"],
)
def test_signs_of_tampering_are_told(student, autograder, source, sign):
    result = run(student, autograder, source)
    assert any(sign in told for told in result["signs"]) and prove.marks(result) == 0


@pytest.mark.parametrize(
    "change",
    [
        {"q1": 3},
        {"q9": {}},
        {"q1": {"score": "3", "possible": 3.0, "cases": []}},
        {"q1": {"score": float("nan"), "possible": 3.0, "cases": []}},
        {"q1": {"score": -1.0, "possible": 3.0, "cases": []}},
        {"q1": {"score": 3.0, "possible": 3.0, "cases": []}},
        {"q1": {"score": 0.0, "possible": 3.0, "cases": [{"passed": True}]}},
    ],
)
def test_results_of_another_shape_are_not_taken(change):
    result = {
        "questions": change,
        "errors": [],
        "names": [],
        "identity": "",
        "reason": "",
        "fault": "",
        "changed": [],
    }
    checked = sandbox.checked(result, {"q1": 3.0})
    assert "what it reported is no result" in checked["reason"] and checked["questions"] == {}
    assert checked["fault"] == "submission" and checked["signs"]


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
