"""Sounds in and out: files, sample rates, lengths, and what is said about bad ones."""

import math
import sys

import pytest
import soundfile
import torch
from hypothesis import given
from hypothesis import strategies as st

from mixup_lib import audio, draw_mixup

RATE = 8000


def noise(*shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def tone(hertz, rate, seconds=0.5):
    return torch.sin(2 * math.pi * hertz * torch.arange(int(rate * seconds)) / rate)


@pytest.mark.parametrize("shape", [(1000,), (1, 1000), (2, 1000)])
@pytest.mark.parametrize("subtype", ["PCM_16", "FLOAT"])
def test_what_is_written_is_read(tmp_path, shape, subtype):
    wave = noise(*shape)
    wave[..., :2] = torch.tensor([1.0, -1.0])
    file = audio.write_wav(tmp_path / "sound.wav", wave, RATE, subtype)
    read, rate = audio.read_wav(file, RATE, channels="keep")
    assert rate == RATE and read.dtype == torch.float32 and read.shape == wave.view(-1, 1000).shape
    # One step of 16 bits at full scale, half a step below it; floats are kept as they are.
    assert (read - wave).abs().max() <= (1 / 32768 if subtype == "PCM_16" else 0)
    assert (read - wave)[..., 2:].abs().max() <= (0.5 / 32768 if subtype == "PCM_16" else 0)
    assert soundfile.info(file).subtype == subtype
    assert file.read_bytes()[:4] == b"RIFF"


def test_16_bit_samples_come_back_exactly(tmp_path):
    wave = torch.randint(-32768, 32768, (5000,), generator=torch.Generator().manual_seed(0)) / 32768
    read, _ = audio.read_wav(audio.write_wav(tmp_path / "a.wav", wave, RATE))
    assert torch.equal(read, wave)


def test_other_rate_and_channels_are_refused(tmp_path):
    file = audio.write_wav(tmp_path / "stereo.wav", noise(2, 100), 16000)
    with pytest.raises(ValueError, match="16000 Hz, asked for were sample_rate=8000.*resample"):
        audio.read_wav(file, RATE)
    with pytest.raises(ValueError, match="2 channels.*'mean' averages"):
        audio.read_wav(file)
    both, _ = audio.read_wav(file, channels="keep")
    mean, _ = audio.read_wav(file, channels="mean")
    assert both.shape == (2, 100) and torch.allclose(mean, both.mean(0))
    with pytest.raises(ValueError, match="channels='left'; valid"):
        audio.read_wav(file, channels="left")


@pytest.mark.parametrize(
    "options",
    [
        {"subtype": "PCM_16"},
        {"subtype": "FLOAT"},
        {"subtype": "PCM_24"},
        {"format": "AIFF"},
        {"format": "W64"},
        {"format": "RF64"},
        {"format": "FLAC"},
        {"format": "OGG"},
        {"format": "MP3"},
    ],
    ids=lambda options: next(iter(options.values())),
)
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_file_that_ends_too_early_is_refused(options, share, tmp_path):
    options = {"format": "WAV"} | options
    if options["format"] not in soundfile.available_formats():
        pytest.skip(f"this libsndfile writes no {options['format']}")
    path = tmp_path / "cut.sound"
    soundfile.write(path, (noise(40_000) / 2).numpy(), RATE, **options)
    assert len(audio.read_wav(path)[0]) == 40_000
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(ValueError, match=r"cut\.sound' (ends too early|is no sound file)"):
        audio.read_wav(path)


def test_a_recorder_that_knows_no_length_is_believed(tmp_path):
    path = audio.write_wav(tmp_path / "pipe.wav", noise(1000), RATE)
    content, unknown = path.read_bytes(), b"\xff\xff\xff\xff"
    path.write_bytes(content[:4] + unknown + content[8:40] + unknown + content[44:])
    assert len(audio.read_wav(path)[0]) == 1000


def test_unreadable_files_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="missing.wav"):
        audio.read_wav(tmp_path / "missing.wav")
    text = tmp_path / "text.wav"
    text.write_text("no sound")
    with pytest.raises(ValueError, match="text.wav.*no sound file"):
        audio.read_wav(text)
    soundfile.write(tmp_path / "empty.wav", noise(0).numpy(), RATE)
    with pytest.raises(ValueError, match="empty.wav.*at least one sample"):
        audio.read_wav(tmp_path / "empty.wav")
    broken = noise(9)
    broken[3] = math.nan
    soundfile.write(tmp_path / "nan.wav", broken.numpy(), RATE, subtype="FLOAT")
    with pytest.raises(ValueError, match="nan.wav.*1 NaN"):
        audio.read_wav(tmp_path / "nan.wav")


@pytest.mark.parametrize(
    "wave, options, message",
    [
        (torch.tensor([0.0, 1.5]), {}, "peak of 1.5.*clipped.*to_peak"),
        (torch.tensor([0.0, math.nan]), {}, "NaN"),
        (torch.zeros(0), {}, "at least one sample"),
        (torch.zeros(2, 2, 9), {}, "one by one"),
        (torch.zeros(9), {"subtype": "MP3"}, "subtype='MP3'; valid"),
        (torch.zeros(9), {"sample_rate": 0}, "sample_rate"),
    ],
)
def test_what_can_not_be_written_leaves_no_file(tmp_path, wave, options, message):
    with pytest.raises(ValueError, match=message):
        audio.write_wav(tmp_path / "a.wav", wave, **{"sample_rate": RATE} | options)
    assert list(tmp_path.iterdir()) == []


def test_integers_are_no_wave(tmp_path):
    with pytest.raises(TypeError, match="int16.*/ 32768"):
        audio.write_wav(tmp_path / "a.wav", torch.zeros(9, dtype=torch.int16), RATE)


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    file = audio.write_wav(tmp_path / "a.wav", noise(100), RATE)
    before = file.read_bytes()

    def half(file, *_, **__):
        file.write_bytes(b"RIFF")
        raise OSError("disk full")

    monkeypatch.setattr(soundfile, "write", half)
    with pytest.raises(OSError, match="disk full"):
        audio.write_wav(file, noise(100, seed=1), RATE)
    assert file.read_bytes() == before and list(tmp_path.iterdir()) == [file]


def test_a_missing_package_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(ImportError, match=r'pip install "mixup-lib\[audio\]"'):
        audio.write_wav(tmp_path / "a.wav", noise(9), RATE)
    monkeypatch.setitem(sys.modules, "torchaudio.functional", None)
    with pytest.raises(ImportError, match=r"mixup-lib\[audio\]"):
        audio.resample(noise(9), 8000, 4000)


def test_resampling_keeps_the_tone_and_the_duration():
    wave = audio.resample(tone(440, 44100), 44100, RATE)
    assert wave.shape == (4000,)
    inside = slice(200, -200)
    assert (wave - tone(440, RATE))[inside].abs().max() < 0.01
    assert torch.equal(audio.resample(wave, RATE, RATE), wave)


def test_resampling_removes_what_the_new_rate_can_not_hold():
    high = tone(3500, RATE)
    low = audio.resample(high, RATE, 4000)
    assert low.square().mean() < 1e-3 * high.square().mean()
    assert high[::2].square().mean() > 0.4 * high.square().mean()  # every second sample: aliases


def test_mixing_other_rates_changes_the_pitch_of_one():
    """Why one rate is needed: the same tone at two rates is two tones to whoever adds samples."""
    slow, fast = tone(500, 8000), tone(500, 16000)[:4000]
    heard = torch.fft.rfft(0.5 * slow + 0.5 * fast).abs()
    assert sorted((heard.topk(2).indices * 2).tolist()) == [250, 500]


@given(n=st.integers(1, 60), samples=st.integers(1, 60), seed=st.integers(0, 99))
def test_length_policies(n, samples, seed):
    wave = noise(n, seed=seed)
    padded, looped = (audio.fit_length(wave, samples, policy) for policy in ("pad", "loop"))
    shared = min(n, samples)
    for fitted in (padded, looped):
        assert fitted.shape == (samples,) and torch.equal(fitted[:shared], wave[:shared])
    assert not padded[shared:].any()
    assert torch.equal(looped, wave.repeat(samples // n + 1)[:samples])
    if n >= samples:
        assert torch.equal(audio.fit_length(wave, samples, "crop"), wave[:samples])
    else:
        with pytest.raises(ValueError, match=f"{n} samples, fewer than samples={samples}"):
            audio.fit_length(wave, samples, "crop")


def test_lengths_of_a_batch():
    waves = [noise(n, seed=n) for n in (3, 5, 4)]
    x, lengths = audio.batch_waves(waves)
    assert x.shape == (3, 5) and lengths.tolist() == [3, 5, 4]
    x, lengths = audio.batch_waves(waves, policy="crop")
    assert x.shape == (3, 3) and lengths.tolist() == [3, 3, 3]
    x, lengths = audio.batch_waves(waves, samples=4, policy="loop")
    assert x.shape == (3, 4) and lengths.tolist() == [4, 4, 4] and x[0, 3] == waves[0][0]


@pytest.mark.parametrize(
    "waves, message",
    [
        ([], "waves is empty"),
        ([noise(4), noise(2, 4)], r"waves\[1\] has shape \(2, 4\).*stereo"),
        ([noise(4), noise(0)], r"waves\[1\].*at least one sample"),
        ([torch.tensor([math.inf])], r"waves\[0\] holds 1 NaN or infinite"),
    ],
)
def test_bad_batches_are_named(waves, message):
    with pytest.raises(ValueError, match=message):
        audio.batch_waves(waves)


@given(seed=st.integers(0, 99), policy=st.sampled_from(["pad", "loop", "crop"]))
def test_mixing_commutes_with_batching(seed, policy):
    waves = [noise(n, seed=seed + n) for n in (30, 50, 40, 20)]
    mix = draw_mixup(4, per_sample=True, generator=torch.Generator().manual_seed(seed))
    x, lengths = audio.batch_waves(waves, policy=policy)
    mixed = mix.inputs(x)
    for b, partner in enumerate(mix.index[1].tolist()):
        pair, _ = audio.batch_waves([waves[b], waves[partner]], x.shape[1], policy)
        alone = mix.lam[b] * pair[0] + (1 - mix.lam[b]) * pair[1]
        assert torch.allclose(mixed[b], alone, atol=1e-6)
        end = max(lengths[b], lengths[partner])
        assert not mixed[b, end:].any()  # padding mixed with padding is silence
    # Which samples are sound: the OR of the two, as for every mask.
    valid = torch.arange(x.shape[1]) < lengths[:, None]
    longest = torch.maximum(lengths, lengths[mix.index[1]])
    assert torch.equal(mix.any_valid(valid).sum(1), longest)


def test_peak():
    wave = noise(2, 50) * 3
    assert audio.to_peak(wave).abs().max().item() == pytest.approx(0.9)
    assert torch.allclose(audio.to_peak(wave) / wave, torch.full_like(wave, 0.9 / wave.abs().max()))
    with pytest.raises(ValueError, match="silent"):
        audio.to_peak(torch.zeros(9))
    with pytest.raises(ValueError, match="peak=1.1"):
        audio.to_peak(wave, 1.1)
    with pytest.raises(ValueError, match="policy='wrap'"):
        audio.fit_length(wave, 3, "wrap")


@given(lam=st.floats(0, 1), seed=st.integers(0, 99))
def test_a_mean_of_waves_is_never_clipped(lam, seed):
    a, b = noise(2, 100, seed=seed)
    audio.waves.to_int16(lam * a + (1 - lam) * b)
    with pytest.raises(ValueError, match="clipped"):
        audio.waves.to_int16(a / a.abs().max() + 0.5 * a.sign())
