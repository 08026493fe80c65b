"""The bench runs and its table is whole. Speed itself is no test: machines differ."""

import json

from tools import bench


def test_quick_bench(tmp_path, capsys):
    record = tmp_path / "bench.json"
    bench.main(["--quick", "--record", str(record)])
    rows = json.loads(record.read_text())["rows"]
    cpu = [row for row in rows if row["device"] == "cpu"]
    assert len(cpu) == 8 and all(row["idle"]["milliseconds"] > 0 for row in rows)
    for state in ("idle", "busy"):
        speeds = {row["method"]: row[state]["times_as_fast_as_the_fastest_peer"] for row in cpu}
        assert max(speeds[peer] for peer in bench.PEERS) == 1
    table = capsys.readouterr().out
    assert all(f"| {row['method']} |" in table for row in rows)


def test_methods_mix_and_memory_is_counted():
    shape = (8, 3, 512, 512)
    x, y = bench.batch(shape, "cpu")
    for name, run in bench.methods(x).items():
        if name != bench.FLOOR:
            images, labels = run(x, y)
            assert images.shape == x.shape and labels.shape == (8, bench.CLASSES)
            assert abs(labels.sum() - 8) < 1e-3
    (memory,) = bench.memory_of_all([shape], "cpu")
    if memory["this library"] is not None:  # Linux
        assert memory["this library"] < 1.1 and memory["this library, buffer"] < 0.1
        assert memory["three lines"] > 2 and memory["torchvision"] > 1.5
