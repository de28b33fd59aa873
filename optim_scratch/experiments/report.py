"""Figures and numbers from records: each drawing function takes an Axes and returns it.

All take the table of `optim_scratch.experiments.results.read`, or a part of it. Where a recipe was
run with several seeds, a line is their mean and a band reaches from the lowest to the highest.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from optim_scratch.experiments.recipes import RECIPES
from optim_scratch.plot import CYCLE, look

ARTICLE = [recipe.name for recipe in RECIPES if recipe.suite == "article-003"]
COLOURS: dict[str, str] = dict(zip(ARTICLE, CYCLE, strict=True))
# the same schedule at another rate: the same colour
COLOURS |= {"constant-004": COLOURS["constant"], "exponential-001": COLOURS["exponential"]}
# an optimizer has its own in every figure, and its dash beside it
COMPARED = [recipe for recipe in RECIPES if recipe.suite in ("optimizers", "directions")]
COLOURS |= {recipe.name: look(recipe.optimizer)["color"] for recipe in COMPARED}
NAMES = {
    "running": "running, over the epoch's augmented batches",
    "train": "training images",
    "validation": "validation images",
    "test": "test images",
}


def curves(
    ax: Axes,
    table: pd.DataFrame,
    measure: str = "test_accuracy",
    *,
    labels: Mapping[str, str] | None = None,
    **style: Any,
) -> Axes:
    """Draw a measure over the epochs, a line for each recipe.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    table : DataFrame
        Rows of records, one per run and epoch.
    measure : str
        A column: ``"test_accuracy"``, ``"running_loss"``, …
    labels : mapping, optional
        What the legend calls each recipe; by default its name.
    **style
        Passed on to ``Axes.plot``.

    Returns
    -------
    Axes
        The same.

    Raises
    ------
    ValueError
        For a measure that is no column.
    """
    if measure not in table:
        raise ValueError(f"measure must be a column, got {measure!r}; {', '.join(table.columns)}")
    for recipe, runs in table.groupby("recipe", sort=False):
        name = str(recipe)
        by_epoch = runs.groupby("epoch")[measure]
        mean = by_epoch.mean()
        look = {"color": COLOURS.get(name), "label": (labels or {}).get(name, name), **style}
        (line,) = ax.plot(mean.index, mean, **look)
        if len(runs) > len(mean):
            low, high = by_epoch.min(), by_epoch.max()
            ax.fill_between(mean.index, low, high, color=line.get_color(), alpha=0.2, linewidth=0)
    part, _, what = measure.rpartition("_")
    ax.set(xlabel="epoch", ylabel=f"{what}, {NAMES[part]}" if part in NAMES else measure)
    if what == "accuracy":
        ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    return ax


def rates(ax: Axes, table: pd.DataFrame, *, labels: Mapping[str, str] | None = None) -> Axes:
    """Draw the rate that each epoch was trained with, on a logarithmic axis.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    table : DataFrame
        Rows of records.
    labels : mapping, optional
        What the legend calls each recipe.

    Returns
    -------
    Axes
        The same.
    """
    curves(ax, table, "lr", labels=labels, drawstyle="steps-mid")
    ax.set(ylabel="learning rate", yscale="log")
    return ax


def at_end(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of each run's last epoch.

    Parameters
    ----------
    table : DataFrame
        Rows of records.
    """
    return table.loc[table.groupby(["suite", "recipe", "seed"], sort=False)["epoch"].idxmax()]


def summary(table: pd.DataFrame, measure: str = "test_accuracy") -> pd.DataFrame:
    """Return how each recipe ended.

    Parameters
    ----------
    table : DataFrame
        Rows of records.
    measure : str
        A column.

    Returns
    -------
    DataFrame
        A row for each recipe: ``runs``, ``mean``, ``std`` (over seeds, with one degree of freedom
        taken; NaN for a single run), ``min``, ``max`` of the measure after the last epoch.
    """
    by_recipe = at_end(table).groupby("recipe", sort=False)[measure]
    return by_recipe.agg(["count", "mean", "std", "min", "max"]).rename(columns={"count": "runs"})
