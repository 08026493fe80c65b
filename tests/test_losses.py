"""The loss of a mixed batch: where the two usual forms agree, and where they do not."""

from functools import partial

import pytest
import torch
from torch.nn import functional as F
from torch.utils.data import TensorDataset

from mixup_lib import Mix, draw_cutmix, draw_dirichlet, draw_mixup, fit, mixed_loss, no_mix
from mixup_lib.mixing import draw_frames

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


# Ignored labels ---------------------------------------------------------------------------------


@pytest.mark.parametrize("label", [-100, 255, 2])
def test_ignored_labels_do_not_count_in_the_mean(label):
    logits = torch.randn(8, 3, requires_grad=True)
    y = torch.tensor([0, 1, 2, label, 0, label, 1, label])
    loss_fn = partial(cross_entropy, ignore_index=label)
    plain = F.cross_entropy(logits, y, ignore_index=label)
    ours = mixed_loss(loss_fn, logits, y, no_mix(8))
    torch.testing.assert_close(ours, plain)
    torch.testing.assert_close(gradient(ours, logits), gradient(plain, logits))
    module = torch.nn.CrossEntropyLoss(reduction="none", ignore_index=label)
    for loss in (module, partial(module)):
        assert torch.equal(mixed_loss(loss, logits, y, no_mix(8)), ours)


@pytest.mark.parametrize("draw", DRAWS)
def test_ignored_labels_lose_their_share_of_the_mean(draw):
    logits, y = torch.randn(6, 5), torch.tensor([0, -100, 2, 4, -100, 1])
    mix = draw(6)
    total = weight = 0.0
    for index, weights in zip(mix.index, mix.weights):
        for b in range(6):
            if y[index[b]] != -100:
                total += weights[b] * F.cross_entropy(logits[b], y[index[b]])
                weight += weights[b]
    torch.testing.assert_close(mixed_loss(cross_entropy, logits, y, mix), total / weight)


def test_unsigned_labels_have_no_negative_one():
    y = torch.tensor([156, 3], dtype=torch.uint8)  # 156 is -100 in eight bits
    loss = mixed_loss(lambda logits, y: y.float(), torch.zeros(2, 3), y, no_mix(2))
    assert loss == (156 + 3) / 2


# Targets of positions -------------------------------------------------------------------------


@pytest.mark.parametrize("ignored", [False, True])
def test_a_segmentation_is_judged_by_the_pasted_mask(ignored):
    logits, y = torch.randn(3, 4, 6, 7), torch.randint(0, 4, (3, 6, 7))
    if ignored:
        y[:, 0] = -100
    mix = draw_cutmix(3, (3, 1, 6, 7), per_sample=True)
    wanted = F.cross_entropy(logits, mix.paste(y))
    torch.testing.assert_close(mixed_loss(cross_entropy, logits, y, mix), wanted)
    mix = draw_mixup(3, per_sample=True)
    if not ignored:
        wanted = F.cross_entropy(logits, mix.targets(y, 4).movedim(-1, 1))
        torch.testing.assert_close(mixed_loss(cross_entropy, logits, y, mix), wanted)
    torch.testing.assert_close(
        mixed_loss(cross_entropy, logits, y, no_mix(3)), F.cross_entropy(logits, y)
    )


def test_labels_of_frames_are_pasted_with_the_frames():
    logits, y = torch.randn(3, 4, 8), torch.randint(0, 4, (3, 8))
    for mix in (draw_frames(3, 8, per_sample=True), draw_cutmix(3, (8,), dims=(-1,))):
        wanted = F.cross_entropy(logits, mix.paste(y, (1,)))
        torch.testing.assert_close(mixed_loss(cross_entropy, logits, y, mix), wanted)
        named = mixed_loss(cross_entropy, logits, y, mix, dims=(1,))
        torch.testing.assert_close(named, wanted)


def test_fit_trains_a_segmentation():
    x = torch.rand(12, 1, 6, 6)
    data = TensorDataset(x, (x[:, 0] > 0.5).long())
    model = torch.nn.Conv2d(1, 2, 1)
    mixing = partial(draw_cutmix, size=(6, 6))
    history = fit(model, data, epochs=3, batch_size=5, mixing=mixing)
    assert history["train_loss"][-1] < history["train_loss"][0]
