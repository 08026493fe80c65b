"""Recorded runs: one JSON file each, written in one step, with where it came from.

They lie in ``results/<experiment>/<method>-seed<k>.json`` of the repository. An installed wheel
carries a copy inside the package.
"""

import datetime
import hashlib
import json
import os
import platform
import re
import subprocess
import sys
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import torch

from mixup_lib.basics.writing import atomic_write

__all__ = [
    "UntraceableError",
    "check_late_imports",
    "check_traceable",
    "exists",
    "folder",
    "load",
    "path",
    "provenance",
    "save",
]

_PACKAGE = Path(__file__).resolve().parents[1]
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")


def folder() -> Path:
    """The folder of all recorded results: the repository's, else the copy inside the package."""
    return _PACKAGE.parent / "results" if in_repository() else _PACKAGE / "_results"


def in_repository() -> bool:
    """True if the package lies in its repository, False if it was installed without it."""
    return (_PACKAGE.parent / "pyproject.toml").exists()


def path(experiment: str, method: str, seed: int, root: Path | None = None) -> Path:
    """The file of one run, whether it is there or not.

    Raises:
        ValueError: if a name has other characters than lower-case letters, digits, ``.-_``, or
            ``seed`` is negative.
    """
    for argument, name in (("experiment", experiment), ("method", method)):
        if not _NAME.fullmatch(name):
            raise ValueError(f"{argument} must consist of a-z, 0-9, '.', '-', '_', got {name!r}")
    if seed < 0:
        raise ValueError(f"seed must be at least 0, got {seed}")
    return Path(root or folder()) / experiment / f"{method}-seed{seed}.json"


def exists(experiment: str, method: str, seed: int, root: Path | None = None) -> bool:
    """True if this run is recorded."""
    return path(experiment, method, seed, root).exists()


def save(record: dict, root: Path | None = None) -> Path:
    """Writes a record with ``experiment``, ``method`` and ``seed``; returns its file.

    The file appears whole or not at all, and nothing overwrites it: saving the very same record
    again does nothing, whoever wrote it first. Numbers that JSON lacks (nan, infinities) are
    refused.

    Raises:
        ValueError: if a value is nan or infinite, or a name is no file name.
        FileExistsError: if this run is recorded with other content.
        OSError: if the folder cannot be written to.
    """
    target = path(record["experiment"], record["method"], record["seed"], root)
    text = json.dumps(record, indent=1, allow_nan=False, ensure_ascii=False) + "\n"
    # A list of numbers, such as a curve, reads better on one line. (No text holds a line break:
    # JSON escapes it.)
    text = re.sub(r"\[\n([-+.\de,\s]*?)\n\s*\]", lambda m: f"[{' '.join(m[1].split())}]", text)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with atomic_write(target, replace=False) as draft:
            draft.write_text(text, encoding="utf-8")
    except FileExistsError as error:
        if target.read_text(encoding="utf-8") != text:
            raise FileExistsError(
                f"{target} is recorded already, with other content. A record is never overwritten: "
                "remove the file to record this run again, or take another folder"
            ) from error
    return target


def load(experiment: str, root: Path | None = None) -> list[dict]:
    """All records of an experiment, by method and then seed.

    Raises:
        FileNotFoundError: if nothing is recorded; the message lists what is.
    """
    base = Path(root or folder())
    files = list((base / experiment).glob("*-seed*.json"))
    if not files:
        known = sorted(item.name for item in base.glob("[a-z0-9]*") if item.is_dir())
        raise FileNotFoundError(
            f"no record of experiment {experiment!r}; recorded are {known or 'none'}. "
            f"python -m mixup_lib.experiments {experiment} runs it"
        )
    records = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    return sorted(records, key=lambda record: (record["method"], record["seed"]))


def provenance() -> dict:
    """Versions, hardware, date and commit; nothing that names a host, a user or a path."""
    from mixup_lib import __version__

    versions = {name: metadata.version(name) for name in ("torch", "torchvision", "numpy")}
    return {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
        "commit": _commit(),
        "source_sha256": _noted()[1],
        "mixup_lib": __version__,
        "python": platform.python_version(),
        **versions,
        "system": platform.system(),
        "cpu": _cpu(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    }


class UntraceableError(RuntimeError):
    """A record could not say which code made it."""


def check_traceable(root: Path | None = None) -> None:
    """Raises unless a record that is made now could name its code.

    In a git repository the library must be committed. Without one, as in an installed wheel, the
    record has the hash of the sources only, and goes into a folder of its own.

    Args:
        root: folder of the results; None means that of the repository.

    Raises:
        UntraceableError: with what to do.
    """
    state = _state()
    if state is None:
        if root is None or Path(root).resolve() == folder():
            raise UntraceableError(
                f"the code in {_PACKAGE} is in no git repository, so a record could name no "
                "commit: record into a folder of your own, or clone the repository"
            )
    elif state.changed:
        raise UntraceableError(
            "a record must name the commit that made it, and the library differs from it: commit "
            f"{', '.join(state.changed)} first, or undo the changes"
        )


def check_late_imports() -> None:
    """Raises if a run imported code that its commit does not have.

    The hash of a record holds the modules that were there when the run began. What a function
    imports while it runs is read later, from files that may have changed since.

    Raises:
        UntraceableError: with the files, and what to do.
    """
    state = _state()
    if state is None:
        return  # an installed package, whose files nobody edits
    names, _ = _noted()
    late = {
        file.relative_to(_PACKAGE).as_posix(): file
        for name, file in _modules().items()
        if name not in names
    }
    changed = [place for place, file in late.items() if _blob(file) != state.blobs.get(place)]
    if changed:
        raise UntraceableError(
            "a record must name the commit that made it, and the run imported files that differ "
            f"from it: {', '.join(sorted(changed))}. Put back the commit and run it once more; it "
            "goes on from its checkpoint where it has one"
        )


class _State(NamedTuple):
    head: str  #: the commit
    changed: tuple[str, ...]  #: files of the library that differ from it, or are new
    blobs: dict[str, str]  #: git's hash of each file of the library in it, by path in the library


@cache
def _state() -> _State | None:
    """The commit that the code is at, and what differs from it; None outside a git repository.

    Asked once: a long run goes on with the code that it loaded, whatever is committed meanwhile.

    Raises:
        UntraceableError: if git can't be run here.
    """
    if not (_PACKAGE.parent / ".git").exists():
        return None

    def git(*words: str) -> str:
        command = ["git", *words]
        done = subprocess.run(command, cwd=_PACKAGE, capture_output=True, text=True, check=True)
        return done.stdout.rstrip()

    try:
        changed = git("status", "--porcelain", ".").splitlines()
        head = git("rev-parse", "HEAD")
        entries = (line.split("\t") for line in git("ls-tree", "-r", head, ".").splitlines())
        blobs = {path: about.split()[2] for about, path in entries}
        return _State(head, tuple(line[3:] for line in changed), blobs)
    except (OSError, subprocess.CalledProcessError) as error:
        reason = getattr(error, "stderr", None) or error
        raise UntraceableError(f"git can't tell which commit the code is at: {reason}") from error


def _commit() -> str | None:
    """The commit that the code is at; None where none is known, or something differs from it."""
    try:
        state = _state()
    except UntraceableError:
        return None
    return None if state is None or state.changed else state.head


def _modules() -> dict[str, Path]:
    """The files of the library's modules that are loaded, by name."""
    return {
        name: Path(module.__file__)
        for name, module in sorted(sys.modules.items())
        if name.split(".")[0] == _PACKAGE.name and getattr(module, "__file__", None)
    }


@cache
def _noted() -> tuple[frozenset[str], str]:
    """The names of the modules loaded by now, and the SHA-256 of their names and contents: tells
    which code ran without a commit."""
    digest = hashlib.sha256()
    for name, file in (modules := _modules()).items():
        digest.update(name.encode() + file.read_bytes())
    return frozenset(modules), digest.hexdigest()


def _blob(file: Path) -> str:
    """The hash that git gives to a file's content."""
    content = file.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def _cpu() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor()
    model = re.search(r"model name\s*:\s*(.+)", text)
    return model[1].strip() if model else platform.processor()
