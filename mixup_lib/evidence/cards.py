"""A card for each test of a claim: rule, registration and verdict in one.

A notebook says ``claim("C12/cifar", effect)``: the rule is looked up, the effect judged by it, and
the cell fails if the data give another word than the one that the book states.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from html import escape

from mixup_lib.evidence import words
from mixup_lib.evidence.judge import Finding, amount, judge, steady
from mixup_lib.evidence.registry import REGISTERED, Test, path, tests
from mixup_lib.page.tables import unbroken

__all__ = ["SIGNS", "Card", "bar_text", "claim", "numbers"]

#: Each word has a sign beside it, so that colour is never the only difference.
SIGNS = {
    words.HELPS: "▲",
    words.LESS: "△",
    words.NONE: "≈",
    words.HARMS: "▼",
    words.TRUE: "✓",
    words.CONSTRUCTED: "✓",
    words.FALSE: "✗",
    words.DEPENDS: "⇄",
    words.UNDECIDED: "?",
    words.UNTESTED: "○",
}
_KEY = "mixup_claim"


@dataclass(frozen=True)
class Card:
    """A test with its verdict and the numbers behind it. Made by :func:`claim`."""

    test: Test
    word: str
    findings: tuple[Finding, ...]
    rivals: tuple[Finding, ...] = ()

    @property
    def record(self) -> dict:
        """The verdict as plain data: what the ledger reads."""
        return {
            "test": self.test.id,
            "claim": self.test.claim["id"],
            "word": self.word,
            "unit": self.test.rule.unit,
            "anchor": self.test.anchor,
            "findings": [asdict(finding) for finding in self.findings],
            "rivals": [asdict(rival) for rival in self.rivals],
        }

    def _rows(self):
        test, unit = self.test, self.test.rule.unit
        yield "Claim", escape(test.says)
        several = len(self.findings) > 1
        for finding in self.findings:
            text = numbers(asdict(finding), unit)
            if several:
                text += f" — {SIGNS[finding.word]}\N{NO-BREAK SPACE}{finding.word}"
            name = f"Found, {finding.condition}" if finding.condition else "Found"
            yield unbroken(name), escape(unbroken(text))
        for rival in self.rivals:
            text = numbers(asdict(rival), unit)
            yield f"Beside it: {rival.condition}", escape(unbroken(text))
        if bar := bar_text(test, self.findings):
            yield "Bar", escape(unbroken(bar))
        yield "Evidence", escape(f"{words.KINDS[test.kind].partition(':')[0]}; {test.scale}")
        rule = [
            ("Measure", test.measure),
            ("Refuted if", test.rule.refuted_if(bool(test.conditions))),
            ("Registered", REGISTERED[test.registered]),
        ]
        if test.room:
            rule.append(("Could show where", test.room))
        if over := sorted({f.over for f in self.findings if f.over}):
            rule.append(("Interval over", "; ".join(over)))
        lines = "".join(f"<p><strong>{name}:</strong> {escape(text)}.</p>" for name, text in rule)
        yield "Rule", f"<details><summary>measure, registration</summary>{lines}</details>"

    @property
    def _sense(self) -> str:
        """Whether the word speaks for a claim that expects harm, where one has to think."""
        if self.test.rule.predicts != "harms":
            return ""
        against = ", against the claim"
        senses = {words.HARMS: ", as claimed", words.HELPS: against, words.LESS: against}
        return senses.get(self.word, "")

    def __repr__(self):
        return f"{self.test.id}: {self.word}"

    def _repr_mimebundle_(self, include=None, exclude=None):
        left = "text-align:left;vertical-align:top"
        title = f"{self.test.id}: {SIGNS[self.word]} {self.word}{self._sense}"
        cells = "".join(
            f'<tr><th scope="row" style="{left};padding-right:1em">{escape(name)}</th>'
            f'<td style="{left}">{text}</td></tr>'
            for name, text in self._rows()
        )
        html = (
            f'<table class="mixup-claim" id="{self.test.anchor}">'
            f'<caption style="{left};color:inherit"><strong>{escape(title)}</strong></caption>'
            f"{cells}</table>"
        )
        return {"text/plain": repr(self), "text/html": html}, {_KEY: self.record}


def numbers(finding: Mapping, unit: str = "") -> str:
    """An effect as text, for example ``1.2 [0.4, 2.0] points, n = 5``."""
    if finding["mean"] is None:
        return "check failed" if finding["word"] == words.FALSE else "check passed"
    mean, low, high = (finding[key] for key in ("mean", "low", "high"))
    if low == high:
        return f"{mean:.3g} {unit}".strip()
    text = f"{mean:.3g} [{low:.3g}, {high:.3g}] {unit}".strip()
    return f"{text}, n = {finding['n']}" if finding["n"] else text


def bar_text(test: Test, findings) -> str:
    """The bar in words, and the smallest effect that the design would have shown."""
    rule, bars = test.rule, [f.bar for f in findings if f.bar is not None]
    if not bars:
        return ""
    if rule.asks == "fact":
        return f"at {rule.side} {amount(f'{rule.bar:g}', rule.unit)}"

    def span(values):
        low, high = (f"{value:.2g}" for value in (min(values), max(values)))
        return low if low == high else f"{low} to {high}"

    text = amount(span(bars), rule.unit)
    if rule.share is not None:
        text += f" ({100 * rule.share:g} % of the baseline's value)"
    if shown := [f.detectable for f in findings if f.detectable is not None]:
        text += f"; these runs would have shown an effect of {span(shown)} or more"
    return text


def claim(
    id: str,
    effect,
    *,
    baseline: float | Mapping[str, float] | None = None,
    training: float | Mapping[str, float] | None = None,
    room: bool | Mapping[str, bool] | None = None,
    rivals: Mapping[str, object] | None = None,
) -> Card:
    """Judges a registered test by its measured effect and shows both as one card.

    Args:
        id: the test, such as "C12/cifar", or the claim's "C12" where it has one test.
        effect: positive is better, in the test's unit: an interval, a number without noise, a
            bool for a check, or a dict of condition to any of these.
        baseline: the baseline's own value, in the same unit; a dict where conditions differ.
            Needed where the bar is a share of it.
        training: the baseline's error on its own training data: needed where a network that does
            not fit could not show the effect.
        room: whether there is something to gain, for instance whether the best fixed setting
            mixes at all: needed where the rule asks for it.
        rivals: the effects of other methods in the same comparison, in the same unit, to stand
            beside; an interval or a number each.

    Returns:
        A :class:`Card`.

    Raises:
        ValueError: an unknown test, other conditions than the registered ones, or something that
            the rule needs is missing.
        AssertionError: the data give another word than the file states.
    """
    known = tests()
    if id not in known:
        near = [name for name in known if name.partition("/")[0] == str(id).partition("/")[0]]
        raise ValueError(
            f"id is {id!r}; it must be a test of {path().name}, such as "
            f"{', '.join(near or list(known)[:3])}"
        )
    test = known[id]
    effects = dict(effect) if isinstance(effect, Mapping) else {"": effect}
    if tuple(effects) != (test.conditions or ("",)):
        raise ValueError(
            f"{id}: effect has the conditions {list(effects)}; registered are "
            f"{list(test.conditions) or 'none, give the effect itself'}"
        )

    def each(value):
        if value is None or isinstance(value, Mapping):
            return value
        return dict.fromkeys(effects, value)

    word, findings = judge(
        test.rule, effects, baseline=each(baseline), training=each(training), room=each(room)
    )
    if word != test.stated:
        shown = "; ".join(
            f"{f.condition} {numbers(asdict(f), test.rule.unit)} (bar {f.bar}): {f.word}".strip()
            for f in findings
        )
        raise AssertionError(
            f"{id} is stated to be {test.stated!r}, but the data say {word!r} ({shown})"
        )
    if not steady(test.rule, findings, test.margin):
        raise AssertionError(
            f"{id}: an end of an interval lies closer than {test.margin:g} to "
            f"where its word changes: {findings}"
        )
    return Card(test, word, findings, _beside(rivals or {}))


def _beside(rivals: Mapping[str, object]) -> tuple[Finding, ...]:
    shown = []
    for name, value in rivals.items():
        ends = (value.mean, value.low, value.high) if hasattr(value, "low") else [value] * 3
        n = getattr(value, "n", None)
        shown.append(Finding(name, "", *map(float, ends), n and int(n)))
    return tuple(shown)
