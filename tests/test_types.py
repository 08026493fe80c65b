"""Types of the rooms that users plug into, beside the other tests: slow the first time."""

import subprocess
import sys

from tools import course


def test_types_are_right():
    done = subprocess.run(
        [sys.executable, "-m", "mypy"],
        check=False,
        cwd=course.ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
