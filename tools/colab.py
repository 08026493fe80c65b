"""Executes every notebook as Colab would: its versions, the library fetched by the install cell.

    python -m tools.colab [NAME ...]

Makes `.venv-colab` from constraints-colab.txt, on Python 3.13 where the machine has one. Each
notebook runs in an empty folder, and its install cell installs a wheel of this package.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from nbclient.exceptions import CellExecutionError

from tools import course
from tools.notebooks import execute

VENV = course.ROOT / ".venv-colab"
PYTHON = VENV / "bin" / "python"
PINS = course.ROOT / "constraints-colab.txt"


def interpreter() -> str:
    """Colab's Python, 3.13, or the one that runs this."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [shutil.which("python3.13"), *sorted(pyenv.glob("3.13*/bin/python"))]
    for candidate in filter(None, candidates):
        # pyenv's python3.13 is on the path also where it refuses to run.
        if subprocess.run([candidate, "-c", ""], check=False, capture_output=True).returncode == 0:
            return str(candidate)
    print("no Python 3.13 here; going on with", sys.executable)
    return sys.executable


def environment() -> None:
    """Makes the environment; a finished one with these pins is kept."""
    stamp = VENV / "finished"
    if stamp.exists() and stamp.read_text() == PINS.read_text():
        return
    subprocess.run([interpreter(), "-m", "venv", "--clear", VENV], check=True)
    subprocess.run([PYTHON, "-m", "pip", "install", "-r", PINS], check=True)
    stamp.write_text(PINS.read_text())


def pip(*arguments: str) -> str:
    """Runs the environment's pip; returns what it printed."""
    command = [PYTHON, "-m", "pip", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def packages() -> set[str]:
    return {line for line in pip("freeze").splitlines() if not line.startswith("mixup")}


def wheel(folder: str) -> str:
    """Builds this package's wheel into `folder`; returns its address."""
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "--quiet",
            "--no-deps",
            "--no-build-isolation",
            "--wheel-dir",
            folder,
            course.ROOT,
        ],
        check=True,
    )
    return next(Path(folder).glob("mixup_lib-*.whl")).as_uri()


def main() -> int:
    environment()
    os.environ.update(course.ENVIRONMENT | course.NO_GPU)
    os.environ.pop("PYTHONPATH", None)  # else the repository's own library would be found
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MIXUP_LIB_SOURCE"] = wheel(folder)
        paths = course.notebooks(sys.argv[1:])
        for number, path in enumerate(paths, 1):
            print(f"[{number}/{len(paths)}] {path.stem} ... ", end="", flush=True)
            pip("uninstall", "--yes", "-qq", "mixup-lib")
            before = packages()
            empty = Path(tempfile.mkdtemp(dir=folder))
            try:
                seconds, memory, _ = execute(course.read(path), empty, str(PYTHON))
            except (CellExecutionError, TimeoutError) as error:
                failed.append(path.stem)
                print(f"FAILED\n{error}", flush=True)
                continue
            print(f"{seconds:.1f} s, {memory:.2f} GB", flush=True)
            if changed := sorted(before - packages()):
                failed.append(path.stem)
                print(f"  the install cell changed {', '.join(changed)}")
    print(f"failed: {', '.join(failed)}" if failed else "all ran")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
