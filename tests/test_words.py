"""Words: each follows from its interval, and each combination from its words."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixup_lib.evidence.words import (
    CONSTRUCTED,
    DEPENDS,
    FALSE,
    HARMS,
    HELPS,
    LESS,
    NONE,
    TRUE,
    UNDECIDED,
    UNTESTED,
    WORDS,
    combine,
    fact,
    stands,
    word,
)


@pytest.mark.parametrize(
    "low, high, found",
    [
        (1.0, 3.0, HELPS),
        (0.1, 3.0, HELPS),
        (0.1, 1.0, HELPS),
        (0.1, 0.9, LESS),
        (0.0, 0.9, NONE),
        (-0.9, 0.9, NONE),
        (-0.9, -0.1, NONE),
        (-1.0, 0.9, UNDECIDED),
        (-0.9, 1.0, UNDECIDED),
        (-3.0, 0.0, UNDECIDED),
        (-3.0, -0.1, HARMS),
        (-1.0, -0.1, HARMS),
        (-3.0, -2.0, HARMS),
    ],
)
def test_a_word_for_an_interval(low, high, found):
    assert word(low, high, 1.0) == found


@given(low=st.floats(-10, 10), width=st.floats(0, 20), bar=st.floats(0.01, 5))
def test_words_mean_what_they_say(low, width, bar):
    high = low + width
    found = word(low, high, bar)
    assert (found in (HELPS, LESS)) == (low > 0)
    assert (found == LESS) == (low > 0 and high < bar)
    assert found != NONE or -bar < low <= high < bar
    assert found != HARMS or high < 0
    # What an interval says, a narrower one inside it never turns into its opposite.
    middle = (low + high) / 2
    inside = word(middle, middle, bar)
    assert not (found in (HELPS, LESS) and inside in (HARMS,))
    assert not (found == HARMS and inside in (HELPS, LESS))
    # The mirror image helps where this one harms.
    mirrored = word(-high, -low, bar)
    assert (found == HARMS) == (mirrored == HELPS)


def test_facts_have_a_limit_on_either_side():
    assert fact(3, 3, 5, "most") == TRUE == fact(5, 5, 5, "most") == fact(5, 5, 5, "least")
    assert fact(6, 6, 5, "most") == FALSE == fact(4, 4.9, 5, "least")
    assert fact(4, 6, 5, "most") == UNDECIDED == fact(4, 6, 5, "least")


@pytest.mark.parametrize(
    "words, way, predicts, found",
    [
        # Chapter 3 asks for both halves, and one is contrary: that decides.
        ([UNDECIDED, HARMS, UNDECIDED, HARMS], "all", "helps", HARMS),
        ([HELPS, HELPS], "all", "helps", HELPS),
        ([HELPS, UNDECIDED], "all", "helps", UNDECIDED),
        ([HELPS, LESS], "all", "helps", LESS),
        ([HELPS, UNTESTED], "all", "helps", UNTESTED),
        ([NONE, HARMS, HELPS], "all", "helps", DEPENDS),
        # "Some may": one case is enough, and all cases are needed against it.
        ([FALSE, FALSE, TRUE], "any", "fact", TRUE),
        ([FALSE, FALSE], "any", "fact", FALSE),
        ([NONE, UNDECIDED], "any", "helps", UNDECIDED),
        ([NONE, HELPS], "any", "harms", DEPENDS),
        ([NONE, HARMS], "any", "harms", HARMS),
        ([UNTESTED, NONE], "any", "helps", UNTESTED),
        # One by one.
        ([HELPS, HARMS], "depends", "helps", DEPENDS),
        ([NONE, HARMS, UNDECIDED], "depends", "helps", DEPENDS),
        ([HARMS, UNDECIDED], "depends", "helps", UNDECIDED),
        ([HARMS, UNTESTED], "depends", "helps", HARMS),
        ([UNTESTED, UNTESTED], "depends", "helps", UNTESTED),
        ([UNTESTED, UNDECIDED], "depends", "helps", UNDECIDED),
        ([TRUE, FALSE], "depends", "fact", DEPENDS),
        ([CONSTRUCTED], "depends", "fact", CONSTRUCTED),
    ],
)
def test_conditions_combine(words, way, predicts, found):
    for order in permutations(words):
        assert combine(order, way, predicts) == found


@given(st.lists(st.sampled_from([HELPS, LESS, NONE, HARMS, UNDECIDED, UNTESTED]), min_size=1))
def test_every_combination_has_a_word(words):
    for way in ("all", "any", "depends"):
        found = combine(words, way, "helps")
        assert found in WORDS
        if len(set(words)) == 1:
            assert found == words[0]
    if HELPS in words:
        assert combine(words, "any", "helps") == HELPS
    assert (combine(words, "all", "helps") == HELPS) == (set(words) == {HELPS})


def test_bad_combinations_are_named():
    with pytest.raises(ValueError, match="words is empty"):
        combine([], "all", "helps")
    with pytest.raises(ValueError, match="'refuted'"):
        combine(["refuted"], "all", "helps")
    with pytest.raises(ValueError, match="how is 'both'"):
        combine([HELPS], "both", "helps")


@pytest.mark.parametrize(
    "tests, way, state",
    [
        ({}, "all", "untested"),
        ({"a": (HELPS, "helps"), "b": (TRUE, "fact")}, "all", "holds"),
        ({"a": (HELPS, "helps"), "b": (NONE, "helps")}, "all", "fails"),
        ({"a": (HELPS, "helps"), "b": (NONE, "helps")}, "depends", "depends"),
        ({"a": (HELPS, "harms"), "b": (UNDECIDED, "harms")}, "any", "open"),
        ({"a": (HELPS, "harms"), "b": (HARMS, "harms")}, "any", "holds"),
        ({"a": (DEPENDS, "helps")}, "depends", "depends"),
        ({"a": (UNTESTED, "helps")}, "all", "untested"),
        ({"a": (UNTESTED, "helps"), "b": (UNDECIDED, "helps")}, "all", "open"),
        ({"a": (LESS, "helps")}, "all", "fails"),
    ],
)
def test_how_a_claim_stands(tests, way, state):
    assert stands(tests, way) == state
