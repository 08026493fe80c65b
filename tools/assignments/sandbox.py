"""Runs one submission within limits, and says in a sentence which one it broke.

It has a temporary home and working folder, and limits on time, memory, output, disk and the number
of processes; all its processes are killed at the end. It is not cut off from the network or from
absolute paths: untrusted code belongs in a container or under a throw-away account
(``tools/assignments/Dockerfile``).
"""

from __future__ import annotations

import json
import multiprocessing
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from tools.assignments import AssignmentError, runner

MEBIBYTE = 2**20
LOOK = 0.05  # seconds between two looks at a submission


@dataclass(frozen=True)
class Limits:
    """What a submission may use, in all its processes together."""

    seconds: float = 60
    memory: int = 3072  # MiB, resident; torch itself takes some 400
    output: int = 10  # MiB printed
    disk: int = 500  # MiB in its folders
    processes: int = 64


def start() -> multiprocessing.context.BaseContext:
    """The context whose processes are forked from one with everything loaded."""
    try:
        context = multiprocessing.get_context("forkserver")
    except ValueError as error:
        raise AssignmentError(
            "grading needs Linux or macOS; on Windows use the container of "
            "tools/assignments/Dockerfile, or WSL"
        ) from error
    context.set_forkserver_preload(["tools.assignments.preload"])
    return context


def run(notebook: str, autograder: dict, limits: Limits = Limits()) -> dict:
    """Grades a notebook.

    Args:
        notebook: Its text.
        autograder: As :func:`tools.assignments.build.load` gives it: ``assignment``, ``tests``
            (sources by question), ``support`` (bytes by path), ``blocked``.
        limits: What it may use.

    Returns:
        ``questions``, ``errors`` and ``names`` as :func:`runner.execute` gives them, ``seconds``,
        and ``reason``: empty, or the sentence that explains why nothing counts.
    """
    with tempfile.TemporaryDirectory(prefix="grading-", ignore_cleanup_errors=True) as name:
        folder = Path(name).resolve()
        for sub in ("work", "home", "tests"):
            (folder / sub).mkdir()
        placed = {Path(path): content for path, content in autograder["support"].items()}
        placed[Path("submission.ipynb")] = notebook.encode()
        for path, content in placed.items():
            (folder / "work" / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / "work" / path).write_bytes(content)
        for question, source in autograder["tests"].items():
            (folder / "tests" / f"{question}.py").write_text(source)
        job = {
            "folder": str(folder),
            "notebook": "submission.ipynb",
            "assignment": autograder["assignment"],
            "blocked": list(autograder["blocked"]),
            "bytes": limits.memory * MEBIBYTE,
        }
        began = time.monotonic()
        result = watch(job, folder, limits)
        result["seconds"] = round(time.monotonic() - began, 2)
        changed = [
            str(path)
            for path, content in placed.items()
            if not same(folder / "work" / path, content)
        ]
        if changed and not result["reason"]:
            result["reason"] = f"it deleted or changed files of its folder: {', '.join(changed)}"
        return result


def same(path: Path, content: bytes) -> bool:
    try:
        return path.read_bytes() == content
    except OSError:
        return False


def watch(job: dict, folder: Path, limits: Limits) -> dict:
    """Starts the process, looks at it until it answers, ends or breaks a limit; kills the rest."""
    context = start()
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=runner.main, args=(job, sender), daemon=True)
    process.start()
    sender.close()
    server = psutil.Process(process.pid).ppid()
    deadline = time.monotonic() + limits.seconds
    result, reason = {}, ""
    try:
        while not reason and not result:
            try:
                if receiver.poll(LOOK):
                    result = json.loads(receiver.recv_bytes(16 * MEBIBYTE))
                    break
            except (EOFError, OSError, ValueError):
                process.join(5)
                if not (folder / "progress").exists():  # no fault of the submission
                    raise RuntimeError(
                        f"the sandbox did not start (exit code {process.exitcode})"
                    ) from None
                reason = f"it ended itself (exit code {process.exitcode}) before its tests did"
            reason = reason or broken(process.pid, folder, limits, deadline)
    finally:
        kill(process.pid, server)
        process.join()
        receiver.close()
    if reason:
        where = folder / "progress"
        reason += f", in {where.read_text()}" if where.exists() else ", before its first cell"
    return {"questions": {}, "errors": [], "names": []} | result | {"reason": reason}


def broken(pid: int, folder: Path, limits: Limits, deadline: float) -> str:
    """Which limit is broken, as the start of a sentence; empty if none."""
    if time.monotonic() > deadline:
        return f"it ran for more than {limits.seconds:g} seconds"
    family = relatives(pid)
    if len(family) > limits.processes:
        return f"it started more than {limits.processes} processes"
    memory = 0
    for one in family:
        try:
            memory += one.memory_info().rss
        except psutil.Error:  # it has just ended
            continue
    if memory > limits.memory * MEBIBYTE:
        return f"it used more than {limits.memory} MiB of memory"
    output = folder / "output"
    if output.exists() and output.stat().st_size > limits.output * MEBIBYTE:
        return f"it printed more than {limits.output} MiB"
    if size(folder) > (limits.disk + limits.output) * MEBIBYTE:
        return f"it wrote more than {limits.disk} MiB to its folder"
    return ""


def size(folder: Path) -> int:
    """Bytes under a folder, links not followed."""
    total = 0
    for base, _, files in os.walk(folder):
        for name in files:
            try:
                total += os.lstat(os.path.join(base, name)).st_size
            except OSError:
                continue
    return total


def relatives(pid: int) -> list[psutil.Process]:
    """A process and everything that descends from it."""
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.Error:
        return []


def kill(pid: int, server: int) -> None:
    """Ends a submission's processes, also those that left its group: orphans come to the server."""
    for _ in range(5):
        left = [
            one
            for one in [*relatives(pid), *relatives(server)[1:]]
            if one.is_running() and one.status() != psutil.STATUS_ZOMBIE
        ]
        if not left:
            return
        for one in left:
            try:
                one.kill()
            except psutil.Error:
                continue
        psutil.wait_procs(left, timeout=1)
