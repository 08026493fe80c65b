"""Tables: the loader's files and checks, standardising, and the two experiments on them."""

import importlib
import io
import math
import zipfile
from dataclasses import replace

import pytest
import torch
from torch.utils.data import TensorDataset

from mixup_lib.datasets import (
    UCI,
    DownloadError,
    Splits,
    data_root,
    diabetes,
    download,
    standardised,
    uci,
)
from mixup_lib.evidence import results
from mixup_lib.experiments import EXPERIMENTS, airfoil
from mixup_lib.experiments import uci as tables

module = importlib.import_module("mixup_lib.datasets.tables")
ROWS = ["63,2,0.5,0", "70,?,0.25,1", "55,4,-1.5,0", "41,8,0.75,1", "48,1,1e-3,1"]


@pytest.fixture
def small(monkeypatch):
    """A table of five rows in the place of HTRU2's."""
    source = module.Source("Small", "9/small+set.zip", "small.data", "small.csv", (5, 4), 2)
    monkeypatch.setitem(module.SOURCES, "htru2", source)
    return source


def write(root, content: bytes):
    (root / "uci").mkdir(exist_ok=True)
    (root / "uci" / "small.csv").write_bytes(content)


@pytest.mark.parametrize(
    "content",
    [
        "\n".join(ROWS) + "\n",
        "\r".join(["age,dose,change,class", *ROWS]) + "\r",  # a header, and HTRU2's line ends
        "\r\n".join(["% about", "@relation r", "@attribute age real", "@DATA", *ROWS, ""]),
        "\n".join(["X0\tX1\tX2\tTARGET", *(row.replace(",", "\t") for row in ROWS)]),
    ],
)
def test_a_table_reads_the_same_in_every_format(content, small, tmp_path):
    write(tmp_path, content.encode())
    splits = uci("htru2", root=tmp_path, validation=1, test=1)
    parts = (splits.train, splits.validation, splits.test)
    x = torch.cat([part.tensors[0] for part in parts])
    y = torch.cat([part.tensors[1] for part in parts])
    order = x[:, 0].argsort()
    assert x[order][:, 0].tolist() == [41, 48, 55, 63, 70]
    assert y[order].tolist() == [1, 1, 0, 0, 1] and splits.classes == ("0", "1")
    assert x.isnan().sum() == 1 and x[order][4, 1].isnan()
    assert x.dtype == torch.float32 and y.dtype == torch.int64
    write(tmp_path, "\n".join(ROWS).encode())
    assert uci("htru2", seed=1, root=tmp_path).checksum == splits.checksum


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (ROWS[:4], "has 4 rows instead of 5 with 4 columns"),
        ([*ROWS[:4], "1,2,3"], "has 5 rows instead of 5 with 4 columns"),
        ([*ROWS[:4], "1,two,3,1"], "is damaged: could not convert string to float: 'two'"),
        ([*ROWS[:4], "1,2,3,7"], "has the classes 0, 1, 7 instead of 2"),
        ([], "has 0 rows instead of 5"),
    ],
)
def test_a_damaged_table_is_refused(rows, message, small, tmp_path):
    write(tmp_path, "\n".join(rows).encode())
    with pytest.raises(OSError, match=message):
        uci("htru2", root=tmp_path)


@pytest.mark.parametrize("value", ["nan", "inf", "-Infinity"])
def test_what_is_no_finite_number_is_refused(value, small, tmp_path):
    write(tmp_path, "\n".join([*ROWS[:4], f"1,{value},3,1"]).encode())
    with pytest.raises(OSError, match=f"is damaged: '{value}' is no finite number"):
        uci("htru2", root=tmp_path)


def test_abalone_knows_its_letters_in_any_case(tmp_path, monkeypatch):
    source = module.SOURCES["abalone"]
    monkeypatch.setitem(module.SOURCES, "abalone", replace(source, shape=(6, 3), classes=2))
    path = tmp_path / "uci" / "abalone.csv"
    path.parent.mkdir()
    path.write_text("M,0.5,1\nf,0.25,2\nI,0.75,1\n m,1,2\n'F',2,1\n\"i\",3,2\n")
    x, _ = uci("abalone", root=tmp_path, validation=0, test=0).train.tensors
    columns = {row[3].item(): row[:3].tolist() for row in x}
    assert columns == {
        0.5: [0, 0, 1],
        0.25: [1, 0, 0],
        0.75: [0, 1, 0],
        1: [0, 0, 1],
        2: [1, 0, 0],
        3: [0, 1, 0],
    }
    path.write_text(path.read_text().replace("I,", "female,"))
    with pytest.raises(
        OSError, match="abalone.csv has the sex 'female'; valid are .*'F', 'I', 'M'"
    ):
        uci("abalone", root=tmp_path)


def zipped(member, content):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(member, content)
    return packed.getvalue()


WHOLE = zipped("small.data", "\n".join(ROWS))


@pytest.mark.parametrize(
    ("delivered", "reason"),
    [
        (zipped("other.data", "\n".join(ROWS)), "no item named 'small.data'"),
        (zipped("small.data", "\n".join(ROWS[:3])), "small.data in .* has 3 rows instead of 5"),
        (WHOLE[:-30], "not a zip file"),
        (b"<!DOCTYPE html><html>Please log in</html>", "not a zip file, a web page"),
    ],
)
def test_a_table_is_fetched_whole_or_not_at_all(delivered, reason, small, tmp_path, monkeypatch):
    answers = []

    def transfer(url, part, start, timeout):
        part.write_bytes(answers.pop(0))

    monkeypatch.setattr(download, "_transfer", transfer)
    answers[:] = [delivered]
    with pytest.raises(DownloadError, match=reason):
        uci("htru2", root=tmp_path)
    assert list((tmp_path / "uci").iterdir()) == []
    answers[:] = [delivered, WHOLE]
    uci("htru2", root=tmp_path, mirrors="https://one.example https://two.example")
    names = sorted(path.name for path in (tmp_path / "uci").iterdir())
    assert names == ["small+set.zip", "small.csv"] and not answers
    uci("htru2", root=tmp_path)


def test_missing_and_unknown_tables_say_what_to_do(tmp_path):
    with pytest.raises(FileNotFoundError, match="MIXUP_DATA"):
        uci("abalone", root=tmp_path, download=False)
    with pytest.raises(ValueError, match="name='wine'; valid are abalone, airfoil, arrhythmia"):
        uci("wine")
    with pytest.raises(ValueError, match="test must be an integer from 0 to 149"):
        uci("iris", test=150)


def test_iris_and_diabetes_need_no_file():
    splits = uci("iris", seed=3)
    assert list(map(len, (splits.train, splits.validation, splits.test))) == [105, 15, 30]
    assert torch.bincount(splits.test.tensors[1]).tolist() == [10, 10, 10]
    assert uci("iris", seed=3, train=20).test.tensors[0].equal(splits.test.tensors[0])
    splits = diabetes(validation=60, test=82)
    x, y = splits.train.tensors
    assert x.shape == (300, 10) and y.dtype == torch.float32 and splits.classes == ()
    assert 25 <= y.min() and y.max() <= 346


def small_splits(x, y):
    part = TensorDataset(torch.tensor(x), torch.tensor(y))
    other = TensorDataset(torch.tensor([[9.0] * len(x[0])]), torch.tensor(y[:1]))
    return Splits("small", part, other, other, ())


def test_standardising_uses_the_training_part_alone():
    nan = math.nan
    splits = standardised(
        small_splits([[1.0, 5.0, 0.1], [3.0, nan, 0.1], [5.0, 7.0, 0.1]], [2.0, 4.0, 6.0]),
        targets=True,
    )
    x, y = splits.train.tensors
    width = math.sqrt(8 / 3)
    assert x[:, 0].tolist() == pytest.approx([-2 / width, 0, 2 / width])
    assert x[:, 1].tolist() == pytest.approx([-1, 0, 1])  # the missing value is the mean
    assert x[:, 2].tolist() == [0, 0, 0]  # constant
    assert y.tolist() == pytest.approx([-2 / width, 0, 2 / width])
    assert splits.test.tensors[0].tolist()[0] == pytest.approx([6 / width, 3, 0])
    assert splits.test.tensors[1].item() == pytest.approx(-2 / width)


def test_standardising_refuses_what_has_no_deviation():
    constant = small_splits([[1.0], [2.0]], [3.3, 3.3])
    with pytest.raises(ValueError, match="the 2 training targets of 'small' are all 3.29.*const"):
        standardised(constant, targets=True)
    with pytest.raises(ValueError, match="targets=True, but 'small' has class ids"):
        standardised(small_splits([[1.0], [2.0]], [0, 1]), targets=True)
    empty = TensorDataset(torch.zeros(0, 2), torch.zeros(0))
    with pytest.raises(ValueError, match="splits.train of 'none' is empty"):
        standardised(Splits("none", empty, empty, empty, ()))


@pytest.mark.parametrize(
    ("name", "shape", "classes"),
    [
        ("abalone", (4177, 10), 28),
        ("airfoil", (1503, 5), 0),
        ("arrhythmia", (452, 279), 13),
        ("htru2", (17898, 8), 2),
        ("phishing", (1353, 9), 3),
    ],
)
def test_the_real_tables(name, shape, classes):
    if not (data_root() / "uci").exists():
        pytest.skip("the tables are not on this machine")
    splits = uci(name, seed=1, validation=0, test=0)
    x, y = splits.train.tensors
    assert tuple(x.shape) == shape and len(splits.classes) == classes
    assert x.isnan().sum() == (408 if name == "arrhythmia" else 0)
    assert set(UCI) >= {name} and standardised(splits).train.tensors[0].isfinite().all()
    if name == "abalone":
        assert x[:, :3].sum(1).eq(1).all()
    if name == "airfoil":
        assert 103 < y.min() and y.max() < 141


def test_a_run_on_tables_measures_each_of_them(tmp_path):
    config = tables.PAPER | {"data": {"names": ["iris"]}, "epochs": 1}
    record = tables.measure(config, "mixup", 3, tmp_path / "none")
    assert list(record["metrics"]) == ["iris", "iris-train"]
    assert record["metrics"]["iris"]["n"] == 30 and record["metrics"]["iris-train"]["n"] == 105
    assert record["parts"]["iris"]["data_checksum"] == uci("iris").checksum
    assert record == tables.measure(config, "mixup", 3, tmp_path / "none") | {
        "parts": record["parts"]
    }


def test_large_tables_are_cut_and_keep_their_test_part(monkeypatch):
    monkeypatch.setattr(tables, "MOST", 60)
    splits = tables.load("iris", 1)
    assert len(splits.train) == 60
    assert splits.test.tensors[0].equal(uci("iris", seed=1).test.tensors[0])


RMSE = "validation_rmse"
SHORT = airfoil.CONFIG | {"epochs": 2}


@pytest.fixture
def noise():
    """A small stand-in for the airfoil's measurements."""
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(120, 5, generator=generator)
    data = TensorDataset(x, 120 + 10 * x.sum(1))
    return Splits("noise", data, data, data, ())


def test_regression_keeps_the_best_epoch_and_repeats_itself(noise):
    model, history = airfoil.train(SHORT, noise, 0, alpha=2.0, bandwidth=1.75, place=2)
    errors = history[RMSE]
    assert len(errors) == 2 and airfoil.rmse(model, noise.validation) == min(errors)
    again = airfoil.train(SHORT, noise, 0, alpha=2.0, bandwidth=1.75, place=2)[1][RMSE]
    others = [
        airfoil.train(SHORT, noise, 0, **settings)[1][RMSE]
        for settings in (
            {},
            {"alpha": 2.0},
            {"alpha": 2.0, "place": 2},
            {"alpha": 2.0, "bandwidth": 1.75},
        )
    ]
    assert again == errors and errors not in others
    assert len({tuple(other) for other in others}) == 4


def test_mixing_with_oneself_is_plain_training(noise, monkeypatch):
    """Partners so alike that each is its own: then neither place nor weight matters."""
    plain = airfoil.train(SHORT, noise, 0)[1][RMSE]
    alone = torch.arange(120)
    monkeypatch.setattr(airfoil, "by_kernel", lambda y, bandwidth, generator: alone)
    for place in (0, 2):
        mixed = airfoil.train(SHORT, noise, 0, alpha=2.0, bandwidth=1.0, place=place)[1][RMSE]
        assert mixed == pytest.approx(plain, rel=1e-3)


def test_inputs_and_targets_share_one_mix(noise, monkeypatch):
    """Mixtures of examples on a plane lie on it: a model that knows it has nothing to learn."""
    known = torch.nn.Linear(5, 1)
    known.weight.data.fill_(10.0)
    known.bias.data.fill_(120.0)
    monkeypatch.setattr(airfoil, "make_model", lambda: torch.nn.Sequential(known))
    slow = SHORT | {"optimizer": {"name": "SGD", "lr": 1e-2}}
    for bandwidth in (None, 3.0):
        assert max(airfoil.train(slow, noise, 0, alpha=2.0, bandwidth=bandwidth)[1][RMSE]) < 1e-3


def test_tuned_settings_are_the_best_on_validation_data():
    choices = airfoil.CONFIG["choices"]
    scores = {name: row for name, row in choices.items() if name.startswith("bandwidth")}
    none = scores.pop("bandwidth none")
    assert choices["alpha"][none.index(min(none))] == airfoil.TUNED["mixup"]["alpha"]
    name, row = min(scores.items(), key=lambda item: min(item[1]))
    best = {"alpha": choices["alpha"][row.index(min(row))], "bandwidth": float(name.split()[1])}
    assert best == airfoil.TUNED["cmixup"]


@pytest.mark.parametrize(("name", "parts"), [("uci", 10), ("uci-long", 4), ("airfoil", 3)])
def test_recorded_runs_are_paired_and_finite(name, parts):
    records = results.load(name)
    runs = {(record["method"], record["seed"]) for record in records}
    seeds = {seed for _, seed in runs}
    assert runs == {(m, s) for m in EXPERIMENTS[name].methods for s in seeds}
    for record in records:
        assert len(record["metrics"]) == parts
        values = [v for part in record["metrics"].values() for v in part.values()]
        assert all(map(math.isfinite, values))
