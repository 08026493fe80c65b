"""Which examples a model names wrongly, kept in a record: a bit for each, as text."""

import base64

import numpy as np

__all__ = ["packed", "unpacked"]


def packed(wrong: np.ndarray) -> str:
    """``(N,)`` booleans as base64 of their bits, first example first: N / 6 characters."""
    return base64.b64encode(np.packbits(np.asarray(wrong, dtype=bool))).decode("ascii")


def unpacked(text: str, n: int) -> np.ndarray:
    """The ``(n,)`` booleans that :func:`packed` made.

    Raises:
        ValueError: if ``text`` is no base64, or holds another number of examples.
    """
    bits = np.frombuffer(base64.b64decode(text, validate=True), dtype=np.uint8)
    if len(bits) != -(-n // 8):
        raise ValueError(f"text holds {8 * len(bits) - 7} to {8 * len(bits)} examples, not n={n}")
    return np.unpackbits(bits, count=n).astype(bool)
