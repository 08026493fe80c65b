"""Draws inside DataLoader workers: all differ, and a generator of one's own raises."""

from functools import partial

import pytest
import torch
from torch.utils.data import DataLoader
from torchvision.transforms import v2

from mixup_lib import CutMix, Mixup, draw_cutmix, draw_dirichlet, draw_mixup

DATA = [(torch.full((1, 2, 2), float(i)), i % 3) for i in range(12)]


def stack(rows):
    return torch.stack([x for x, _ in rows]), torch.tensor([y for _, y in rows])


def collate_weights(draw, rows):
    return draw(len(rows)).weights


def collate_mixed(transform, rows):
    return transform(*stack(rows))


def loader(collate, workers=2, **kwargs):
    return DataLoader(DATA, batch_size=3, num_workers=workers, collate_fn=collate, **kwargs)


DRAWS = {
    "mixup": draw_mixup,
    "per sample": partial(draw_mixup, per_sample=True),
    "dirichlet": partial(draw_dirichlet, k=3),
    "cutmix": partial(draw_cutmix, size=(4000, 4000)),
}


@pytest.mark.parametrize("draw", DRAWS)
def test_two_workers_two_epochs_all_lambdas_differ(draw):
    torch.manual_seed(0)
    batches = loader(partial(collate_weights, DRAWS[draw]))
    lambdas = [weights[0, 0].item() for _ in range(2) for weights in batches]
    assert len(lambdas) == 8 and len(set(lambdas)) == 8


def test_a_seed_repeats_the_whole_run():
    runs = []
    for _ in range(2):
        torch.manual_seed(3)
        batches = loader(partial(collate_weights, draw_mixup))
        runs.append([weights[0, 0].item() for _ in range(2) for weights in batches])
    assert runs[0] == runs[1]


@pytest.mark.parametrize("draw", [draw_mixup, draw_dirichlet, DRAWS["cutmix"]])
def test_a_generator_inside_a_worker_raises(draw):
    generator = torch.Generator().manual_seed(0)
    batches = loader(partial(collate_weights, partial(draw, generator=generator)), workers=1)
    with pytest.raises(RuntimeError, match="generator was given inside a DataLoader worker") as e:
        list(batches)
    assert "generator=None" in str(e.value)  # the message reaches the main process, remedy included


def test_a_generator_in_the_main_process_is_fine():
    generator = torch.Generator().manual_seed(0)
    batches = loader(partial(collate_weights, partial(draw_mixup, generator=generator)), workers=0)
    assert len({weights[0, 0].item() for _ in range(2) for weights in batches}) == 8


def test_a_transform_with_a_generator_raises_in_a_worker_even_where_nothing_is_mixed():
    transform = Mixup(num_classes=3, p=0.0, generator=torch.Generator().manual_seed(0))
    with pytest.raises(RuntimeError, match="generator was given inside a DataLoader worker"):
        list(loader(partial(collate_mixed, transform)))


def test_transforms_work_in_spawned_workers():
    torch.manual_seed(0)
    either = v2.RandomChoice([Mixup(num_classes=3), CutMix(num_classes=3)])
    collate = partial(collate_mixed, either)  # pickled on its way into the worker
    for x, y in loader(collate, workers=1, multiprocessing_context="spawn"):
        assert x.shape == (3, 1, 2, 2) and y.shape == (3, 3)
        torch.testing.assert_close(y.sum(1), torch.ones(3))
