"""Plausible wrong answers of A4, with the marks that they must get, of 20; and right ones in other
styles, which must get full marks.

An answer holds the function of its own modality only: the others are not graded.
"""

TEXT, AUDIO, VIDEO = (f'MODALITY = "{name}"' for name in ("text", "audio", "video"))

COLLATE_TEXT = """
def collate_text(sentences):
    for i, sentence in enumerate(sentences):
        if not sentence:
            raise ValueError(f"sentence {i} is empty")
    longest = max(map(len, sentences))
    rows = [s + [PAD] * (longest - len(s)) for s in sentences]
    ids = torch.tensor(rows)
    return ids, ids != PAD
"""

MIX_TEXT = """
def mix_text(x, mask, y, partner, lam):
    own, weight = lam.view(-1, 1, 1), lam.view(-1, 1)
    x = x.masked_fill(~mask[..., None], 0)
    mixed = own * x + (1 - own) * x[partner]
    targets = weight * y + (1 - weight) * y[partner]
    return mixed.to(x.dtype), mask | mask[partner], targets
"""

CUT_TEXT = """
def cut_text(x, mask, y, partner, start, stop):
    result = x.clone()
    result[:, start:stop] = x[partner][:, start:stop]
    weight = max(0, stop - start) / x.shape[1]
    return result, (1 - weight) * y + weight * y[partner]
"""

COLLATE_AUDIO = """
def collate_audio(waves, rates):
    for i, wave in enumerate(waves):
        if len(wave) == 0:
            raise ValueError(f"wave {i} is empty")
    lengths = torch.tensor([len(wave) for wave in waves])
    x = torch.zeros(len(waves), int(lengths.max()))
    for row, wave in zip(x, waves):
        scale = 32768 if wave.dtype == torch.int16 else 1
        row[: len(wave)] = wave.float() / scale
    return x, lengths
"""

MIX_AUDIO = """
def mix_audio(x, lengths, y, partner, lam):
    weight, time = lam.view(-1, 1), torch.arange(x.shape[1])
    x = x.masked_fill(time >= lengths[:, None], 0)
    mixed = weight * x + (1 - weight) * x[partner]
    both = torch.maximum(lengths, lengths[partner])
    targets = weight * y + (1 - weight) * y[partner]
    return mixed.to(x.dtype), both, targets
"""

LOUD_AUDIO = """
def loud_audio(x, lengths, y, partner, share):
    clean = x.masked_fill(torch.arange(x.shape[1]) >= lengths[:, None], 0)
    level = (clean.square().sum(1) / lengths).sqrt().clamp(min=1e-5)
    ratio = level / level[partner]
    p = (1 / (1 + ratio * (1 - share) / share)).view(-1, 1)
    mixed = p * clean + (1 - p) * clean[partner]
    r = share.view(-1, 1)
    mixed = mixed / (p**2 + (1 - p) ** 2).sqrt()
    return mixed, r * y + (1 - r) * y[partner]
"""

COLLATE_VIDEO = """
def collate_video(clips, rates):
    for i, (clip, rate) in enumerate(zip(clips, rates)):
        if rate != FRAME_RATE:
            raise ValueError(f"clip {i} has rate {rate}, not {FRAME_RATE}")
        if len(clip) == 0:
            raise ValueError(f"clip {i} is empty")
    lengths = torch.tensor([len(clip) for clip in clips])
    x = torch.zeros(len(clips), int(lengths.max()), *clips[0].shape[1:]).byte()
    for row, clip in zip(x, clips):
        row[: len(clip)] = clip
    return x, lengths
"""

MIX_VIDEO = """
def mix_video(x, lengths, y, partner, lam):
    own, weight = lam.view(-1, 1, 1, 1), lam.view(-1, 1)
    time = torch.arange(x.shape[1])
    shown = torch.minimum(time, lengths[:, None] - 1)
    clean = x[torch.arange(len(x))[:, None], shown].float()
    mixed = (own * clean + (1 - own) * clean[partner]).round()
    both = torch.maximum(lengths, lengths[partner])
    mixed[time >= both[:, None]] = 0
    targets = weight * y + (1 - weight) * y[partner]
    return mixed.to(torch.uint8), both, targets
"""

CUT_VIDEO = """
def cut_video(x, lengths, y, partner, start, stop):
    time = torch.arange(x.shape[1])
    real = time < lengths[:, None]
    pasted = (time >= start) & (time < stop) & real & real[partner]
    result = torch.where(pasted[..., None, None], x[partner], x)
    weight = (pasted.sum(1) / lengths).view(-1, 1)
    return result, (1 - weight) * y + weight * y[partner]
"""


def changed(source: str, *changes: tuple[str, str]) -> str:
    """An answer with something else in it."""
    for old, new in changes:
        assert source.count(old) == 1, old
        source = source.replace(old, new)
    return source


WRONG = {
    "text-mask-from-ids": {
        "marks": 19.0,
        "why": "The mask asks for the id PAD, which a real token may have.",
        "answers": {"q1": TEXT, "q2": COLLATE_TEXT},
    },
    "text-padding-is-mixed": {
        "marks": 18.0,
        "why": "Padded embeddings are mixed as if they were tokens.",
        "answers": {
            "q1": TEXT,
            "q3": changed(MIX_TEXT, ("    x = x.masked_fill(~mask[..., None], 0)\n", "")),
        },
    },
    "text-mask-of-both": {
        "marks": 19.0,
        "why": "The mask of the mixture is the intersection, not the union.",
        "answers": {"q1": TEXT, "q3": changed(MIX_TEXT, ("mask | mask", "mask & mask"))},
    },
    "text-span-as-weight": {
        "marks": 16.0,
        "why": "The label weighs as much as the span that was asked for, padding included.",
        "answers": {"q1": TEXT, "q4": CUT_TEXT},
    },
    "text-mean-over-padding": {
        "marks": 18.0,
        "why": "The mean divides by the padded length.",
        "answers": {"q1": TEXT, "q5": "def pool_text(x, mask):\n    return x.mean(1)\n"},
    },
    "audio-any-rate": {
        "marks": 19.0,
        "why": "Waves of different sample rates are put into one batch.",
        "answers": {"q1": AUDIO, "q2": COLLATE_AUDIO},
    },
    "audio-two-weights": {
        "marks": 17.0,
        "why": "Sounds are mixed by λ, labels by 1 - λ.",
        "answers": {
            "q1": AUDIO,
            "q3": changed(
                MIX_AUDIO,
                (
                    "targets = weight * y + (1 - weight) * y[partner]",
                    "targets = (1 - weight) * y + weight * y[partner]",
                ),
            ),
        },
    },
    "audio-level-of-the-padding": {
        "marks": 18.0,
        "why": "The root mean square divides by the padded length.",
        "answers": {
            "q1": AUDIO,
            "q4": changed(
                LOUD_AUDIO, ("clean.square().sum(1) / lengths", "clean.square().mean(1)")
            ),
        },
    },
    "audio-clipped": {
        "marks": 19.0,
        "why": "Samples above 1 are cut off, so that the wave is distorted.",
        "answers": {
            "q1": AUDIO,
            "q5": (
                "def pcm_audio(x):\n    return (x.clamp(-1, 1) * 32767).round().to(torch.int16)\n"
            ),
        },
    },
    "video-black-padding": {
        "marks": 19.0,
        "why": "A clip that has ended turns black.",
        "answers": {"q1": VIDEO, "q2": COLLATE_VIDEO},
    },
    "video-cut-off-not-rounded": {
        "marks": 18.0,
        "why": "The mixture is cut off to a whole number, so that it darkens.",
        "answers": {"q1": VIDEO, "q3": changed(MIX_VIDEO, (".round()", ""))},
    },
    "video-share-of-the-batch": {
        "marks": 18.0,
        "why": "The pasted frames are divided by the padded length.",
        "answers": {
            "q1": VIDEO,
            "q4": changed(CUT_VIDEO, ("pasted.sum(1) / lengths", "pasted.float().mean(1)")),
        },
    },
}

RIGHT = {
    "capital-letters": {
        "why": "The modality is written with a capital letter.",
        "answers": {"q1": 'MODALITY = "Text"'},
    },
    "audio": {"why": "The key's functions for audio.", "answers": {"q1": 'MODALITY = " audio "'}},
    "video": {"why": "The key's functions for video.", "answers": {"q1": 'MODALITY = "VIDEO"'}},
    "text-by-loops": {
        "why": "Sentences are padded and pooled one by one.",
        "answers": {
            "q1": TEXT,
            "q2": """
def collate_text(sentences):
    for position, tokens in enumerate(sentences):
        if len(tokens) == 0:
            raise ValueError(f"position {position}: no tokens")
    lengths = torch.tensor([len(tokens) for tokens in sentences])
    ids = torch.nn.utils.rnn.pad_sequence(
        [torch.tensor(tokens) for tokens in sentences], batch_first=True, padding_value=PAD)
    return ids, torch.arange(ids.shape[1]) < lengths[:, None]""",
            "q5": """
def pool_text(x, mask):
    return torch.stack([row[real].mean(0) for row, real in zip(x, mask)])""",
        },
    },
}
