"""The article's claims as data, each with its tests and their rules.

They stand in ``book/data/claims.toml``; an installed wheel carries a copy.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

from mixup_lib.evidence import results
from mixup_lib.evidence.judge import Rule
from mixup_lib.evidence.words import KINDS, WORDS

__all__ = ["REGISTERED", "Test", "bars", "claims", "found", "path", "tests"]

_PACKAGE = Path(__file__).resolve().parents[1]
#: What a test's registration means.
REGISTERED = {
    "before": "before its runs",
    "with": "with its runs: the rule and the runs came in one commit",
    "after": "after its runs: earlier runs were known when this rule was written",
}


@dataclass(frozen=True)
class Test:
    """One test of a claim, as registered. Made from ``claims.toml`` by :func:`tests`.

    Attributes:
        id: "C12/cifar", or "C12" where the claim has one test.
        claim: the claim's own entry.
        says: what this test asks, in our words.
        chapter: the notebook that shows it, such as "08_comparisons".
        measure: what is measured, and how.
        rule: how it is judged.
        bar: the name of the bar, for the page that says why it is where it is; "" without one.
        why: why the bar is where it is.
        kind: a key of :data:`~mixup_lib.evidence.words.KINDS`.
        scale: data, network, seeds.
        records: the experiments under ``results/`` that it reads.
        registered: "before", "with" or "after" its runs.
        rival: the strongest rival in the same comparison; "" where there is none.
        conditions: their names, in order; empty where there is one only.
        stated: the word that the book states.
        room: in words, what must be so for an effect to show; "" where nothing must.
        margin: how far an end of an interval may move on another machine, in the rule's unit.
    """

    id: str
    claim: dict
    says: str
    chapter: str
    measure: str
    rule: Rule
    kind: str
    scale: str
    registered: str
    stated: str = ""
    bar: str = ""
    why: str = ""
    records: tuple[str, ...] = ()
    rival: str = ""
    conditions: tuple[str, ...] = ()
    room: str = ""
    margin: float = 0.0

    def __post_init__(self):
        for name in ("says", "chapter", "measure", "scale"):
            if not getattr(self, name):
                raise ValueError(f"{self.id}: {name} is empty; a test needs it written down")
        for name, options in (
            ("kind", KINDS),
            ("registered", REGISTERED),
            ("stated", (*WORDS, "")),
        ):
            if (value := getattr(self, name)) not in options:
                raise ValueError(f"{self.id}: {name} is {value!r}; valid are {list(options)}")

    @property
    def anchor(self) -> str:
        """The address of its card in the page, the same on every run."""
        return self.id.lower().replace("/", "-")


def path() -> Path:
    """The file of all claims: the repository's, else the copy inside the package."""
    if results.in_repository():
        return _PACKAGE.parent / "book" / "data" / "claims.toml"
    return _PACKAGE / "_results" / "claims.toml"


@cache
def _data() -> dict:
    return tomllib.loads(path().read_text(encoding="utf-8"))


def claims() -> dict[str, dict]:
    """Every claim by its id, "C1" to "C30", in order; ``heading`` is (Chinese, English)."""
    headings = _data()["headings"]
    return {
        entry["id"]: {**entry, "heading": tuple(headings[entry["heading"]])}
        for entry in _data()["claim"]
    }


def bars() -> dict[str, dict]:
    """Every bar by its name: ``share`` or ``bar``, ``why``, and what is published ``above`` it."""
    return _data()["bars"]


def found() -> list[str]:
    """What the course found, in a few sentences whose numbers are filled in by the ledger."""
    return list(_data()["found"])


def tests() -> dict[str, Test]:
    """Every test by its id, in the order of the claims.

    Raises:
        ValueError: an entry lacks something, or its rule contradicts itself; the message names it.
    """
    found = {}
    for entry in claims().values():
        for raw in entry.get("test", ()):
            if raw["id"] in found:
                raise ValueError(f"{path().name} has two tests called {raw['id']!r}")
            found[raw["id"]] = _test(entry, raw)
    return found


_RULE = {field.name for field in fields(Rule)}


def _test(entry: dict, raw: dict) -> Test:
    raw = dict(raw)
    known = {field.name for field in fields(Test)} | _RULE
    if unknown := sorted(set(raw) - known):
        raise ValueError(f"{raw['id']}: unknown keys {unknown}; valid are {sorted(known)}")
    if isinstance(name := raw.get("bar"), str):
        if name not in bars():
            raise ValueError(f"{raw['id']}: bar is {name!r}; valid are {list(bars())}")
        shared = bars()[name]
        raw |= {"why": shared["why"], "share": shared.get("share")}
        raw["bar"] = shared.get("bar")
    else:
        name = ""
    rule = {key: raw.pop(key) for key in list(raw) if key in _RULE}
    try:
        rule = Rule(**rule)
        lists = {key: tuple(raw[key]) for key in ("records", "conditions") if key in raw}
        return Test(**{**raw, **lists, "claim": entry, "rule": rule, "bar": name})
    except (TypeError, ValueError) as error:
        raise ValueError(f"{raw['id']}: {error}") from None
