"""Evaluation: the plain forward pass, whatever mode the model was in, and no trace left."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import Subset, TensorDataset

from mixup_lib.models import MLP
from mixup_lib.training.evaluation import evaluate


def blobs(n=90):
    x = torch.randn(n, 5, generator=torch.Generator().manual_seed(0))
    return TensorDataset(x, torch.arange(n) % 3)


def test_evaluation_is_the_plain_forward_pass_and_restores_every_mode():
    model, data = nn.Sequential(MLP(5, 16, 3, 0.5), nn.BatchNorm1d(3)), blobs()
    model[0].eval()
    modes = [m.training for m in model.modules()]
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    whole = evaluate(model, data)
    pieces = evaluate(model, Subset(data, range(len(data))), batch_size=7)
    assert [m.training for m in model.modules()] == modes
    assert all(torch.equal(weights[name], value) for name, value in model.state_dict().items())
    assert whole == pytest.approx(pieces)
    assert whole["n"] == 90
    assert whole["error"] == pytest.approx(1 - whole["accuracy"])
    model.eval()
    with torch.no_grad():
        logits = model(data.tensors[0])
    assert whole["accuracy"] == (logits.argmax(1) == data.tensors[1]).double().mean().item()
    assert whole["nll"] == pytest.approx(F.cross_entropy(logits, data.tensors[1]).item(), rel=1e-5)


def test_evaluation_restores_the_mode_after_an_error():
    model = MLP(5, 16, 3, 0.5)
    with pytest.raises(RuntimeError):
        evaluate(model, TensorDataset(torch.rand(4, 6), torch.zeros(4, dtype=torch.long)))
    assert model.training


def test_bad_arguments_of_evaluate():
    with pytest.raises(ValueError, match="batch_size must be .* got 0"):
        evaluate(MLP(5, 16, 3), blobs(), batch_size=0)
    with pytest.raises(ValueError, match="at least one example, got 0"):
        evaluate(MLP(5, 16, 3), blobs(0))
    with pytest.raises(ValueError, match=r"class ids .* got \(4, 3\) torch.float32"):
        evaluate(MLP(5, 16, 3), TensorDataset(torch.rand(4, 5), torch.rand(4, 3)))
