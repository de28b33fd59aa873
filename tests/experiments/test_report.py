import pandas as pd
import pytest
from matplotlib.figure import Figure

from optim_scratch.experiments import recipes, report, results
from optim_scratch.plot import look


@pytest.fixture
def table(tmp_path, a_record):
    runs = [("step", 0, (0.5, 0.7)), ("step", 1, (0.6, 0.9)), ("constant", 0, (0.4, 0.5))]
    for name, seed, accuracies in runs:
        results.write(a_record(name, seed, accuracies), tmp_path)
    return results.read("article-003", tmp_path)


@pytest.fixture
def ax():
    return Figure().subplots()


def test_curves_show_mean_and_spread(ax, table):
    assert report.curves(ax, table, labels={"step": "StepLR(16, 0.2)"}) is ax
    constant, step = ax.get_lines()
    assert constant.get_ydata() == pytest.approx([0.4, 0.5])
    assert step.get_ydata() == pytest.approx([0.55, 0.8])
    assert (constant.get_label(), step.get_label()) == ("constant", "StepLR(16, 0.2)")
    assert step.get_color() == report.COLOURS["step"]
    (band,) = ax.collections
    heights = band.get_paths()[0].vertices[:, 1]
    assert (heights.min(), heights.max()) == pytest.approx((0.5, 0.9))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "accuracy, test images")
    assert ax.yaxis.get_major_formatter()(0.5) == "50%"


def test_an_unknown_measure_is_refused(ax, table):
    with pytest.raises(ValueError, match="measure must be a column, got 'mood'"):
        report.curves(ax, table, "mood")


def test_rates(ax, table):
    assert report.rates(ax, table) is ax
    assert ax.get_lines()[0].get_ydata() == pytest.approx([0.1, 0.05])
    assert (ax.get_ylabel(), ax.get_yscale()) == ("learning rate", "log")


def test_summary(table):
    found = report.summary(table)
    assert list(found.index) == ["constant", "step"]
    assert list(found.columns) == ["runs", "mean", "std", "min", "max"]
    assert found.loc["step"].tolist() == pytest.approx([2, 0.8, 0.02**0.5, 0.7, 0.9])
    assert found.loc["constant", "runs"] == 1
    assert pd.isna(found.loc["constant", "std"])


def test_an_optimizer_keeps_its_colour():
    assert report.COLOURS["adam-0.001"] == report.COLOURS["adam-0.003"] == look("Adam")["color"]


def test_every_recipe_has_a_colour_of_its_own():
    names = [recipe.name for recipe in recipes.RECIPES]
    assert set(names) <= set(report.COLOURS)
    for suite in {recipe.suite for recipe in recipes.RECIPES} - {"optimizers", "directions"}:
        names = [recipe.name for recipe in recipes.RECIPES if recipe.suite == suite]
        assert len({report.COLOURS[name] for name in names}) == len(names)
