"""What book/speed.md shows, from results/bench.json and results/notebook-times.json.

`make bench` measures it, `make sync` puts it between the marks on the page.
"""

import json

from tools import course
from tools.bench import tables

PAGE = course.ROOT / "book" / "speed.md"
BENCH = course.ROOT / "results" / "bench.json"
MISSING = "*not recorded yet*"


def hardware(provenance: dict) -> str:
    """A sentence on where and when something was measured."""
    where = f"{provenance['cpu']}, {provenance['cores']} cores, {provenance['threads']} in use"
    gpu = f", {provenance['gpu']}" if provenance.get("gpu") else ""
    versions = ", ".join(
        f"{name} {provenance[name]}"
        for name in ("python", "torch", "torchvision", "timm")
        if name in provenance
    )
    return f"Measured on {provenance['date']}: {where}{gpu}; {versions}."


def slower(rows: list[dict]) -> str:
    """A sentence on where a peer is faster than the library beyond noise."""
    found = [
        f"{row['method']} at {'x'.join(map(str, row['shape']))} ({row['device']})"
        for row in tables.slower(rows)
    ]
    if not found:
        return (
            "On an idle machine no peer is faster than any of the library's ways beyond noise: "
            "nowhere do all quartiles lie apart."
        )
    return (
        "On an idle machine, the fastest peer is faster beyond noise, the quartiles lying "
        f"apart, than: {'; '.join(found)}."
    )


def notebooks() -> str:
    """The chapters' seconds and memory."""
    rows = [
        "| chapter | cores | seconds | memory, GB | with a GPU, seconds |",
        "|---|--:|--:|--:|--:|",
    ]
    for path in course.notebooks():
        entry = course.times().get(path.stem, {})
        cpu, gpu = entry.get("cpu", {}), entry.get("gpu", {})
        name = course.title(course.read(path)) or path.stem
        rows.append(
            f"| [{name}](../notebooks/{path.name}) | {cpu.get('cores', '–')} "
            f"| {cpu.get('seconds', '–')} | {cpu.get('memory_gb', '–')} "
            f"| {gpu.get('seconds', '–')} |"
        )
    return "\n".join(rows)


def blocks(bench: dict | None = None) -> dict[str, str]:
    """The text between each pair of marks; None takes what is recorded."""
    if bench is None:
        bench = json.loads(BENCH.read_text("utf-8")) if BENCH.exists() else {}
    parts = dict.fromkeys(("mixing", "training", "changes", "make"), MISSING)
    found = parts | {"times": notebooks()}
    if rows := bench.get("rows"):
        found["mixing"] = "\n\n".join(
            [hardware(bench["provenance"]), tables.mixing(rows), slower(rows)]
        )
    for name, table in (("training", tables.training), ("make", tables.commands)):
        if part := bench.get(name):
            found[name] = f"{hardware(part['provenance'])}\n\n{table(part['rows'])}"
    if {"before", "rows", "training"} <= bench.keys():
        found["changes"] = tables.changes(bench["before"], bench)
    return found


def page(bench: dict | None = None) -> str:
    """The whole page as Markdown: its own words, with the tables as they should be."""
    text = PAGE.read_text("utf-8")
    for name, content in blocks(bench).items():
        text = course.between(text, name, content)
    return text
