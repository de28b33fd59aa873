"""The protocol: how a curve of sensitivity to the rate is measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from optim_scratch import surfaces
from optim_scratch.ladder import Entry
from optim_scratch.parameter import Array
from optim_scratch.problems import NoisyQuadratic, SparseLogistic, ZipfClasses

from .methods import LOOKS, ON_VECTORS
from .running import run

RATES = 25
FACTOR = 2.0
STEPS = 500
STARTS = 20
SEEDS = range(2 * STARTS)
SHARE = 0.01

PROTOCOL: dict[str, Any] = {
    "rates": RATES,
    "factor": FACTOR,
    "middle": "the ladder's",
    "steps": STEPS,
    "gradients": "a step is one; of those that look more often, gradients are counted, not steps",
    "looks": LOOKS,
    "looks of one step": "see the same mini-batch, or the same noise",
    "parameters": "one vector each; beside the ladder's settings, so that vectors are not spared:",
    "on vectors": {name: change["settings"] for name, change in ON_VECTORS.items()},
    "tuning_starts": STARTS,
    "fresh_starts": STARTS,
    "share": SHARE,
    "surfaces": "step from which at most a hundredth of the usual start's loss is left, else 500",
    "problems": "20 + 20 seeds; training loss after the last step; "
    "not finite, or above the first: the first loss",
    "best": "the lowest mean over the tuning starts",
}
"""What is the same for every curve; the committed file holds it too."""


@dataclass(frozen=True)
class Ground:
    """Something to descend.

    Parameters
    ----------
    name : str
        In the file.
    unit : str
        What is measured on it: ``"steps"`` or ``"loss"``.
    measure : callable
        From an entry and its rates to scores, less is better, of shape (runs, rates): the first
        half of the runs is to choose the rate by, the second half to report.
    """

    name: str
    unit: str
    measure: Callable[[Entry, Array], Array]


def rates(middle: float) -> Array:
    """Return the rates that are tried around a middle one, each twice the one before."""
    return middle * FACTOR ** (np.arange(RATES) - RATES // 2)


def starts(surface: surfaces.Surface, count: int = 2 * STARTS, seed: int = 0) -> Array:
    """Return random points whose loss is half to twice that of the usual start: (count, 2).

    They are uniform in the surface's bounds. A ravine that is turned has the same ones, turned.
    """
    if surface.recipe[0] == "noisy":
        return starts(surfaces.make(surface.recipe[1]), count, seed)
    if surface.recipe[0] == "ravine" and surface.recipe[2]:
        angle = np.deg2rad(surface.recipe[2])
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        return np.asarray(starts(surfaces.ravine(surface.recipe[1]), count, seed) @ turn.T)
    rng = np.random.default_rng(seed)
    low, high = np.array(surface.bounds, dtype=np.float64).T
    points = rng.uniform(low, high, size=(100 * count, 2))
    share = excess(surface, points) / excess(surface, np.array(surface.start))
    return np.asarray(points[(share >= 0.5) & (share <= 2)][:count])


def excess(surface: surfaces.Surface, points: Array) -> Array:
    """Return how far the loss is above the lowest one."""
    low = min(float(surface(np.array(point))) for point in surface.minima)
    return np.asarray(surface(points) - low)


def arrivals(make: Callable[..., surfaces.Surface], entry: Entry, lrs: Array) -> Array:
    """Return from which gradient on each run has a hundredth left or less, at most 500."""
    surface, looks = make(), LOOKS.get(entry.name, 1)
    losses = run(make, entry, lrs, STEPS, starts(surface)[:, None])
    low = min(float(surface(np.array(point))) for point in surface.minima)
    with np.errstate(invalid="ignore"):
        away = ~(losses - low <= SHARE * excess(surface, np.array(surface.start)))
    first = looks * (len(away) - away[::-1].argmax(axis=0))
    return np.where(away.any(axis=0), np.minimum(first, STEPS), 0)


def ends(make: Callable[..., Any], steps: int, entry: Entry, lrs: Array) -> Array:
    """Return the loss after so many gradients, at most the first one."""
    start = make().start
    lead = start if start.ndim > 1 else np.tile(start, (2 * STARTS, 1, 1))
    first, last = run(make, entry, lrs, steps, lead, every=steps)
    with np.errstate(invalid="ignore"):
        return np.where(last <= first, last, first)


def _surface(name: str, make: Callable[..., surfaces.Surface]) -> Ground:
    return Ground(name, "steps", partial(arrivals, make))


def _problem(name: str, make: Callable[..., Any], steps: int) -> Ground:
    return Ground(name, "loss", partial(ends, make, steps))


GROUNDS = (
    *(
        _surface(f"ravine {condition} at {angle}°", partial(surfaces.ravine, condition, angle))
        for condition in (20, 100)
        for angle in (0, 15, 45)
    ),
    _surface("Rosenbrock", surfaces.rosenbrock),
    _surface("Beale", surfaces.beale),
    _surface("noisy ravine", lambda seed=0: surfaces.noisy(surfaces.ravine(20, 45), 0.5, seed)),
    _problem(
        "noisy quadratic",
        lambda seed=0: NoisyQuadratic(np.geomspace(0.1, 10, 10), 0.3, seed=seed), 500,
    ),
    _problem(
        "sparse logistic",
        lambda seed=SEEDS: SparseLogistic(features=64, examples=1024, seed=seed), 256,
    ),
    _problem(
        "Zipf classes",
        lambda seed=SEEDS: ZipfClasses(classes=16, inputs=8, examples=256, seed=seed), 60,
    ),
)  # fmt: skip
"""The surfaces, then the problems."""


def line(ground: Ground, entry: Entry) -> dict[str, Any]:
    """Return what the file holds of a method on a ground."""
    lrs = rates(entry.middle)
    scores = ground.measure(entry, lrs)
    tuning, fresh = np.split(scores, 2)
    best = int(np.round(tuning.mean(axis=0), 6).argmin())
    return {
        "ground": ground.name,
        "method": entry.name,
        "rates": significant(lrs),
        "means": significant(tuning.mean(axis=0)),
        "spreads": significant(tuning.std(axis=0, ddof=1)),
        "best": best,
        "fresh": significant(fresh[:, best]),
    }


def significant(values: Array, digits: int = 5) -> list[float]:
    """Return numbers of so many digits."""
    return [float(f"{value:.{digits}g}") for value in values]
