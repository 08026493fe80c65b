"""TREC, Rotten Tomatoes and IMDB: where in a text model does mixing help?

Written before the runs. Measure: test accuracy after the epoch with the best validation accuracy,
mixed minus plain, paired by seed, which varies split (where the set has no official one), initial
weights and draws. Smallest effect that matters: half a point of accuracy. Claim C15 (and the part
of C7 on classification) is refuted for a place if the whole interval lies below that, supported if
it lies above, inconclusive otherwise. IMDB has three seeds: points, no interval.

The learning rate was chosen for plain training, on validation data; all methods share it. Alpha is
the value of Guo, Mao and Zhang (2019) and was not tuned. For the CNNs, the number of epochs leaves
room after the best one. Test data are read once, at the end of a run.
"""

from functools import partial
from pathlib import Path

from mixup_lib import datasets
from mixup_lib.basics.seeds import initialised
from mixup_lib.experiments.runner import Experiment, described, of_parts, of_training
from mixup_lib.experiments.settings import fit_settings, make_model
from mixup_lib.mixing.draw import draw_mixup
from mixup_lib.models import PLACES, mix_at
from mixup_lib.text.tokens import encode_splits
from mixup_lib.training.fitting import fit

# Plain training takes the very same way through the model, with nothing to mix.
METHODS = {"plain": {"forward": partial(mix_at, place="embedding")}} | {
    place: {"forward": partial(mix_at, place=place), "mixing": partial(draw_mixup, alpha=1.0)}
    for place in PLACES
}

SHARED = {
    "batch_size": 64,
    "device": "cpu",
    "precision": "32-true",
    "keep": "best",
}
CNN = {"name": "SentenceCNN", "dim": 100, "filters": 50, "widths": [3, 4, 5], "dropout": 0.5}

TREC = SHARED | {
    "data": {
        "name": "trec",
        "sizes": {"validation": 545},
        "encoding": {"min_count": 1},
        "split": "class-stratified draw of the validation part; official test part",
    },
    "model": CNN,
    "optimizer": {"name": "Adam", "lr": 0.001},
    "epochs": 16,
    "learning_rate_choice": {
        "method": "plain",
        "seed": 1000,
        "epochs": 12,
        "lr": [0.001, 0.002],
        "best_validation_accuracy": [0.8734, 0.8697],
    },
}
ROTTEN_TOMATOES = SHARED | {
    "data": {
        "name": "rotten_tomatoes",
        "sizes": {"validation": 1066, "test": 1066},
        "encoding": {"min_count": 2},
        "split": "class-stratified draw of all three parts",
    },
    "model": CNN,
    "optimizer": {"name": "Adam", "lr": 0.002},
    "epochs": 8,
    "learning_rate_choice": {
        "method": "plain",
        "seed": 1000,
        "epochs": 5,
        "lr": [0.001, 0.002],
        "best_validation_accuracy": [0.7495, 0.7570],
    },
}
IMDB = SHARED | {
    "data": {
        "name": "imdb",
        "sizes": {"validation": 5000},
        "encoding": {"max_words": 20_000, "length": 128},
        "split": "class-stratified draw of the validation part; official test part",
    },
    "model": {"name": "BiLSTM", "dim": 64, "hidden": 48, "dropout": 0.5},
    "optimizer": {"name": "Adam", "lr": 0.003},
    "epochs": 3,
    "learning_rate_choice": {
        "method": "plain",
        "seed": 1000,
        "epochs": 2,
        "lr": [0.001, 0.003],
        "best_validation_accuracy": [0.8194, 0.8306],
    },
}


def measure(config: dict, method: str, seed: int, checkpoint: Path) -> dict:
    """Trains once and reads the test data once; returns the measured part of a record."""
    data = config["data"]
    splits = getattr(datasets, data["name"])(seed=seed, **data["sizes"])
    encoded, tokenizer = encode_splits(splits, **data["encoding"])
    sizes = {"vocabulary": tokenizer.get_vocab_size(), "classes": len(splits.classes)}
    model = initialised(partial(make_model, config, **sizes), seed)
    history = fit(
        model,
        encoded.train,
        validation=encoded.validation,
        seed=seed,
        checkpoint=checkpoint,
        **fit_settings(config, optimizer={"fused": True}, **METHODS[method]),
    )
    scores = history["validation_accuracy"]
    return {
        "metrics": of_parts(model, encoded.parts("test", "validation")),
        "best_epoch": scores.index(max(scores)) + 1,
        "vocabulary": sizes["vocabulary"],
        "data_checksum": splits.checksum,
    } | of_training(model, history)


def _experiment(
    name: str, title: str, config: dict, methods: list[str], seeds: range
) -> Experiment:
    return Experiment(
        name=name,
        title=title,
        config=config,
        methods=described({method: METHODS[method] for method in methods}),
        seeds=tuple(seeds),
        measure=measure,
    )


FOUR = list(METHODS)
EXPERIMENTS = (
    _experiment(
        "trec-cnn", "TREC, sentence CNN: plain and three places to mix", TREC, FOUR, range(10)
    ),
    _experiment(
        "rotten-tomatoes-cnn",
        "Rotten Tomatoes, sentence CNN: the same four",
        ROTTEN_TOMATOES,
        FOUR,
        range(5),
    ),
    _experiment(
        "imdb-bilstm",
        "IMDB, BiLSTM on the first 128 tokens: plain and embedding mixing",
        IMDB,
        ["plain", "embedding"],
        range(3),
    ),
)
