"""Numbers and their names in English: a small translation task whose every pair is right."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.utils.data import TensorDataset

from mixup_lib.basics.check import integer_at_least
from mixup_lib.basics.seeds import generator_for
from mixup_lib.datasets.splits import Splits
from mixup_lib.text.sequences import BOS, EOS, PAD

__all__ = ["number_words", "numbers"]

SPECIALS = ("<pad>", "<bos>", "<eos>")
DIGITS = tuple("0123456789")
SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
).split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
VOCABULARY = (*SPECIALS, *DIGITS, *SMALL, *TENS, "hundred", "thousand")
IDS = {word: number for number, word in enumerate(VOCABULARY)}
MOST_DIGITS = 6


def number_words(number: int) -> str:
    """The name of a number, such as "four thousand seventy one": no hyphen and no "and".

    Args:
        number: 0 to 999,999.

    Raises:
        ValueError: if it is no integer in this range.
    """
    is_integer = isinstance(number, int) and not isinstance(number, bool)
    if not is_integer or not 0 <= number < 10**MOST_DIGITS:
        raise ValueError(f"number must be an integer from 0 to 999999, got {number!r}")
    thousands, rest = divmod(number, 1000)
    words = [*_below_thousand(thousands), "thousand"] if thousands else []
    return " ".join(words + _below_thousand(rest)) or SMALL[0]


def _below_thousand(number: int) -> list[str]:
    hundreds, rest = divmod(number, 100)
    words = [SMALL[hundreds], "hundred"] if hundreds else []
    if rest >= 20:
        words.append(TENS[rest // 10 - 2])
        rest %= 10
    return words + [SMALL[rest]] if rest else words


def numbers(
    seed: int = 0,
    train: int = 400,
    validation: int = 400,
    test: int = 1000,
    digits: tuple[int, int] = (3, 6),
) -> Splits:
    """Numbers in digits, to be written in words: ``4 0 7 1`` to "four thousand seventy one".

    No number stands in two parts, so the question is whether a model has learned the rule. Each
    part has, as far as its size allows, as many numbers of each length as of any other; most
    numbers have six digits, so a draw without regard to length would hold little else.

    Args:
        seed: Draws the numbers. The test part depends on `seed`, `test` and `digits` only.
        train: Number of training pairs, 1 or more.
        validation: Number of validation pairs, 0 or more.
        test: Number of test pairs, 0 or more.
        digits: Fewest and most digits of a number, within 1 to 6.

    Returns:
        Pairs, int64 ``(n, 2, L)``, source and what the decoder reads, and targets, int64
        ``(n, L)``, as :mod:`mixup_lib.text.sequences` describes them; L is the same in all parts.
        ``classes`` is the vocabulary of both sides, digits and words.

    Raises:
        ValueError: If a size is out of range, there are not enough numbers of a length, or
            `digits` is no such pair.
    """
    sizes = {"test": test, "validation": validation, "train": integer_at_least("train", train, 1)}
    for part, size in sizes.items():
        integer_at_least(part, size, 0)
    shortest, longest = _check_digits(digits)
    lengths = range(shortest, longest + 1)
    drawn: dict[str, list[int]] = {part: [] for part in sizes}
    for k, length in enumerate(lengths):
        # What does not divide evenly goes to the longest, of which there are most.
        quotas = {part: (size + k) // len(lengths) for part, size in sizes.items()}
        first = 10 ** (length - 1) if length > 1 else 0
        there, asked = 10**length - first, sum(quotas.values())
        if asked > there:
            raise ValueError(
                f"train={train}, validation={validation} and test={test} ask for {asked} numbers "
                f"with {length} digits, and there are {there}; ask for fewer, or for longer ones"
            )
        # The test part is cut off first, so that it does not depend on the other sizes.
        order = torch.randperm(there, generator=generator_for(seed, "numbers", length))
        cuts = order[:asked].add(first).split(list(quotas.values()))
        for part, cut in zip(quotas, cuts, strict=True):
            drawn[part] += cut.tolist()
    width = max(longest, 1 + len(number_words(int("7" * longest)).split()))
    parts = {part: _as_pairs(chosen, width) for part, chosen in drawn.items()}
    return Splits("numbers", classes=VOCABULARY, **parts)


def _check_digits(digits: tuple[int, int]) -> tuple[int, int]:
    message = f"digits must be two integers with 1 <= fewest <= most <= 6, got {digits!r}"
    try:
        shortest, longest = digits
        integer_at_least("digits", shortest, 1)
        integer_at_least("digits", longest, shortest)
    except (TypeError, ValueError) as error:
        raise ValueError(message) from error
    if longest > MOST_DIGITS:
        raise ValueError(message)
    return shortest, longest


def _as_pairs(chosen: list[int], width: int) -> TensorDataset:
    x = torch.full((len(chosen), 2, width), PAD)
    y = torch.full((len(chosen), width), PAD)
    for row, number in enumerate(chosen):
        source = _ids(str(number))
        words = _ids(number_words(number).split())
        x[row, 0, : len(source)] = source
        x[row, 1, : len(words) + 1] = torch.cat([torch.tensor([BOS]), words])
        y[row, : len(words) + 1] = torch.cat([words, torch.tensor([EOS])])
    return TensorDataset(x, y)


def _ids(words) -> Tensor:
    return torch.tensor([IDS[word] for word in words])
