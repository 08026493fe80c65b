"""The linear rows for text: which part is learned from, cut and judged, and what is recorded."""

import json
from copy import deepcopy

import pytest
import torch

from mixup_lib import datasets
from mixup_lib.datasets import Splits, Texts
from mixup_lib.experiments import EXPERIMENTS, sentences, text_linear
from mixup_lib.experiments.text_linear import LOGISTIC, SVM, judged, measure, train

NAMES = [experiment.name for experiment in text_linear.EXPERIMENTS]
CONFIG = {
    "data": {"name": "sentences", "sizes": {"validation": 60, "test": 60}, "encoding": {}},
    "features": text_linear.FEATURES,
    "methods": {"svm": SVM | {"C": 1}, "few": LOGISTIC | {"C": 1, "labels": 40}},
}


def texts(*pairs):
    return Texts([text for text, _ in pairs], torch.tensor([y for _, y in pairs]))


def test_words_and_weights_come_from_the_training_part_alone():
    learned = texts(("good film", 1), ("bad film", 0), ("Good play!", 1), ("bad play", 0))
    splits = Splits("s", learned, texts(("awful", 1)), texts(("superb", 0)), ("-", "+"))
    words, model = train(CONFIG, splits, SVM | {"C": 1})
    assert set(words.vocabulary_) == {
        "good",
        "bad",
        "film",
        "play",
        "!",
        "good film",
        "bad film",
        "good play",
        "bad play",
        "play !",
    }
    assert judged(words, model, texts(("a good day", 1), ("bad, bad", 0), ("good", 0))) == {
        "accuracy": pytest.approx(2 / 3),
        "error": pytest.approx(1 / 3),
        "n": 3,
    }


def test_probabilities_are_judged_where_there_are_some():
    learned = texts(("good", 1), ("bad", 0))
    splits = Splits("s", learned, learned, learned, ("-", "+"))
    found = judged(*train(CONFIG, splits, LOGISTIC | {"C": 1}), learned)
    assert found["accuracy"] == 1 and 0 < found["nll"] < 0.6931 and 0 < found["ece"] < 0.5


def test_a_run_is_paired_with_the_networks_and_says_what_it_learned_from(tmp_path):
    before = deepcopy(CONFIG)
    record = measure(CONFIG, "svm", 3, tmp_path / "none")
    assert CONFIG == before and json.dumps(record, allow_nan=False)
    assert record["metrics"]["train"]["n"] == 720 and record["metrics"]["test"]["n"] == 60
    assert record["metrics"]["train"]["error"] == 0 < record["metrics"]["test"]["error"]
    assert record == measure(CONFIG, "svm", 3, tmp_path / "none") | {"seconds": record["seconds"]}
    assert record["metrics"] != measure(CONFIG, "svm", 4, tmp_path / "none")["metrics"]
    few = measure(CONFIG, "few", 3, tmp_path / "none")
    assert few["metrics"]["train"]["n"] == 40 and few["vocabulary"] < record["vocabulary"]


def test_long_texts_are_cut_to_the_words_that_the_network_sees(monkeypatch):
    long = texts(("One, two-three <br /> four five", 1), ("six", 0))
    monkeypatch.setattr(
        datasets, "imdb", lambda seed, train, **_: Splits("s", long, long, long, ())
    )
    data = sentences.IMDB["data"] | {"encoding": {"length": 4}}
    assert text_linear.load({"data": data}, 0).test.texts == ["one , two -", "six"]


@pytest.mark.parametrize("name", NAMES)
def test_penalties_are_the_best_on_validation_data_and_lie_inside_the_grid(name):
    config = EXPERIMENTS[name].config
    choices = config["penalty_choice"]
    for method, settings in config["methods"].items():
        kind = method.split("-")[0]
        grid = choices.get(f"C of {method}", choices[f"C of {kind}"])
        scores = choices.get(f"validation accuracy of {method}")
        best = max(scores) if scores else min(scores := choices[f"validation NLL of {method}"])
        place = scores.index(best)
        assert len(grid) == len(scores) >= 5 and 0 < place < len(grid) - 1
        assert settings["C"] == grid[place]
