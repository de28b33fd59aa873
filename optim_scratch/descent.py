"""Run an optimizer on a surface or a problem, and keep the path."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

from .checks import check_integer, type_name
from .optimizers import Optimizer
from .parameter import Array, Parameter, floating
from .schedulers import LRScheduler

LIMIT = 1e12
"""A loss beyond this, up or down, counts as diverged."""


class Landscape(Protocol):
    """What can be descended: a `Surface`, or a problem of `optim_scratch.problems`."""

    @property
    def start(self) -> Any:
        """Where to begin, of shape (d,)."""

    @property
    def value(self) -> Callable[[Array], Array]:
        """From points of shape (..., d) to losses of shape (...)."""

    @property
    def gradient(self) -> Callable[[Array], Array]:
        """From points of shape (..., d) to gradients of that shape."""


@dataclass(frozen=True)
class Trajectory:
    """The path of one descent, or of many at once.

    Parameters
    ----------
    steps : ndarray of shape (records,)
        After how many steps each record was made, from 0.
    points : ndarray of shape (records, ..., d)
        The parameters, or where else the optimizer's loss is to be evaluated.
    losses : ndarray of shape (records, ...)
        The exact loss there, even where gradients are noisy.
    rates : ndarray of shape (records, ...)
        The learning rate of the step that follows the record, of the first coordinate where they
        differ.
    """

    steps: Array
    points: Array
    losses: Array
    rates: Array

    @property
    def end(self) -> Array:
        """The last point, of shape (..., d)."""
        return np.asarray(self.points[-1])

    @property
    def final_loss(self) -> Any:
        """The last loss: a float, or an array where there are many runs."""
        return float(self.losses[-1]) if self.losses.ndim == 1 else self.losses[-1]

    @property
    def diverged_at(self) -> Any:
        """The first recorded step whose loss is not finite, or beyond 1e12.

        One run: an int, or None if there is none. Many: an array of int, -1 where there is none.
        """
        with np.errstate(invalid="ignore"):
            beyond = ~(np.abs(self.losses) <= LIMIT)
        first = np.where(beyond.any(axis=0), self.steps[beyond.argmax(axis=0)], -1)
        if first.ndim:
            return first
        return int(first) if first >= 0 else None


def descend(
    landscape: Landscape,
    optimizer: Callable[..., Optimizer],
    steps: int,
    *,
    start: ArrayLike | None = None,
    scheduler: Callable[[Optimizer], LRScheduler] | None = None,
    every: int = 1,
    **hyper: Any,
) -> Trajectory:
    """Descend with an optimizer and return the path.

    Hyper-parameters that are arrays make many runs at once. They broadcast against the point, whose
    last axis holds its coordinates: ``lr`` of shape (100, 1) is a hundred runs; ``lr`` of shape
    (100, 1, 1) with ``momentum`` of shape (50, 1) is 100 × 50. So does an array as an entry of a
    tuple: ``betas=(beta1, 0.999)`` with ``beta1`` of shape (100, 1).

    A run that diverges is a result: see `Trajectory.diverged_at`.

    Every step is given a closure, so that methods which look more than once can. It returns the
    loss if the method needs one, and draws a noisy gradient anew at each look. The record is of
    where the optimizer says that the loss is to be evaluated: if it averages, at the average.

    Parameters
    ----------
    landscape : Surface or problem
        Gives values, gradients and a start.
    optimizer : class of Optimizer, or callable
        Such as `SGD`; or what makes an optimizer from a list of parameters and ``**hyper``, such as
        ``lambda params: Lookahead(SGD(params, lr=0.1))``.
    steps : int, >= 1
        How many updates.
    start : array_like of shape (..., d), optional
        Where to begin, instead of the landscape's start.
    scheduler : callable, optional
        Makes a scheduler from the optimizer, one that needs no metric; it is stepped after each
        update.
    every : int, >= 1
        Record each so many steps. The start is always recorded, the end too.
    **hyper
        The optimizer's hyper-parameters.

    Returns
    -------
    Trajectory

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its type or outside its range, if `optimizer` makes none, or if
        there are many runs and it is a method that would take them for one.

    Examples
    --------
    >>> from optim_scratch import surfaces
    >>> from optim_scratch.optimizers import SGD
    >>> path = descend(surfaces.ravine(20), SGD, steps=100, lr=0.05)
    >>> path.points.shape, path.final_loss < 1e-2
    ((101, 2), True)
    >>> descend(surfaces.ravine(20), SGD, steps=1000, lr=0.2).diverged_at
    11
    """
    steps, every = check_integer("steps", steps, low=1), check_integer("every", every, low=1)
    p = Parameter(_spread(landscape, start, hyper))
    mover = _made(optimizer, p, hyper)
    schedule = scheduler(mover) if scheduler else None

    def closure() -> Any:
        p.grad = landscape.gradient(p.data)
        return landscape.value(p.data) if mover.needs_closure else None  # it costs time

    records = []
    with np.errstate(all="ignore"):  # a diverging run is a result, not a wall of warnings
        for step in range(steps + 1):
            if step % every == 0 or step == steps:
                point = mover.point(p)
                records.append((step, point.copy(), landscape.value(point), _rate(mover, p)))
            if step < steps:
                mover.step(closure)
                if schedule:
                    schedule.step()
    return Trajectory(*(np.array(column) for column in zip(*records, strict=True)))


def _made(optimizer: Callable[..., Optimizer], p: Parameter, hyper: dict[str, Any]) -> Optimizer:
    """Return the optimizer, refused if it is none or would take many runs for one."""
    if not callable(optimizer):
        raise TypeError(f"optimizer must be a class or make an optimizer, got {optimizer!r}")
    mover = optimizer([p], **hyper)
    if not isinstance(mover, Optimizer):
        raise TypeError(f"optimizer must make one of ours, got {type_name(mover)}")
    if p.data.ndim > 1 and not mover.elementwise:
        name = type(mover).__name__
        raise ValueError(f"start must be one point: {name} would take {p.shape[:-1]} runs for one")
    return mover


def _spread(landscape: Landscape, start: ArrayLike | None, hyper: dict[str, Any]) -> Array:
    """Return the start, repeated for each run that arrays among the hyper-parameters ask for."""
    points = floating(landscape.start if start is None else start, "start")
    last = points.shape[-1:]
    flat = {
        f"{name}[{i}]" if isinstance(value, tuple) else name: entry
        for name, value in hyper.items()
        for i, entry in enumerate(value if isinstance(value, tuple) else (value,))
    }
    for name, value in flat.items():
        try:
            shape = np.broadcast_shapes(points.shape, np.shape(value))
        except ValueError:
            shape = ()
        if shape[-1:] != last:
            raise ValueError(
                f"{name} of shape {np.shape(value)} does not broadcast to points of shape "
                f"{points.shape}, whose last axis holds the coordinates of a run"
            )
        points = np.broadcast_to(points, shape)
    return points


def _rate(optimizer: Optimizer, p: Parameter) -> Any:
    """Return the present rate of each run."""
    lr = np.asarray(optimizer.param_groups[0]["lr"])
    return np.broadcast_to(lr[..., 0] if lr.ndim else lr, p.shape[:-1]).copy()
