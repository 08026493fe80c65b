"""The loss of a mixed batch: where the two usual forms agree, and where they do not."""

from functools import partial

import pytest
import torch
from torch.nn import functional as F

from mixup_lib import Mix, draw_cutmix, draw_dirichlet, draw_mixup, mixed_loss, no_mix

cross_entropy = partial(F.cross_entropy, reduction="none")
DRAWS = [
    draw_mixup,
    partial(draw_mixup, per_sample=True),
    partial(draw_dirichlet, k=4, per_sample=True),
    partial(draw_cutmix, size=(5, 8), per_sample=True),
    no_mix,
]


def squared_error(prediction, y):
    return (prediction - y).square().flatten(1).mean(1)


def gradient(loss, logits):
    return torch.autograd.grad(loss, logits)[0]


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


@pytest.mark.parametrize("draw", DRAWS)
def test_two_targets_equal_soft_labels_for_cross_entropy(draw):
    logits, y = torch.randn(6, 5, requires_grad=True), torch.randint(0, 5, (6,))
    mix = draw(6)
    two_targets = mixed_loss(cross_entropy, logits, y, mix)
    soft = F.cross_entropy(logits, mix.targets(y, 5))
    torch.testing.assert_close(two_targets, soft)
    torch.testing.assert_close(gradient(two_targets, logits), gradient(soft, logits))


@pytest.mark.parametrize("draw", DRAWS)
def test_two_targets_have_the_gradient_of_soft_labels_for_squared_error(draw):
    prediction, y = torch.randn(6, 3, requires_grad=True), torch.randn(6, 3)
    mix = draw(6)
    two_targets = mixed_loss(squared_error, prediction, y, mix)
    soft = squared_error(prediction, mix.targets(y)).mean()
    torch.testing.assert_close(gradient(two_targets, prediction), gradient(soft, prediction))
    if len(mix.index) > 1:  # the values differ by the variance within the mixture
        assert two_targets > soft + 1e-3
        spread = mix.targets(y.square()) - mix.targets(y).square()
        torch.testing.assert_close(two_targets - soft, spread.mean())


def test_class_weights_part_the_two_forms():
    logits, y = torch.randn(6, 3), torch.tensor([0, 1, 2, 0, 1, 2])
    class_weights = torch.tensor([1.0, 5.0, 25.0])
    mix = draw_mixup(6, per_sample=True, generator=torch.Generator().manual_seed(1))
    ours = mixed_loss(partial(cross_entropy, weight=class_weights), logits, y, mix)
    soft = F.cross_entropy(logits, mix.targets(y, 3), weight=class_weights)
    torch.testing.assert_close(ours, soft)  # unreduced, both are sums of the same terms
    own, other = (F.cross_entropy(logits, y[i], weight=class_weights) for i in mix.index)
    lam = mix.lam.mean()
    assert abs(lam * own + (1 - lam) * other - soft) > 0.1  # means over other weights


def test_lambda_per_sample_must_not_meet_a_mean():
    logits, y = torch.randn(6, 3), torch.tensor([0, 1, 2, 0, 1, 2])
    mix = draw_mixup(6, per_sample=True)
    wrong = sum((w * F.cross_entropy(logits, y[i])).mean() for i, w in zip(mix.index, mix.weights))
    assert abs(mixed_loss(cross_entropy, logits, y, mix) - wrong) > 1e-3
    with pytest.raises(ValueError, match=r'loss_fn returned shape \(\); valid is \(6,\).*"none"'):
        mixed_loss(F.cross_entropy, logits, y, mix)


def test_pairing_is_visible_in_the_loss():
    # The loss of label j is 10**j: the mixed loss spells out who was mixed, and how much.
    index = torch.tensor([[0, 1, 2], [1, 2, 0]])
    mix = Mix(index, torch.tensor([[0.25, 0.5, 1.0], [0.75, 0.5, 0.0]]))
    loss = mixed_loss(lambda logits, y: 10.0**y, torch.zeros(3, 3), torch.arange(3), mix)
    assert loss.item() == pytest.approx((0.25 * 1 + 0.75 * 10 + 0.5 * 10 + 0.5 * 100 + 100) / 3)


def test_sequences_average_over_positions_first():
    logits, y = torch.randn(4, 7, 5), torch.randint(0, 5, (4, 7))
    mix = draw_mixup(4)

    def per_sequence(logits, y):
        return cross_entropy(logits.transpose(1, 2), y).mean(1)

    wanted = F.cross_entropy(logits.transpose(1, 2), mix.targets(y, 5).transpose(1, 2))
    torch.testing.assert_close(mixed_loss(per_sequence, logits, y, mix), wanted)


def test_nothing_is_changed_and_lengths_are_checked():
    logits, y, mix = torch.randn(4, 3), torch.tensor([0, 1, 2, 0]), draw_mixup(4)
    mixed_loss(cross_entropy, logits, y, mix)
    assert logits._version == 0 and y.tolist() == [0, 1, 2, 0]
    with pytest.raises(ValueError, match=r"logits has shape \(3, 3\).*batch of 4"):
        mixed_loss(cross_entropy, logits[:3], y, mix)
    with pytest.raises(ValueError, match=r"y has shape \(2,\).*batch of 4"):
        mixed_loss(cross_entropy, logits, y[:2], mix)
