"""Where and how training runs: Fabric only when asked for, bars only where somebody watches."""

import builtins
import sys

import pytest
import torch
from torch.utils.data import TensorDataset

from mixup_lib import draw_mixup
from mixup_lib.basics.seeds import initialised
from mixup_lib.models import MLP
from mixup_lib.training.fitting import fit
from mixup_lib.training.runtime import Local, make_runtime


def test_default_needs_no_fabric():
    assert isinstance(make_runtime(), Local)
    assert isinstance(make_runtime("cpu", "32-true", 1), Local)


@pytest.mark.parametrize("options", [{"precision": "bf16-mixed"}, {"processes": 2}])
def test_missing_fabric_names_the_extra(options, monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("lightning"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"Fabric: pip install 'mixup-lib\[fabric\]'"):
        make_runtime("cpu", **options)


def test_mixed_precision_trains_and_keeps_float32_weights(tmp_path):
    pytest.importorskip("lightning_fabric")
    x = torch.randn(64, 4, generator=torch.Generator().manual_seed(0))
    data, seen = TensorDataset(x, (x[:, 0] > 0).long()), []

    def note(model, inputs, logits):
        seen.append((logits.dtype, model.training))

    def train(path=None, device="cpu"):
        model = initialised(lambda: MLP(4, 16, 2), 0)
        model.register_forward_hook(note)
        history = fit(
            model,
            data,
            validation=data,
            epochs=5,
            mixing=draw_mixup,
            device=device,
            precision="bf16-mixed",
            checkpoint=path,
            batch_size=16,
        )
        return model, history

    model, history = train(tmp_path / "run.pt")
    assert (torch.bfloat16, True) in seen
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert (torch.float32, False) in seen  # evaluation is in full precision
    assert history["train_loss"][-1] < history["train_loss"][0]
    again, _ = train(tmp_path / "run.pt")
    assert torch.equal(again.layers[1].weight, model.layers[1].weight)


def test_the_bar_is_quiet_unless_watched(capfd, monkeypatch):
    data = TensorDataset(torch.rand(6, 4), torch.arange(6) % 2)
    model = MLP(4, 8, 2)
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    fit(model, data, epochs=1)
    assert capfd.readouterr().err == ""
    fit(model, data, epochs=1, progress=True)
    assert "fit" in capfd.readouterr().err
    monkeypatch.setenv("TQDM_DISABLE", "1")
    fit(model, data, epochs=1, progress=True)
    assert capfd.readouterr().err == ""
