"""What every experiment measures: which data train, choose and are judged, and what really ran."""

from copy import deepcopy
from dataclasses import replace
from functools import partial

import pytest
import torch
from shrunken import changed, examine, mixing
from torch.utils.data import TensorDataset

from mixup_lib.datasets import Texts
from mixup_lib.experiments import (
    EXPERIMENTS,
    airfoil,
    cifar10,
    cifar10_fast,
    cifar10_paper,
    few_digits,
    heard,
    moving_digits,
    numbers_to_words,
    placed_digits,
    sentences,
    uci,
)
from mixup_lib.experiments.cifar10 import Standardise
from mixup_lib.training.augment import flip


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_training_validation_and_test_data_do_their_own_work(name, tmp_path):
    examine(name, mixing(name), tmp_path)


# Breaks that must not go unnoticed. Each replaces a piece of an experiment's program by one with
# the mistake in it.


def settings_of(module, **wrong):
    """The module trains with other settings than its configuration's; None leaves one out."""

    def breaking(patch):
        right = module.fit_settings

        def settings(config, **own):
            found = right(config, **own) | wrong
            return {key: value for key, value in found.items() if value is not None}

        patch.setattr(module, "fit_settings", settings)

    return breaking


def loading(module, change):
    """The module's ``load`` confuses parts of the data."""

    def breaking(patch):
        right = module.load
        patch.setattr(module, "load", lambda *args: change(right(*args)))

    return breaking


def choosing_on_test_data(patch):
    right = airfoil.train

    def train(config, splits, seed, **own):
        return right(config, replace(splits, validation=splits.test), seed, **own)

    patch.setattr(airfoil, "train", train)


def best_on_other_labels(patch):
    right = sentences.fit

    def fit(model, train, *, validation, **settings):
        return right(model, train, validation=changed(validation), **settings)

    patch.setattr(sentences, "fit", fit)


def standardising_with_test_data(patch):
    right = cifar10.measure

    def measure(config, splits, *rest, **own):
        images = splits.test.tensors[0]
        patch.setattr(cifar10, "Standardise", lambda _, make=Standardise: make(images))
        return right(config, splits, *rest, **own)

    patch.setattr(cifar10, "measure", measure)


def vocabulary_of_all(patch):
    right = sentences.encode_splits

    def encode(splits, **options):
        texts = splits.train.texts + splits.test.texts
        labels = torch.cat([splits.train.y, splits.test.y])
        encoded, tokenizer = right(replace(splits, train=Texts(texts, labels)), **options)
        x, y = encoded.train.tensors
        size = len(splits.train)
        return replace(encoded, train=TensorDataset(x[:size], y[:size])), tokenizer

    patch.setattr(sentences, "encode_splits", encode)


def own_config(module):
    """The module measures by its own configuration, whatever it is given."""

    def breaking(patch):
        experiment = EXPERIMENTS[module.EXPERIMENT.name]
        right = experiment.measure

        def measure(config, *rest):
            ours = deepcopy(experiment.config) | {"data": config["data"], "epochs": 1}
            return right(ours, *rest)

        patch.setitem(EXPERIMENTS, experiment.name, replace(experiment, measure=measure))

    return breaking


def plain_for_all(module):
    """Every method trains as plain does."""

    def breaking(patch):
        patch.setattr(module, "METHODS", dict.fromkeys(module.METHODS, module.METHODS["plain"]))

    return breaking


def one_split(patch):
    right = cifar10.load
    patch.setattr(cifar10, "load", lambda config, seed: right(config, 0))


TEST_IS_TRAIN = loading(few_digits, lambda splits: replace(splits, test=splits.train))
TEST_IS_VALIDATION = loading(placed_digits, lambda it: replace(it, test=it.validation))
TRAIN_IS_VALIDATION = loading(cifar10, lambda splits: replace(splits, train=splits.validation))
SGD = partial(torch.optim.SGD, lr=0.01)
BREAKS = {
    # The six that once went unnoticed.
    "an epoch chosen on test data": ("airfoil", choosing_on_test_data),
    "training error as test error": ("few-digits", TEST_IS_TRAIN),
    "no schedule": ("cifar10-attention", settings_of(cifar10, schedule=None)),
    "no crop": ("cifar10-fast", settings_of(cifar10, augment=flip)),
    "another optimizer": ("cifar10-5000", settings_of(cifar10, optimizer=SGD)),
    "the last epoch kept": ("trec-cnn", settings_of(sentences, keep="last")),
    # And their kind.
    "validation as test data": ("placed-digits", TEST_IS_VALIDATION),
    "training on validation data": ("cifar10-noisy-labels", TRAIN_IS_VALIDATION),
    "an epoch chosen on other labels": ("rotten-tomatoes-cnn", best_on_other_labels),
    "pixels standardised by test data": ("cifar10-5000", standardising_with_test_data),
    "words of the test part known": ("trec-cnn", vocabulary_of_all),
    "a configuration that is not read": ("moving-digits", own_config(moving_digits)),
    "a method that is not read": ("cifar10-fast", plain_for_all(cifar10_fast)),
    "one split for all seeds": ("cifar10-fast", one_split),
    "fewer epochs": ("uci-long", settings_of(uci, epochs=1)),
    "a larger batch": ("heard-schedules", settings_of(heard, batch_size=9)),
    "another precision": ("cifar10-paper", settings_of(cifar10_paper, precision="32-true")),
    "nothing mixed": ("numbers-to-words", settings_of(numbers_to_words, mixing=None)),
}


@pytest.mark.parametrize("mistake", BREAKS)
def test_a_mistake_is_noticed(mistake, tmp_path, monkeypatch):
    name, breaking = BREAKS[mistake]
    breaking(monkeypatch)
    with pytest.raises(AssertionError):
        examine(name, mixing(name), tmp_path)
