"""What others found, for the page of references and for the ledger: from results/published.json.

python -m tools.literature [NAME ...]      # the sentences, or those named
"""

import sys

from mixup_lib.evidence.literature import citable, finding, names, published

PAGE = "references.html"


def anchor(name: str) -> str:
    """Where an entry stands on the page of references."""
    return f"lit-{name}"


def sentence(name: str) -> str:
    """What a source found, with its citation, in Markdown.

    Raises:
        ValueError: as in :func:`mixup_lib.evidence.literature.finding`.
    """
    entry = published(name)
    return f"{finding(name)} {{cite}}`{entry['reference']}`"


def link(name: str) -> str:
    """A link of a page of this book to the entry, in HTML: it works inside tables.

    Raises:
        ValueError: as in :func:`mixup_lib.evidence.literature.published`.
    """
    published(name)
    return f'<a href="{PAGE}#{anchor(name)}">{name}</a>'


def block() -> str:
    """All entries, by source in the order of the file, then those that nobody read."""
    lines, unread = [], []
    for name in names():
        (lines if citable(name) else unread).append(name)
    sources = dict.fromkeys(published(name)["reference"] for name in lines)
    text = []
    for reference in sources:
        text += [f"{{cite:t}}`{reference}`", ""]
        text += [_item(name) for name in lines if published(name)["reference"] == reference]
        text.append("")
    text += [
        "**Not read.** These figures are quoted from memory: no copy of their tables could be "
        "opened. Chapters set our own runs beside them and say so; the ledger never cites "
        "them.",
        "",
    ]
    for name in unread:
        entry = published(name)
        text.append(
            f"- {_mark(name)} {{cite}}`{entry['reference']}`, {entry['where']}: "
            f"{entry['what']}. {entry['checked'][0].upper()}{entry['checked'][1:]}."
        )
    return "\n".join(text)


def _mark(name: str) -> str:
    return f'<span id="{anchor(name)}"></span>`{name}`'


def _item(name: str) -> str:
    entry = published(name)
    alpha = entry.get("alpha")
    if isinstance(alpha, dict):
        alpha = ", ".join(f"{method} {value}" for method, value in alpha.items())
    alpha = f" Alpha: {alpha}." if alpha else ""
    note = f" {entry['note']}" if "note" in entry else ""
    return f"- {_mark(name)} {finding(name)}{alpha}{note} ({entry['where']}; {entry['checked']}.)"


if __name__ == "__main__":
    for one in sys.argv[1:] or [name for name in names() if citable(name)]:
        print(f"{one}\n    {finding(one)}")
