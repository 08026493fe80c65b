"""Full-scale experiments whose results are recorded: ``python -m mixup_lib.experiments``."""

from mixup_lib.experiments import (
    airfoil,
    cifar10_5000,
    cifar10_attention,
    cifar10_fast,
    cifar10_foreign,
    cifar10_noisy_labels,
    cifar10_noisy_rivals,
    cifar10_paper,
    cifar10_partners,
    cifar10_rivals,
    cifar10_schedules,
    cifar10_transforms,
    cifar10_when,
    encoders,
    few_digits,
    fields_when,
    fsdd,
    fsdd_alpha,
    heard,
    moving_digits,
    numbers_to_words,
    placed_digits,
    pretrained_pictures,
    sentences,
    text_linear,
    uci,
)
from mixup_lib.experiments.queue import run
from mixup_lib.experiments.runner import Experiment, run_one

__all__ = ["EXPERIMENTS", "Experiment", "run", "run_one"]

EXPERIMENTS: dict[str, Experiment] = {
    experiment.name: experiment
    for experiment in (
        cifar10_5000.EXPERIMENT,
        cifar10_fast.EXPERIMENT,
        cifar10_paper.EXPERIMENT,
        *sentences.EXPERIMENTS,
        *text_linear.EXPERIMENTS,
        *encoders.EXPERIMENTS,
        numbers_to_words.EXPERIMENT,
        fsdd.EXPERIMENT,
        fsdd_alpha.EXPERIMENT,
        moving_digits.EXPERIMENT,
        cifar10_noisy_labels.EXPERIMENT,
        cifar10_noisy_rivals.CHOICE,
        cifar10_noisy_rivals.EXPERIMENT,
        cifar10_foreign.EXPERIMENT,
        *cifar10_attention.EXPERIMENTS,
        cifar10_transforms.EXPERIMENT,
        *cifar10_when.EXPERIMENTS,
        cifar10_rivals.CHOICE,
        cifar10_rivals.EXPERIMENT,
        cifar10_schedules.EXPERIMENT,
        cifar10_partners.EXPERIMENT,
        pretrained_pictures.EXPERIMENT,
        fields_when.EXPERIMENT,
        few_digits.EXPERIMENT,
        placed_digits.EXPERIMENT,
        *heard.EXPERIMENTS,
        *uci.EXPERIMENTS,
        airfoil.EXPERIMENT,
    )
}
