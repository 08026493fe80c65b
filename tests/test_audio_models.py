"""Spectrograms, SpecAugment, the network on them, the sounds of quick mode, FSDD's folds."""

import hashlib
import math
import tarfile
from functools import partial

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from torch.utils.data import TensorDataset

from mixup_lib import audio, datasets, draw_mixup, evaluate, fit, no_mix
from mixup_lib.basics.seeds import initialised
from mixup_lib.datasets import audio as spoken
from mixup_lib.experiments import EXPERIMENTS, fsdd
from mixup_lib.models import SmallCNN, SpectrogramNet
from mixup_lib.training.fitting import cosine

RATE = 8000


def waves(count=3, samples=2000, seed=0):
    return 0.1 * torch.randn(count, samples, generator=torch.Generator().manual_seed(seed))


def tone(hertz):
    return 0.5 * torch.sin(2 * math.pi * hertz * torch.arange(RATE) / RATE)


def test_log_mel_is_a_picture_of_frequency_and_time():
    x = audio.LogMel()(torch.stack([tone(300), tone(1000), tone(3000)]))
    assert x.shape == (3, 1, 40, 63) and x.dtype == torch.float32
    assert x.min() == 0 and x.amax((1, 2, 3)).tolist() == [1, 1, 1]
    strongest = x[:, 0, :, 30].argmax(1).tolist()
    assert strongest == sorted(strongest) and len(set(strongest)) == 3  # low frequencies first
    assert x[:, :, :, 5:-5].std(3).max() < 0.01  # a steady tone does not change


@given(gain=st.floats(1e-3, 1e3), silence=st.integers(0, 1000), seed=st.integers(0, 99))
def test_loudness_padding_and_company_do_not_matter(gain, silence, seed):
    log_mel, x = audio.LogMel(), waves(seed=seed)
    alone = log_mel(x[:1])
    assert torch.allclose(log_mel(gain * x)[:1], alone, atol=1e-4)
    padded = log_mel(torch.nn.functional.pad(x[:1], (0, silence)))
    frames = 2000 // 128  # the last frame reaches beyond the end
    assert torch.allclose(padded[..., :frames], alone[..., :frames], atol=1e-5)


def test_silence_has_an_empty_picture():
    x = torch.stack([torch.zeros(2000), waves(1)[0]])
    picture = audio.LogMel()(x)
    assert not picture[0].any() and picture[1].any()


def test_the_log_of_a_sum_is_not_the_mean_of_logs():
    log_mel, x = audio.LogMel(), torch.stack([tone(500), tone(2500)])
    mix = draw_mixup(2, partners=torch.tensor([1, 0]), generator=torch.Generator().manual_seed(1))
    of_waves, of_pictures = log_mel(mix.inputs(x)), mix.inputs(log_mel(x))
    assert (of_waves - of_pictures).abs().max() > 0.2
    assert torch.equal(log_mel(no_mix(2).inputs(x)), no_mix(2).inputs(log_mel(x)))


@given(
    seed=st.integers(0, 999),
    mels=st.integers(0, 8),
    frames=st.integers(0, 9),
    masks=st.integers(0, 2),
)
def test_specaugment_blanks_one_band_and_one_stretch(seed, mels, frames, masks):
    x = torch.ones(5, 2, 8, 9)
    generator = torch.Generator().manual_seed(seed)
    blanked = audio.spec_augment(x, generator, mels, frames, masks) == 0
    assert torch.equal(x, torch.ones_like(x))
    assert torch.equal(blanked[:, 0], blanked[:, 1])
    for picture in blanked[:, 0]:
        rows, columns = picture.all(1), picture.all(0)
        assert torch.equal(picture, rows[:, None] | columns)
        if mels < 8 and frames < 9 and masks == 1:
            for line, widest in ((rows, mels), (columns, frames)):
                at = line.nonzero().flatten()
                assert len(at) <= widest
                assert not len(at) or len(at) == at[-1] - at[0] + 1


def test_specaugment_draws_widths_and_places_evenly():
    x = torch.ones(20_000, 1, 8, 9)
    blanked = audio.spec_augment(x, torch.Generator().manual_seed(0), 3, 0) == 0
    widths = blanked[:, 0, :, 0].sum(1).bincount(minlength=4) / len(x)
    assert widths.tolist() == pytest.approx([0.25] * 4, abs=0.02)
    first = blanked[:, 0, :, 0].float().argmax(1)[blanked[:, 0, :, 0].sum(1) == 3]
    assert (first.bincount() / len(first)).tolist() == pytest.approx([1 / 6] * 6, abs=0.02)
    assert not torch.equal(
        audio.spec_augment(x, torch.Generator().manual_seed(1), 3, 3),
        audio.spec_augment(x, torch.Generator().manual_seed(2), 3, 3),
    )


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: audio.LogMel()(waves()[:, None]), "waves has shape"),
        (lambda: audio.LogMel(lowest=4000), "lowest=4000"),
        (lambda: audio.LogMel(range_db=0), "range_db=0"),
        (lambda: audio.LogMel(mels=0), "mels"),
        (lambda: audio.spec_augment(torch.ones(2, 8, 9)), "x has shape"),
        (lambda: audio.spec_augment(torch.ones(2, 1, 8, 9), mels=9), "mels=9; valid is 0 to 8"),
        (lambda: audio.spec_augment(torch.ones(2, 1, 8, 9), mels=1, frames=10), "frames=10"),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def quick_model(classes=8):
    return SpectrogramNet(SmallCNN(1, classes, 8), audio.LogMel(mels=24, window=160, hop=160))


def test_a_mix_can_be_applied_at_either_place():
    model, x = initialised(quick_model, 0).eval(), waves(4)
    mix = draw_mixup(4, partners=torch.tensor([1, 2, 3, 0]))
    between = fsdd.on_log_mel(model, x, mix)
    assert torch.equal(between, model.network(mix.inputs(model.log_mel(x))))
    assert not torch.allclose(between, model(mix.inputs(x)), atol=1e-5)
    by_loudness = fsdd.on_loudness(model, x, mix, RATE)
    assert torch.equal(by_loudness, model(audio.mix_by_loudness(mix, x, RATE)))


def test_syllables_repeat_and_differ_by_seed():
    small = partial(datasets.syllables, train=40, validation=16, test=24)
    first, again, other = small(), small(), small(seed=1)
    assert first.checksum == again.checksum != other.checksum
    x, y = first.train.tensors
    assert x.shape == (40, 4000) and x.dtype == torch.float32 and y.bincount().tolist() == [5] * 8
    assert torch.equal(x * 32768, (x * 32768).round())
    peaks = torch.cat([x, first.test.tensors[0]]).abs().amax(1)
    assert 0.02 < peaks.min() < 0.1 and 0.4 < peaks.max() <= 0.9
    longer = small(train=80)
    assert torch.equal(longer.test.tensors[0], first.test.tensors[0])
    with pytest.raises(ValueError, match="train must be an integer"):
        datasets.syllables(train=0)


def test_syllables_are_neither_trivial_nor_hopeless():
    """The bounds that the docstring names: average spectrum, whole spectrogram, a small CNN."""
    data = datasets.syllables()
    log_mel = audio.LogMel(mels=24, window=160, hop=160)
    (train, y), (test, labels) = (
        (log_mel(x), y) for x, y in (data.train.tensors, data.test.tensors)
    )
    shares = []
    for flat in (lambda x: x.mean(3).flatten(1), lambda x: x.flatten(1)):
        linear = LogisticRegression(max_iter=2000).fit(flat(train), y)
        shares.append(linear.score(flat(test), labels))
    model = initialised(quick_model, 0)
    adam = partial(torch.optim.AdamW, lr=0.01)
    fit(model, data.train, epochs=15, batch_size=32, optimizer=adam, schedule=cosine)
    shares.append(evaluate(model, data.test)["accuracy"])
    assert 0.17 < shares[0] < 0.35 and 0.5 < shares[1] < 0.72 and 0.68 < shares[2] < 0.92


@pytest.fixture
def recordings(tmp_path, monkeypatch):
    """Six speakers who say each digit twice: speaker k at the level (k + 1) / 8."""
    monkeypatch.setattr(spoken, "FSDD_TAKES", 2)
    folder = tmp_path / "fsdd" / "recordings"
    folder.mkdir(parents=True)
    for k, speaker in enumerate(spoken.FSDD_SPEAKERS):
        for digit in range(10):
            for take in range(2):
                wave = torch.full((100 + 10 * digit,), (k + 1) / 8)
                audio.write_wav(folder / f"{digit}_{speaker}_{take}.wav", wave, RATE)
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        digest.update(path.name.encode() + path.read_bytes())
    monkeypatch.setattr(spoken, "FSDD_SHA256", digest.hexdigest())
    return folder


@pytest.mark.parametrize("fold", range(6))
def test_no_speaker_is_in_two_parts(recordings, fold):
    data = datasets.fsdd(fold, samples=150, root=recordings.parent.parent, download=False)
    levels = {
        part: set((getattr(data, part).tensors[0][:, 0] * 8).round().int().tolist())
        for part in ("train", "validation", "test")
    }
    assert levels["test"] == {fold + 1} and levels["validation"] == {(fold + 1) % 6 + 1}
    assert levels["train"] == set(range(1, 7)) - levels["test"] - levels["validation"]
    x, y = data.test.tensors
    assert x.shape == (20, 150) and y.tolist() == [digit for digit in range(10) for _ in range(2)]
    assert not x[0, 100:].any() and x[-1, 149] != 0
    looped = datasets.fsdd(fold, 150, "loop", recordings.parent.parent)
    assert looped.test.tensors[0].all() and looped.checksum == data.checksum


def test_fsdd_is_unpacked_checked_and_explained(recordings, tmp_path, monkeypatch):
    root = tmp_path / "other"
    with pytest.raises(FileNotFoundError, match="(?s)MIXUP_DATA.*Quick mode.*syllables"):
        datasets.fsdd(root=root, download=False)
    (root / "fsdd").mkdir(parents=True)
    with tarfile.open(root / "fsdd" / spoken.FSDD.name, "w:gz") as tar:
        tar.add(recordings, spoken.FSDD_MEMBER)
    assert len(datasets.fsdd(samples=150, root=root).train) == 80
    next((root / "fsdd" / "recordings").iterdir()).write_bytes(b"cut off")
    with pytest.raises(OSError, match="damaged.*download=True"):
        datasets.fsdd(root=root)
    for options, message in (({"fold": 6}, "fold=6; valid"), ({"policy": "wrap"}, "policy")):
        with pytest.raises(ValueError, match=message):
            datasets.fsdd(root=root, **options)


@pytest.mark.parametrize("method", fsdd.METHODS)
def test_every_method_of_the_experiment_runs(recordings, monkeypatch, method):
    monkeypatch.setenv("MIXUP_DATA", str(recordings.parent.parent))
    generator = torch.Generator().manual_seed(0)

    load = datasets.fsdd

    def noisy(**options):  # one level is no sound: the loudness of each needs a wave
        data = load(**options)
        for part in (data.train, data.validation, data.test):
            x, y = part.tensors
            part.tensors = (x + 0.01 * torch.randn(x.shape, generator=generator), y)
        return data

    monkeypatch.setattr(datasets, "fsdd", noisy)
    record = fsdd.measure(fsdd.CONFIG | {"epochs": 1}, method, 5, None)
    assert set(record["metrics"]) == {"test", "validation", "train"}
    assert record["metrics"]["test"]["n"] == 20 and record["parameters"] > 10_000
    assert method in EXPERIMENTS["fsdd"].methods


def test_fsdd_itself_where_it_is_there():
    if not (datasets.data_root() / "fsdd" / "recordings").exists():
        pytest.skip("FSDD is not there")
    data = datasets.fsdd(fold=5, download=False)
    assert [len(part) for part in (data.train, data.validation, data.test)] == [2000, 500, 500]
    assert isinstance(data.test, TensorDataset)
    assert data.test.tensors[1].bincount().tolist() == [50] * 10
