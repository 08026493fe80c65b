"""How long `make book` and `make test` take, the first time and again, on a fresh clone."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tools import course

COMMANDS = (
    ("make book", "first, with the environment"),
    ("make book", "again"),
    ("make test", "first"),
    ("make test", "again"),
)
# What would lead a command back to the environment that this one runs in.
INHERITED = ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "MAKEFLAGS", "MAKELEVEL", "MFLAGS")


def measure(commands=COMMANDS, source: Path = course.ROOT, say=print) -> list[dict]:
    """Seconds of each command, one after the other in one clone of what is committed.

    The clone lies in a folder of its own, which is removed. What pip has kept from earlier
    installs is used, as it would be by anybody.

    Raises:
        RuntimeError: if a command fails; the message ends with what it printed last.
    """
    rows = []
    environment = {name: value for name, value in os.environ.items() if name not in INHERITED}
    kept = Path(sys.prefix).resolve() / "bin"
    environment["PATH"] = os.pathsep.join(
        entry
        for entry in os.environ["PATH"].split(os.pathsep)
        if not entry or Path(entry).resolve() != kept
    )
    folder = Path(tempfile.mkdtemp(prefix="mixup-course-"))
    try:
        clone = folder / "course"
        subprocess.run(["git", "clone", "--quiet", source, clone], check=True)
        for command, when in commands:
            say(f"{command}, {when} ...")
            words = [*command.split(), f"PYTHON={_base_python()}"]
            log = folder / "log"
            start = time.perf_counter()
            with log.open("w") as output:
                code = subprocess.run(
                    words,
                    check=False,
                    cwd=clone,
                    env=environment,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                ).returncode
            seconds = time.perf_counter() - start
            if code:
                last = "\n".join(log.read_text(errors="replace").splitlines()[-30:])
                raise RuntimeError(f"{command} ({when}) failed with status {code}:\n{last}")
            say(f"  {seconds:.0f} s")
            rows.append({"command": command, "when": when, "seconds": round(seconds, 1)})
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return rows


def _base_python() -> str:
    """The Python that this environment was made from."""
    return getattr(sys, "_base_executable", sys.executable)
