"""Figures in the book's style: each function takes an Axes and returns it.

One colour stands for one family of optimizers through the whole book; its members differ by dash.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

try:
    import matplotlib.pyplot as plt
    from cycler import cycler
    from matplotlib.axes import Axes
    from matplotlib.colors import ListedColormap
    from matplotlib.figure import Figure
except ModuleNotFoundError as error:
    message = f"{__name__} needs matplotlib: pip install matplotlib"
    raise ModuleNotFoundError(message, name=error.name) from error

from . import ladder, registry
from .descent import Trajectory
from .parameter import Array
from .surfaces import Surface

if TYPE_CHECKING:
    from .explorer import Explorer
    from .family import Member, Spot, Tree
    from .testing import Report

FAMILY_COLOURS: dict[str, str] = {
    "gradient": "#0072B2",
    "adaptive": "#CC79A7",
    "sign": "#E69F00",
    "average": "#332288",
    "layer": "#56B4E9",
    "matrix": "#000000",
    "curvature": "#882255",
    "rate-free": "#661100",
    "sharpness": "#117733",
}
"""One colour per family, from the palettes of Okabe & Ito (2008) and, once those are used up, of
Tol (2021), made for colour-blind eyes."""

# momentum and Nesterov are SGD's settings, and a chapter's subject: a colour each, as two families
SGD_COLOURS: dict[str, str] = {
    "gradient descent": FAMILY_COLOURS["gradient"],
    "momentum": "#D55E00",
    "Nesterov": "#009E73",
}
"""One colour for each name that SGD has by its settings."""

DASHES: tuple[Any, ...] = (
    "-", "--", "-.", ":", (0, (8, 2)), (0, (3, 1, 1, 1, 1, 1)), (0, (1, 3)), (0, (6, 2, 2, 2)),
    (0, (2, 2)), (0, (10, 2, 2, 2)), (0, (5, 5)), (0, (3, 3, 1, 3)), (0, (12, 3)),
    (0, (6, 2, 1, 2, 1, 2)), (0, (1, 1)), (0, (8, 2, 2, 2, 2, 2)), (0, (4, 1)), (0, (1, 5)),
)  # fmt: skip
"""The dashes of a family's members, by the number that the registry gives each."""

LOOKS: dict[str, dict[str, Any]] = {
    name: {"color": colour, "linestyle": "-"} for name, colour in SGD_COLOURS.items()
} | {
    method.name: {"color": FAMILY_COLOURS[method.family], "linestyle": DASHES[method.dash]}
    for method in registry.methods("optimizer")
}
"""How each optimizer's curves are drawn, by its name."""

COLOURS = {name: look["color"] for name, look in LOOKS.items()}
"""The colour of each optimizer, its family's."""


def look(name: str) -> dict[str, Any]:
    """Return how an optimizer's curves are drawn, the same in every figure.

    Parameters
    ----------
    name : str
        An optimizer of the registry, ``"gradient descent"``, ``"momentum"`` or ``"Nesterov"``.

    Returns
    -------
    dict
        ``color`` and ``linestyle``; empty for any other name.

    Examples
    --------
    >>> look("momentum"), look("RMSprop")["linestyle"]
    ({'color': '#D55E00', 'linestyle': '-'}, '--')
    """
    return dict(LOOKS.get(name, {}))


CYCLE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Colours of curves that are not of different optimizers, in order."""

INK, PALE = "#2b2f36", "#8b94a0"
DPI = 160

STYLE: dict[str, Any] = {
    "figure.figsize": (7.2, 3.6),
    "figure.dpi": DPI,
    "figure.constrained_layout.use": True,
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 10,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": cycler(color=CYCLE),
    "axes.grid": True,
    "grid.color": "#e4e6ea",
    "grid.linewidth": 0.6,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "text.color": INK,
    "lines.linewidth": 1.8,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "font.size": 10,
    "mathtext.fontset": "cm",
}


def use_style() -> None:
    """Draw in the book's style from here on."""
    plt.rcParams.update(STYLE)  # type: ignore[arg-type]


def contours(ax: Axes, surface: Surface, *, levels: int = 16, resolution: int = 241) -> Axes:
    """Draw a surface's level lines, closer together near its lowest value, and its minima.

    Parameters
    ----------
    ax : Axes
        Where to draw; its limits become the surface's bounds.
    surface : Surface
        What to draw.
    levels : int
        How many lines.
    resolution : int
        Grid points along each axis.
    """
    x, y = (np.linspace(low, high, resolution) for low, high in surface.bounds)
    values = surface.value(np.stack(np.meshgrid(x, y), axis=-1))
    low, high = values.min(), values.max()
    heights = low + (high - low) * np.linspace(0, 1, levels + 1) ** 3
    shades = ListedColormap(plt.get_cmap("Blues_r")(np.linspace(0.45, 1.0, levels)))
    ax.contourf(x, y, values, levels=heights, cmap=shades, alpha=0.55)
    ax.contour(x, y, values, levels=heights, colors="#7d8fa8", linewidths=0.5, linestyles="solid")
    ax.plot(*np.transpose(surface.minima), "*", color=INK, markersize=9, linestyle="none", zorder=4)
    ax.set(xlim=surface.bounds[0], ylim=surface.bounds[1], xlabel="$x$", ylabel="$y$")
    ax.grid(False)
    return ax


def path(
    ax: Axes, trajectory: Trajectory, *, label: str = "", colour: str | None = None, **style: Any
) -> Axes:
    """Draw the path of one descent over a surface; what leaves the picture far behind is left out.

    Parameters
    ----------
    ax : Axes
        As `contours` leaves it.
    trajectory : Trajectory
        Of one run in two dimensions.
    label : str
        For the legend; an optimizer's name also chooses its look.
    colour : str, optional
        Instead of the label's.
    **style
        Passed to `Axes.plot`.
    """
    (x0, x1), (y0, y1) = ax.get_xlim(), ax.get_ylim()
    centre, size = np.array([x0 + x1, y0 + y1]) / 2, np.array([x1 - x0, y1 - y0])
    with np.errstate(invalid="ignore"):
        near = np.all(np.abs(trajectory.points - centre) <= 3 * size, axis=-1)
    points = np.where(near[:, None], trajectory.points, np.nan)
    drawn: dict[str, Any] = {"marker": "o", "markersize": 2.5, "linewidth": 1.3, **look(label)}
    if colour:
        drawn["color"] = colour
    (line,) = ax.plot(*points.T, **{**drawn, "label": label or None, **style})
    ax.plot(*points[0], "o", color=line.get_color(), markersize=6, zorder=5)
    return ax


def loss_curves(ax: Axes, runs: Mapping[str, Trajectory]) -> Axes:
    """Draw the loss of each descent against its steps, on a logarithmic axis.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    runs : mapping of label to Trajectory
        Of one run each; an optimizer's name as label chooses its look.
    """
    for label, run in runs.items():
        ax.plot(run.steps, run.losses, label=label, **look(label))
    ax.set(yscale="log", xlabel="step", ylabel="loss")
    ax.legend()
    return ax


def schedule(ax: Axes, rates: Mapping[str, ArrayLike], *, unit: str = "epoch") -> Axes:
    """Draw learning rates against epochs, each held until the next.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    rates : mapping of label to array_like of shape (steps,)
        As `LRScheduler.curve` returns them.
    unit : str
        What a step of the scheduler is.
    """
    for label, values in rates.items():
        ax.step(np.arange(np.size(values)), np.asarray(values), where="post", label=label)
    ax.set(xlabel=unit, ylabel="learning rate")
    ax.legend()
    return ax


def heatmap(
    ax: Axes, x: ArrayLike, y: ArrayLike, values: Array, *, label: str, **style: Any
) -> Axes:
    """Draw a map of values over two hyper-parameters, with a colour bar.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    x : array_like of shape (columns,)
        Along the horizontal axis.
    y : array_like of shape (rows,)
        Along the vertical axis.
    values : ndarray of shape (rows, columns)
        What to show; NaN stays blank.
    label : str
        What the colours mean.
    **style
        Passed to `Axes.pcolormesh`.
    """
    mesh = ax.pcolormesh(x, y, values, **{"cmap": "cividis", "rasterized": True, **style})
    ax.figure.colorbar(mesh, ax=ax, label=label)
    ax.grid(False)
    return ax


def exploration(explorer: Explorer) -> Figure:
    """Return the figure of an explorer's default setting: its path, its loss, what it came to.

    Parameters
    ----------
    explorer : Explorer
        What to draw; the axes of its losses are those that the site's sliders have.
    """
    run, colour = explorer.trajectory(), COLOURS[explorer.name]
    above = run.losses - explorer.lowest
    with plt.rc_context():
        use_style()
        figure = Figure(figsize=(7.2, 3.4), dpi=DPI)
        figure.suptitle(
            f"{explorer.words()}: {explorer.reading()}", x=0.01, ha="left", size=10.5, weight="bold"
        )
        left, right = figure.subplots(1, 2, width_ratios=(1.6, 1))
        contours(left, replace(explorer.surface, bounds=explorer.window), levels=10)
        path(left, run, label=explorer.name)
        left.plot(*np.clip(run.end, -1e9, 1e9), "o", color=colour, markeredgecolor="w", zorder=6)
        right.plot(run.steps, above, color=colour, linewidth=1.4)
        right.axhline(above[0] * 0.01, color=INK, linewidth=0.8, linestyle=(0, (4, 3)))
        ends = above[0] * 10.0 ** np.array(explorer.decades)
        right.set(yscale="log", ylim=ends, xlim=(0, explorer.steps), xlabel="step")
        right.set(ylabel="loss above the minimum's" if explorer.lowest else "loss")
    return figure


def family_tree(tree: Tree) -> Figure:
    """Return the picture of a family tree; in the site it is a drawing that links to the pages.

    Parameters
    ----------
    tree : Tree
        What to draw.
    """
    layout = tree.layout()
    with plt.rc_context():
        use_style()
        plt.rcParams["figure.constrained_layout.use"] = False  # it has its places already
        figure = Figure(figsize=(layout.width / 100, layout.height / 100), dpi=DPI)
        ax = figure.add_axes((0, 0, 1, 1), xlim=(0, layout.width), ylim=(layout.height, 0))
        ax.set_axis_off()
        for parent, child, top in layout.links():
            ax.plot([parent.x] * 2, [top, child.y], color=PALE, linewidth=0.9, zorder=1)
            tip = {"arrowstyle": "->", "color": PALE, "shrinkA": 0, "shrinkB": 3.5}
            ax.annotate("", (child.x, child.y), (parent.x, child.y), arrowprops=tip)
        for spot in layout.spots:
            _member(ax, spot, layout.width)
    return figure


def _member(ax: Axes, spot: Spot, width: float) -> None:
    """Draw a member of the family tree, with what stands beside it."""
    colour, setting = member_colour(spot.member), isinstance(spot.member, registry.Setting)
    face = "white" if setting else colour
    ax.plot(spot.x, spot.y, "o", color=colour, markerfacecolor=face, markersize=7)
    words: dict[str, Any] = {"va": "center", "size": 8.4, "color": INK}
    ax.text(spot.x + 12, spot.y, spot.member.name, weight="bold", **words)
    ax.text(width - 4, spot.y, str(spot.member.year), ha="right", **words)
    for i, line in enumerate(spot.lines):
        ax.text(spot.aside, spot.y + 18 * i, line, **words)
    if spot.heading:
        ax.text(spot.x - 5, spot.y - 24, spot.heading.upper(), **words | {"size": 6.6})


def member_colour(member: Member) -> str:
    """Return the colour of a member of the family tree: its own, or else its family's."""
    return SGD_COLOURS.get(member.name, FAMILY_COLOURS[member.family])


def examination(report: Report) -> Figure:
    """Return the figure of a report: steps by rate on surfaces, accuracy by rate on the digits.

    Parameters
    ----------
    report : Report
        From `optim_scratch.testing.examine`.

    Raises
    ------
    ValueError
        If nothing was measured.
    """
    drawn = [draw for draw, there in ((_surfaces, report.curves), (_digits, report.row)) if there]
    if not drawn:
        raise ValueError("nothing to draw: the report has neither curves nor a row")
    with plt.rc_context():
        use_style()
        figure = Figure(figsize=(3.8 * len(drawn), 3.4), dpi=DPI)
        for draw, ax in zip(drawn, figure.subplots(1, len(drawn), squeeze=False)[0], strict=True):
            draw(report, ax)
            ax.set(xscale="log", xlabel="learning rate")
    return figure


def _surfaces(report: Report, ax: Axes) -> None:
    for curve in report.curves:
        ax.plot(curve.rates, curve.steps, "o-", markersize=3, label=curve.surface)
    ax.set(yscale="log", title="Surfaces", ylabel="steps to 1 % of the first loss")
    ax.legend()


def _digits(report: Report, ax: Axes) -> None:
    assert report.row is not None
    lines = [
        (ladder.row("SGD momentum 0.9"), look("momentum")),
        (ladder.row("Adam"), look("Adam")),
        (report.row, {"color": INK, "marker": "o", "markersize": 3}),
    ]
    for row, how in lines:
        ax.plot(row.rates, 100 * row.validation.mean(axis=0), label=row.name, **how)
    ax.set(title="Digits, 20 epochs", ylabel="validation accuracy, %", ylim=(75, None))
    ax.legend(loc="lower left")


def as_png(figure: Figure) -> bytes:
    """Return a figure as a PNG, the same bytes whenever it is drawn."""
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=DPI, metadata={"Software": None})
    return out.getvalue()
