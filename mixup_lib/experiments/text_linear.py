"""TREC, Rotten Tomatoes and IMDB: what counting words can do, on the networks' own splits.

Written before the runs. The row that stands beside every network for text: words and pairs of
words, weighted by TF-IDF, and a linear support vector machine or logistic regression. Splits,
seeds and words are those of ``trec-cnn``, ``rotten-tomatoes-cnn`` and ``imdb-bilstm``; with 500
training sentences they are those of ``trec-minilm`` and ``rotten-tomatoes-minilm``. Measure: test
accuracy, linear minus plain network, in percentage points, paired by seed.

Expected: on each of the three sets and with all labels, the support vector machine is at least as
accurate as the plain network from scratch, so that no comparison among those networks says which
model to take. Contradicted on a set if the whole interval lies below minus half a point; with
IMDB's three seeds, if all three do. A trial on one split of each set had suggested it.

The strength of the penalty was chosen on validation data of seed 1000, five tries or more for each
classifier: by accuracy for the machine, by NLL for the regression, whose NLL is judged. The words
are the training part's. Test data are read once.
"""

import time
from pathlib import Path

import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from mixup_lib import datasets
from mixup_lib.datasets import Splits
from mixup_lib.experiments import sentences
from mixup_lib.experiments.runner import Experiment, described, rounded
from mixup_lib.experiments.settings import without_name
from mixup_lib.measures import metrics
from mixup_lib.text.tokens import TOKEN, clean, word_tokenizer

FEATURES = {"ngram_range": [1, 2], "sublinear_tf": True}
CLASSIFIERS = {"LinearSVC": LinearSVC, "LogisticRegression": LogisticRegression}
SVM = {"name": "LinearSVC"}
LOGISTIC = {"name": "LogisticRegression", "max_iter": 1000}


def load(config: dict, seed: int, labels: int | None = None) -> Splits:
    """The seed's split, each text cut to the words that the network of that set sees."""
    data = config["data"]
    splits = getattr(datasets, data["name"])(seed=seed, train=labels, **data["sizes"])
    if (length := data["encoding"].get("length")) is None:
        return splits
    cut = word_tokenizer(["any text"]).pre_tokenizer.pre_tokenize_str
    for part in (splits.train, splits.validation, splits.test):
        part.texts = [" ".join(w for w, _ in cut(clean(text))[:length]) for text in part.texts]
    return splits


def train(config: dict, splits: Splits, classifier: dict):
    """The words' weights and the classifier, both from the training part."""
    options = config["features"] | {"ngram_range": tuple(config["features"]["ngram_range"])}
    words = TfidfVectorizer(preprocessor=clean, token_pattern=TOKEN, **options)
    model = CLASSIFIERS[classifier["name"]](**without_name(classifier))
    return words, model.fit(words.fit_transform(splits.train.texts), splits.train.y.numpy())


def judged(words, model, part) -> dict[str, float]:
    """Accuracy and error; where the classifier gives probabilities, NLL and ECE as well."""
    x, y = words.transform(part.texts), part.y
    if not hasattr(model, "predict_log_proba"):
        share = float((torch.from_numpy(model.predict(x)) == y).double().mean())
        return {"accuracy": share, "error": 1 - share, "n": len(y)}
    logits = torch.from_numpy(model.predict_log_proba(x))
    share = metrics.accuracy(logits, y)
    return {
        "accuracy": share,
        "error": 1 - share,
        "nll": metrics.nll(logits, y),
        "ece": metrics.ece(logits, y),
        "n": len(y),
    }


def measure(config: dict, method: str, seed: int, checkpoint: Path) -> dict:
    """Trains once and reads the test data once; a run is too short for a checkpoint."""
    own = dict(config["methods"][method])
    splits = load(config, seed, own.pop("labels", None))
    start = time.perf_counter()
    words, model = train(config, splits, own)
    seconds = time.perf_counter() - start
    parts = splits.parts()
    return {
        "metrics": {name: rounded(judged(words, model, part)) for name, part in parts.items()},
        "vocabulary": len(words.vocabulary_),
        "data_checksum": splits.checksum,
        "parameters": model.coef_.size + model.intercept_.size,
        "seconds": {"training": round(seconds, 1)},
    }


def _experiment(
    name: str, title: str, data: dict, methods: dict[str, dict], choices: dict, seeds: int
) -> Experiment:
    return Experiment(
        name=name,
        title=title,
        config={
            "data": data,
            "features": FEATURES,
            "methods": methods,
            "device": "cpu",
            "penalty_choice": {"seed": 1000} | choices,
        },
        methods=described(methods),
        seeds=tuple(range(seeds)),
        measure=measure,
        cpu_only=True,
    )


EXPERIMENTS = (
    _experiment(
        "trec-linear",
        "TREC, words counted: a linear machine and logistic regression",
        sentences.TREC["data"],
        {
            "svm": SVM | {"C": 10},
            "logistic": LOGISTIC | {"C": 30},
            "svm-500": SVM | {"C": 3, "labels": 500},
            "logistic-500": LOGISTIC | {"C": 30, "labels": 500},
        },
        {
            "C of svm": [0.3, 1, 3, 10, 30],
            "validation accuracy of svm": [0.8606, 0.8716, 0.8697, 0.8752, 0.8734],
            "validation accuracy of svm-500": [0.6862, 0.7138, 0.7266, 0.7248, 0.7211],
            "C of logistic": [1, 3, 10, 30, 100],
            "validation NLL of logistic": [0.6820, 0.5386, 0.4658, 0.4421, 0.4476],
            "validation NLL of logistic-500": [1.1204, 0.9372, 0.8391, 0.8086, 0.8144],
        },
        seeds=10,
    ),
    _experiment(
        "rotten-tomatoes-linear",
        "Rotten Tomatoes, words counted: the same two",
        sentences.ROTTEN_TOMATOES["data"],
        {
            "svm": SVM | {"C": 3},
            "logistic": LOGISTIC | {"C": 10},
            "svm-500": SVM | {"C": 30, "labels": 500},
            "logistic-500": LOGISTIC | {"C": 10, "labels": 500},
        },
        {
            "C of svm": [0.3, 1, 3, 10, 30],
            "validation accuracy of svm": [0.7439, 0.7598, 0.7608, 0.7580, 0.7580],
            "C of svm-500": [0.3, 1, 3, 10, 30, 100, 300],
            "validation accuracy of svm-500": [
                0.6266,
                0.6295,
                0.6313,
                0.6351,
                0.6360,
                0.6351,
                0.6351,
            ],
            "C of logistic": [1, 3, 10, 30, 100],
            "validation NLL of logistic": [0.5611, 0.5127, 0.4902, 0.4972, 0.5830],
            "validation NLL of logistic-500": [0.6678, 0.6521, 0.6475, 0.6620, 0.6974],
        },
        seeds=5,
    ),
)
