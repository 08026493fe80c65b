"""The same numbers as other libraries' transforms, for the same λ, partners and box."""

import os
from types import MethodType

os.environ["KERAS_BACKEND"] = "torch"  # read when keras is first imported

import keras  # noqa: E402
import numpy as np  # noqa: E402
import pytest  # noqa: E402
import timm.data.mixup as timm_mixup  # noqa: E402
import torch  # noqa: E402
from scipy.stats import beta, kstest  # noqa: E402
from timm.data import Mixup as TimmMixup  # noqa: E402
from torch.utils.data import DataLoader, TensorDataset, default_collate  # noqa: E402
from torchvision.transforms import v2  # noqa: E402

from mixup_lib import Mix  # noqa: E402
from mixup_lib.mixing.box import Box  # noqa: E402

B, C, H, W = 6, 5, 7, 12
LAM = [0.0, 0.1, 0.5, 0.7234, 1.0]


def batch(dtype=torch.float32):
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(B, 3, H, W, generator=generator).to(dtype)
    return x, torch.randint(0, C, (B,), generator=generator)


def mix_of(partners, lam, box=None):
    lam = torch.as_tensor(lam, dtype=torch.float32).expand(B)
    return Mix(torch.stack([torch.arange(B), partners]), torch.stack([lam, 1 - lam]), box)


def box_of(top, left, bottom, right):
    start, stop = torch.tensor([[top], [left]]), torch.tensor([[bottom], [right]])
    return Box((-2, -1), (H, W), start.expand(2, B), stop.expand(2, B))


def agree(ours, theirs, dtype=torch.float32):
    tolerance = 4 * torch.finfo(dtype).eps
    torch.testing.assert_close(ours, theirs, atol=tolerance, rtol=tolerance)


@pytest.mark.parametrize("lam", LAM)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_torchvision_mixup(lam, dtype):
    x, y = batch(dtype)
    peer = v2.MixUp(num_classes=C)
    peer.make_params = lambda inputs: {"lam": lam}
    theirs, their_labels = peer(x, y)
    mix = mix_of(torch.arange(B).roll(1), lam)
    agree(mix.inputs(x).float(), theirs.float(), torch.float32 if dtype == torch.float64 else dtype)
    agree(mix.targets(y, C), their_labels)


@pytest.mark.parametrize("box", [(0, 0, 7, 12), (2, 3, 4, 11), (6, 0, 7, 1), (3, 3, 3, 9)])
def test_torchvision_cutmix(box):
    top, left, bottom, right = box
    x, y = batch()
    peer = v2.CutMix(num_classes=C)
    lam = 1 - (bottom - top) * (right - left) / (H * W)
    peer.make_params = lambda inputs: {"box": (left, top, right, bottom), "lam_adjusted": lam}
    theirs, their_labels = peer(x, y)
    ours = box_of(*box)
    mix = mix_of(torch.arange(B).roll(1), 1 - ours.share, ours)
    assert torch.equal(mix.inputs(x), theirs)
    agree(mix.targets(y, C), their_labels)


def test_torchvision_draws_the_same_boxes_for_the_same_lambda_and_centre(monkeypatch):
    # Only λ and the centre are random; both libraries must make the same box of them.
    from mixup_lib import draw_cutmix
    from mixup_lib.mixing import draw

    x, centres = batch()[0], {H: 5, W: 1}
    monkeypatch.setattr(
        torch,
        "randint",
        lambda n, size, generator=None, device=None: torch.full(tuple(size), centres[n]),
    )
    peer = v2.CutMix(num_classes=C)
    for lam in np.linspace(0.003, 0.997, 50):
        weights = torch.tensor([[lam], [1 - lam]], dtype=torch.float32).repeat(1, B)
        monkeypatch.setattr(draw, "_dirichlet", lambda *a, weights=weights: weights)
        peer._dist = type("Fixed", (), {"sample": staticmethod(lambda s, w=weights: w[0, 0])})
        params = peer.make_params([x])
        mix = draw_cutmix(B, (H, W))
        (top, left), (bottom, right) = mix.box.start[:, 0].tolist(), mix.box.stop[:, 0].tolist()
        assert params["box"] == (left, top, right, bottom)
        assert mix.lam[0].item() == pytest.approx(params["lam_adjusted"], abs=1e-6)


@pytest.mark.parametrize("lam", LAM)
def test_timm_batch(lam):
    x, y = batch()
    peer = TimmMixup(num_classes=C, label_smoothing=0.0)
    peer._params_per_batch = lambda: (lam, False)
    theirs, their_labels = peer(x.clone(), y)  # timm mixes in place
    mix = mix_of(torch.arange(B).flip(0), lam)
    agree(mix.inputs(x), theirs)
    agree(mix.targets(y, C), their_labels)


@pytest.mark.parametrize("mode", ["elem", "pair"])
def test_timm_with_lambda_per_sample(mode):
    x, y = batch()
    lam = np.array([0.1, 1.0, 0.5, 0.5, 0.0, 0.9] if mode == "elem" else [0.1, 0.6, 1.0])
    peer = TimmMixup(num_classes=C, label_smoothing=0.0, mode=mode)
    peer._params_per_elem = lambda n: (lam.astype(np.float32), np.zeros(n, dtype=bool))
    theirs, their_labels = peer(x.clone(), y)
    whole = lam if mode == "elem" else np.concatenate([lam, lam[::-1]])
    mix = mix_of(torch.arange(B).flip(0), torch.tensor(whole))
    agree(mix.inputs(x), theirs)
    agree(mix.targets(y, C), their_labels)


def test_timm_cutmix(monkeypatch):
    x, y = batch()
    top, left, bottom, right = box = (1, 2, 6, 9)
    peer = TimmMixup(mixup_alpha=0, cutmix_alpha=1.0, num_classes=C, label_smoothing=0.0)
    peer._params_per_batch = MethodType(lambda self: (0.4, True), peer)
    share = (bottom - top) * (right - left) / (H * W)
    monkeypatch.setattr(
        timm_mixup,
        "cutmix_bbox_and_lam",
        lambda *a, **kw: ((top, bottom, left, right), 1 - share),
    )
    theirs, their_labels = peer(x.clone(), y)
    ours = box_of(*box)
    mix = mix_of(torch.arange(B).flip(0), 1 - ours.share, ours)
    assert torch.equal(mix.inputs(x), theirs)
    agree(mix.targets(y, C), their_labels)


def test_what_the_peers_get_wrong():
    x, y = batch()
    peer = TimmMixup(num_classes=C, label_smoothing=0.0)
    peer._params_per_batch = lambda: (0.3, False)
    changed = x.clone()
    peer(changed, y)
    assert not torch.equal(changed, x)  # the caller's batch is gone
    with pytest.raises(AssertionError, match="even"):
        peer(x[:5].clone(), y[:5])
    sorted_y = torch.arange(8) // 4
    assert (sorted_y.roll(1) != sorted_y).float().mean() == 0.25  # torchvision's partners


def keras_batch(dtype=torch.float32):
    x, y = batch(dtype)
    return x.permute(0, 2, 3, 1).contiguous(), y, torch.eye(C)[y]


@pytest.mark.parametrize("alpha", [0.2, 1.0, 8.0])
def test_keras_mixup(alpha):
    x, y, labels = keras_batch()
    peer = keras.layers.MixUp(alpha, seed=0)
    drawn = peer.get_random_transformation({"images": x})
    mix = mix_of(drawn["permutation_order"], drawn["mix_weight"])
    agree(mix.inputs(x), peer.transform_images(x, drawn))
    agree(mix.targets(y, C), peer.transform_labels(labels, drawn))


@pytest.mark.parametrize("alpha", [0.4, 1.0, 8.0])
def test_keras_draws_beta_and_so_do_we(alpha):
    from mixup_lib import draw_mixup

    images = {"images": torch.zeros(10_000, 1, 1, 1)}
    theirs = keras.layers.MixUp(alpha, seed=1).get_random_transformation(images)["mix_weight"]
    generator = torch.Generator().manual_seed(1)
    ours = draw_mixup(10_000, alpha, per_sample=True, generator=generator).lam
    for lam in (theirs, ours):
        assert kstest(lam.numpy(), beta(alpha, alpha).cdf).statistic < 0.02


def test_keras_cutmix_pastes_as_we_do_and_weighs_otherwise():
    x, y, labels = keras_batch()
    peer = keras.layers.CutMix(factor=(1.0, 1.0), seed=0)
    gaps = []
    for _ in range(20):
        drawn = peer.get_random_transformation({"images": x})
        pasted = drawn["batch_masks"][..., 0]
        corners = []
        for length, inside in ((H, pasted.any(2).int()), (W, pasted.any(1).int())):
            stop = (length - inside.flip(1).argmax(1)) * inside.amax(1)
            corners.append((inside.argmax(1), stop))
        start, stop = (torch.stack(ends) for ends in zip(*corners))
        box = Box((1, 2), (H, W), start, stop)
        mix = mix_of(drawn["permutation_order"].long(), 1 - box.share, box)
        assert torch.equal(mix.inputs(x), peer.transform_images(x, drawn))
        gaps.append((mix.lam - drawn["mix_weight"].flatten()).abs().max())
        drawn["mix_weight"] = mix.lam
        agree(mix.targets(y, C), peer.transform_labels(labels, drawn))
    assert max(gaps) > 0.05


def test_keras_takes_class_ids_without_a_word():
    x, y, _ = keras_batch()
    mixed = keras.layers.MixUp(seed=0)({"images": x, "labels": y})["labels"]
    assert mixed.shape == (B, B) != (B, C)


class Collate:
    """Mixes within the loader's workers, each of which has a copy of the layer."""

    def __init__(self):
        self.layer = keras.layers.MixUp(alpha=1.0, seed=0)

    def __call__(self, examples):
        x, y = default_collate(examples)
        return self.layer({"images": x, "labels": torch.eye(8)[y]})["labels"]


def test_keras_repeats_itself_in_workers():
    data = TensorDataset(torch.rand(8, 4, 4, 1), torch.arange(8))
    loader = DataLoader(data, batch_size=4, num_workers=2, collate_fn=Collate())
    lam = [soft.amax(1)[0].item() for _ in range(2) for soft in loader]
    assert len(lam) == 4 and len(set(lam)) == 1


def test_lightning_has_no_mixup_of_its_own():
    from pathlib import Path

    lightning = pytest.importorskip("lightning")
    sources = list(Path(lightning.__file__).parent.rglob("*.py"))
    assert len(sources) > 100
    assert not [f for f in sources if "mixup" in f.read_text("utf-8").lower()]
