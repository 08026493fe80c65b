"""Accuracy, NLL and ECE against values worked out by hand."""

import math

import pytest
import torch

from mixup_lib import Mix, accuracy, draw_mixup, ece, mixed_accuracy, nll, no_mix
from mixup_lib.training.loop import _hits


def logits_of(probabilities):
    return torch.tensor(probabilities, dtype=torch.double).log()


def test_accuracy():
    logits = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    assert accuracy(logits, torch.tensor([0, 1, 0])) == pytest.approx(2 / 3)
    assert isinstance(accuracy(logits, torch.tensor([0, 0, 0])), float)


def test_nll_in_nats_and_without_overflow():
    logits, y = logits_of([[0.5, 0.5], [0.2, 0.8]]), torch.tensor([0, 1])
    assert nll(logits, y) == pytest.approx(-(math.log(0.5) + math.log(0.8)) / 2)
    assert nll(torch.tensor([[0.0, 1e4]]), torch.tensor([0])) == pytest.approx(1e4)


def test_ece_by_hand():
    # Bin (0.6, 0.8]: confidences 0.7 and 0.75, both right; bin (0.8, 1]: 0.9, wrong.
    logits = logits_of([[0.7, 0.3], [0.25, 0.75], [0.9, 0.1]])
    gap = (abs((1 + 1) - (0.7 + 0.75)) + abs(0 - 0.9)) / 3
    assert ece(logits, torch.tensor([0, 1, 1]), bins=5) == pytest.approx(gap)
    # With one bin, too sure and not sure enough cancel.
    assert ece(logits, torch.tensor([0, 1, 1]), bins=1) == pytest.approx(abs(2 - 2.35) / 3)


def test_ece_of_a_calibrated_and_of_a_sure_classifier():
    torch.manual_seed(0)
    probabilities = torch.rand(20000, 1, dtype=torch.double) * 0.5 + 0.5
    y = (torch.rand(20000) > probabilities[:, 0]).long()
    logits = torch.cat([probabilities, 1 - probabilities], 1).log()
    assert ece(logits, y) < 0.02
    assert ece(logits * 50, y) > 0.2
    assert ece(torch.tensor([[100.0, 0.0]]), torch.tensor([0])) == 0


def test_mixed_accuracy_is_the_weight_of_the_label_named():
    index = torch.tensor([[0, 1, 2], [1, 2, 0]])
    mix = Mix(index, torch.tensor([[0.3, 0.6, 0.9], [0.7, 0.4, 0.1]]))
    named = torch.eye(4)[[1, 1, 3]]  # the partner's label, one's own, neither
    assert mixed_accuracy(named, torch.arange(3), mix) == pytest.approx((0.7 + 0.6 + 0) / 3)
    # Two examples of one class: that class has all the weight.
    assert mixed_accuracy(named[:2], torch.tensor([1, 1]), draw_mixup(2)) == pytest.approx(1)


def test_the_weight_of_a_label_that_names_no_class_does_not_count():
    named = torch.eye(3)[[0, 0, 2]]
    y = torch.tensor([0, -100, 1])
    mix = Mix(
        torch.tensor([[0, 1, 2], [1, 2, 0]]), torch.tensor([[0.7, 0.6, 0.5], [0.3, 0.4, 0.5]])
    )
    # Right: 0.7 of example 0. Of the weights, 0.7, 0.4 and 1 name a class.
    assert mixed_accuracy(named, y, mix) == pytest.approx(0.7 / 2.1)
    assert _hits([(named, y, mix)])[0].item() == pytest.approx(0.7 / 2.1)
    assert math.isnan(mixed_accuracy(named, y.new_full((3,), -100), mix))


def test_mixed_accuracy_without_mixing_is_accuracy():
    torch.manual_seed(0)
    logits, y = torch.randn(50, 3), torch.randint(0, 3, (50,))
    assert mixed_accuracy(logits, y, no_mix(50)) == pytest.approx(accuracy(logits, y))
    # A perfect classifier of single examples stays below 1 on mixtures of two classes.
    assert (
        mixed_accuracy(
            torch.eye(3), torch.arange(3), draw_mixup(3, partners=torch.tensor([1, 2, 0]))
        )
        < 1
    )


@pytest.mark.parametrize("metric", [accuracy, nll, ece])
@pytest.mark.parametrize(("n", "labels"), [((4, 3), 3), ((4,), 4), ((0, 3), 0)])
def test_shapes_are_checked(metric, n, labels):
    with pytest.raises(ValueError, match=r"logits has shape .* y .*valid are \(N, C\) and \(N,\)"):
        metric(torch.zeros(n), torch.zeros(labels, dtype=torch.long))


def test_bad_bins_and_batches():
    with pytest.raises(ValueError, match="bins=0; valid is 1 or more"):
        ece(torch.zeros(1, 2), torch.zeros(1, dtype=torch.long), bins=0)
    with pytest.raises(ValueError, match="batch of 3"):
        mixed_accuracy(torch.zeros(4, 2), torch.zeros(4, dtype=torch.long), draw_mixup(3))
