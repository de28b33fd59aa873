"""Many runs of a method, from every start at every rate: in one array if they can share one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from typing import Any

import numpy as np

from optim_scratch import surfaces
from optim_scratch.descent import Landscape, descend
from optim_scratch.ladder import Entry
from optim_scratch.optimizers import Optimizer
from optim_scratch.parameter import Array, Parameter
from optim_scratch.problems import NoisyQuadratic
from optim_scratch.problems.batches import Batches

from .methods import ACROSS, LOOKS

Slope = Callable[[Array], Array]


def run(
    make: Callable[..., Any], entry: Entry, lrs: Array, gradients: int, start: Array, every: int = 1
) -> Array:
    """Return the losses of all runs, of shape (records, starts, rates).

    Parameters
    ----------
    make : callable
        Makes the landscape; one of mini-batches or with noise from a ``seed`` too.
    entry : Entry
        The method.
    lrs : ndarray of shape (rates,)
        The rates.
    gradients : int
        What each run may look at: as many steps, or half or a quarter as many if a step looks
        twice or four times.
    start : ndarray of shape (starts, 1, d)
        Where to begin.
    every : int
        Gradients between two records.
    """
    if entry.name in LOOKS:
        looks = LOOKS[entry.name]
        return looking(make, entry, lrs, gradients // looks, start, -(-every // looks))
    if entry.of().elementwise:
        return descend(
            make(), lambda p, lr: entry.optimizers(p, lr)[0], gradients,
            start=start, every=every, lr=lrs[:, None],
        ).losses  # fmt: skip
    return apart(make(), entry, lrs, gradients, start, every)


def apart(
    landscape: Landscape, entry: Entry, lrs: Array, steps: int, start: Array, every: int = 1
) -> Array:
    """Return the losses of runs that are a parameter each: (records, starts, rates).

    All parameters are views of one array, so that a gradient is computed once for all of them.
    """
    points = np.repeat(start, len(lrs), axis=1)
    slopes = np.zeros_like(points)
    movers, losses = _movers(entry, points, slopes, lrs), []
    with np.errstate(all="ignore"):  # a diverging run is a result
        for step in range(steps + 1):
            if step % every == 0 or step == steps:
                losses.append(landscape.value(points))
            if step < steps:
                slopes[...] = landscape.gradient(points)
                for mover in movers:
                    mover.step()
    return np.array(losses)


def _movers(entry: Entry, points: Array, slopes: Array, lrs: Array) -> list[Optimizer]:
    """Return an optimizer for each rate, or for each run if it takes its parameters together."""
    movers = []
    for column, rate in enumerate(lrs):
        runs = [Parameter(theta, copy=False) for theta in points[:, column]]
        for p, slope in zip(runs, slopes[:, column], strict=True):
            p.grad = slope  # kept as it is, so that what is written there later is seen
        each = [[p] for p in runs] if entry.method in ACROSS else [runs]
        movers += [mover for group in each for mover in entry.optimizers(group, float(rate))]
    return movers


def looking(
    make: Callable[..., Any], entry: Entry, lrs: Array, steps: int, start: Array, every: int = 1
) -> Array:
    """Return the losses of methods that look more than once a step: (records, starts, rates).

    One run after the other, since where a run looks next depends on what it has seen.
    """
    shared = make()
    random = isinstance(shared, Batches) or quiet(shared) is not shared
    runs = [
        [alone(landscape, entry, float(rate), steps, theta, every) for rate in lrs]
        for i, theta in enumerate(start[:, 0])
        for landscape in [make(seed=i) if random else shared]
    ]
    return np.moveaxis(np.array(runs), -1, 0)


def alone(
    landscape: Landscape, entry: Entry, rate: float, steps: int, start: Array, every: int = 1
) -> Array:
    """Return the losses of one run, of shape (records,).

    A run that is no longer finite stays where it is, as no step leads back.
    """
    p, losses = Parameter(start), []
    [mover] = entry.optimizers([p], rate)

    def look(slope: Slope) -> Any:
        p.grad = slope(p.data)
        return landscape.value(p.data)

    with np.errstate(all="ignore"):
        for step, slope in enumerate(steady(landscape, steps)):
            if step % every == 0:
                losses.append(landscape.value(p.data))
            if np.isfinite(p.data).all():
                mover.step(partial(look, slope))
        losses.append(landscape.value(p.data))
    return np.array(losses)


def steady(landscape: Any, steps: int) -> Iterator[Slope]:
    """Yield for each step the gradient that its looks share: of one mini-batch, or of one noise."""
    if isinstance(landscape, Batches):
        for batch in islice(landscape.batches(steps), steps):
            yield partial(landscape.gradient, batch=batch)  # type: ignore[attr-defined]
        return
    exact, zero = quiet(landscape), np.zeros(np.shape(landscape.start))
    for _ in range(steps):
        if exact is landscape:
            yield landscape.gradient
        else:
            noise = landscape.gradient(zero) - exact.gradient(zero)
            yield partial(_shifted, exact.gradient, noise)


def _shifted(slope: Slope, noise: Array, theta: Array) -> Array:
    return slope(theta) + noise


def quiet(landscape: Any) -> Any:
    """Return a landscape without the noise in its gradients: itself, if there is none."""
    if isinstance(landscape, NoisyQuadratic):
        return NoisyQuadratic(landscape.curvatures, 0.0)
    recipe: tuple[Any, ...] = getattr(landscape, "recipe", ())
    return surfaces.make(recipe[1]) if recipe[:1] == ("noisy",) else landscape
