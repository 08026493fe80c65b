"""The judge: each word follows from the numbers, and each combination from its words."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mixup_lib.evidence.interval import Interval
from mixup_lib.evidence.judge import Rule, detectable, judge, steady
from mixup_lib.evidence.words import (
    CONSTRUCTED,
    FALSE,
    HARMS,
    HELPS,
    LESS,
    TRUE,
    UNTESTED,
    fits,
    stands,
    word,
)

EFFECT = Rule("effect", "helps", bar=1.0, unit="points")


def interval(low, high, n=5):
    return SimpleNamespace(mean=(low + high) / 2, low=low, high=high, n=n)


def test_a_bar_is_a_share_of_the_baseline():
    rule = Rule("effect", "helps", share=0.04)
    effect = {"": interval(0.1, 0.3)}
    assert judge(rule, effect, baseline={"": 5.0})[0] == HELPS  # the bar is a fifth of a point
    assert judge(rule, effect, baseline={"": 50.0})[0] == LESS
    (finding,) = judge(rule, effect, baseline={"": 50.0})[1]
    assert finding.bar == pytest.approx(2.0)
    with pytest.raises(ValueError, match="baseline lacks ''"):
        judge(rule, effect)
    with pytest.raises(ValueError, match="makes the bar 0"):
        judge(rule, effect, baseline={"": 0.0})


def test_where_the_plain_network_does_not_fit_nothing_shows():
    rule = Rule("effect", "helps", share=0.04, needs="fit")
    effect = {"a": interval(3, 5), "b": interval(3, 5)}
    errors = {"baseline": {"a": 50.0, "b": 50.0}, "training": {"a": 1.0, "b": 30.0}}
    found, findings = judge(rule, effect, **errors)
    assert [f.word for f in findings] == [HELPS, UNTESTED] and found == HELPS
    assert findings[1].mean == 4  # the number is still shown
    with pytest.raises(ValueError, match="training lacks 'a'"):
        judge(rule, effect, baseline=errors["baseline"])
    assert fits(0.25, 0.5) and not fits(0.26, 0.5)
    with pytest.raises(ValueError, match="test is nan"):
        fits(0.1, float("nan"))


def test_without_room_nothing_shows():
    rule = Rule("effect", "helps", bar=1.0, needs="room")
    assert judge(rule, {"": interval(-5, -3)}, room={"": False})[0] == UNTESTED
    assert judge(rule, {"": interval(-5, -3)}, room={"": True})[0] == HARMS
    with pytest.raises(ValueError, match="room lacks"):
        judge(rule, {"": interval(-5, -3)})


def test_checks_and_numbers():
    check = Rule("fact")
    assert judge(check, {"": np.bool_(True)})[0] == TRUE
    assert judge(Rule("fact", construction=True), {"": True})[0] == CONSTRUCTED
    assert judge(check, {"": False})[0] == FALSE
    with pytest.raises(ValueError, match="needs True or False"):
        judge(check, {"": 1.0})
    with pytest.raises(ValueError, match="needs a number"):
        judge(EFFECT, {"": True})
    for bad in (float("nan"), interval(1, float("inf")), interval(2, 1)):
        with pytest.raises(ValueError, match="finite"):
            judge(EFFECT, {"": bad})
    with pytest.raises(ValueError, match="effects is empty"):
        judge(EFFECT, {})


@pytest.mark.parametrize(
    "parts, message",
    [
        ({"asks": "guess"}, "asks is 'guess'"),
        ({"asks": "effect", "predicts": "fact", "bar": 1}, "predicts is 'fact'"),
        ({"asks": "effect", "predicts": "helps"}, "either bar or share"),
        ({"asks": "effect", "predicts": "helps", "bar": 1, "share": 0.1}, "either bar or share"),
        ({"asks": "effect", "predicts": "helps", "bar": 0}, "above 0"),
        ({"asks": "effect", "predicts": "helps", "share": 4}, "share is 4"),
        ({"asks": "effect", "predicts": "helps", "bar": 1, "side": "most"}, "belong to facts"),
        ({"asks": "fact", "bar": 1}, "bar and side"),
        ({"asks": "fact", "bar": 1, "side": "over"}, "side is 'over'"),
        ({"asks": "fact", "needs": "fit"}, "belong to effects"),
        ({"asks": "fact", "combine": "both"}, "combine is 'both'"),
        ({"asks": "effect", "predicts": "helps", "bar": float("nan")}, "finite"),
    ],
)
def test_a_rule_that_contradicts_itself_is_refused(parts, message):
    with pytest.raises(ValueError, match=message):
        Rule(**parts)


def test_what_would_refute_follows_from_the_rule():
    assert EFFECT.refuted_if() == "the whole interval lies inside ±1 point, or below zero"
    share = Rule("effect", "harms", share=0.04, combine="any")
    assert share.refuted_if(several=True) == (
        "the whole interval lies inside ±4 % of the baseline's value, or above zero, under every "
        "condition"
    )
    assert Rule("fact").refuted_if() == "the check fails"
    most = Rule("fact", bar=5, side="most", unit="lines", combine="all")
    assert "lies above 5 lines, under any one" in most.refuted_if(several=True)


@given(low=st.floats(-10, 10), width=st.floats(0, 20), predicts=st.sampled_from(["helps", "harms"]))
def test_refuted_means_what_the_text_says(low, width, predicts):
    high = low + width
    inside, beyond = -1 < low and high < 1, high < 0 if predicts == "helps" else low > 0
    contrary = stands({"": (word(low, high, 1.0), predicts)}, "all") == "fails"
    assert contrary == (inside or beyond)


def test_the_smallest_effect_that_could_be_shown_is_shown_four_times_in_five():
    rng = np.random.default_rng(0)
    true = (stats.t.ppf(0.975, 9) + stats.t.ppf(0.8, 9)) * 3 / np.sqrt(10)
    shown = np.mean([Interval.of(rng.normal(true, 3, 10)).low > 0 for _ in range(2000)])
    assert shown == pytest.approx(0.8, abs=0.03)
    half = np.mean([detectable(Interval.of(rng.normal(0, 3, 10))) for _ in range(2000)])
    assert half == pytest.approx(true, rel=0.05)
    with pytest.raises(ValueError, match="power is 0.5"):
        detectable(Interval.of(range(5)), power=0.5)


def test_an_end_close_to_where_the_word_changes_is_not_steady():
    def found(low, high):
        return judge(EFFECT, {"": interval(low, high)})[1]

    assert steady(EFFECT, found(0.2, 3), 0.1) and not steady(EFFECT, found(0.05, 3), 0.1)
    assert not steady(EFFECT, found(-0.95, 0.5), 0.1) and steady(EFFECT, found(-0.8, 0.5), 0.1)
    exact = Rule("fact", bar=5, side="most")
    assert not steady(exact, judge(exact, {"": 4.5})[1], 1) and steady(
        exact, judge(exact, {"": 3})[1], 1
    )
