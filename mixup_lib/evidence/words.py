"""Words for what was found, and how they combine.

They say what was found, not whether a claim pleased.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

__all__ = [
    "CONSTRUCTED",
    "DEPENDS",
    "FALSE",
    "FITS",
    "HARMS",
    "HELPS",
    "KINDS",
    "LESS",
    "NONE",
    "TRUE",
    "UNDECIDED",
    "UNTESTED",
    "WAYS",
    "WORDS",
    "combine",
    "fact",
    "fits",
    "stands",
    "word",
]

#: Words for effects.
HELPS, LESS, NONE, HARMS = "helps", "helps, less than the bar", "no effect that matters", "harms"
#: Words for facts.
TRUE, CONSTRUCTED, FALSE = "true", "true by construction", "false"
#: Words for conditions that differ, for what is open, and for what had no room to show.
DEPENDS, UNDECIDED, UNTESTED = "depends", "undecided", "not tested where it could show"
#: Every word a test can get, with what it means.
WORDS = {
    HELPS: "the whole interval lies above zero and reaches the bar",
    LESS: "the whole interval lies between zero and the bar",
    NONE: "the whole interval lies inside ± the bar, and not above zero",
    HARMS: "the whole interval lies below zero and reaches the bar on that side",
    UNDECIDED: "the interval holds too much; the smallest effect that the design could have "
    "shown stands beside it",
    UNTESTED: "the comparison had no room for the effect: the plain network does not fit its "
    "training data, or the best fixed setting mixes nothing",
    TRUE: "a fact that was checked or measured, on the claimed side of its limit",
    FALSE: "a fact that was checked or measured, on the other side",
    CONSTRUCTED: "a fact that follows from the definition; an experiment cannot tell otherwise",
    DEPENDS: "conditions of one test got different words",
}
#: Kinds of evidence, from what no data can overturn to what no small machine can measure.
KINDS = {
    "exact": "exact: arithmetic, a proof, or a count",
    "toy": "toy: embedded digits or points; it teaches, and decides nothing about practice",
    "small": "small: real data, cut down in labels, width or length",
    "published": "published scale: the data, network and schedule of the source",
}
#: The plain network fits where its training error is at most this share of its test error.
FITS = 0.5
_BEARS_OUT = {"helps": {HELPS}, "harms": {HARMS}, "fact": {TRUE, CONSTRUCTED}}
#: How conditions combine.
WAYS = ("all", "any", "depends")


def word(low: float, high: float, bar: float) -> str:
    """The word for an effect whose interval is ``[low, high]``.

    Args:
        low, high: the ends, ``low <= high``; positive is better.
        bar: the smallest effect that matters, above 0.
    """
    if low > 0:
        return HELPS if high >= bar else LESS
    if high < 0 and low <= -bar:
        return HARMS
    return NONE if -bar < low and high < bar else UNDECIDED


def fact(low: float, high: float, limit: float, side: str) -> str:
    """The word for a measured fact: on which side of its limit the whole interval lies."""
    if side == "most":
        low, high, limit = -high, -low, -limit
    return TRUE if low >= limit else FALSE if high < limit else UNDECIDED


def fits(training: float, test: float) -> bool:
    """Whether a plain network over-fits, so that a regularizer has something to do.

    Args:
        training: its error on its own training data, unmixed.
        test: its error on new data, in the same unit.

    Returns:
        True if ``training`` is at most half of ``test`` (:data:`FITS`).
    """
    for name, value in (("training", training), ("test", test)):
        if not 0 <= value < math.inf:
            raise ValueError(f"{name} is {value!r}; an error is finite and at least 0")
    return training <= FITS * test


def combine(words: Sequence[str], how: str, predicts: str) -> str:
    """The word of a test from the words of its conditions.

    "all": one contrary condition decides against the claim, whatever the others show. "any": one
    case is enough for it, and all cases are needed against it. "depends": :data:`DEPENDS` where
    sure conditions differ, the word that they share where none is undecided.

    Args:
        words: at least one.
        how: "all", "any" or "depends".
        predicts: "helps", "harms" or "fact".

    Raises:
        ValueError: an unknown word or way, or no word.
    """
    if not words:
        raise ValueError("words is empty; a test needs at least one condition")
    if unknown := [w for w in words if w not in WORDS]:
        raise ValueError(f"words holds {unknown}; each must be one of {list(WORDS)}")
    by_status: dict[str, list[str]] = {}
    for one in words:
        by_status.setdefault(_status(one, predicts), []).append(one)
    if how == "depends" and len({w for w in words if w not in (UNDECIDED, UNTESTED)}) > 1:
        return DEPENDS
    shared = set(by_status[settled] if (settled := _settle(by_status, how)) in by_status else ())
    return shared.pop() if len(shared) == 1 else DEPENDS


def stands(tests: Mapping[str, tuple[str, str]], how: str) -> str:
    """How a claim stands after its tests.

    Args:
        tests: for each test that may decide, its word and what the claim predicts there; empty
            where only toys were tried.
        how: as in :func:`combine`.

    Returns:
        "holds", "fails", "depends", "open" or "untested".
    """
    return _settle({_status(*test) for test in tests.values()}, how) if tests else "untested"


def _status(found: str, predicts: str) -> str:
    open_ones = {UNDECIDED: "open", UNTESTED: "untested", DEPENDS: "depends"}
    return open_ones.get(found) or ("holds" if found in _BEARS_OUT[predicts] else "fails")


def _settle(statuses: Iterable[str], how: str) -> str:
    has = set(statuses)
    if how not in WAYS:
        raise ValueError(f"how is {how!r}; valid are {', '.join(map(repr, WAYS))}")
    if how == "all" and "fails" in has:
        return "fails"
    if how == "any" and "holds" in has:
        return "holds"
    if "depends" in has or {"holds", "fails"} <= has:
        return "depends"
    if "open" in has:
        return "open"
    if how == "depends" and len(has) > 1:
        has.discard("untested")
    return "untested" if "untested" in has else has.pop()
