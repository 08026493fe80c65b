"""Spoken digits from disk, speaker by speaker."""

import hashlib
import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import torch
from torch.utils.data import TensorDataset

from mixup_lib.audio.waves import POLICIES, batch_waves, read_wav
from mixup_lib.datasets.download import Archive, provide, unpack_tar, verify_tar
from mixup_lib.datasets.files import data_root, remedy
from mixup_lib.datasets.splits import Splits

FSDD_RATE = 8000
FSDD_SPEAKERS = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")
FSDD_TAKES = 50  # of each digit by each speaker
FSDD_MEMBER = "free-spoken-digit-dataset-1.0.10/recordings"
FSDD_SHA256 = "45a9b976ba3397a2fd5c70a9f2e43c34f442a3a6be47392ecfc41174b678f37e"


def fsdd(
    fold: int = 0,
    samples: int = 8000,
    policy: str = "pad",
    root: str | os.PathLike | None = None,
    download: bool = True,
    mirrors: str | Sequence[str] | None = None,
) -> Splits:
    """Free Spoken Digit Dataset: English digits by six speakers, 8 kHz, 3,000 recordings.

    No speaker is in two parts. Speaker ``fold`` is the test part, the next one (after the last
    comes the first) the validation part, the other four are the training part. Nothing is drawn:
    the fold decides everything.

    Args:
        fold: 0 to 5, the speaker who is held out.
        samples: Common length of the waves, 8,000 to the second, 1 or more.
        policy: How shorter ones get that length: see `mixup_lib.audio.fit_length`. Longer ones
            lose their end; at 8,000 samples those are fewer than one in a hundred.
        root: Folder that holds ``fsdd/recordings``; see `data_root`.
        download: Fetch the archive (16 MB) if that folder is not there.
        mirrors: Addresses that replace the built-in one, as does ``$MIXUP_MIRRORS``.

    Returns:
        Waves float32 ``(n, samples)`` with full scale 1, as loud as they were recorded; labels
        int64 ``(n,)``.

    Raises:
        ValueError: If `fold`, `samples` or `policy` is out of range.
        FileNotFoundError: If the data are not there and may not be fetched.
        OSError: If they are not the recordings known.
        DownloadError: If no mirror delivered the archive.
        ImportError: If soundfile is missing.

    Source:
        Jackson et al., *Free Spoken Digit Dataset*, version 1.0.10, CC BY-SA 4.0.
    """
    if fold not in range(len(FSDD_SPEAKERS)):
        raise ValueError(f"fold={fold!r}; valid are 0 to {len(FSDD_SPEAKERS) - 1}")
    if policy not in POLICIES:
        raise ValueError(f"policy={policy!r}; valid are {POLICIES}")
    folder = data_root(root) / "fsdd" / "recordings"
    if download:
        provide(folder, FSDD, partial(unpack_tar, member=FSDD_MEMBER), mirrors)
    checksum = _checked(folder)
    held_out = {"test": [fold], "validation": [(fold + 1) % len(FSDD_SPEAKERS)]}
    speakers = {"train": [k for k in range(len(FSDD_SPEAKERS)) if [k] not in held_out.values()]}
    parts = {
        part: _read(folder, chosen, samples, policy)
        for part, chosen in (speakers | held_out).items()
    }
    return Splits("fsdd", **parts, classes=tuple("0123456789"), checksum=checksum)


def _read(folder: Path, speakers: list[int], samples: int, policy: str) -> TensorDataset:
    """All recordings of some speakers, by speaker, then digit, then take."""
    names = [
        (digit, f"{digit}_{FSDD_SPEAKERS[speaker]}_{take}.wav")
        for speaker in speakers
        for digit in range(10)
        for take in range(FSDD_TAKES)
    ]
    waves = [read_wav(folder / name, FSDD_RATE)[0] for _, name in names]
    x, _ = batch_waves(waves, samples, policy)
    return TensorDataset(x, torch.tensor([digit for digit, _ in names]))


def _checked(folder: Path) -> str:
    """SHA-256 over names and contents of the recordings, in the order of their names."""
    quick = "mixup_lib.datasets.syllables()"
    if not folder.exists():
        raise FileNotFoundError(f"{folder} is not there. {remedy(quick)}")
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.wav")):
        digest.update(path.name.encode() + path.read_bytes())
    if digest.hexdigest() != FSDD_SHA256:
        raise OSError(
            f"{folder} does not hold the 3,000 recordings of version 1.0.10, or some are damaged. "
            + remedy(quick)
        )
    return digest.hexdigest()


# GitHub packs the tagged files on demand and publishes no checksum of the archive: the recordings
# themselves are checked.
FSDD = Archive(
    "FSDD",
    "v1.0.10.tar.gz",
    None,
    ("https://github.com/Jakobovski/free-spoken-digit-dataset/archive/refs/tags/v1.0.10.tar.gz",),
    partial(verify_tar, member=FSDD_MEMBER, check=_checked),
)
