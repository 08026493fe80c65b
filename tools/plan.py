"""What training on ImageNet takes: hours, cost, data loading, from inputs that you replace.

    python -m tools.plan                          # the table of the page "Beyond one machine"
    python -m tools.plan --price 1.9 --epochs 300
    python -m tools.plan --measure                # how fast a core of this machine decodes

Nothing here was run on the machines it speaks of. Published throughputs and stated assumptions go
in; each number that comes out stands beside the line that it was computed by.
"""

import argparse
from dataclasses import dataclass, fields, replace

__all__ = ["Inputs", "SETUPS", "arithmetic", "block", "measured_decoding", "table"]

NVIDIA = (
    "[NVIDIA's measurement](https://github.com/NVIDIA/DeepLearningExamples/blob/"
    "291f0d02e815b148fa5c2b81bf07aa3552142895/PyTorch/Classification/ConvNets/resnet50v1.5/"
    "README.md), A100 80 GB, mixed precision"
)
PAPER = "{cite:t}`zhang2018mixup`, their longer schedule"
COUNTED = "ILSVRC 2012"
ASSUMED = "assumption"
# GPUs and nodes of the three commands.
SETUPS = ((1, 1), (8, 1), (32, 4))


@dataclass(frozen=True)
class Inputs:
    """What goes in; `MEANINGS` has the units and where the values are from."""

    images: int = 1_281_167
    held_out: int = 50_000
    gigabytes: int = 148
    epochs: int = 200
    one: int = 2_470
    eight: int = 16_621
    scaling: float = 0.9
    evaluation: float = 3.0
    decoding: int = 100
    parameters: int = 25_557_032
    bandwidth: int = 2_000
    batch: int = 256
    price: float = 2.5
    runs: int = 6


MEANINGS = {
    "images": ("training images", COUNTED),
    "held_out": ("validation images", COUNTED),
    "gigabytes": ("GB, the archive of the training images", COUNTED),
    "epochs": ("passes over the data", PAPER),
    "one": ("images/s on one GPU", NVIDIA),
    "eight": ("images/s on eight GPUs of one node", NVIDIA),
    "scaling": ("of each node's speed left on four nodes", ASSUMED),
    "evaluation": ("times a forward pass, the price of a training step", ASSUMED),
    "decoding": ("images/s that one CPU core decodes, crops and resizes", ASSUMED),
    "parameters": ("parameters of ResNet-50", "torchvision's model"),
    "bandwidth": ("GB/s to and from a GPU's memory", "A100's data sheet, rounded"),
    "batch": ("images per GPU and step", ASSUMED),
    "price": ("US dollars per GPU and hour", ASSUMED),
    "runs": ("runs: plain and mixup, three seeds each", "our plan"),
}


@dataclass(frozen=True)
class Plan:
    """What comes out for one setup."""

    speed: float  # images/s
    epoch: float  # minutes, evaluation included
    hours: float  # of one run
    gpu_hours: float  # of one run
    cost: float  # of one run
    all_cost: float  # of all runs
    disk: float  # MB/s that each node reads
    cores: float  # CPU cores that each node needs


def plan(inputs: Inputs, gpus: int, nodes: int) -> Plan:
    """The arithmetic for ``gpus`` in all on ``nodes``."""
    speed = {1: inputs.one, 8: inputs.eight}.get(gpus, inputs.eight * nodes * inputs.scaling)
    seconds = inputs.images / speed + inputs.held_out / (speed * inputs.evaluation)
    hours = inputs.epochs * seconds / 3600
    return Plan(
        speed=speed,
        epoch=seconds / 60,
        hours=hours,
        gpu_hours=hours * gpus,
        cost=hours * gpus * inputs.price,
        all_cost=hours * gpus * inputs.price * inputs.runs,
        disk=speed / nodes * inputs.gigabytes * 1000 / inputs.images,
        cores=speed / nodes / inputs.decoding,
    )


def table(inputs: Inputs) -> str:
    """One column for each setup."""
    plans = [plan(inputs, *setup) for setup in SETUPS]
    rows = {
        "images/s": "speed",
        "minutes per epoch, evaluation included": "epoch",
        f"hours for {inputs.epochs} epochs": "hours",
        "GPU hours": "gpu_hours",
        "US dollars, one run": "cost",
        f"US dollars, all {inputs.runs} runs": "all_cost",
        "MB/s that each node reads": "disk",
        "CPU cores that each node needs to decode": "cores",
    }
    heads = [
        f"{gpus} GPU{'s' * (gpus > 1)}" + f", {nodes} nodes" * (nodes > 1) for gpus, nodes in SETUPS
    ]
    lines = ["| | " + " | ".join(heads) + " |", "|---|" + "---|" * len(heads)]
    for label, name in rows.items():
        values = [getattr(one, name) for one in plans]
        lines.append(f"| {label} | " + " | ".join(shown(value) for value in values) + " |")
    return "\n".join(lines)


def shown(value: float) -> str:
    """Three digits, no more than the inputs are worth, as code."""
    digits = 0 if value >= 100 else 1
    return f"`{value:,.{digits}f}`"


def arithmetic(inputs: Inputs, gpus: int = 8) -> list[tuple[str, str, float]]:
    """The steps for one node with ``gpus``: (what it is, as one writes it, its value)."""
    i, node = inputs, plan(inputs, gpus, 1)
    share = 4 * i.parameters * 2 * (gpus - 1) / gpus / 1e9
    steps = node.speed / gpus / i.batch
    pixels = 4 * 3 * 224 * 224 * i.batch / 1e9
    return [
        (
            "minutes per epoch",
            f"({i.images} + {i.held_out} / {i.evaluation:g}) / {node.speed} / 60",
            (i.images + i.held_out / i.evaluation) / node.speed / 60,
        ),
        ("hours per run", f"{i.epochs} * {node.epoch:.2f} / 60", node.hours),
        ("dollars per run", f"{gpus} * {node.hours:.2f} * {i.price:g}", node.cost),
        ("MB/s from the disk", f"{node.speed} * {i.gigabytes}000 / {i.images}", node.disk),
        ("cores to decode", f"{node.speed} / {i.decoding}", node.cores),
        ("steps/s", f"{node.speed} / ({gpus} * {i.batch})", steps),
        (
            "GB/s of gradients that each GPU sends (ring, float32)",
            f"2 * {gpus - 1} / {gpus} * 4e-9 * {i.parameters} * {steps:.2f}",
            share * steps,
        ),
        (
            "ms per step to mix on the GPU (five passes over a float32 batch)",
            f"5 * 4e-6 * 3 * 224 * 224 * {i.batch} / {i.bandwidth}",
            5e3 * pixels / i.bandwidth,
        ),
        ("ms per step in all", f"1000 / {steps:.2f}", 1000 / steps),
    ]


def block(inputs: Inputs | None = None) -> str:
    """The generated part of the page."""
    inputs = inputs or Inputs()
    lines = [
        "**What goes in.** Replace what differs for you.",
        "",
        "| input | meaning | from |",
        "|---|---|---|",
    ]
    for field in fields(inputs):
        meaning, source = MEANINGS[field.name]
        lines.append(f"| `{getattr(inputs, field.name):,}` | {meaning} | {source} |")
    lines += [
        "",
        "**What comes out.**",
        "",
        table(inputs),
        "",
        "**The arithmetic**, for eight GPUs of one node:",
        "",
        "| | | |",
        "|---|---|---|",
    ]
    lines += [f"| {what} | `{how}` | {shown(value)} |" for what, how, value in arithmetic(inputs)]
    return "\n".join(lines)


def measured_decoding(images: int = 200) -> float:
    """Images/s that one core decodes, crops to 224x224 and flips; scikit-learn's photograph."""
    import io
    import time
    from pathlib import Path

    import sklearn.datasets
    import torch
    from PIL import Image
    from torchvision.transforms import v2

    torch.set_num_threads(1)
    file = Path(sklearn.datasets.__file__).parent / "images" / "china.jpg"
    content = file.read_bytes()
    prepare = v2.Compose([v2.RandomResizedCrop(224), v2.RandomHorizontalFlip(), v2.ToImage()])
    start = time.perf_counter()
    for _ in range(images):
        prepare(Image.open(io.BytesIO(content)).convert("RGB"))
    return images / (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--measure", action="store_true", help="measure a core's decoding and end")
    for field in fields(Inputs):
        parser.add_argument(
            f"--{field.name.replace('_', '-')}",
            type=field.type,
            default=field.default,
            help=MEANINGS[field.name][0],
        )
    arguments = vars(parser.parse_args())
    if arguments.pop("measure"):
        print(f"{measured_decoding():.0f} images/s on one core")
    else:
        print(block(replace(Inputs(), **arguments)))


if __name__ == "__main__":
    main()
