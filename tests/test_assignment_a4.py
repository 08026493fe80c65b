"""A4: which check catches which mistake, in each modality, and what a variant asks otherwise."""

import io
import random

import assigned
import pytest

from assignments.answers.a4 import RIGHT, WRONG
from assignments.variants import a4

FILE = "a4_modality.ipynb"
MODALITIES = ("text", "audio", "video")
POINTS = {"q1": 1, "q2": 5, "q3": 6, "q4": 5, "q5": 3}
# What the stated marks are made of.
LOST = {
    "text-mask-from-ids": {"q2-test-content"},
    "text-padding-is-mixed": {"q3-test-leak", "q3-test-lone"},
    "text-mask-of-both": {"q3-test-lone"},
    "text-span-as-weight": {"q4-test-measured", "q4-test-leak", "q4-test-edges"},
    "text-mean-over-padding": {"q5-test-rule", "q5-test-edges"},
    "audio-any-rate": {"q2-test-errors"},
    "audio-two-weights": {"q3-test-worked", "q3-test-labels", "q3-test-edges"},
    "audio-level-of-the-padding": {"q4-test-measured"},
    "audio-clipped": {"q5-test-rule"},
    "video-black-padding": {"q2-test-content"},
    "video-cut-off-not-rounded": {"q3-test-lone", "q3-test-labels"},
    "video-share-of-the-batch": {"q4-test-measured"},
}
# More mistakes, each as a change of the key: modality, question, old, new, what must fail.
MUTANTS = [
    (
        "text",
        "q2",
        "torch.full((len(sentences), longest), PAD)",
        "torch.full((len(sentences), longest), PAD + 1)",
        "q2-test-content",
    ),
    (
        "text",
        "q3",
        "+ (1 - weight) * y[partner]\n    return mixed.to(x.dtype), mask |",
        "+ (1 - weight) * y.flip(0)\n    return mixed.to(x.dtype), mask |",
        "q3-test-labels",
    ),
    ("text", "q3", "return mixed.to(x.dtype), mask", "return mixed, mask", "q3-test-dtype"),
    ("text", "q4", "& mask & mask[partner]", "& mask[partner]", "q4-test-measured"),
    (
        "text",
        "q4",
        "pasted.sum(1) / mask.sum(1)",
        "pasted.sum(1) / inside.sum()",
        "q4-test-measured",
    ),
    (
        "text",
        "q5",
        "x.masked_fill(~mask[..., None], 0).sum(1)",
        "(x * mask[..., None]).sum(1)",
        "q5-test-edges",
    ),
    ("audio", "q2", "scale = 32768 if", "scale = 1 if", "q2-test-content"),
    ("audio", "q2", "if len(wave) == 0:", "if False:", "q2-test-errors"),
    (
        "audio",
        "q3",
        "clean = x.masked_fill(time >= lengths[:, None], 0)\n    mixed = weight",
        "clean = x * (time < lengths[:, None])\n    mixed = weight",
        "q3-test-leak",
    ),
    (
        "audio",
        "q3",
        "ends = torch.maximum(lengths, lengths[partner])",
        "ends = lengths",
        "q3-test-lone",
    ),
    ("audio", "q4", ".clamp(min=1e-5)", "", "q4-test-edges"),
    (
        "audio",
        "q4",
        "mixed = mixed / (p**2 + (1 - p) ** 2).sqrt()",
        "mixed = mixed",
        "q4-test-measured",
    ),
    (
        "audio",
        "q4",
        "ratio = amplitude / amplitude[partner]",
        "ratio = (amplitude / amplitude[partner]).square()",
        "q4-test-measured",
    ),
    ("audio", "q5", "x / peak * 32767", "x * 32767", "q5-test-rule"),
    ("video", "q2", "if rate != FRAME_RATE:", "if False:", "q2-test-errors"),
    ("video", "q3", "return mixed.byte(), both", "return mixed, both", "q3-test-dtype"),
    (
        "video",
        "q3",
        "shown = torch.minimum(time, lengths[:, None] - 1)",
        "shown = time.expand(len(x), -1)",
        "q3-test-leak",
    ),
    ("video", "q3", "mixed[time >= both[:, None]] = 0", "pass", "q3-test-lone"),
    ("video", "q4", "(time < stop)\n    real", "(time <= stop)\n    real", "q4-test-worked"),
    (
        "video",
        "q4",
        "result = torch.where(pasted[..., None, None], x[partner], x)",
        "x[pasted] = x[partner][pasted]\n    result = x",
        "q4-test-edges",
    ),
    (
        "video",
        "q5",
        "(2 * len(clip) * new_rate + rate) // (2 * rate)",
        "len(clip) * new_rate // rate",
        "q5-test-rule",
    ),
    ("video", "q5", "max(1, ", "max(0, ", "q5-test-edges"),
]


def failed(marks):
    return {name for name, (points, _) in marks.items() if not points}


def choose(modality):
    return {"q1": f'MODALITY = "{modality}"'}


@pytest.fixture(scope="module")
def master():
    return assigned.cells(FILE)


@pytest.mark.parametrize("modality", MODALITIES)
def test_every_modality_brings_the_key_all_points(master, modality):
    printed = io.StringIO()
    marks = assigned.mark(assigned.answered(master, choose(modality)), printed=printed)
    assert not failed(marks), {name: text for name, (_, text) in marks.items() if text}
    assert assigned.totals(marks) == POINTS
    assert "when your functions work" not in printed.getvalue()  # it shows what was built


@pytest.mark.parametrize("modality", MODALITIES)
def test_an_untouched_copy_gets_nothing_and_only_the_choice_once_it_is_made(master, modality):
    copy = assigned.untouched(master)
    marks = assigned.mark(copy)
    assert not any(points for points, _ in marks.values())
    assert all("MODALITY" in text for _, text in marks.values())
    chosen = assigned.mark(assigned.answered(copy, choose(modality)))
    assert sum(points for points, _ in chosen.values()) == POINTS["q1"]


@pytest.mark.parametrize("modality", MODALITIES)
def test_only_the_chosen_modality_is_graded(master, modality):
    others = "".join(
        f"\n{function} = None"
        for function, kind in (("mix_text", "text"), ("mix_audio", "audio"), ("mix_video", "video"))
        if kind != modality
    )
    answers = choose(modality) | {"q3": master["q3-solution"] + others}
    assert not failed(assigned.mark(assigned.answered(master, answers)))


@pytest.mark.parametrize("name", WRONG)
def test_wrong_answers_fail_where_they_are_wrong(master, name):
    marks = assigned.mark(assigned.answered(master, WRONG[name]["answers"]))
    assert failed(marks) == LOST[name]
    assert sum(points for points, _ in marks.values()) == WRONG[name]["marks"]


@pytest.mark.parametrize("name", RIGHT)
def test_right_answers_in_other_styles_get_full_marks(master, name):
    marks = assigned.mark(assigned.answered(master, RIGHT[name]["answers"]))
    assert not failed(marks), {name: text for name, (_, text) in marks.items() if text}


@pytest.mark.parametrize("modality, question, old, new, test", MUTANTS)
def test_a_change_of_the_key_is_caught(master, modality, question, old, new, test):
    source = master[f"{question}-solution"]
    assert source.count(old) >= 1
    answers = choose(modality) | {question: source.replace(old, new)}
    assert test in failed(assigned.mark(assigned.answered(master, answers)))


@pytest.mark.parametrize("modality", MODALITIES)
@pytest.mark.parametrize("seed", range(8))
def test_a_variant_has_its_own_key_and_rejects_the_published_one(master, modality, seed):
    variant = assigned.cells(FILE, a4.draw(random.Random(seed)))
    own = assigned.mark(assigned.answered(variant, choose(modality)))
    assert not failed(own), {name: text for name, (_, text) in own.items() if text}
    for published in assigned.published(master, variant, POINTS):
        marks = assigned.mark(assigned.answered(variant, published | choose(modality)))
        assert sum(points for points, _ in marks.values()) < 0.4 * sum(POINTS.values())


def test_a_variant_says_in_the_text_what_it_asks():
    drawn = a4.draw(random.Random(0))
    assert {"variant", "q2-task", "q3-task", "q4-task"} <= set(drawn)
    assert "on the **left**" in drawn["q2-task"]
    assert "**root mean square**" not in drawn["q4-task"]
    assert "holds its last frame" not in drawn["q2-task"] + drawn["q3-task"]
