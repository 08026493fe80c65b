"""Runs every test on two cores: the notebooks in one process, all others in another.

    python -m tools.test

The notebooks compute on one thread each, so a second process costs them little. What they print
is held back until the others have finished, so that each report can be read as a whole.
"""

import subprocess
import sys
import tempfile

from tools import course


def start(part: str, **options) -> subprocess.Popen:
    """pytest on one part of the repository."""
    command = [sys.executable, "-m", "pytest", part]
    return subprocess.Popen(command, cwd=course.ROOT, **options)


def main() -> int:
    """Exit status 0 if both parts passed, else 1."""
    with tempfile.TemporaryFile("w+") as report:
        print("The notebooks run in the background; their report comes last.", flush=True)
        notebooks = start("notebooks", stdout=report, stderr=subprocess.STDOUT)
        try:
            library = start("tests").wait()
            if notebooks.poll() is None:
                print("Waiting for the notebooks.", flush=True)
            failed = notebooks.wait() != 0
        finally:
            notebooks.kill()
        report.seek(0)
        print(report.read())
    if library:
        print("Tests outside of the notebooks failed: see above their report.")
    return int(failed or library != 0)


if __name__ == "__main__":
    sys.exit(main())
