from itertools import combinations

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

from optim_scratch import descend, plot, registry, surfaces
from optim_scratch.explorer import Explorer, Knob
from optim_scratch.optimizers import SGD
from optim_scratch.schedulers import StepLR


@pytest.fixture
def ax():
    with mpl.rc_context():
        plot.use_style()
        figure, axes = plt.subplots()
        yield axes
        figure.canvas.draw()  # whatever was drawn can be drawn
        plt.close(figure)


def run(lr=0.05, steps=30):
    return descend(surfaces.ravine(), SGD, steps, lr=lr)


def test_contours_show_the_surfaces_bounds_and_minima(ax):
    surface = surfaces.himmelblau()
    assert plot.contours(ax, surface) is ax
    assert (ax.get_xlim(), ax.get_ylim()) == surface.bounds
    assert np.array_equal(np.transpose(ax.lines[0].get_data()), surface.minima)


def test_path_draws_the_points_and_the_start(ax):
    path = run()
    plot.contours(ax, surfaces.ravine())
    assert plot.path(ax, path, label="momentum") is ax
    line, start = ax.lines[-2:]
    assert np.array_equal(np.transpose(line.get_data()), path.points)
    assert line.get_color() == start.get_color() == plot.COLOURS["momentum"]
    assert np.array_equal(np.transpose(start.get_data())[0], path.points[0])


def test_a_diverging_path_leaves_the_picture_quietly(ax):
    plot.contours(ax, surfaces.ravine())
    plot.path(ax, run(lr=0.5, steps=2000), label="gradient descent", colour="black")
    assert (ax.get_xlim(), ax.get_ylim()) == surfaces.ravine().bounds
    assert np.nanmax(np.abs(ax.lines[-2].get_data())) < 1e3


def test_loss_curves(ax):
    path = run()
    assert plot.loss_curves(ax, {"SGD": path, "another": run(0.01)}) is ax
    assert np.array_equal(ax.lines[0].get_ydata(), path.losses)
    assert ax.lines[0].get_color() == plot.COLOURS["SGD"]
    assert ax.get_yscale() == "log"
    assert ax.get_xlabel() == "step"


def test_schedule(ax):
    rates = StepLR.curve(10, lr=0.1, step_size=3)
    assert plot.schedule(ax, {"StepLR": rates}, unit="update") is ax
    assert np.array_equal(ax.lines[0].get_ydata(), rates)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("update", "learning rate")


def test_heatmap(ax):
    values = np.arange(12.0).reshape(3, 4)
    assert plot.heatmap(ax, np.arange(4), np.arange(3), values, label="loss") is ax
    assert np.array_equal(ax.collections[0].get_array(), values)
    assert ax.figure.axes[1].get_ylabel() == "loss"


@pytest.mark.parametrize("method", registry.methods("optimizer"), ids=lambda m: m.name)
def test_an_optimizer_has_its_familys_colour_and_a_dash_of_its_own(method):
    family = [m for m in registry.methods("optimizer") if m.family == method.family]
    same = [m.name for m in family if m.dash == method.dash]
    free = min(set(range(len(plot.DASHES))) - {m.dash for m in family})
    assert same == [method.name], (
        f"{' and '.join(same)} have one dash: write dash={free} into the entry of the newer one, "
        "in optim_scratch/registry/optimizers.py"
    )
    drawn = {"color": plot.FAMILY_COLOURS[method.family], "linestyle": plot.DASHES[method.dash]}
    assert plot.look(method.name) == drawn
    assert plot.COLOURS[method.name] == drawn["color"]


def test_what_the_first_chapters_show_keeps_its_colours():
    solid = ["SGD", "gradient descent", "momentum", "Nesterov", "Adam"]
    assert {plot.look(name)["linestyle"] for name in solid} == {"-"}
    colours = ["#0072B2", "#0072B2", "#D55E00", "#009E73", "#CC79A7"]
    assert [plot.COLOURS[name] for name in solid] == colours


# what is left of a colour's linear red, green and blue: Machado, Oliveira & Fernandes 2009
EYES = {
    "usual": np.eye(3),
    "without the long cones": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "without the middle cones": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
}


def seen(colour, eye):
    """A colour as an eye sees it, in CIELAB."""
    c = np.array(mpl.colors.to_rgb(colour))
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    share = to_xyz @ np.clip(np.array(EYES[eye]) @ linear, 0, 1) / to_xyz.sum(axis=1)
    x, y, z = np.where(share > 0.008856, np.cbrt(share), 7.787 * share + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("eye", EYES)
def test_every_eye_tells_the_colours_apart(eye):
    assert set(plot.FAMILY_COLOURS) == set(registry.FAMILIES)
    colours = sorted({*plot.FAMILY_COLOURS.values(), *plot.SGD_COLOURS.values()})
    for one, other in combinations(colours, 2):
        # 2.3 is just noticeable side by side; in thin lines it takes several times that
        assert np.linalg.norm(seen(one, eye) - seen(other, eye)) > 15, f"{one} and {other}"


def test_a_name_that_is_no_optimizers_has_the_cycles_next_colour(ax):
    assert plot.look("another") == {}
    plot.loss_curves(ax, {"another": run()})
    assert ax.lines[0].get_color() == plot.CYCLE[0]


@pytest.mark.parametrize("lr", [0.05, 0.3])
def test_exploration_shows_the_default_setting_in_the_book_s_style(lr):
    explorer = Explorer(surfaces.ravine(20), SGD, 40, lr=Knob([0.05, 0.3], at=lr))
    before = dict(mpl.rcParams)
    figure = plot.exploration(explorer)
    assert dict(mpl.rcParams) == before
    assert figure.get_suptitle() == f"rate η {lr}: {explorer.reading()}"
    left, right = figure.axes
    drawn = next(line for line in left.lines if len(line.get_xdata()) == 41)
    assert np.array_equal(np.transpose(drawn.get_data())[0], explorer.trajectory().points[0])
    assert drawn.get_color() == plot.COLOURS["gradient descent"]
    assert np.array_equal(right.lines[0].get_ydata(), explorer.trajectory().losses)
    assert right.get_yscale() == "log"
    assert right.get_ylim()[0] == pytest.approx(72 * 10.0 ** explorer.decades[0])
    assert plot.as_png(figure) == plot.as_png(plot.exploration(explorer))
