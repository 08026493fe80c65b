"""The bench runs and its tables are whole. Speed itself is no test: machines differ."""

import json
import subprocess

import pytest
import torch

from tools import speed
from tools.bench import __main__ as bench
from tools.bench import commands, mixing, tables, training

BEFORE = {
    "rows": [
        {"device": "cpu", "model": "MLP, digits", "mixup": True, "overhead_microseconds": 12345.6},
        {"device": "cpu", "model": "one that has gone", "mixup": True, "overhead_microseconds": 1},
    ],
    "provenance": {"date": "2026-01-02"},
}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """What a quick run printed and recorded, over a part that is there already."""
    file = tmp_path_factory.mktemp("bench") / "bench.json"
    file.write_text(json.dumps({"make": "as it was", "training": BEFORE}))
    with pytest.MonkeyPatch.context() as patch:
        lines = []
        patch.setattr(bench, "print", lambda *words: lines.extend(map(str, words)), raising=False)
        bench.main(["--quick", "--record", str(file)])
    return json.loads(file.read_text()), "\n".join(lines)


def test_quick_bench_of_mixing(recorded):
    record, told = recorded
    rows = record["rows"]
    cpu = [row for row in rows if row["device"] == "cpu"]
    assert len(cpu) == 8 and all(row["idle"]["milliseconds"] > 0 for row in rows)
    for state in ("idle", "busy"):
        speeds = {row["method"]: row[state]["times_as_fast_as_the_fastest_peer"] for row in cpu}
        assert max(speeds[peer] for peer in tables.PEERS) == 1
    assert all(f"| {row['method']} |" in told for row in rows)
    assert record["make"] == "as it was"


def test_quick_bench_of_training(recorded):
    record, told = recorded
    rows = record["training"]["rows"]
    assert len([row for row in rows if row["device"] == "cpu"]) == 2 * len(training.cases())
    for row in rows:
        assert row["plain_microseconds"] > 0 and row["fit_microseconds"] > 0
        share = training.BOUND_SHARE * row["plain_microseconds"]
        assert row["bound_microseconds"] == pytest.approx(max(100, share), abs=0.1)
        assert row["within"] == (row["overhead_microseconds"] <= row["bound_microseconds"])
    assert tables.verdict(rows) in told
    assert record["training"]["provenance"]["threads"] == 1


def test_the_verdict_names_what_is_above():
    row = {"model": "MLP", "device": "cpu", "mixup": True, "within": True}
    assert tables.verdict([row, row]) == "All 2 are within the bound."
    found = tables.verdict([row, row | {"within": False}])
    assert found == "Above the bound: MLP (mixup, cpu); the other 1 are within."


@pytest.mark.parametrize("case", training.cases(), ids=lambda case: case.name)
def test_both_loops_do_the_same_work(case):
    """One epoch without dropout: the same weights, to rounding."""
    x, y = (tensor[: 2 * case.batch_size] for tensor in case.data().tensors)
    data = torch.utils.data.TensorDataset(x, y)
    ours, theirs = (without_dropout(training.initialised(case.make, 0)) for _ in range(2))
    history = training.fit(
        ours,
        data,
        epochs=1,
        batch_size=case.batch_size,
        device="cpu",
        optimizer=training.OPTIMIZER,
        forward=case.forward,
    )
    optimizer = training.OPTIMIZER(theirs.parameters())
    loss = training.plain_epoch(theirs, optimizer, data, case, mixed=False)
    assert loss == pytest.approx(history["train_loss"][0], rel=1e-5)
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=2e-5)  # a step is a hundred times that


def without_dropout(model):
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return model


def test_words_mixed_by_hand_are_the_librarys():
    case = training.cases()[-1]
    ids = case.data().tensors[0][:8]
    model = training.initialised(case.make, 0).eval()
    mix = training.draw_mixup(8)
    by_hand = training.mix_words(model, ids, mix.lam[0].item(), mix.index[1])
    torch.testing.assert_close(by_hand, case.forward(model, ids, mix))


def test_methods_mix_and_memory_is_counted():
    shape = (8, 3, 512, 512)
    x, y = mixing.batch(shape, "cpu")
    for name, run in mixing.methods(x).items():
        if name != mixing.FLOOR:
            images, labels = run(x, y)
            assert images.shape == x.shape and labels.shape == (8, mixing.CLASSES)
            assert abs(labels.sum() - 8) < 1e-3
    (memory,) = mixing.memory_of_all([shape], "cpu")
    if memory["this library"] is not None:  # Linux
        assert memory["this library"] < 1.1 and memory["this library, buffer"] < 0.1
        assert memory["three lines"] > 2 and memory["torchvision"] > 1.5


@pytest.fixture
def repository(tmp_path):
    """A repository with a Makefile of one line that works and one that does not."""
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "Makefile").write_text("good:\n\t@echo made > made\nbad:\n\t@echo why; exit 3\n")
    for words in (
        ["init", "-q"],
        ["add", "."],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "all"],
    ):
        subprocess.run(["git", *words], check=True, cwd=folder)
    (folder / "Makefile").write_text("not committed")
    return folder


def test_commands_are_timed_in_a_fresh_clone(repository, tmp_path, monkeypatch):
    monkeypatch.setattr(commands.tempfile, "tempdir", str(tmp_path))
    rows = commands.measure((("make good", "first"), ("make good", "again")), repository)
    assert [row["when"] for row in rows] == ["first", "again"]
    assert all(row["seconds"] >= 0 for row in rows)
    assert "| `make good` | again |" in tables.commands(rows)
    assert not list(repository.glob("made")) and not list(tmp_path.glob("mixup-course-*"))
    with pytest.raises(RuntimeError, match=r"make bad \(first\) failed with status 2:\nwhy"):
        commands.measure((("make bad", "first"),), repository)
    assert not list(tmp_path.glob("mixup-course-*"))


def test_rounds_must_be_a_number_that_has_quartiles(capsys):
    with pytest.raises(SystemExit):
        bench.main(["--rounds", "1"])
    assert "--rounds must be at least 2, got 1" in capsys.readouterr().err


def test_the_page_shows_what_is_recorded(recorded):
    record = recorded[0] | {
        "make": {
            "rows": [{"command": "make book", "when": "again", "seconds": 9.0}],
            "provenance": record_of("a slow machine"),
        }
    }
    page = speed.page(record)
    assert all(f"| {row['method']} |" in page for row in record["rows"])
    assert tables.verdict(record["training"]["rows"]) in page
    assert "| `make book` | again | 9 |" in page and "a slow machine" in page
    assert record["before"] == {"training": BEFORE}
    assert "| what | 2026-01-02 | " in page and "that has gone" not in page
    assert "| MLP, digits, mixup (cpu), µs a step more than the plain loop | 12,346 | " in page
    assert "not recorded yet" not in page and "not recorded yet" in speed.page({})


def record_of(cpu):
    return {
        "cpu": cpu,
        "cores": 2,
        "threads": 1,
        "gpu": None,
        "python": "3",
        "torch": "2",
        "date": "2026-11-23",
    }


def test_the_page_says_where_a_peer_is_faster_beyond_noise():
    def row(method, low, high):
        time = {"milliseconds": (low + high) / 2, "quartiles": [low, high]}
        return {"device": "cpu", "shape": [2, 3], "method": method, "idle": time, "busy": time}

    rows = [
        row("this library", 5, 6),
        row("this library, buffer", 2, 4),
        *(row(peer, 3, 4) for peer in tables.PEERS),
    ]
    assert [found["method"] for found in tables.slower(rows)] == ["this library"]
    assert not tables.slower([row("this library", 3.5, 6), *rows[1:]])
