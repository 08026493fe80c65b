"""Full data: layouts on disk, unpacking, and what is said when data lack."""

import hashlib
import io
import pickle
import tarfile
from functools import partial

import numpy as np
import pytest
import torch
from torchvision.datasets import CIFAR10

from mixup_lib import datasets
from mixup_lib.datasets import DownloadError, download, files
from tests.test_datasets import PARTS, in_memory, rows


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_root_is_argument_then_environment_then_home(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("MIXUP_DATA", "")
    assert datasets.data_root() == tmp_path / ".cache" / "mixup-data"
    monkeypatch.setenv("MIXUP_DATA", "~/elsewhere")
    assert datasets.data_root() == tmp_path / "elsewhere"
    assert datasets.data_root(tmp_path) == tmp_path


@pytest.mark.parametrize(
    "load", [datasets.cifar10, datasets.fsdd, datasets.trec, partial(datasets.uci, "htru2")]
)
def test_missing_data_are_explained(load, tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match="(?s)download=True.*MIXUP_DATA.*Quick mode"):
        load(root=tmp_path, download=False)
    monkeypatch.setenv("MIXUP_MIRRORS", "http://127.0.0.1:1")
    with pytest.raises(DownloadError, match="(?s)could not be downloaded.*127.0.0.1:1.*Quick mode"):
        load(root=tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_wrong_sizes_are_named_before_anything_is_read(tmp_path):
    with pytest.raises(ValueError, match="train must be an integer from 1 to .5000, "):
        datasets.cifar10(train=10**6, root=tmp_path, download=False)
    with pytest.raises(ValueError, match="validation must be an integer from 0 to .9999, "):
        datasets.cifar10(validation=-1, root=tmp_path, download=False)


@pytest.fixture
def small_cifar10(tmp_path, monkeypatch):
    """A CIFAR-10 of 100 training and 20 test images, as a folder laid out by hand."""
    rng = np.random.default_rng(0)
    folder = tmp_path / files.CIFAR10_FOLDER
    folder.mkdir()
    sums = {}
    for name in files.CIFAR10_FILES:
        batch = {
            b"data": rng.integers(0, 256, (20, 3072), dtype=np.uint8),
            b"labels": [i % 10 for i in range(20)],
        }
        (folder / name).write_bytes(pickle.dumps(batch))
        sums[name] = hashlib.md5((folder / name).read_bytes()).hexdigest()
    monkeypatch.setattr(files, "CIFAR10_FILES", sums)
    return folder


def test_cifar10_folder_is_read_and_checked(small_cifar10):
    root = small_cifar10.parent
    splits = datasets.cifar10(train=30, validation=20, root=root, download=False)
    in_memory(splits, (3, 32, 32))
    assert [len(getattr(splits, part)) for part in PARTS] == [30, 20, 20]
    assert not rows(splits.train) & rows(splits.validation)
    other = datasets.cifar10(seed=1, train=30, validation=20, root=root)
    assert rows(other.train) != rows(splits.train) and rows(other.test) == rows(splits.test)
    (small_cifar10 / "data_batch_3").write_bytes(b"cut off")
    with pytest.raises(OSError, match="data_batch_3 is damaged: MD5 .*download=True"):
        datasets.cifar10(root=root)


def test_cifar10_archive_is_unpacked(small_cifar10, monkeypatch, tmp_path):
    root = tmp_path / "other"
    root.mkdir()
    archive = root / files.CIFAR10.name
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(small_cifar10, files.CIFAR10_FOLDER)
    monkeypatch.setattr(
        files,
        "CIFAR10",
        files.Archive("CIFAR-10", archive.name, hashlib.md5(archive.read_bytes()).hexdigest(), ()),
    )
    assert len(datasets.cifar10(train=30, validation=20, root=root).test) == 20
    assert names(root) == [files.CIFAR10_FOLDER, archive.name]


def test_real_cifar10():
    if not (datasets.data_root() / files.CIFAR10_FOLDER).exists():
        pytest.skip(f"CIFAR-10 is not in {datasets.data_root()}")
    splits = datasets.cifar10(train=500, validation=500, download=False)
    in_memory(splits, (3, 32, 32))
    assert splits.checksum == "42245f5e88fa484c0f9340c2dbb546e3d0e696dd25f1fba3ab13d4c78273af27"
    assert torch.bincount(splits.train.tensors[1]).tolist() == [50] * 10
    theirs = CIFAR10(datasets.data_root(), train=False, download=False)
    assert tuple(theirs.classes) == splits.classes
    x, y = splits.test.tensors
    assert torch.equal(y, torch.tensor(theirs.targets))
    assert torch.equal((x * 255).round().byte().permute(0, 2, 3, 1), torch.from_numpy(theirs.data))


# Unpacking


def make_tar(path, members):
    with tarfile.open(path, "w:gz") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))


def test_unpack_tar_is_safe_and_all_or_nothing(tmp_path):
    archive = tmp_path / "inside" / "toys.tar.gz"
    archive.parent.mkdir()
    make_tar(archive, {"toys/a": b"1", "../escaped": b"2"})
    with pytest.raises(tarfile.FilterError):
        download.unpack_tar(archive, archive.parent / "toys", "toys")
    assert names(archive.parent) == ["toys.tar.gz"] and names(tmp_path) == ["inside"]
    make_tar(archive, {"toys/a": b"1"})
    download.unpack_tar(archive, archive.parent / "toys", "toys")
    assert names(archive.parent) == ["toys", "toys.tar.gz"]
