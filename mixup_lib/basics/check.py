"""Checks that several modules share: each names the argument, its value and what is valid."""

from numbers import Integral

__all__ = ["integer_at_least"]


def integer_at_least(name: str, value: int, least: int) -> int:
    """``value`` as an int, numpy's integers too; ValueError for a bool or below ``least``."""
    if type(value) is not int:
        if isinstance(value, bool) or not isinstance(value, Integral):
            raise ValueError(f"{name} must be an integer of at least {least}, got {value!r}")
        value = int(value)
    if value < least:
        raise ValueError(f"{name} must be an integer of at least {least}, got {value!r}")
    return value
