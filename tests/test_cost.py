"""Lines of code, counted by code."""

from functools import partial

import pytest

from mixup_lib.measures.cost import code_lines
from mixup_lib.training import augment


def short(x):
    return x


def documented(x):
    """Three lines of words,

    and none of them is code."""
    # Nor is this.

    y = x  # a comment behind code

    return y


def broken_over_lines(x):
    return sum(
        x,
        start=0,
    )


class Documented:
    """Words."""

    def method(self):
        """Only words."""

    def other(self):
        text = """a string
        over two lines"""
        return text


def test_functions_are_counted_without_words():
    assert code_lines(short) == 2
    assert code_lines(documented) == 3


def test_the_layout_does_not_count():
    assert code_lines(broken_over_lines) == code_lines(short)


def test_classes_and_methods():
    # class, def, pass, def, text = ..., return: a string over two lines is one statement.
    assert code_lines(Documented) == 6
    assert code_lines(Documented.method) == 2


def test_a_module_holds_its_functions():
    assert code_lines(augment) > code_lines(augment.flip) + code_lines(augment.crop)


def test_objects_add_up_and_count_once():
    assert code_lines(short, documented) == code_lines(short) + code_lines(documented)
    assert code_lines(short, short) == code_lines(short)


@pytest.mark.parametrize("thing", [len, partial(short, 1), 3])
def test_what_has_no_source_is_named(thing):
    with pytest.raises(TypeError, match="objects holds .*no Python source"):
        code_lines(thing)


def test_nothing_to_count():
    with pytest.raises(ValueError, match="objects is empty"):
        code_lines()
