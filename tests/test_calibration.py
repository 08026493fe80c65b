"""Temperature scaling and reliability bins, against hand work, a grid and scikit-learn."""

import math

import numpy as np
import pytest
import torch
from sklearn.calibration import calibration_curve

from mixup_lib import accuracy, ece, nll
from mixup_lib.measures.calibration import TEMPERATURES, fit_temperature, reliability


def drawn(scale=1.0, n=4000, classes=5, seed=0):
    """Logits times ``scale``, and labels drawn from the softmax of the logits without it."""
    torch.manual_seed(seed)
    logits = 2 * torch.randn(n, classes)
    y = torch.multinomial(logits.softmax(1), 1).squeeze(1)
    return scale * logits, y


@pytest.mark.parametrize("scale", [0.3, 1.0, 6.0])
def test_temperature_undoes_a_scale(scale):
    logits, y = drawn(scale)
    temperature = fit_temperature(logits, y)
    assert temperature == pytest.approx(scale, rel=0.05)
    assert temperature == pytest.approx(scale * fit_temperature(logits / scale, y), rel=1e-6)


def test_temperature_is_where_the_nll_is_least():
    logits, y = drawn(3.0, n=300)
    grid = np.geomspace(0.5, 10, 2001)
    best = grid[np.argmin([nll(logits / t, y) for t in grid])]
    temperature = fit_temperature(logits, y)
    assert temperature == pytest.approx(best, rel=2e-3)
    assert nll(logits / temperature, y) <= min(nll(logits / t, y) for t in grid)
    assert accuracy(logits / temperature, y) == accuracy(logits, y)
    assert ece(logits / temperature, y) < ece(logits, y)


def test_temperature_ignores_what_softmax_ignores_and_leaves_no_trace():
    logits, y = drawn(2.0, n=200)
    shifted = (logits + 1000 * torch.randn(200, 1).double()).requires_grad_()
    assert fit_temperature(shifted, y) == pytest.approx(fit_temperature(logits, y), rel=1e-4)
    assert shifted.grad is None


def test_temperature_without_a_minimum_stops_at_an_end():
    y = torch.arange(3)
    assert fit_temperature(torch.eye(3), y) == TEMPERATURES[0]
    assert fit_temperature(torch.eye(3), (y + 1) % 3) == TEMPERATURES[1]
    assert fit_temperature(1e4 * torch.eye(3), y) == TEMPERATURES[0]  # no overflow


@pytest.mark.parametrize(
    ("logits", "message"),
    [
        (torch.zeros(0, 3), r"logits has shape \(0, 3\)"),
        (torch.full((4, 3), 7.0), r"logits of shape \(4, 3\) are constant within every example"),
        (torch.arange(4.0).view(4, 1), "constant within every example"),
        (torch.tensor([[0.0, math.nan]]), "logits holds values that are not finite"),
        (torch.tensor([[0.0, math.inf]]), "logits holds values that are not finite"),
    ],
)
def test_temperature_says_what_it_cannot_take(logits, message):
    with pytest.raises(ValueError, match=message):
        fit_temperature(logits, torch.zeros(len(logits), dtype=torch.long))


def test_reliability_by_hand():
    # Bin (0.6, 0.8]: confidences 0.7 and 0.75, one right; bin (0.8, 1]: 0.9, wrong.
    logits = torch.tensor([[0.7, 0.3], [0.25, 0.75], [0.9, 0.1]], dtype=torch.double).log()
    bins = reliability(logits, torch.tensor([0, 0, 1]), bins=5)
    assert bins.edges == (0, 0.2, 0.4, 0.6, 0.8, 1)
    assert bins.share == pytest.approx((0, 0, 0, 2 / 3, 1 / 3))
    assert bins.confidence[3:] == pytest.approx((0.725, 0.9))
    assert bins.accuracy[3:] == (0.5, 0)
    assert all(math.isnan(value) for value in bins.confidence[:3] + bins.accuracy[:3])
    assert bins.ece == pytest.approx((2 * 0.225 + 0.9) / 3)
    assert bins.overconfidence == pytest.approx((0.7 + 0.75 + 0.9) / 3 - 1 / 3)


@pytest.mark.parametrize("bins", [1, 10, 15])
@pytest.mark.parametrize("scale", [0.5, 1.0, 4.0])
def test_ece_agrees_with_scikit_learn(bins, scale):
    logits, y = drawn(scale, seed=1)
    confidence, predicted = logits.double().softmax(1).max(1)
    hit = (predicted == y).numpy()
    right, sure = calibration_curve(hit, confidence.numpy(), n_bins=bins)
    # The curve has no counts: numpy's histogram gives them, for the bins that are not empty.
    count = np.histogram(confidence.numpy(), bins, (0, 1))[0]
    known = (count[count > 0] * np.abs(right - sure)).sum() / len(y)
    assert ece(logits, y, bins) == pytest.approx(known, abs=1e-12)
    assert reliability(logits, y, bins).ece == pytest.approx(known, abs=1e-12)


def test_reliability_checks_its_arguments():
    with pytest.raises(ValueError, match="bins=0; valid is 1 or more"):
        reliability(*drawn(n=3), bins=0)
    with pytest.raises(ValueError, match="logits has shape"):
        reliability(torch.zeros(0, 3), torch.zeros(0, dtype=torch.long))
