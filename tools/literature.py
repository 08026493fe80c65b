"""What others found, for the page of references and for the ledger: from results/published.json.

python -m tools.literature [NAME ...]      # the sentences, or those named
"""

import sys

from mixup_lib.evidence.literature import finding, names, published

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


def link(name: str, text: str = "") -> str:
    """A link of a page of this book to the entry, in HTML: it works inside tables.

    Args:
        name: of the entry.
        text: what to read; the name without it.

    Raises:
        ValueError: as in :func:`mixup_lib.evidence.literature.published`.
    """
    published(name)
    return f'<a href="{PAGE}#{anchor(name)}">{text or name}</a>'


def block() -> str:
    """All entries, by source in the order of the file."""
    by_source = {}
    for name in names():
        by_source.setdefault(published(name)["reference"], []).append(name)
    return "\n\n".join(
        "\n".join([f"{{cite:t}}`{reference}`", "", *map(_item, entries)])
        for reference, entries in by_source.items()
    )


#: Fields of the table of alphas: what they are called, and the entries that tell.
ALPHAS = {
    "pictures, small (CIFAR, Tiny-ImageNet)": (
        "openmixup-cifar10",
        "openmixup-tinyimagenet-resnet18",
    ),
    "pictures, ImageNet, convolutional": ("openmixup-imagenet-resnet50-300", "gluoncv-alpha"),
    "pictures, ImageNet, transformers": ("openmixup-imagenet-deit-small",),
    "a network that can't over-fit": ("zhang2017-advice",),
    "wrong labels": ("mixup-noise-20", "mixup-noise-80"),
    "video": ("mmaction2-tsm-sthv1-efficient", "slowfast-mvit-ssv2"),
}
#: Longer trainings of the same network: name of the entry, baseline, method.
EPOCHS = (
    ("openmixup-cifar10", "none", "mixup"),
    ("openmixup-cifar10-400", "none", "mixup"),
    ("openmixup-cifar10-800", "none", "mixup"),
    ("openmixup-cifar10-1200", "none", "mixup"),
    ("openmixup-imagenet-resnet50-100", "none", "mixup"),
    ("openmixup-imagenet-resnet50-300", "none", "mixup"),
    ("openmixup-imagenet-resnet18-100", "none", "mixup"),
    ("openmixup-imagenet-resnet18-300", "none", "mixup"),
    ("hysts-cifar10-resnet56", "none", "alpha 1"),
    ("hysts-cifar10-resnet56", "none", "alpha 1, 300 epochs"),  # against 160 without
)


def alphas() -> str:
    """Alpha by field, as the sources have it: each value links to what was read."""
    rows = ["| field | alpha |", "|---|---|"]
    for field, sources in ALPHAS.items():
        told = [
            f"{link(name, _alpha(name))} {{cite}}`{published(name)['reference']}`"
            for name in sources
        ]
        rows.append(f"| {field} | {'; '.join(told)} |")
    return "\n".join(rows)


def _alpha(name: str) -> str:
    alpha = published(name).get("alpha", "")
    if isinstance(alpha, dict):
        return ", ".join(f"{method} {value}" for method, value in alpha.items())
    return alpha


def epochs() -> str:
    """Mixup's gain by length of training, with the source: positive is better."""
    rows = ["| trained | gain of mixup, points | source |", "|---|---|---|"]
    for name, baseline, method in EPOCHS:
        entry = published(name)
        gain = entry["values"][method] - entry["values"][baseline]
        gain = gain if "accuracy" in entry["measure"] else -gain
        setting = entry["what"].removesuffix(" unless said")
        if "epochs" in method:
            setting += f"; with mixup {method.partition(', ')[2]}"
        rows.append(f"| {setting} | {gain:+.2f} | {{cite}}`{entry['reference']}` |")
    return "\n".join(rows)


def _item(name: str) -> str:
    entry = published(name)
    alpha = f" Alpha: {told}." if (told := _alpha(name)) else ""
    note = f" {entry['note']}" if "note" in entry else ""
    mark = f'<span id="{anchor(name)}"></span>`{name}`'
    return f"- {mark} {finding(name)}{alpha}{note} ({entry['where']}; {entry['checked']}.)"


if __name__ == "__main__":
    for one in sys.argv[1:] or names():
        print(f"{one}\n    {finding(one)}")
