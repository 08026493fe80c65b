"""What the cuts and the loud mixture of question 4 must give, place by place."""

import math

import torch


def cut(x, lengths, partner, start, stop):
    """A cut along time, ``stop`` not included, and the targets for labels that are all different.

    Args:
        x: ``(B, T, ...)``.
        lengths: Real places of each example, ``(B,)``.
        partner: ``(B,)``.

    Returns:
        Real places of the results, a list of ``(length, ...)``; targets ``(B, B)``.
    """
    results, targets = [], torch.zeros(len(x), len(x))
    for i, j in enumerate(partner.tolist()):
        own, other = int(lengths[i]), int(lengths[j])
        taken = [start <= t < min(stop, other) for t in range(own)]
        results.append(torch.stack([x[j if taken[t] else i, t] for t in range(own)]))
        share = sum(taken) / own
        targets[i, i] += 1 - share
        targets[i, j] += share
    return results, targets


def loud(x, lengths, partner, share, level):
    """A mixture in which ``share[i]`` of what is heard is example i.

    Args:
        x: Waves ``(B, T)``.
        lengths: ``(B,)``.
        partner: ``(B,)``.
        share: ``(B,)``, strictly between 0 and 1.
        level: "rms", or "peak" for the largest absolute value.

    Returns:
        ``(B, T)``.
    """
    waves = [[*wave[:size].tolist()] for wave, size in zip(x, lengths)]

    def decibels(wave):
        rms = math.sqrt(sum(v * v for v in wave) / len(wave))
        return 20 * math.log10(rms if level == "rms" else max(map(abs, wave)))

    rows = torch.zeros(x.shape)
    for i, j in enumerate(partner.tolist()):
        r = share[i].item()
        factor = 10 ** ((decibels(waves[i]) - decibels(waves[j])) / 20)
        p = 1 / (1 + factor * (1 - r) / r)
        for wave, weight in ((waves[i], p), (waves[j], 1 - p)):
            rows[i, : len(wave)] += weight * torch.tensor(wave)
        rows[i] /= math.sqrt(p * p + (1 - p) ** 2)
    return rows
