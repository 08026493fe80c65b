"""``python -m mixup_lib.experiments``: lists the experiments, or runs those that are named."""

import argparse

from mixup_lib import results
from mixup_lib.experiments import EXPERIMENTS, run


def main(arguments: list[str] | None = None) -> None:
    """Parses the command line and runs what it names."""
    parser = argparse.ArgumentParser(
        prog="python -m mixup_lib.experiments",
        description="Runs full-scale experiments and records each run under results/. Runs that "
        "are recorded are skipped, an interrupted one is resumed. Without a name: the list.",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="experiments to run")
    parser.add_argument("--workers", type=int, default=1, help="processes side by side")
    parser.add_argument("--threads", type=int, help="threads of each process")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - set(EXPERIMENTS):
        parser.error(f"no experiment {sorted(unknown)}; there are {sorted(EXPERIMENTS)}")
    if min(options.workers, options.threads or 1) < 1:
        parser.error("--workers and --threads must be at least 1")
    for name in options.names:
        run(EXPERIMENTS[name], options.workers, options.threads, tell=_tell)
    if not options.names:
        for experiment in EXPERIMENTS.values():
            runs = experiment.runs()
            done = sum(results.exists(experiment.name, *one) for one in runs)
            print(f"{experiment.name}: {experiment.title} ({done} of {len(runs)} runs recorded)")


def _tell(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    main()
