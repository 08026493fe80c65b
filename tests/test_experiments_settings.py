"""What a configuration says of the training is what fit gets."""

from functools import partial

import pytest
import torch

from mixup_lib import draw_mixup
from mixup_lib.basics.naming import describe
from mixup_lib.experiments import EXPERIMENTS
from mixup_lib.experiments.settings import divided_twice, fit_settings, make_model
from mixup_lib.models import ResNet
from mixup_lib.training.augment import crop

CONFIG = {
    "model": {"name": "ResNet", "depth": 8, "width": 4},
    "optimizer": {"name": "SGD", "lr": 0.1, "momentum": 0.9},
    "schedule": "divided by 10 at half and at three quarters of the epochs",
    "augment": "crop by up to 4 pixels, flip",
    "epochs": 3,
    "batch_size": 16,
    "device": "cpu",
    "precision": "bf16-mixed",
    "keep": "best",
    "keep_by": "validation NLL",
    "validate_every": 2,
    "claim": "not about fit",
}


def test_words_become_what_they_stand_for():
    mixing = partial(draw_mixup, alpha=1.0)
    found = fit_settings(CONFIG, mixing=mixing, optimizer={"lr": 0.2, "nesterov": True})
    optimizer = found.pop("optimizer")
    assert optimizer.func is torch.optim.SGD
    assert optimizer.keywords == {"lr": 0.2, "momentum": 0.9, "nesterov": True}
    assert found.pop("augment").augments[0] is crop
    assert describe(found.pop("metric")) == "torch.nn.functional.cross_entropy(reduction='none')"
    assert found == {
        "schedule": divided_twice,
        "epochs": 3,
        "batch_size": 16,
        "device": "cpu",
        "precision": "bf16-mixed",
        "keep": "best",
        "validate_every": 2,
        "mixing": mixing,
    }
    assert fit_settings(CONFIG, augment=None, keep="last")["augment"] is None
    model = make_model(CONFIG, classes=7)
    assert type(model) is ResNet and model(torch.zeros(2, 3, 8, 8)).shape == (2, 7)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_configuration_is_read(name):
    experiment = EXPERIMENTS[name]
    if "optimizer" not in experiment.config or name == "airfoil":
        pytest.skip("it is not trained by fit")
    config = {"epochs": 1} | experiment.config  # few-digits has steps
    settings = fit_settings(config)
    assert set(settings) >= {"optimizer", "schedule", "augment", "device"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"schedule": "linear"}, "schedule must be one of 'constant', 'cosine', .* got 'linear'"),
        (
            {"augment": "crop"},
            "augment must be one of .*'crop by up to 4 pixels, flip', got 'crop'",
        ),
        ({"keep_by": "error"}, "keep_by must be one of 'validation NLL', got 'error'"),
        ({"optimizer": {"name": "Lion"}}, "optimizer must be one of 'SGD', .* got 'Lion'"),
    ],
)
def test_a_word_that_stands_for_nothing_is_refused(change, words):
    with pytest.raises(ValueError, match=words):
        fit_settings(CONFIG | change)
    with pytest.raises(ValueError, match="model must be one of .*'ResNet', .* got 'VGG'"):
        make_model({"model": {"name": "VGG"}})
