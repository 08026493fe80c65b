"""Runs every test on two cores: notebooks and assignments in one process, all others in another.

    python -m tools.test

Both compute on one thread, so that they cost each other little. What the first prints is held
back until the second has finished, so that each report can be read as a whole.
"""

import subprocess
import sys
import tempfile

from tools import course

# Files that build, prove and grade assignments: about as long as all notebooks.
ASSIGNMENTS = [
    str(path.relative_to(course.ROOT))
    for pattern in ("assign*", "grading", "sandbox")
    for path in sorted((course.ROOT / "tests").glob(f"test_{pattern}.py"))
]


def start(*parts: str, **options) -> subprocess.Popen:
    """pytest on one part of the repository."""
    command = [sys.executable, "-m", "pytest", *parts]
    return subprocess.Popen(command, cwd=course.ROOT, **options)


def main() -> int:
    """Exit status 0 if both parts passed, else 1."""
    with tempfile.TemporaryFile("w+") as report:
        print(
            "Notebooks and assignments run in the background; their report comes last.", flush=True
        )
        slow = start("notebooks", *ASSIGNMENTS, stdout=report, stderr=subprocess.STDOUT)
        try:
            others = start("tests", *(f"--ignore={file}" for file in ASSIGNMENTS)).wait()
            if slow.poll() is None:
                print("Waiting for notebooks and assignments.", flush=True)
            failed = slow.wait() != 0
        finally:
            slow.kill()
        report.seek(0)
        print(report.read())
    if others:
        print("Tests outside of notebooks and assignments failed, too: see the report above.")
    return int(failed or others != 0)


if __name__ == "__main__":
    sys.exit(main())
