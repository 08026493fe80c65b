"""Runs experiments: in paired order, side by side, resuming, skipping what is recorded."""

import multiprocessing
import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from torch import set_num_threads
from tqdm.std import tqdm

from mixup_lib.basics.check import integer_at_least
from mixup_lib.basics.progress import progress_bar
from mixup_lib.evidence import results
from mixup_lib.experiments.runner import Experiment, device_of, run_one

__all__ = ["check_writable", "run"]


def run(
    experiment: Experiment,
    workers: int = 1,
    threads: int | None = None,
    root: Path | None = None,
    checkpoints: Path | None = None,
    tell: Callable[[str], None] = print,
    *,
    runs: list[tuple[str, int]] | None = None,
    device: str | None = None,
    progress: bool | None = None,
) -> int:
    """Runs whatever is not recorded yet.

    Several of these may work side by side, on one machine or on several that share the folders:
    each run is done by one of them, and a record is never overwritten.

    Args:
        experiment: what to run.
        workers: processes side by side, each of which takes the next run when it has finished one.
        threads: threads of each worker; None leaves torch's own choice with one worker and takes
            one thread with more.
        root: folder of the results.
        checkpoints: folder of the checkpoints, as for :func:`run_one`.
        tell: called with a line when a run ends.
        runs: pairs of method and seed; None takes all.
        device: such as "cuda"; None takes the experiment's own.
        progress: True or False for a progress bar, None to show one only where somebody watches.

    Returns:
        How many of the runs were left out because other processes are at them.

    Raises:
        ValueError: if ``workers`` or ``threads`` is below 1, or there is no such ``device``.
        OSError: if the folder of the results can't be written to.
        UntraceableError: if a record could not name the commit of its code; nothing is run.
    """
    integer_at_least("workers", workers, 1)
    if threads is None and workers > 1:
        threads = 1
    if threads is not None:
        integer_at_least("threads", threads, 1)
    device = device_of(experiment, device)
    runs = experiment.runs() if runs is None else runs
    todo = [
        (experiment, method, seed, root, checkpoints, device)
        for method, seed in runs
        if not results.exists(experiment.name, method, seed, root)
    ]
    tell(f"{experiment.name}: {len(runs) - len(todo)} runs recorded, {len(todo)} to do")
    if not todo:
        return 0
    results.check_traceable(root)
    check_writable(Path(root or results.folder()) / experiment.name)
    left = 0
    with progress_bar(
        total=len(runs),
        initial=len(runs) - len(todo),
        progress=progress,
        desc=experiment.name,
        unit="run",
        smoothing=0,
    ) as bar:
        for line, ended in _outcomes(todo, workers, threads):
            with tqdm.external_write_mode():
                tell(line)
            left += not ended
            bar.update()
    return left


def check_writable(folder: Path) -> None:
    """Raises OSError unless files can be made in ``folder``, which it makes; before hours of work.

    Raises:
        OSError: with a message that names the folder and the reason.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise OSError(f"results can't be written to {folder}: {error.strerror}") from error


def _outcomes(todo: list[tuple], workers: int, threads: int | None) -> Iterator[tuple[str, bool]]:
    if workers == 1:
        _prepare(threads)
        yield from map(_job, todo)
        return
    # Spawned workers import the code once and keep it, whatever is edited meanwhile.
    context = multiprocessing.get_context("spawn")
    with context.Pool(workers, _prepare, (threads, True)) as pool:
        yield from pool.imap_unordered(_job, todo, chunksize=1)
        pool.close()
        pool.join()


def _prepare(threads: int | None, beside_others: bool = False) -> None:
    if beside_others:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the main process ends its workers
        os.environ["TQDM_DISABLE"] = "1"  # one bar, the main process's
    if threads is not None:
        set_num_threads(threads)
    results.provenance()  # remembers the code as it is when the worker starts


def _job(arguments: tuple) -> tuple[str, bool]:
    """What to say of a run that ended, and whether it is recorded now."""
    experiment, method, seed, *where = arguments
    start = time.perf_counter()
    try:
        file = run_one(experiment, method, seed, *where)
    except BlockingIOError:
        return f"{experiment.name} {method} seed {seed}: another process is at it", False
    minutes = (time.perf_counter() - start) / 60
    ended = "was recorded already" if file is None else f"recorded after {minutes:.1f} minutes"
    return f"{experiment.name} {method} seed {seed}: {ended}", True
