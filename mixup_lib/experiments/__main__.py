"""``python -m mixup_lib.experiments``: lists the experiments, or runs those that are named."""

import argparse
import os
import re
import signal
import sys
import traceback
from collections import Counter
from pathlib import Path

from mixup_lib.datasets import DownloadError
from mixup_lib.evidence import origin, results
from mixup_lib.experiments import EXPERIMENTS, Experiment, run
from mixup_lib.experiments.queue import check_writable
from mixup_lib.experiments.runner import device_of
from mixup_lib.experiments.timing import duration, estimate

DESCRIPTION = """\
Runs experiments and records each run in one JSON file, with its settings, seconds, versions and
hardware. Without a name: lists the experiments and says how long each took.

A run that is recorded is skipped. A run that was interrupted, by whatever, goes on from its last
finished epoch and ends at the same numbers; a few short ones start again. No record is ever
overwritten. Several of these commands may work side by side, also on machines that share the
folder.
"""
EPILOG = """\
examples:
  python -m mixup_lib.experiments                            what there is, and how long it took
  python -m mixup_lib.experiments trec-cnn --dry-run         what would run
  python -m mixup_lib.experiments trec-cnn --workers 2       run it, two runs at a time
  python -m mixup_lib.experiments fsdd --seeds 0-2 --methods plain,mixup --results my-results

environment:
  MIXUP_DATA      folder of the data sets (~/.cache/mixup-data); what is missing is fetched
  MIXUP_MIRRORS   addresses to fetch from instead of the built-in ones
  TQDM_DISABLE    1 shows no progress bars

exit status: 0 all is recorded, 1 something failed, other processes are at the rest, or the code
of a record is not known,
2 the command line is wrong, 130 interrupted.
"""
# What the reader can do something about; anything else is a bug and keeps its traceback.
EXPECTED = (OSError, DownloadError, ImportError, ValueError, results.UntraceableError)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    it = argparse.ArgumentParser(
        prog="python -m mixup_lib.experiments",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    it.add_argument("names", nargs="*", metavar="NAME", help="experiments to run, in this order")
    it.add_argument("--methods", type=_words, metavar="A,B", help="only these methods")
    it.add_argument("--seeds", type=_seeds, metavar="0-2,4", help="only these seeds")
    it.add_argument("--dry-run", action="store_true", help="say what would run, and run nothing")
    it.add_argument(
        "--device",
        metavar="DEVICE",
        help="such as cuda; recorded with each run (default: the experiment's, cpu)",
    )
    it.add_argument(
        "--workers", type=_count, default=1, metavar="N", help="runs side by side (default: 1)"
    )
    it.add_argument(
        "--threads",
        type=_count,
        metavar="N",
        help="threads of each worker (default: 1 with several workers, else torch's)",
    )
    it.add_argument(
        "--results",
        type=Path,
        metavar="FOLDER",
        help="folder of the records (default: the repository's results/); checkpoints "
        "go to FOLDER/.checkpoints",
    )
    it.add_argument(
        "--verify",
        action="store_true",
        help="say of every record whether the code that made it is known, and run nothing",
    )
    it.add_argument("--traceback", action="store_true", help="show where an error came from")
    return it


def main(arguments: list[str] | None = None) -> int:
    """Parses the command line and runs what it names; returns the exit status."""
    it = parser()
    options = it.parse_args(arguments)
    try:
        chosen = {name: _runs(name, options) for name in dict.fromkeys(options.names)}
        for name in chosen if options.device or not options.dry_run else ():
            device_of(EXPERIMENTS[name], options.device)
    except ValueError as error:
        it.error(str(error))
    if options.names and not (options.results or options.dry_run or results.in_repository()):
        it.error("there is no repository here to record in: name a folder with --results FOLDER")
    try:
        if options.verify:
            return _verify(options)
        if not options.names:
            _list(options)
            return 0
        return max([_run(EXPERIMENTS[name], runs, options) for name, runs in chosen.items()])
    except EXPECTED as error:
        if isinstance(error, BrokenPipeError):
            raise
        if options.traceback:
            traceback.print_exc()
        print(f"error: {error}", file=sys.stderr)
        return 1


def _verify(options) -> int:
    """Says which records no commit explains; 1 if there are any."""
    found = [
        record
        for record in origin.records(options.results)
        if not options.names or record["experiment"] in options.names
    ]
    try:
        with origin.Repository(Path(__file__).parents[2]) as history:
            known = origin.search(history, found)
        how = "in the history"
        if not options.names and options.results is None:
            origin.remember(found, known)
    except RuntimeError as error:
        _tell(f"{error}".rstrip())
        known, how = origin.remembered().of(found), "by results/code.json"
    told = origin.origins(found, known)
    for (experiment, why), count in sorted(
        Counter((one.experiment, one.why) for one in told if one.commit is None).items()
    ):
        _tell(f"{experiment}: {count} of {sum(one.experiment == experiment for one in told)} {why}")
    left = sum(one.commit is None for one in told)
    _tell(
        f"{len(told) - left} of {len(told)} records: their code is known {how}; {left}: it is not"
    )
    return min(left, 1)


def _list(options) -> None:
    roots = _roots(options)
    width = max(map(len, EXPERIMENTS))
    print(f"{'name':{width}}  {'recorded':>10}  {'all runs took':>14}  title")
    for experiment in EXPERIMENTS.values():
        runs = experiment.runs()
        done = sum(results.exists(experiment.name, *one, options.results) for one in runs)
        seconds, _ = estimate(experiment, runs, roots, _device(experiment, options))
        print(
            f"{experiment.name:{width}}  {done:>3} of {len(runs):>3}  "
            f"{duration(seconds):>14}  {experiment.title}"
        )
    print(
        "\nTimes are the recorded seconds, one run after the other, of the machines that made them."
        "\nNAME --dry-run tells more."
    )


def _run(experiment: Experiment, runs: list[tuple[str, int]], options) -> int:
    todo = [it for it in runs if not results.exists(experiment.name, *it, options.results)]
    if todo and not options.dry_run:
        results.check_traceable(options.results)
        check_writable((options.results or results.folder()) / experiment.name)
    if todo:
        device = _device(experiment, options)
        expected, how = estimate(experiment, todo, _roots(options), device)
        seconds = None if expected is None else expected / min(options.workers, len(todo))
        workers = f", {options.workers} at a time" * (options.workers > 1)
        _tell(
            f"{experiment.name}: {len(todo)} of {len(runs)} runs to do{workers}, time: "
            f"{'about ' * (seconds is not None)}{duration(seconds)} ({how})"
        )
    if options.dry_run:
        for method, seed in runs:
            state = "to do" if (method, seed) in todo else "recorded"
            _tell(f"{experiment.name} {method} seed {seed}: {state}")
        return 0
    left = run(
        experiment,
        options.workers,
        options.threads,
        options.results,
        tell=_tell,
        runs=runs,
        device=options.device,
    )
    return min(left, 1)


def _runs(name: str, options) -> list[tuple[str, int]]:
    """The chosen runs of an experiment; raises ValueError where it lacks one."""
    if name not in EXPERIMENTS:
        raise ValueError(f"no experiment {name!r}; there are {', '.join(EXPERIMENTS)}")
    experiment = EXPERIMENTS[name]
    for what, asked, known in (
        ("method", options.methods, tuple(experiment.methods)),
        ("seed", options.seeds, experiment.seeds),
    ):
        for one in asked or ():
            if one not in known:
                raise ValueError(
                    f"{name} has no {what} {one}; there are {', '.join(map(str, known))}"
                )
    return [
        (method, seed)
        for method, seed in experiment.runs()
        if (not options.methods or method in options.methods)
        and (options.seeds is None or seed in options.seeds)
    ]


def _device(experiment: Experiment, options) -> str:
    return options.device or experiment.config.get("device", "cpu")


def _roots(options) -> list[Path]:
    """Folders whose records tell how long a run takes."""
    return [results.folder()] + ([options.results] if options.results else [])


def _words(text: str) -> list[str]:
    if not all(words := [word.strip() for word in text.split(",")]):
        raise argparse.ArgumentTypeError(f"must be names with commas between them, got {text!r}")
    return words


def _seeds(text: str) -> list[int]:
    found = []
    for part in text.split(","):
        if not (match := re.fullmatch(r"\s*(\d+)(?:-(\d+))?\s*", part)):
            raise argparse.ArgumentTypeError(f"must be numbers such as 0-2,4, got {text!r}")
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            raise argparse.ArgumentTypeError(f"must count upwards, got {text!r}")
        found += range(first, last + 1)
    return found


def _count(text: str) -> int:
    if not re.fullmatch(r"\d+", text) or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be an integer of at least 1, got {text!r}")
    return int(text)


def _tell(line: str) -> None:
    print(line, flush=True)


def _stop(number, frame):
    raise SystemExit(128 + number)  # unlike the signal's own way, it ends the workers too


def script() -> int:
    """The command as a shell meets it: ends quietly when interrupted, or when nobody reads on."""
    signal.signal(signal.SIGTERM, _stop)
    try:
        status = main()
        sys.stdout.flush()
    except KeyboardInterrupt:
        print(
            "\ninterrupted: what is recorded stays, and the same command goes on from here",
            file=sys.stderr,
        )
        status = 130
    except BrokenPipeError:  # as in `| head`: who read this has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 141
    return status


if __name__ == "__main__":
    sys.exit(script())
