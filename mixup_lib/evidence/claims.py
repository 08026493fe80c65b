"""Claims that are written down before the experiment and judged by its numbers.

A claim names its measure, the smallest effect that matters, the scale and what would refute it.
``Claim.verdict`` computes one of the five verdicts from the measured effect, and fails when the
page states another one. The display carries a machine-readable record in its metadata, from which
the claims ledger is generated.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from html import escape
from zlib import crc32

__all__ = ["VERDICTS", "Claim", "Finding", "Verdict", "claim"]

SUPPORTED = "supported"
REFUTED = "refuted"
DEPENDS = "depends"
INCONCLUSIVE = "inconclusive at this scale"
UNDECIDABLE = "not decidable as stated"
#: The five verdicts, from the most to the least favourable.
VERDICTS = (SUPPORTED, REFUTED, DEPENDS, INCONCLUSIVE, UNDECIDABLE)

# Each verdict has a sign beside its word, so that colour is never the only difference.
_SIGNS = dict(zip(VERDICTS, "✓✗⇄?∅", strict=True))
_KEY = "mixup_claim"


@dataclass(frozen=True)
class Claim:
    """A claim registered before its experiment. Made by :func:`claim`."""

    id: str
    statement: str
    measure: str
    smallest_effect: float | None
    unit: str
    scale: str
    refuted_if: str

    def verdict(self, effect, *, stated: str, margin: float = 0.0) -> Verdict:
        """Judges the claim by a measured effect.

        Args:
            effect: Positive is in the claim's favour, in the claim's unit. An *interval*, any
                object with ``mean``, ``low`` and ``high``, supports the claim when it lies wholly
                at or above the smallest effect, refutes it when it lies wholly below, and is
                inconclusive otherwise. A float is an exact result without noise, a bool an exact
                check. A dict of condition to any of these gives the verdict that its conditions
                share, "depends" when one supports the claim and another refutes it, and
                "inconclusive at this scale" otherwise.
            stated: The verdict that the page states, one of ``VERDICTS``.
            margin: The least distance from the smallest effect, in the claim's unit, that keeps
                the verdict from flipping on another machine. The ledger rejects a stored verdict
                that came closer.

        Returns:
            A :class:`Verdict`, shown as a table in a notebook.

        Raises:
            AssertionError: The data give another verdict than the one stated.
            ValueError: ``stated`` is no verdict, or a number is not finite.
        """
        _check_stated(stated)
        if isinstance(effect, Mapping) and not effect:
            raise ValueError("effect is an empty dict; it needs at least one condition")
        conditions = effect if isinstance(effect, Mapping) else {"": effect}
        findings = tuple(self._finding(name, value) for name, value in conditions.items())
        return self._conclude(_combine(f.verdict for f in findings), stated, findings, margin)

    def undecidable(self, reason: str, *, stated: str = UNDECIDABLE) -> Verdict:
        """Judges that no experiment could decide the claim as it is worded, and says why."""
        _check_stated(stated)
        if not reason:
            raise ValueError("reason is empty; say what the wording leaves open")
        return self._conclude(UNDECIDABLE, stated, (), 0.0, reason)

    def _conclude(self, computed, stated, findings, margin, reason=""):
        if computed != stated:
            numbers = "; ".join(f"{f.condition} {f.numbers(self.unit)}".strip() for f in findings)
            raise AssertionError(
                f"{self.id} is stated to be {stated!r}, but the data say {computed!r}"
                + (f" ({numbers}; smallest effect {self.smallest_effect})" if numbers else "")
            )
        return Verdict(self, computed, findings, margin, reason)

    def _finding(self, condition, effect):
        if isinstance(effect, bool) or type(effect).__name__ in ("bool_", "bool"):
            return Finding(str(condition), SUPPORTED if effect else REFUTED)
        if self.smallest_effect is None:
            raise ValueError(f"{self.id} has no smallest_effect; only a bool can decide it")
        ends = (effect.mean, effect.low, effect.high) if hasattr(effect, "low") else [effect] * 3
        mean, low, high = map(float, ends)
        if not all(map(math.isfinite, (mean, low, high))) or not low <= mean <= high:
            raise ValueError(f"effect is {effect!r}; it must be finite, with low <= mean <= high")
        least = self.smallest_effect
        if low >= least:
            verdict, distance = SUPPORTED, low - least
        elif high < least:
            verdict, distance = REFUTED, least - high
        else:
            verdict, distance = INCONCLUSIVE, min(least - low, high - least)
        n = getattr(effect, "n", None)
        return Finding(str(condition), verdict, mean, low, high, n and int(n), distance)

    def _rows(self):
        yield "Claim", self.statement
        yield "Measure", self.measure
        if self.smallest_effect is not None:
            yield "Smallest effect that matters", f"{self.smallest_effect:g} {self.unit}".strip()
        yield "Scale", self.scale
        yield "Refuted if", self.refuted_if

    def __repr__(self):
        return f"{self.id}: {self.statement}"

    def _repr_mimebundle_(self, include=None, exclude=None):
        html = _table(f"{self.id}: registered before the experiment", self._rows())
        return {"text/plain": repr(self), "text/html": html}, {}


@dataclass(frozen=True)
class Finding:
    """What one condition showed: its verdict, the interval, the distance from the threshold."""

    condition: str
    verdict: str
    mean: float | None = None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    distance: float | None = None

    def numbers(self, unit: str = "") -> str:
        """The effect as text, for example ``1.2 [0.4, 2.0] points, n = 5``."""
        if self.mean is None:
            return "check passed" if self.verdict == SUPPORTED else "check failed"
        if self.low == self.high:
            return f"{self.mean:.3g} {unit}".strip()
        text = f"{self.mean:.3g} [{self.low:.3g}, {self.high:.3g}] {unit}".strip()
        return f"{text}, n = {self.n}" if self.n else text


@dataclass(frozen=True)
class Verdict:
    """A claim with its verdict and the numbers behind it. Made by :meth:`Claim.verdict`."""

    claim: Claim
    verdict: str
    findings: tuple[Finding, ...]
    margin: float
    reason: str = ""

    @property
    def anchor(self) -> str:
        """The address of the verdict in its page: the same on every run, one for each test."""
        told = f"{self.claim.statement}{self.claim.measure}{self.claim.scale}"
        return f"{self.claim.id.lower()}-{crc32(told.encode()):08x}"

    @property
    def record(self) -> dict:
        """The verdict as plain data: what the ledger reads."""
        rest = asdict(self)
        return {**rest.pop("claim"), "anchor": self.anchor, **rest}

    def _rows(self):
        yield from self.claim._rows()
        for finding in self.findings:
            text = finding.numbers(self.claim.unit)
            if finding.condition:
                text = f"{text} — {_SIGNS[finding.verdict]} {finding.verdict}"
            yield f"Measured {finding.condition}".strip(), text
        if self.reason:
            yield "Why", self.reason

    def __repr__(self):
        return f"{self.claim.id}: {self.verdict}"

    def _repr_mimebundle_(self, include=None, exclude=None):
        title = f"{self.claim.id}: {_SIGNS[self.verdict]} {self.verdict}"
        html = _table(title, self._rows(), self.anchor)
        return {"text/plain": repr(self), "text/html": html}, {_KEY: self.record}


def claim(
    id: str,
    statement: str,
    *,
    measure: str,
    smallest_effect: float | None,
    unit: str = "",
    scale: str,
    refuted_if: str,
) -> Claim:
    """Registers a claim before its experiment runs.

    Args:
        id: The claim's number in the ledger, ``"C1"`` to ``"C30"``.
        statement: The claim in our own words, made testable.
        measure: What is measured, and how.
        smallest_effect: The smallest effect that matters, in ``unit``; None where the check is a
            plain yes or no.
        unit: The unit of the effect, for example ``"points of accuracy"``.
        scale: Data, model, seeds: how far the verdict reaches.
        refuted_if: The outcome that would refute the claim.

    Returns:
        A :class:`Claim`, shown as a table in a notebook.

    Raises:
        ValueError: ``id`` is no claim of the ledger, a text is empty, the effect is not finite.
    """
    if not re.fullmatch(r"C([1-9]|[12]\d|30)", id):
        raise ValueError(f"id is {id!r}; it must be one of 'C1' to 'C30'")
    texts = {"statement": statement, "measure": measure, "scale": scale, "refuted_if": refuted_if}
    for name, text in texts.items():
        if not text:
            raise ValueError(f"{name} is {text!r}; {id} needs it written down")
    if smallest_effect is not None and not math.isfinite(smallest_effect):
        raise ValueError(f"smallest_effect is {smallest_effect!r}; it must be finite or None")
    return Claim(id, statement, measure, smallest_effect, unit, scale, refuted_if)


def _combine(verdicts):
    verdicts = set(verdicts)
    if len(verdicts) == 1:
        return verdicts.pop()
    # Decided here and undecided there is no evidence that the condition matters.
    return DEPENDS if {SUPPORTED, REFUTED} <= verdicts else INCONCLUSIVE


def _check_stated(stated):
    if stated not in VERDICTS:
        raise ValueError(f"stated is {stated!r}; it must be one of {VERDICTS}")


def _table(title, rows, anchor=""):
    left = "text-align:left;vertical-align:top"
    cells = "".join(
        f'<tr><th scope="row" style="{left};padding-right:1em">{escape(name)}</th>'
        f'<td style="{left}">{escape(text)}</td></tr>'
        for name, text in rows
    )
    caption = f'<caption style="{left};color:inherit"><strong>{escape(title)}</strong></caption>'
    name = f' id="{anchor}"' if anchor else ""
    return f'<table class="mixup-claim"{name}>{caption}{cells}</table>'
