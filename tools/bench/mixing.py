"""How long mixing takes, and how much memory, beside other libraries.

What is timed is what a training loop pays for a batch: the draw, the images, and soft labels from
class ids, the same for every method; only the floor has neither draw nor labels. Methods take
turns within each round, in an order that each round draws anew: whatever else the machine does
meets all of them, and so does the memory that the method before left warm or cold. timm mixes in
place, so the caller's batch is gone; it needs no second buffer for that reason.
"""

import io
import json
import multiprocessing
import os
import random
import statistics
import subprocess
import sys
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import torch
from timm.data import Mixup as TimmMixup
from torch.nn import functional as F
from torchvision.transforms import v2

from mixup_lib import Mixup, draw_mixup
from tools.bench.tables import PEERS

CLASSES = 100
SHAPES = [(128, 3, 32, 32), (128, 3, 224, 224), (32, 3, 16, 112, 112)]
QUICK = [(8, 3, 16, 16)]
FLOOR = "floor: one lerp, buffer"


def methods(x):
    """Every method as a function of a batch and its class ids."""
    buffer = torch.empty_like(x)
    partner, own = x.flip(0), x.clone()
    timm = TimmMixup(num_classes=CLASSES, label_smoothing=0.0)

    def buffered(x, y, per_sample=False):
        mix = draw_mixup(len(x), per_sample=per_sample, device=x.device)
        return mix.inputs(x, out=buffer), mix.targets(y, CLASSES)

    def three_lines(x, y):
        lam, order = np.random.beta(1.0, 1.0), torch.randperm(len(x), device=x.device)
        y = F.one_hot(y, CLASSES).float()
        return lam * x + (1 - lam) * x[order], lam * y + (1 - lam) * y[order]

    video = v2.MixUp(num_classes=CLASSES)
    # torchvision takes a clip only if it is told that it is one.
    video._check_image_or_video = lambda *args, **kwargs: None
    return {
        "this library": Mixup(1.0, CLASSES),
        "this library, buffer": buffered,
        "this library, per sample": Mixup(1.0, CLASSES, per_sample=True),
        "this library, per sample, buffer": partial(buffered, per_sample=True),
        "torchvision": video,
        "timm (in place)": lambda x, y: timm(own, y),
        "three lines": three_lines,
        FLOOR: lambda x, y: torch.lerp(partner, x, 0.3, out=buffer),
    }


def batch(shape, device):
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(shape, generator=generator)
    return x.to(device), torch.randint(CLASSES, shape[:1], generator=generator).to(device)


def seconds(shape, device, rounds):
    """Median and quartiles of one call, for every method."""
    x, y = batch(shape, device)
    ready = torch.cuda.synchronize if device == "cuda" else (lambda: None)
    # Small batches are timed several calls at once: a clock has its own noise.
    calls = max(1, min(20, 2**21 // x.numel()))
    runs = methods(x)
    times = {name: [] for name in runs}
    shuffled = random.Random(0)
    for turn in range(rounds + 1):  # the first round only warms up
        for name, run in shuffled.sample(list(runs.items()), len(runs)):
            ready()
            start = time.perf_counter()
            for _ in range(calls):
                run(x, y)
            ready()
            if turn:
                times[name].append((time.perf_counter() - start) / calls)
    return {name: statistics.quantiles(values, n=4) for name, values in times.items()}


def extra_memory(shape, device):
    """Peak of the memory that one call adds, in batches, for every method; None if not known."""
    x, y = batch(shape, device)
    found = {}
    for name, run in methods(x).items():
        run(x, y)
        if device == "cuda":
            torch.cuda.reset_peak_memory_stats()
            before = torch.cuda.memory_allocated()
            run(x, y)
            peak = torch.cuda.max_memory_allocated()
        elif Path("/proc/self/clear_refs").exists():
            Path("/proc/self/clear_refs").write_text("5")  # the peak starts again from here
            before = _status("VmRSS")
            run(x, y)
            peak = _status("VmHWM")
        else:
            return dict.fromkeys(methods(x))
        found[name] = (peak - before) / x.nbytes
    return found


def _status(field):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(field))


def memory_of_all(shapes, device):
    """`extra_memory` in a process whose C library hands freed blocks back at once.

    Otherwise a block freed before would be used again, and the peak would not move.
    """
    code = f"from tools.bench import mixing; mixing.print_memory({shapes}, {device!r})"
    environment = os.environ | {"MALLOC_MMAP_THRESHOLD_": "65536"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, check=True, stdout=subprocess.PIPE
    )
    return json.loads(done.stdout.splitlines()[-1])


def print_memory(shapes, device):
    print(json.dumps([extra_memory(shape, device) for shape in shapes]))


def load_for_ever(ready):
    """What a loader worker does: decode a JPEG, crop, flip, make a tensor."""
    from PIL import Image

    torch.set_num_threads(1)
    file = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (375, 500, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file, "JPEG")
    transform = v2.Compose(
        [
            v2.RandomResizedCrop(224),
            v2.RandomHorizontalFlip(),
            v2.ToImage(),
            v2.ToDtype(torch.float32, scale=True),
        ]
    )
    ready.release()
    while True:
        transform(Image.open(file).convert("RGB"))


@contextmanager
def busy_loaders(count=2):
    """Two processes that load images for as long as the block runs."""
    # As a DataLoader starts its workers on this system.
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    ready = context.Semaphore(0)
    workers = [context.Process(target=load_for_ever, args=(ready,)) for _ in range(count)]
    for worker in workers:
        worker.daemon = True
        worker.start()
    try:
        for _ in workers:
            if not ready.acquire(timeout=120):
                raise RuntimeError("a loader process did not start within two minutes")
        yield
    finally:
        for worker in workers:
            worker.terminate()
            worker.join()


def measure(shapes, device, rounds):
    """One record per shape and method."""
    say = partial(print, file=sys.stderr, flush=True)
    say(f"{device}: memory")
    memory = memory_of_all(shapes, device)
    say(f"{device}: idle")
    idle = [seconds(shape, device, rounds) for shape in shapes]
    say(f"{device}: beside two busy loader workers")
    with busy_loaders():
        busy = [seconds(shape, device, rounds) for shape in shapes]
    rows = []
    for i, shape in enumerate(shapes):
        for name in idle[i]:
            row = {"device": device, "shape": list(shape), "method": name}
            for state, times in (("idle", idle[i]), ("busy", busy[i])):
                low, median, high = times[name]
                fastest = min(times[peer][1] for peer in PEERS)
                row[state] = {
                    "milliseconds": median * 1e3,
                    "quartiles": [low * 1e3, high * 1e3],
                    "times_as_fast_as_the_fastest_peer": fastest / median,
                }
            rows.append(row | {"extra_memory_in_batches": memory[i][name]})
    return rows
