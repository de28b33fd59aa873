"""What is measured of an optimizer: its rates on surfaces, and its line of the ladder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from optim_scratch import ladder, registry, surfaces
from optim_scratch.descent import descend
from optim_scratch.optimizers import AdamW, Optimizer, Wrapper
from optim_scratch.parameter import Array, Parameter

from .subject import Subject

STEPS = 500
SHARE = 0.01
"""Of the first loss: what is left when a surface counts as descended."""

GROUND = (
    surfaces.ravine(20), surfaces.ravine(20, 45), surfaces.rosenbrock(), surfaces.beale(),
)  # fmt: skip
"""The surfaces: a ravine along the axes and turned, a curved valley, a plain with a hollow."""


@dataclass(frozen=True)
class Curve:
    """How soon a surface is descended, at each of many rates.

    Parameters
    ----------
    surface : str
        Its name.
    rates : ndarray of shape (rates,)
        Learning rates, each twice the one before.
    steps : ndarray of shape (rates,)
        After how many steps a hundredth of the first loss is left, for the first time; NaN if
        that is not within 500.
    """

    surface: str
    rates: Array
    steps: Array

    @property
    def best(self) -> tuple[float, float]:
        """The rate that is soonest, and its steps; NaN both if none arrives."""
        if np.isnan(self.steps).all():
            return np.nan, np.nan
        i = int(np.nanargmin(self.steps))
        return float(self.rates[i]), float(self.steps[i])

    @property
    def width(self) -> float:
        """The factor that the rates span which need at most twice the steps of the best."""
        good = self.rates[self.steps <= 2 * self.best[1]]
        return float(good[-1] / good[0]) if len(good) else np.nan


def curves(s: Subject, middle: float, at_once: bool) -> tuple[Curve, ...]:
    """Return the curve of each surface, around a middle rate, all runs at once or one by one."""
    rates = middle * 2.0 ** np.arange(-10, 11)
    return tuple(
        Curve(surface.name, rates, _arrivals(s, surface, rates, at_once)) for surface in GROUND
    )


def _arrivals(s: Subject, surface: surfaces.Surface, rates: Array, at_once: bool) -> Array:
    """Return after how many steps each rate has arrived."""

    def losses(lr: Any) -> Array:
        return descend(surface, lambda p, lr: s.optimizer(p, lr=lr), STEPS, lr=lr).losses

    found = losses(rates[:, None]) if at_once else np.stack([losses(float(r)) for r in rates], -1)
    low = min(float(surface(np.array(point))) for point in surface.minima)
    left = (found - low) / (found[0] - low)
    with np.errstate(invalid="ignore"):
        there = left <= SHARE
    return np.where(there.any(axis=0), there.argmax(axis=0), np.nan)


@dataclass(frozen=True)
class _Own(ladder.Entry):
    """An entry of the ladder whose method is not the registry's."""

    kind: type[Optimizer] = Optimizer
    at_once: bool = True

    def of(self) -> registry.Method:
        """Return what the protocol has to know of it."""
        return registry.Method(
            self.name, "optimizer", "", "", "", "", family="yours",
            elementwise=self.at_once,
            closure=self.kind.needs_closure,
            wraps=issubclass(self.kind, Wrapper),
        )  # fmt: skip


def line(s: Subject, name: str, middle: float, at_once: bool) -> ladder.Row:
    """Return its line of the ladder, by the ladder's own protocol.

    Where it refuses a vector, it gets the network's matrices and AdamW the biases, at one rate.
    """
    try:
        kind, pieces = type(s.optimizer([Parameter(np.zeros(3))])), False
    except (TypeError, ValueError):
        kind, pieces = type(s.optimizer([Parameter(np.zeros((3, 2)))])), True

    def make(p: list[Parameter], lr: Any) -> Optimizer | list[Optimizer]:
        if not pieces:
            return s.optimizer(p, lr=lr)
        matrices = [each for each in p if each.data.ndim == 2]
        biases = [each for each in p if each.data.ndim == 1]
        return [s.optimizer(matrices, lr=lr), AdamW(biases, lr=lr)]

    said = ", ".join(f"{key}={value}" for key, value in s.settings.items() if key != "lr")
    own = _Own(name, name, make, middle, said, pieces, kind=kind, at_once=at_once)
    return ladder.measure(own)
