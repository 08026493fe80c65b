"""What a secret redraws in A4: constants, conventions of each modality, whose weight is given, the
order of arguments and of results."""

import random

from assignments.variants.wording import redraw

# Each is one requirement in text, solution and test. The first and the last of a modality always
# change.
TEXT = (
    {
        "on the **right**": "on the **left**",
        "place = slice(0, len(sentence))": "place = slice(longest - len(sentence), longest)",
        'side = "right"': 'side = "left"',
    },
    {
        "the token **keeps its own weight**, and the padding counts as zero":
            "the token **stands there as it is**, with its full weight",
        "own, weight = lam.view(-1, 1, 1), lam.view(-1, 1)\n    clean = x.masked_fill(~mask":
            "weight, alone = lam.view(-1, 1), mask ^ mask[partner]\n"
            "    own = torch.where(alone, mask.float(), weight)[..., None]\n"
            "    clean = x.masked_fill(~mask",
        'lone = "own weight"': 'lone = "whole"',
    },
    {
        "the **mean** over its real tokens":
            "the **largest** value over its real tokens, at each of the D places",
        "x.masked_fill(~mask[..., None], 0).sum(1) / mask.sum(1, keepdim=True)":
            "x.masked_fill(~mask[..., None], -torch.inf).amax(1)",
        'pooled = "mean"': 'pooled = "largest"',
    },
)
AUDIO = (
    {
        "its **root mean square** over its real samples":
            "its **peak**, the largest absolute value of its real samples",
        "amplitude = (clean.square().sum(1) / lengths).sqrt()": "amplitude = clean.abs().amax(1)",
        'level = "rms"': 'level = "peak"',
        "divided by `32768`": "divided by `32767`",
        "scale = 32768": "scale = 32767",
        "divisor = 32768": "divisor = 32767",
    },
    {
        "the **longer** of its two waves": "the **shorter** of its two waves",
        "ends = torch.maximum": "ends = torch.minimum",
        'kept = "longer"': 'kept = "shorter"',
    },
    {
        "A wave whose peak is above 1 is first **scaled down as a whole**, so that its peak is 1. "
        "Other waves are left as they are.":
            "Samples above 1 or below -1 are **cut off** at 1 and -1 first.",
        "peak = x.abs().amax(1, keepdim=True).clamp(min=1)\n    return (x / peak * 32767)":
            "return (x.clamp(-1, 1) * 32767)",
        'above = "scaled"': 'above = "cut off"',
    },
)
VIDEO = (
    {
        "A shorter clip **holds its last frame**.": "A shorter clip **goes on in black**, with 0.",
        "A clip that has ended **holds its last frame**;": "A clip that has ended **is black**, 0;",
        "row[len(clip) :] = clip[-1]": "row[len(clip) :] = 0",
        "shown = torch.minimum(time, lengths[:, None] - 1)\n"
        "    clean = x[torch.arange(len(x))[:, None], shown].float()":
            "gone = (time >= lengths[:, None])[..., None, None]\n"
            "    clean = x.float().masked_fill(gone, 0)",
        'ended = "held"': 'ended = "black"',
    },
    {
        "**the frame shown at that moment**: number `k * rate / new_rate`, rounded down,":
            "**the nearest frame**: number `k * rate / new_rate`, rounded to the nearest whole "
            "number (a half goes up),",
        "number = torch.arange(frames) * rate // new_rate":
            "moment = torch.arange(frames) * rate\n"
            "    number = (2 * moment + new_rate) // (2 * new_rate)",
        'picked = "shown"': 'picked = "nearest"',
    },
)
# Both cuts count alike.
STOP = {
    "`stop` not included": "`stop` included",
    "(time < stop)": "(time <= stop)",
    "extra = 0": "extra = 1",
}
ARGUMENTS = {
    ", partner, lam": ", lam, partner",
    ", own, lam)": ", lam, own)",
    ", partner, start, stop": ", start, stop, partner",
    ", partner, 1, 5)": ", 1, 5, partner)",
    ", partner, 1, 2)": ", 1, 2, partner)",
    ", partner, 0, 2)": ", 0, 2, partner)",
    "y[:1], torch.tensor([0]), 0, 2\n": "y[:1], 0, 2, torch.tensor([0])\n",
    ", partner, share": ", share, partner",
    "torch.eye(3), swap, share)": "torch.eye(3), share, swap)",
    "torch.ones(1, 2), one, share[:1]": "torch.ones(1, 2), share[:1], one",
}

# Searched after the order of arguments has changed. Weights are given of the partner.
WEIGHTS = {
    "example `i` itself gets the weight `lam[i]`.":
        "**the partner gets the weight** `lam[i]`, example `i` itself the rest.",
    "lam.view(-1": "(1 - lam).view(-1",
    "y, lam, partner):": "y, lam, partner):",
    "y, lam, partner)`": "y, lam, partner)`",
    "y, lam, partner)": "y, 1 - lam, partner)",
    "torch.eye(size), lam, partner)": "torch.eye(size), 1 - lam, partner)",
    "torch.eye(3), lam, partner)": "torch.eye(3), 1 - lam, partner)",
    "of what is *heard* is example `i`": "of what is *heard* is **the partner of** example `i`",
    "and the share $r$,": "and $r$ = `1 - share[i]`,",
    "(1 / (1 + ratio * (1 - share) / share))": "(1 / (1 + ratio * share / (1 - share)))",
    "r = share.view(-1, 1)": "r = (1 - share).view(-1, 1)",
    "own = share": "own = 1 - share",
}
RESULTS = {
    "`ids`, int64 `(B, T)`, and `mask`, bool `(B, T)`.":
        "`mask`, bool `(B, T)`, and `ids`, int64 `(B, T)`.",
    "`x`, float32 `(B, T)`, filled up with zeros at the end, and `lengths`, int64 `(B,)`.":
        "`lengths`, int64 `(B,)`, and `x`, float32 `(B, T)`, filled up with zeros at the end.",
    "`x`, uint8 `(B, T, H, W)`, and `lengths`, int64 `(B,)`.":
        "`lengths`, int64 `(B,)`, and `x`, uint8 `(B, T, H, W)`.",
    "ids int64 (B, T), mask bool (B, T).": "mask bool (B, T), ids int64 (B, T).",
    "x float32 (B, T), lengths int64 (B,).": "lengths int64 (B,), x float32 (B, T).",
    "x uint8 (B, T, H, W), lengths int64 (B,).": "lengths int64 (B,), x uint8 (B, T, H, W).",
    "return ids, mask": "return mask, ids",
    "return x, lengths": "return lengths, x",
    "ids, mask = env": "mask, ids = env",
    "_, mask = env": "mask, _ = env",
    "x, lengths = env": "lengths, x = env",
    "_, lengths = env": "lengths, _ = env",
    "x, _ = env": "_, x = env",
    "ids, mask = collate": "mask, ids = collate",
    "x, lengths = collate": "lengths, x = collate",
    "It returns the result and the targets.": "It returns the targets and the result.",
    "It returns the result, uint8, and the targets.":
        "It returns the targets and the result, uint8.",
    "the mixture, in the dtype of `x`, and the targets, in which example `i` weighs `share[i]`.":
        "the targets, in which the partner weighs `share[i]`, and the mixture, in the dtype of "
        "`x`.",
    "result (B, T, D), targets float32 (B, C).": "targets float32 (B, C), result (B, T, D).",
    "result uint8 (B, T, H, W), targets float32 (B, C).":
        "targets float32 (B, C), result uint8 (B, T, H, W).",
    "mixture (B, T), targets float32 (B, C).": "targets float32 (B, C), mixture (B, T).",
    "return result, (1 - weight) * y + weight * y[partner]":
        "return (1 - weight) * y + weight * y[partner], result",
    "return mixed.to(x.dtype), r * y + (1 - r) * y[partner]":
        "return r * y + (1 - r) * y[partner], mixed.to(x.dtype)",
    "found, targets = result": "targets, found = result",
    "(result[0][0], expected, atol=1e-5), result[0][0]":
        "(result[1][0], expected, atol=1e-5), result[1][0]",
    "(result[1], torch.full": "(result[0], torch.full",
    "found, targets = cutter": "targets, found = cutter",
    "clean, targets = cutter": "targets, clean = cutter",
    "found, other = cutter": "other, found = cutter",
    'mixed, targets = env["loud_audio"]': 'targets, mixed = env["loud_audio"]',
    'mixed, _ = env["loud_audio"]': '_, mixed = env["loud_audio"]',
}


def draw(rng: random.Random) -> dict[str, str]:
    """New sources by cell id. Every modality has at least two other conventions."""
    changes = {
        "PAD = 0": f"PAD = {rng.randrange(1, 10)}",
        "RATE, FRAME_RATE = 8000, 12":
            f"RATE, FRAME_RATE = {rng.choice([11025, 16000])}, {rng.choice([10, 15, 24])}",
        "SEED = 4": f"SEED = {rng.randrange(100, 10**6)}",
    }
    for first, *others, last in (TEXT, AUDIO, VIDEO):
        changes |= first | last
        for other in others:
            changes |= rng.choice([{}, other])
    changes |= ARGUMENTS | rng.choice([{}, STOP])
    return redraw("a4_modality.ipynb", changes, WEIGHTS | RESULTS)
