"""The judge of claims: from a rule and measured numbers to a word. Pure, and nothing is drawn.

A rule is written before its numbers are looked at. It names the smallest effect that matters (the
bar), what the claim predicts, and how several conditions combine.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from scipy import stats

from mixup_lib.evidence.words import (
    CONSTRUCTED,
    FALSE,
    TRUE,
    UNTESTED,
    WAYS,
    combine,
    fact,
    fits,
    word,
)

__all__ = ["Finding", "Rule", "detectable", "judge", "steady"]


def amount(number: str, unit: str) -> str:
    """A number with its unit, in the singular after 1: "1 nat", "2 nats", "1 percentage point"."""
    return f"{number} {unit.removesuffix('s') if number == '1' else unit}".strip()


@dataclass(frozen=True)
class Rule:
    """How a test is judged.

    Attributes:
        asks: "effect" (an interval against a bar) or "fact" (a check, or a number and its limit).
        predicts: what the claim says of the effect: "helps" or "harms"; for facts always "fact".
        bar: the smallest effect that matters, above 0, in ``unit``; the limit of a measured fact;
            None for a fact that is a plain check, or where ``share`` gives the bar.
        share: the bar as a share of the baseline's own value, in (0, 1); None for a fixed bar.
        side: for a measured fact, "most" or "least": on which side of the limit it is true.
        construction: True if a fact follows from the definition.
        combine: how conditions combine: "all" (each is needed), "any" (one case is enough),
            "depends" (one by one).
        needs: what must be so for an effect to show: "fit" (the plain network fits its training
            data), "room" (there is something to gain or to mend), or "" for nothing.
        unit: of effect and bar.

    Raises:
        ValueError: the parts contradict each other.
    """

    asks: str
    predicts: str = "fact"
    bar: float | None = None
    share: float | None = None
    side: str | None = None
    construction: bool = False
    combine: str = "depends"
    needs: str = ""
    unit: str = ""

    def __post_init__(self):
        def valid(name, options):
            if (value := getattr(self, name)) not in options:
                raise ValueError(f"{name} is {value!r}; valid are {', '.join(map(repr, options))}")

        valid("asks", ("effect", "fact"))
        valid("combine", WAYS)
        valid("needs", ("", "fit", "room"))
        for name in ("bar", "share"):
            value = getattr(self, name)
            if value is not None and not math.isfinite(value):
                raise ValueError(f"{name} is {value!r}; it must be finite")
        if self.asks == "effect":
            valid("predicts", ("helps", "harms"))
            if (self.bar is None) == (self.share is None):
                raise ValueError("an effect needs either bar or share")
            if self.bar is not None and self.bar <= 0:
                raise ValueError(f"bar is {self.bar!r}; an effect that matters is above 0")
            if self.share is not None and not 0 < self.share < 1:
                raise ValueError(f"share is {self.share!r}; it must lie in (0, 1)")
            if self.side or self.construction:
                raise ValueError("side and construction belong to facts")
        else:
            valid("predicts", ("fact",))
            if self.share is not None or self.needs:
                raise ValueError("share and needs belong to effects")
            if (self.bar is None) != (self.side is None):
                raise ValueError("a measured fact needs bar and side, a check neither")
            if self.side is not None:
                valid("side", ("most", "least"))

    def refuted_if(self, several: bool = False) -> str:
        """What would refute the claim, in words that follow from the rule.

        Args:
            several: whether the test has several conditions.
        """
        if self.asks == "fact":
            other = {"most": "above", "least": "below", None: ""}[self.side]
            whole = f"the value, with its whole interval, lies {other} {self._amount}"
            one = whole if self.side else "the check fails"
        else:
            other = {"helps": "below", "harms": "above"}[self.predicts]
            one = f"the whole interval lies inside ±{self._amount}, or {other} zero"
        tails = {
            "all": ", under any one condition",
            "any": ", under every condition",
            "depends": ", condition by condition",
        }
        return one + (tails[self.combine] if several else "")

    @property
    def _amount(self) -> str:
        if self.share is not None:
            return f"{100 * self.share:g} % of the baseline's value"
        return "" if self.bar is None else amount(f"{self.bar:g}", self.unit)


@dataclass(frozen=True)
class Finding:
    """What one condition showed.

    Attributes:
        condition: its name, empty where there is only one.
        word: one of :data:`~mixup_lib.evidence.words.WORDS`.
        mean, low, high: the effect in the rule's unit; None for a plain check.
        n: how many runs the interval comes from; None without one.
        bar: the bar in that unit; None for a plain check.
        detectable: the smallest true effect that the design would have told from zero four times
            in five; None without an interval.
        over: what the interval accounts for.
    """

    condition: str
    word: str
    mean: float | None = None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    bar: float | None = None
    detectable: float | None = None
    over: str = ""


def detectable(interval, power: float = 0.8) -> float:
    """The smallest true effect that would have been told from zero with this power.

    A design with this standard error finds an effect of ``(t_0.975 + t_power) * se`` with an
    interval off zero in a share ``power`` of its repetitions (Bloom, 1995).

    Args:
        interval: a 95 % t interval with ``low``, ``high`` and ``n`` of at least 2.
        power: in (0.5, 1).
    """
    if not 0.5 < power < 1:
        raise ValueError(f"power is {power!r}; it must lie in (0.5, 1)")
    t = stats.t(getattr(interval, "df", None) or interval.n - 1)
    return float((interval.high - interval.low) / 2 * (1 + t.ppf(power) / t.ppf(0.975)))


def judge(
    rule: Rule,
    effects: Mapping[str, object],
    *,
    baseline: Mapping[str, float] | None = None,
    training: Mapping[str, float] | None = None,
    room: Mapping[str, bool] | None = None,
) -> tuple[str, tuple[Finding, ...]]:
    """Judges a test by its measured effects.

    Args:
        rule: how.
        effects: for each condition a bool (a check), a number (exact, without noise) or an
            interval with ``mean``, ``low``, ``high`` and perhaps ``n`` and ``over``. Positive is
            better, in the rule's unit.
        baseline: for each condition the baseline's own value, above 0, in the same unit: needed
            where the bar is a share of it, or where the rule needs "fit".
        training: the same on the baseline's training data: needed where the rule needs "fit".
        room: for each condition whether there is something to gain: where the rule needs "room".

    Returns:
        The test's word, and what each condition showed.

    Raises:
        ValueError: something needed is missing, or a number is not finite.
    """
    if not effects:
        raise ValueError("effects is empty; a test needs at least one condition")

    def asked(name, values, condition):
        if values is None or condition not in values:
            raise ValueError(f"{name} lacks {condition!r}, which this rule needs")
        return values[condition]

    findings = []
    for condition, effect in effects.items():
        if isinstance(effect, bool) or type(effect).__name__ in ("bool_", "bool"):
            if rule.asks == "effect" or rule.side:
                raise ValueError(f"effects[{condition!r}] is {effect!r}; this rule needs a number")
            yes = CONSTRUCTED if rule.construction else TRUE
            findings.append(Finding(condition, yes if effect else FALSE))
            continue
        if rule.asks == "fact" and rule.side is None:
            raise ValueError(f"effects[{condition!r}] is {effect!r}; this rule needs True or False")
        ends = (effect.mean, effect.low, effect.high) if hasattr(effect, "low") else [effect] * 3
        mean, low, high = map(float, ends)
        if not all(map(math.isfinite, (mean, low, high))) or not low <= mean <= high:
            raise ValueError(
                f"effects[{condition!r}] is {effect!r}; it must be finite, with low <= mean <= high"
            )
        n = getattr(effect, "n", None)
        bar = rule.bar
        if rule.share is not None:
            bar = rule.share * float(asked("baseline", baseline, condition))
            if not 0 < bar < math.inf:
                raise ValueError(f"baseline[{condition!r}] makes the bar {bar}; it must be above 0")
        found = _word(rule, low, high, bar)
        if rule.needs == "fit" and not fits(
            float(asked("training", training, condition)),
            float(asked("baseline", baseline, condition)),
        ):
            found = UNTESTED
        if rule.needs == "room" and not asked("room", room, condition):
            found = UNTESTED
        findings.append(
            Finding(
                condition,
                found,
                mean,
                low,
                high,
                n and int(n),
                bar,
                detectable(effect) if n else None,
                getattr(effect, "over", ""),
            )
        )
    return combine([f.word for f in findings], rule.combine, rule.predicts), tuple(findings)


def steady(rule: Rule, findings: Sequence[Finding], margin: float) -> bool:
    """Whether the word stays the same when ends move by up to ``margin``.

    For machines that differ a little. A number without noise moves whole.
    """
    possible = []
    for found in findings:
        words = {found.word}
        if found.mean is not None and found.word != UNTESTED:
            for low, high in product((-margin, margin), repeat=2):
                high = found.high + (low if found.low == found.high else high)
                if (low := found.low + low) <= high:
                    words.add(_word(rule, low, high, found.bar))
        possible.append(words)
    return len({combine(words, rule.combine, rule.predicts) for words in product(*possible)}) == 1


def _word(rule: Rule, low: float, high: float, bar: float) -> str:
    return fact(low, high, bar, rule.side) if rule.asks == "fact" else word(low, high, bar)
