"""The tables of the bench, as Markdown, and what they say in a sentence."""

PEERS = ("torchvision", "timm (in place)", "three lines")


def mixing(rows: list[dict]) -> str:
    """The records as one Markdown table."""
    lines = [
        "| device, batch | method | idle, ms (quartiles) | speed | beside two loaders, ms "
        "(quartiles) | speed | extra memory, batches |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    for row in rows:
        cells = [f"{row['device']}, {'x'.join(map(str, row['shape']))}", row["method"]]
        for state in (row["idle"], row["busy"]):
            low, high = state["quartiles"]
            cells.append(f"{state['milliseconds']:.3g} ({low:.3g} to {high:.3g})")
            cells.append(f"{state['times_as_fast_as_the_fastest_peer']:.2f}")
        memory = row["extra_memory_in_batches"]
        cells.append("not known" if memory is None else f"{abs(memory):.1f}")
        lines.append(f"| {' | '.join(cells)} |")
    lines.append(
        "\nSpeed: time of the fastest peer (torchvision, timm, three lines) over one's own."
    )
    return "\n".join(lines)


def training(rows: list[dict]) -> str:
    """The rows as one Markdown table, with the verdict below."""
    lines = [
        "| device | model, data | batch | training | plain loop, µs a step | `fit`, µs a step "
        "| difference, µs (quartiles) | bound, µs | |",
        "|---|---|--:|---|--:|--:|--:|--:|---|",
    ]
    for row in rows:
        low, high = row["quartiles"]
        lines.append(
            f"| {row['device']} | {row['model']} | {row['batch_size']} "
            f"| {'mixup' if row['mixup'] else 'plain'} | {row['plain_microseconds']:,.0f} "
            f"| {row['fit_microseconds']:,.0f} | {row['overhead_microseconds']:,.0f} "
            f"({low:,.0f} to {high:,.0f}) | {row['bound_microseconds']:,.0f} "
            f"| {'within' if row['within'] else '**above**'} |"
        )
    return "\n".join([*lines, "", verdict(rows)])


def verdict(rows: list[dict]) -> str:
    """A sentence on the bound."""
    above = [
        f"{row['model']} ({'mixup' if row['mixup'] else 'plain'}, {row['device']})"
        for row in rows
        if not row["within"]
    ]
    if not above:
        return f"All {len(rows)} are within the bound."
    return f"Above the bound: {', '.join(above)}; the other {len(rows) - len(above)} are within."


def commands(rows: list[dict]) -> str:
    """The rows as one Markdown table."""
    lines = ["| command | run | seconds |", "|---|---|--:|"]
    lines += [f"| `{row['command']}` | {row['when']} | {row['seconds']:,.0f} |" for row in rows]
    return "\n".join(lines)


def changes(before: dict, now: dict) -> str:
    """What was recorded before beside what is recorded now, one figure of each thing."""
    lines = [
        f"| what | {_when(before)} | {_when(now)} |",
        "|---|--:|--:|",
    ]
    then = {_key(row): row for row in before.get("rows", ())}
    for row in now["rows"]:
        if row["method"] == "this library" and _key(row) in then:
            speeds = (
                it["idle"]["times_as_fast_as_the_fastest_peer"] for it in (then[_key(row)], row)
            )
            shape = "x".join(map(str, row["shape"]))
            lines.append(
                f"| a plain call at {shape} ({row['device']}), speed beside the fastest peer "
                f"| {' | '.join(f'{speed:.2f}' for speed in speeds)} |"
            )
    then = {_key(row): row for row in before.get("training", {}).get("rows", ())}
    for row in now["training"]["rows"]:
        if _key(row) in then:
            more = (it["overhead_microseconds"] for it in (then[_key(row)], row))
            lines.append(
                f"| {row['model']}, {'mixup' if row['mixup'] else 'plain'} ({row['device']}), µs a "
                f"step more than the plain loop | {' | '.join(f'{it:,.0f}' for it in more)} |"
            )
    return "\n".join(lines)


def _key(row: dict) -> tuple:
    return tuple(str(row.get(name)) for name in ("device", "shape", "method", "model", "mixup"))


def _when(record: dict) -> str:
    dates = {
        part["provenance"]["date"]
        for part in (record, record.get("training", {}))
        if "provenance" in part
    }
    return " and ".join(sorted(dates))


def slower(rows: list[dict]) -> list[dict]:
    """The library's rows that a peer beats beyond noise: their quartiles do not meet, when idle."""
    found = []
    for row in rows:
        peers = [
            it
            for it in rows
            if it["method"] in PEERS
            and (it["device"], it["shape"]) == (row["device"], row["shape"])
        ]
        fastest = min(peers, key=lambda it: it["idle"]["milliseconds"])
        own = row["method"].startswith("this library")
        if own and row["idle"]["quartiles"][0] > fastest["idle"]["quartiles"][1]:
            found.append(row)
    return found
