import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

from optim_scratch import descend, plot, registry, surfaces
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


def test_every_optimizer_has_its_familys_colour_and_a_dash_of_its_own():
    looks = {m.name: plot.look(m.name) for m in registry.methods("optimizer")}
    for method in registry.methods("optimizer"):
        assert looks[method.name]["color"] == plot.FAMILY_COLOURS[method.family]
        assert plot.COLOURS[method.name] == plot.FAMILY_COLOURS[method.family]
    assert len({str(look) for look in looks.values()}) == len(looks)
    assert len(set(plot.FAMILY_COLOURS.values())) == len(plot.FAMILY_COLOURS)
    assert set(registry.FAMILIES) | {"momentum"} == set(plot.FAMILY_COLOURS)


def test_a_name_that_is_no_optimizers_has_the_cycles_next_colour(ax):
    assert plot.look("another") == {}
    plot.loss_curves(ax, {"another": run()})
    assert ax.lines[0].get_color() == plot.CYCLE[0]
