"""What two chapters plot: images, decision regions, paired results. One style for all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, ListedColormap
from matplotlib.figure import Figure
from torch import Tensor

__all__ = [
    "COLOURS",
    "MARKERS",
    "decision_regions",
    "interval_bars",
    "paired_dots",
    "show_images",
    "use_style",
]

#: Okabe and Ito's palette: distinct for every common kind of colour vision. Their black, which is
#: the text's colour here, and their yellow, too pale on white, are left out.
BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY = COLOURS = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#D55E00",
    "#CC79A7",
    "#56B4E9",
)
#: One marker for each colour, so that colour is never the only difference.
MARKERS = "osD^vP"

_STYLE = {
    "axes.prop_cycle": plt.cycler(color=COLOURS),
    "axes.spines.top": False,
    "axes.spines.right": False,
    # An opaque background stays legible where the page is dark.
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "savefig.facecolor": "white",
    "savefig.transparent": False,
    "figure.figsize": (6.4, 3.6),
    "figure.dpi": 100,
    "figure.constrained_layout.use": True,
    "font.size": 11,
    "axes.titlesize": 11,
    "legend.frameon": False,
    "lines.linewidth": 2.0,
}


def use_style() -> None:
    """Sets the course's plotting style: palette, sizes, opaque background. Call it once."""
    plt.rcParams.update(_STYLE)


def show_images(
    images: Sequence[Tensor] | Tensor,
    titles: Sequence[str] | None = None,
    columns: int | None = None,
    size: float = 1.6,
) -> Figure:
    """Shows images side by side.

    Args:
        images: Each (3, H, W), (1, H, W) or (H, W), in [0, 1]; values outside are clipped.
        titles: One line above each image.
        columns: Images in a row; all of them if None.
        size: Width of one image in inches.

    Raises:
        ValueError: There is no image, or not as many titles as images.
    """
    images = [torch.as_tensor(image).detach().cpu().float() for image in images]
    if not images:
        raise ValueError("images is empty; it needs at least one image")
    if titles is not None and len(titles) != len(images):
        raise ValueError(f"titles has {len(titles)} entries for {len(images)} images")
    columns = min(columns or len(images), len(images))
    rows = -(-len(images) // columns)
    figure, grid = plt.subplots(
        rows, columns, squeeze=False, figsize=(size * columns, (size + 0.3 * bool(titles)) * rows)
    )
    for axes in grid.flat:
        axes.set_axis_off()
    for position, (axes, image) in enumerate(zip(grid.flat, images)):
        image = image.clamp(0, 1)
        if image.ndim == 3:
            image = image[0] if image.shape[0] == 1 else image.permute(1, 2, 0)
        # Small images are shown as the squares that they are, not smoothed.
        smooth = "antialiased" if image.shape[0] > 64 else "nearest"
        axes.imshow(image.numpy(), cmap="gray", vmin=0, vmax=1, interpolation=smooth)
        if titles:
            axes.set_title(titles[position])
    return figure


def decision_regions(
    axes: Axes,
    model: Callable[[Tensor], Tensor],
    x: Tensor,
    y: Tensor,
    resolution: int = 200,
    margin: float = 0.4,
) -> Axes:
    """Shades the plane by a classifier's confidence and draws the examples over it.

    Two classes are shaded by the probability of the second, with the boundary at one half; more
    classes by the predicted class.

    Args:
        axes: Where to draw.
        model: Maps a float32 tensor (N, 2) to logits (N, C), with C of at most six.
        x: (N, 2), the examples.
        y: (N,), class ids in [0, C).
        resolution: Points of the grid along each axis.
        margin: Space around the examples, in the units of ``x``.

    Raises:
        ValueError: ``x`` is not (N, 2), or there are more classes than colours.
    """
    x, y = torch.as_tensor(x).detach().cpu().float(), torch.as_tensor(y).cpu()
    if x.ndim != 2 or x.shape[1] != 2:
        raise ValueError(f"x has shape {tuple(x.shape)}; it must be (N, 2)")
    low, high = x.min(0).values - margin, x.max(0).values + margin
    across, up = (torch.linspace(float(a), float(b), resolution) for a, b in zip(low, high))
    grid = torch.cartesian_prod(across, up)
    with torch.no_grad():
        probability = model(grid).softmax(-1).cpu().reshape(resolution, resolution, -1).numpy()
    across, up, x = across.numpy(), up.numpy(), x.numpy()
    classes = probability.shape[-1]
    if classes > len(COLOURS):
        raise ValueError(f"the model has {classes} classes; at most {len(COLOURS)} are drawn")
    if classes == 2:
        shade = probability[..., 1].T
        colours = LinearSegmentedColormap.from_list("two", [COLOURS[0], "white", COLOURS[1]])
        axes.pcolormesh(across, up, shade, cmap=colours, vmin=0, vmax=1, alpha=0.6, shading="auto")
        if float(shade.min()) < 0.5 < float(shade.max()):
            axes.contour(across, up, shade, levels=[0.5], colors="black", linewidths=1.2)
    else:
        colours = ListedColormap(COLOURS[:classes])
        shade = probability.argmax(-1).T
        axes.pcolormesh(
            across,
            up,
            shade,
            cmap=colours,
            vmin=-0.5,
            vmax=classes - 0.5,
            alpha=0.35,
            shading="auto",
        )
    for label in y.unique().tolist():
        chosen = x[(y == label).numpy()]
        axes.scatter(
            chosen[:, 0],
            chosen[:, 1],
            s=22,
            color=COLOURS[label],
            marker=MARKERS[label],
            edgecolor="black",
            linewidth=0.6,
            label=str(label),
        )
    return axes


def paired_dots(axes: Axes, values: Mapping[str, Sequence[float]]) -> Axes:
    """Draws each method's results as dots, joined where they share a seed, the mean as a bar.

    Args:
        axes: Where to draw.
        values: For each method one result per seed, in the same order of seeds.

    Raises:
        ValueError: The methods have different numbers of results.
    """
    table = [np.asarray(v, dtype=float) for v in values.values()]
    if len({len(column) for column in table}) != 1:
        counts = {name: len(v) for name, v in values.items()}
        raise ValueError(f"values has {counts} results; every method needs the same seeds")
    places = np.arange(len(table))
    axes.plot(places, np.stack(table), color="0.75", linewidth=1, zorder=1)
    for place, column in enumerate(table):
        colour, marker = COLOURS[place % len(COLOURS)], MARKERS[place % len(MARKERS)]
        axes.scatter([place] * len(column), column, s=24, color=colour, marker=marker, zorder=2)
        axes.hlines(column.mean(), place - 0.2, place + 0.2, color=colour, linewidth=3, zorder=3)
    axes.set_xticks(places, list(values))
    axes.set_xlim(-0.5, len(table) - 0.5)
    return axes


def interval_bars(
    axes: Axes, intervals: Mapping[str, object], smallest_effect: float | None = None
) -> Axes:
    """Draws effects as dots with their intervals, one row each, against a line at zero.

    Args:
        axes: Where to draw.
        intervals: Each with ``mean``, ``low`` and ``high``, for example paired differences.
        smallest_effect: The smallest effect that matters, drawn as a dashed line.
    """
    rows = np.arange(len(intervals))[::-1]
    mean, low, high = np.array([(i.mean, i.low, i.high) for i in intervals.values()], float).T
    axes.axvline(0, color="0.4", linewidth=1)
    if smallest_effect is not None:
        axes.axvline(smallest_effect, color="0.4", linewidth=1, linestyle="--")
    axes.errorbar(mean, rows, xerr=(mean - low, high - mean), fmt="o", color=BLUE, capsize=4)
    axes.set_yticks(rows, list(intervals))
    axes.set_ylim(-0.6, len(rows) - 0.4)
    return axes
