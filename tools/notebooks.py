"""Executes notebooks in place, such that a second run writes the same bytes.

    python -m tools.notebooks [--check | --time] [NAME ...]

A notebook that fails keeps its old file. Time and peak memory go to results/notebook-times.json
when there is no entry for this code yet: running unchanged code again changes nothing anywhere.
`--time` measures anew, on this machine's GPU where it has one, and stores no outputs.
"""

import argparse
import hashlib
import json
import os
import sys
import time
from pathlib import Path

import nbformat
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from tools import course, sync

# No version of Python here: the file must not depend on which one wrote it.
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {
        "codemirror_mode": {"name": "ipython", "version": 3},
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "nbconvert_exporter": "python",
        "pygments_lexer": "ipython3",
    },
}
MACHINE_DEPENDENT = "nbval-ignore-output"
# Run after the last cell, never stored: the kernel's own peak memory in GB, and its device.
PROBE = """
import resource, sys
units = 2**30 if sys.platform == "darwin" else 2**20
gpu = "torch" in sys.modules and sys.modules["torch"].cuda.is_available()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / units, "gpu" if gpu else "cpu")
"""


def kernel(python: str) -> type:
    """A kernel manager that runs this interpreter, whatever kernels the user has installed."""
    command = [
        python,
        "-Xfrozen_modules=off",
        "-m",
        "ipykernel_launcher",
        "-f",
        "{connection_file}",
        "--log-level=ERROR",
    ]

    class Kernel(AsyncKernelManager):
        kernel_spec = KernelSpec(argv=command, display_name="Python 3", language="python")

    return Kernel


def execute(notebook, folder: Path, python: str = sys.executable, timeout: int = 600):
    """Executes a notebook (changed in place) in `folder`; returns seconds, peak GB, and device."""
    notebook.cells.append(nbformat.v4.new_code_cell(PROBE, id="probe"))
    client = NotebookClient(
        notebook,
        kernel_manager_class=kernel(python),
        timeout=timeout,
        record_timing=False,
        coalesce_streams=True,
        store_widget_state=False,
        resources={"metadata": {"path": str(folder)}},
    )
    start = time.perf_counter()
    try:
        client.execute()
        seconds = time.perf_counter() - start
        memory, device = notebook.cells[-1].outputs[0].text.split()
    finally:
        notebook.cells.pop()
    return seconds, float(memory), device


def normalise(notebook) -> str:
    """The notebook as text without anything that the writing tool or the hour put in."""
    notebook.metadata.pop("widgets", None)
    notebook.metadata.update(METADATA)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
    nbformat.validate(notebook)
    return nbformat.writes(notebook).rstrip("\n") + "\n"


def code_hash(notebook) -> str:
    """Names the notebook's code, its install cell aside."""
    code = [
        cell.source
        for cell in notebook.cells
        if cell.cell_type == "code" and cell.id != course.INSTALL_ID
    ]
    return hashlib.sha256("\n\n".join(code).encode()).hexdigest()[:12]


def record(name, code, device, seconds, memory, anew=False) -> None:
    """Writes a measurement, unless this code has one already; one of older code is dropped."""
    table = course.times()
    entry = table.get(name, {})
    if entry.get("code") != code:
        entry = {"code": code}
    if anew or device not in entry:
        entry[device] = {
            "seconds": round(seconds, 1),
            "memory_gb": round(memory, 2),
            "cores": os.cpu_count(),
        }
    known = {path.stem for path in course.notebooks()}
    table = {key: value for key, value in (table | {name: entry}).items() if key in known}
    course.TIMES.parent.mkdir(exist_ok=True)
    course.write(course.TIMES, json.dumps(table, indent=1, sort_keys=True) + "\n")


def strip(notebook) -> None:
    """Removes the outputs that may differ from run to run."""
    for cell in notebook.cells:
        if MACHINE_DEPENDENT in cell.metadata.get("tags", []):
            cell.outputs = []


def differences(old, new) -> list[str]:
    """Names the cells whose outputs changed, tagged ones aside."""
    strip(old), strip(new)
    changed = [a.id for a, b in zip(old.cells, new.cells, strict=True) if a != b]
    if not changed and normalise(old) != normalise(new):
        changed = ["metadata"]
    return changed


def run(path: Path, mode: str) -> str:
    """Executes one notebook; returns what to say about it. Raises where it fails."""
    before = path.read_text()
    notebook = nbformat.reads(before, as_version=4)
    seconds, memory, device = execute(notebook, course.NOTEBOOKS)
    text = normalise(notebook)
    if mode == "check":
        stored = nbformat.reads(before, as_version=4)
        if before != normalise(stored):
            raise ValueError("the file was not written by `make notebooks`")
        if changed := differences(stored, nbformat.reads(text, as_version=4)):
            raise ValueError(f"another output in: {', '.join(changed)}")
    else:
        if path.read_text() != before:
            raise ValueError("the file was changed while it ran; run it again")
        record(path.stem, code_hash(notebook), device, seconds, memory, anew=mode == "time")
        if mode == "store":
            course.write(path, text)
    return f"{seconds:.1f} s, {memory:.2f} GB"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="such as 01 or 01_principle")
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--check",
        dest="mode",
        action="store_const",
        const="check",
        default="store",
        help="write nothing; fail where a byte differs",
    )
    group.add_argument(
        "--time",
        dest="mode",
        action="store_const",
        const="time",
        help="only measure, on the GPU where there is one",
    )
    options = parser.parse_args()
    os.environ.update(course.ENVIRONMENT | ({} if options.mode == "time" else course.NO_GPU))
    if options.mode != "check":
        try:
            sync.apply()
        except ValueError as error:  # a verdict stored otherwise, until its notebook has run
            print(f"derived files wait: {error}", flush=True)
    failed = []
    paths = course.notebooks(options.names)
    for number, path in enumerate(paths, 1):
        print(f"[{number}/{len(paths)}] {path.stem} ... ", end="", flush=True)
        try:
            print(run(path, options.mode), flush=True)
        except (CellExecutionError, ValueError, TimeoutError) as error:
            failed.append(path.stem)
            print(f"FAILED\n{error}", flush=True)
    if options.mode != "check":
        sync.apply()
    if failed:
        print(f"failed: {', '.join(failed)} (the files are as they were)")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
