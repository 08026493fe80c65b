"""Numbers and their names: the pairs, and the recorded experiment on them."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mixup_lib import datasets
from mixup_lib.evidence import results
from mixup_lib.experiments import numbers_to_words
from mixup_lib.text.sequences import BOS, EOS, PAD


@pytest.fixture(scope="module")
def data():
    return datasets.numbers(seed=0, train=24, validation=8, test=16)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "zero"),
        (10, "ten"),
        (30, "thirty"),
        (4071, "four thousand seventy one"),
        (100_000, "one hundred thousand"),
        (999_917, "nine hundred ninety nine thousand nine hundred seventeen"),
    ],
)
def test_number_words(number, words):
    assert datasets.number_words(number) == words


@given(st.integers(0, 999_999), st.integers(0, 999_999))
def test_names_tell_numbers_apart(a, b):
    assert (datasets.number_words(a) == datasets.number_words(b)) == (a == b)


def test_pairs_say_the_same_and_parts_are_disjoint(data):
    seen = set()
    for part in (data.train, data.validation, data.test):
        for (source, read), y in part:
            digits = "".join(data.classes[i] for i in source if i != PAD)
            words = [data.classes[i] for i in y if i not in (PAD, EOS)]
            assert " ".join(words) == datasets.number_words(int(digits))
            assert read.tolist()[: len(words) + 1] == [BOS, *y.tolist()[: len(words)]]
            assert y[len(words)] == EOS and (y[len(words) + 1 :] == PAD).all()
            seen.add(int(digits))
    assert len(seen) == 24 + 8 + 16
    lengths = torch.bincount((data.train.tensors[0][:, 0] != PAD).sum(1))
    assert lengths.tolist() == [0, 0, 0, 6, 6, 6, 6]


def test_the_test_part_does_not_depend_on_the_other_sizes(data):
    other = datasets.numbers(seed=0, train=100, validation=3, test=16)
    assert torch.equal(other.test.tensors[0], data.test.tensors[0])
    assert not torch.equal(datasets.numbers(1, 24, 8, 16).test.tensors[0], data.test.tensors[0])


@pytest.mark.parametrize(
    ("act", "error", "words"),
    [
        (lambda: datasets.number_words(1_000_000), ValueError, "0 to 999999, got 1000000"),
        (lambda: datasets.number_words(-1), ValueError, "got -1"),
        (lambda: datasets.number_words(True), ValueError, "got True"),
        (lambda: datasets.numbers(digits=(0, 7)), ValueError, r"digits .* got \(0, 7\)"),
        (lambda: datasets.numbers(digits=(4, 3)), ValueError, r"digits .* got \(4, 3\)"),
        (lambda: datasets.numbers(digits=4), ValueError, "digits must be two .* got 4"),
        (lambda: datasets.numbers(train=0), ValueError, "train .* got 0"),
        (lambda: datasets.numbers(test=4000), ValueError, "1200 numbers with 3 .* are 900"),
    ],
)
def test_bad_input_is_named(act, error, words):
    with pytest.raises(error, match=words):
        act()


def test_choices_are_those_of_the_validation_data():
    config, methods = numbers_to_words.CONFIG, numbers_to_words.METHODS
    choices = config["choices"]
    assert choices["seed"] not in numbers_to_words.EXPERIMENT.seeds
    plain = choices["plain"]
    best = max(zip(plain["exact_match"], plain["lr, epochs"], strict=True))[1]
    assert best == [config["optimizer"]["lr"], config["epochs"]]
    used = {
        "embedding": methods["embedding"]["mixing"].keywords,
        "hidden": methods["hidden"]["mixing"].keywords,
        "word-dropout": methods["word-dropout"]["augment"].keywords,
        "dropout": methods["dropout"],
    }
    for method, numbers in used.items():
        ((name, value),) = numbers.items()
        tried = dict(zip(choices[method][name], choices[method]["exact_match"], strict=True))
        assert value == max(tried, key=tried.get), method
    both = methods["dropout-embedding"]
    assert both == methods["dropout"] | both and both["mixing"].keywords == used["embedding"]


def test_recorded_runs_are_whole():
    experiment = numbers_to_words.EXPERIMENT
    try:
        records = results.load(experiment.name)
    except FileNotFoundError:
        pytest.skip("not recorded")
    assert {(r["method"], r["seed"]) for r in records} <= set(experiment.runs())
    assert len({r["parameters"] for r in records}) == 1
    checksums = {}
    for record in records:
        assert len(record["history"]["train_loss"]) == experiment.config["epochs"]
        assert record["metrics"]["test"]["n"] == experiment.config["data"]["test"]
        assert 0.3 < record["metrics"]["test"]["exact_match"] <= 1
        # All methods of a seed saw the same numbers, and other seeds others.
        assert (
            checksums.setdefault(record["seed"], record["data_checksum"])
            == (record["data_checksum"])
        )
    assert len(set(checksums.values())) == len(checksums)
