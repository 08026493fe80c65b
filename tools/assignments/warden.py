"""A process of its own that runs submissions, one after the other, each within limits.

The grader writes a job, one line of JSON, and reads a result, one line of JSON. Each submission is
a fork of this process, which has everything loaded already, so that it starts in milliseconds.

This process starts with an environment that holds nothing of the grader's. It ends when the grader
does, however that ends: the pipe to it closes, and everything that descends from it is killed,
also what left its process group, since orphans come to this process. If this process is killed
itself, the kernel kills the submission. And whatever gets away stops at the kernel's limit on
processor time.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

import psutil

from tools.assignments import preload, runner

MEBIBYTE = 2**20
LOOK = 0.2  # seconds between two looks at a submission
ANSWER = 16 * MEBIBYTE  # bytes that a submission may report
END = 120  # seconds in which a submission's processes must have ended
GRACE = 5  # seconds of processor time between our limit and the kernel's
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 1, 4, 36, 38


def prctl(option: int, value: int) -> None:
    """A request to the kernel about this process (Linux; nothing elsewhere)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def main() -> None:
    """Serves jobs until the grader closes the pipe."""
    jobs, answers = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(2, 1)  # nothing but answers goes to the grader
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    prctl(PR_SET_DUMPABLE, 0)  # others of this user can't read its memory or environment
    preload.everything()
    os.write(answers, b"ready\n")
    buffered = b""
    while True:
        while b"\n" not in buffered:
            more = os.read(jobs, MEBIBYTE)
            if not more:
                os._exit(0)
            buffered += more
        line, buffered = buffered.split(b"\n", 1)
        result = Run(json.loads(line), jobs, answers).result()
        send(answers, json.dumps(result).encode() + b"\n")


def send(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


class Run:
    """One submission: its process, what it has reported, what it has used.

    Args:
        job: ``notebook``, ``assignment``, ``blocked``, ``tests``, ``public``, ``files``,
            ``hidden_files``, ``placed`` (see :func:`tools.assignments.sandbox.run`), ``limits``.
        grader: The descriptor that the grader's end closes.
        answers: The one to the grader, which a submission must not have.
    """

    def __init__(self, job: dict, grader: int, answers: int):
        self.job, self.grader, self.answers = job, grader, answers
        self.limits = job["limits"]
        self.questions, self.final, self.broken = {}, {}, ""
        self.where, self.pid = "before its first cell", 0
        self.status, self.reaped = None, 0.0
        self.began, self.ooms = time.monotonic(), out_of_memory_kills()
        self.job["loaded"] = psutil.Process().memory_info().rss

    def result(self) -> dict:
        """Runs it. Its folder and its processes are gone when this returns or the grader ends."""
        self.folder = Path(tempfile.mkdtemp(prefix="grading-")).resolve()
        try:
            self.place()
            reason, fault = self.watched()
            return (
                {
                    "questions": self.questions,
                    "errors": [],
                    "names": [],
                    "identity": "",
                    "changed": self.changed(),
                }
                | self.final
                | {
                    "reason": reason,
                    "fault": fault,
                    "seconds": round(time.monotonic() - self.began, 2),
                    "cpu": round(self.used(), 2),
                }
            )
        finally:
            self.end()
            shutil.rmtree(self.folder, ignore_errors=True)

    def place(self) -> None:
        """The folders and files that it finds when it starts."""
        for name in ("work", "home", "tests"):
            (self.folder / name).mkdir()
        for name, text in self.job["files"].items():
            path = self.folder / "work" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        for question in self.job["tests"]:  # what stands there while no check runs
            (self.folder / "tests" / f"{question}.py").write_text(
                self.job["public"].get(question, "# nothing that a student could check\n")
            )

    def changed(self) -> list[str]:
        """Files of its folder that it deleted or changed."""
        return [
            name
            for name, text in self.job["files"].items()
            if not same(self.folder / "work" / name, text)
        ]

    def watched(self) -> tuple[str, str]:
        """Why it was stopped, or empty if it came to its end; and whose fault it is that anything
        was stopped: a limit that only ended a cell is the submission's too."""
        self.pipe, sender = os.pipe()
        warden = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
                if os.getppid() != warden:
                    os._exit(1)
                for descriptor in (self.pipe, self.grader, self.answers):
                    os.close(descriptor)
                runner.main(self.job, self.folder, sender)
            finally:
                os._exit(1)
        os.close(sender)
        buffered = bytearray()
        while True:
            ready, _, _ = select.select([self.pipe, self.grader], [], [], LOOK)
            if self.grader in ready:  # it has ended: jobs come one at a time
                self.end()
                shutil.rmtree(self.folder, ignore_errors=True)
                os._exit(0)
            if self.pipe in ready:
                more = os.read(self.pipe, MEBIBYTE)
                buffered += more
                if len(buffered) > ANSWER:
                    return "it reported more than any result holds", "submission"
                self.heard(buffered)
                if self.final:  # what it did since the last look counts as well
                    broken = "submission" if self.final.pop("broken", False) else ""
                    return self.too_much() or ("", broken)
                if not more:
                    return self.ended()
            if reason := self.too_much() or self.too_long():  # a storm of forks first
                return reason

    def heard(self, buffered: bytearray) -> None:
        """Takes what was reported, line by line."""
        while b"\n" in buffered:
            line, _, rest = bytes(buffered).partition(b"\n")
            buffered[:] = rest
            try:
                message = json.loads(line)
                kind, value = message["kind"], message["value"]
            except (ValueError, TypeError, KeyError, RecursionError):
                kind, value = "where", "what it reported itself"
            if kind == "where" and isinstance(value, str):
                self.where = "in " + value[:200]
            elif kind == "question" and isinstance(value, dict):
                self.questions |= value
            elif kind == "end" and isinstance(value, dict):
                self.final = value

    def ended(self) -> tuple[str, str]:
        """What to say of one that ended before its tests did."""
        stop = time.monotonic() + GRACE
        while self.status is None and time.monotonic() < stop:
            self.reap()
            time.sleep(0.01)
        code = None if self.status is None else os.waitstatus_to_exitcode(self.status)
        if code == -signal.SIGKILL and out_of_memory_kills() > self.ooms:
            return "the machine ran out of memory, and the system ended it", "grader"
        if self.used() >= self.limits["cpu"]:
            return (
                f"it computed for more than {self.limits['cpu']:g} seconds, {self.where}",
                "submission",
            )
        return (
            f"it ended itself (exit code {code}) before its tests did, {self.where}",
            "submission",
        )

    def reap(self) -> None:
        """Takes the exit status of processes that have ended; orphans come here."""
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self.reaped += usage.ru_utime + usage.ru_stime
            if pid == self.pid:
                self.status = status

    def used(self) -> float:
        """Seconds of processor time of all its processes."""
        total = self.reaped
        for one in family():
            with contextlib.suppress(psutil.Error):
                total += sum(one.cpu_times()[:4])
        return total

    def too_long(self) -> tuple[str, str] | None:
        """Which limit on time is broken, and whose fault it is; None if none."""
        self.reap()
        limits = self.limits
        if (used := self.used()) > limits["cpu"]:
            return (
                f"it computed for more than {limits['cpu']:g} seconds, {self.where}",
                "submission",
            )
        elapsed = time.monotonic() - self.began
        if elapsed > limits["wall"]:
            queued = sum(map(waited_for_a_processor, family()))
            if used + queued < elapsed / 2:
                return (
                    f"it waited for more than {limits['wall'] / 2:g} seconds without "
                    f"computing, {self.where}",
                    "submission",
                )
            return (
                f"the machine was too busy: it got {used:.0f} seconds of processor time in "
                f"{elapsed:.0f}, {self.where}",
                "grader",
            )
        return None

    def too_much(self) -> tuple[str, str] | None:
        """Which limit on anything else is broken, and whose fault it is; None if none."""
        limits, relatives = self.limits, family()
        if len(relatives) > limits["processes"]:
            return (
                f"it started more than {limits['processes']} processes, {self.where}",
                "submission",
            )
        most = limits["memory"] * MEBIBYTE
        if used_memory(relatives, "rss") > most and used_memory(relatives, "pss") > most:
            return f"it used more than {limits['memory']} MiB of memory, {self.where}", "submission"
        output = self.folder / "output"
        if output.exists() and output.stat().st_size > limits["output"] * MEBIBYTE:
            return f"it printed more than {limits['output']} MiB, {self.where}", "submission"
        if size(self.folder) > (limits["disk"] + limits["output"]) * MEBIBYTE:
            return (
                f"it wrote more than {limits['disk']} MiB to its folder, {self.where}",
                "submission",
            )
        return None

    def end(self) -> None:
        """Ends all its processes: first its group at once, then, halted first so that none starts
        another meanwhile, what has left the group. One that stayed would count for the next
        submission, so this process ends rather than go on beside it."""
        stop = time.monotonic() + END
        while left := family():
            if time.monotonic() > stop:
                sys.exit(f"{len(left)} processes of a submission could not be ended")
            with contextlib.suppress(OSError):
                if self.pid:
                    os.killpg(self.pid, signal.SIGKILL)
            for number in (signal.SIGSTOP, signal.SIGKILL):
                for one in left:
                    with contextlib.suppress(psutil.Error):
                        one.send_signal(number)
            self.reap()
            time.sleep(0.01)
        self.reap()
        with contextlib.suppress(OSError, AttributeError):
            os.close(self.pipe)
            del self.pipe


def same(path: Path, text: str) -> bool:
    try:
        return path.read_text() == text
    except (OSError, ValueError):
        return False


def family() -> list[psutil.Process]:
    """Everything that descends from this process and has not ended."""
    found = []
    for one in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if one.status() != psutil.STATUS_ZOMBIE:
                found.append(one)
    return found


def used_memory(processes: list[psutil.Process], kind: str) -> int:
    """Bytes of memory that processes use together. What several share counts for each of them in
    "rss", which is quick; and once in "pss", where the system lets us ask (Linux, for root)."""
    total = 0
    for one in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            try:
                info = one.memory_full_info() if kind == "pss" else one.memory_info()
            except psutil.AccessDenied:
                info = one.memory_info()
            total += getattr(info, kind, info.rss)
    return total


def waited_for_a_processor(process: psutil.Process) -> float:
    """Seconds for which it could have computed and another process did (Linux; else 0)."""
    try:
        return int(Path(f"/proc/{process.pid}/schedstat").read_text().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


def out_of_memory_kills() -> int:
    """How many processes the system has ended for want of memory since it started (Linux)."""
    try:
        lines = Path("/proc/vmstat").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))


def size(folder: Path) -> int:
    """Bytes under a folder, links not followed."""
    total = 0
    for base, _, files in os.walk(folder):
        for name in files:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(base, name)).st_size
    return total


if __name__ == "__main__":
    main()
