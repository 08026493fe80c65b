"""Plots: what is drawn is what was given; bad input is named."""

from types import SimpleNamespace

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import pytest
import torch

from mixup_lib.page import plots


@pytest.fixture
def axes():
    with matplotlib.rc_context():
        plots.use_style()
        figure, axes = plt.subplots()
        yield axes
        plt.close("all")


def test_the_style_is_opaque_and_set_only_on_demand(axes):
    assert plt.rcParams["savefig.facecolor"] == "white" and not plt.rcParams["savefig.transparent"]
    assert plt.rcParams["axes.prop_cycle"].by_key()["color"] == list(plots.COLOURS)


def test_images_keep_their_values_and_titles(axes):
    images = torch.rand(3, 3, 4, 4)
    figure = plots.show_images(images, ["a", "b", "c"], columns=2)
    drawn = [ax for ax in figure.axes if ax.images]
    assert [ax.get_title() for ax in drawn] == ["a", "b", "c"]
    assert torch.equal(torch.tensor(drawn[1].images[0].get_array()), images[1].permute(1, 2, 0))


@pytest.mark.parametrize("shape", [(1, 8, 8), (8, 8)])
def test_grey_images(axes, shape):
    figure = plots.show_images([torch.full(shape, 2.0)])
    assert figure.axes[0].images[0].get_array().max() == 1


def test_images_need_as_many_titles():
    with pytest.raises(ValueError, match="titles has 1 entries for 2"):
        plots.show_images(torch.rand(2, 3, 4, 4), ["a"])
    with pytest.raises(ValueError, match="images is empty"):
        plots.show_images([])


def test_the_boundary_is_where_the_classes_are_equal(axes):
    model = lambda x: torch.stack([x[:, 0], -x[:, 0]], 1)  # noqa: E731
    x = torch.tensor([[-1.0, 0.0], [1.0, 0.0]])
    plots.decision_regions(axes, model, x, torch.tensor([1, 0]), resolution=40)
    contour = next(c for c in axes.collections if type(c).__name__.endswith("ContourSet"))
    points = contour.get_paths()[0].vertices
    assert abs(points[:, 0]).max() < 0.05


def test_three_classes_and_too_many(axes):
    x, y = torch.rand(9, 2), torch.arange(9) % 3
    plots.decision_regions(axes, torch.nn.Linear(2, 3), x, y, resolution=10)
    assert len(axes.collections) == 4
    with pytest.raises(ValueError, match="7 classes; at most 6"):
        plots.decision_regions(axes, torch.nn.Linear(2, 7), x, y, resolution=10)
    with pytest.raises(ValueError, match=r"x has shape \(9, 3\)"):
        plots.decision_regions(axes, torch.nn.Linear(3, 2), torch.rand(9, 3), y)


def test_paired_dots_join_the_same_seed(axes):
    plots.paired_dots(axes, {"none": [5, 6, 7], "mixup": [4, 6, 5]})
    assert [list(line.get_ydata()) for line in axes.lines] == [[5, 4], [6, 6], [7, 5]]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["none", "mixup"]
    with pytest.raises(ValueError, match="same seeds"):
        plots.paired_dots(axes, {"none": [5, 6], "mixup": [4]})


def test_intervals_reach_from_low_to_high(axes):
    one = SimpleNamespace(mean=1, low=0.5, high=3)
    plots.interval_bars(axes, {"a": one, "b": one}, smallest_effect=0.25)
    bars = axes.collections[0].get_segments()
    assert bars[0].tolist() == [[0.5, 1], [3, 1]]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["a", "b"]
