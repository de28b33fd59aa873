"""The figure of a report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib.pyplot as plt

from optim_scratch import ladder, plot

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from .examining import Report

BESIDE = {"SGD momentum 0.9": "momentum", "Adam": "Adam"}


def draw(report: Report) -> Figure:
    """Return a figure: steps by rate on each surface, and accuracy by rate on the digits."""
    panels = [
        panel
        for panel, there in ((_surfaces, report.curves), (_digits, report.row))
        if there
    ]  # fmt: skip
    if not panels:
        raise ValueError("nothing to draw: the report has neither curves nor a row")
    figure, axes = plt.subplots(1, len(panels), squeeze=False, figsize=(3.8 * len(panels), 3.3))
    for panel, ax in zip(panels, axes[0], strict=True):
        panel(report, ax)
    return figure


def _surfaces(report: Report, ax: Axes) -> None:
    for curve in report.curves:
        ax.plot(curve.rates, curve.steps, "o-", markersize=3, label=curve.surface)
    ax.set(xscale="log", yscale="log", xlabel="learning rate", title="Surfaces")
    ax.set_ylabel("steps to 1 % of the first loss")
    ax.legend()


def _digits(report: Report, ax: Axes) -> None:
    assert report.row is not None
    looks = {name: (ladder.row(name), plot.look(look)) for name, look in BESIDE.items()}
    looks[report.name] = report.row, {"color": plot.INK, "marker": "o", "markersize": 3}
    for name, (row, look) in looks.items():
        ax.plot(row.rates, 100 * row.validation.mean(axis=0), label=name, **look)
    ax.set(xscale="log", xlabel="learning rate", title="Digits, 20 epochs")
    ax.set_ylabel("validation accuracy, %")
    ax.set_ylim(bottom=80)
    ax.legend(loc="lower center")
