"""Checks that several modules share: each names the argument, its value and what is valid."""

__all__ = ["integer_at_least"]


def integer_at_least(name: str, value: int, least: int) -> int:
    """``value`` if it is an int (no bool) of at least ``least``; raises ValueError otherwise."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{name} must be an integer of at least {least}, got {value!r}")
    return value
