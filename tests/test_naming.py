"""Names in records and checkpoints: without paths of files, unique, old ones readable."""

import importlib
import inspect
import json
import pkgutil
import re
from functools import partial

import pytest

import mixup_lib
from mixup_lib import draw_mixup
from mixup_lib.audio import LogMel
from mixup_lib.basics.naming import canonical, describe
from mixup_lib.evidence import results
from mixup_lib.experiments import EXPERIMENTS
from mixup_lib.experiments import settings as words
from mixup_lib.mixing import alpha_cosine
from mixup_lib.training.augment import chain, crop, flip
from mixup_lib.training.fitting import cosine


def test_the_library_goes_by_short_names_and_others_by_their_path():
    assert describe(partial(draw_mixup, alpha=1.0)) == "mixup_lib.draw_mixup(alpha=1.0)"
    told = "mixup_lib._Chain(augments=(mixup_lib.crop, mixup_lib.flip))"
    assert describe(chain(crop, flip)) == told
    assert describe(LogMel.forward) == "mixup_lib.LogMel.forward"
    assert describe(json.dumps) == "json.dumps"
    assert describe(cosine) == "mixup_lib.cosine" != describe(alpha_cosine)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("mixup_lib.draw.draw_mixup(alpha=1.0)", "mixup_lib.draw_mixup(alpha=1.0)"),
        ("mixup_lib.models.text.mix_at(place='a.b')", "mixup_lib.mix_at(place='a.b')"),
        ("mixup_lib.mixing.draw._Draw.one", "mixup_lib._Draw.one"),
        ("mixup_lib.a.make.<locals>.inner", "mixup_lib.make.<locals>.inner"),
        ("mixup_lib.schedules.cosine(end=0.0)", "mixup_lib.alpha_cosine(end=0.0)"),
        ("mixup_lib.mixing.schedules.cosine", "mixup_lib.alpha_cosine"),
        ("mixup_lib.schedules.linear(end=0.0)", "mixup_lib.alpha_linear(end=0.0)"),
        ("torch.nn.functional.cross_entropy", "torch.nn.functional.cross_entropy"),
        ("my_mixup_lib.draw.f", "my_mixup_lib.draw.f"),
    ],
)
def test_old_paths_are_read_as_the_names_of_today(old, new):
    assert canonical(f"({old}, 0.5)") == f"({new}, 0.5)"
    assert canonical(new) == new


def recorded_names():
    """Every name that a record holds or that an experiment would write now."""
    texts = [json.dumps(experiment.methods) for experiment in EXPERIMENTS.values()]
    texts += [
        describe(list(table.values()))
        for table in (words.SCHEDULES, words.AUGMENTS, words.OPTIMIZERS, words.MODELS)
    ]
    for folder in results.folder().iterdir():
        if folder.is_dir():
            for record in results.load(folder.name):
                parts = record.get("parts", {}).values()
                texts += [json.dumps([record["config"], record.get("fit")])]
                texts += [json.dumps(part.get("fit")) for part in parts]
    found = {name for text in texts for name in re.findall(r"mixup_lib\.[\w.]+", canonical(text))}
    assert len(found) > 25
    return found


def test_no_two_things_share_a_name_that_records_use():
    modules = [mixup_lib.__name__]
    modules += [
        m.name
        for m in pkgutil.walk_packages(mixup_lib.__path__, "mixup_lib.")
        if not m.name.endswith("__main__")
    ]
    owners = {}
    for module in map(importlib.import_module, modules):
        for thing in vars(module).values():
            if inspect.isclass(thing) or inspect.isfunction(thing):
                if thing.__module__.startswith("mixup_lib"):
                    owners.setdefault(describe(thing), set()).add(thing)
    assert len(owners) > 200
    for name in recorded_names():
        assert len(owners.get(name, ())) == 1, f"{name} names {owners.get(name, 'nothing')}"
