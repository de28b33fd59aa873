"""Sets that parameters must not leave, and an optimizer that keeps them there."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from .checks import POSITIVE, Integer, type_name
from .optimizers import Optimizer, Wrapper
from .optimizers.optimizer import Group
from .parameter import Array, Parameter, floating


class ConvexSet(Protocol):
    """What can be projected onto: a `Box`, a `Ball`, or one of your own."""

    @property
    def elementwise(self) -> bool:
        """Whether many runs that lie in one array are projected each by itself."""

    def project(self, point: Array) -> Array:
        """Return the nearest point of the set."""


class Box:
    """All points whose entries lie between two bounds.

    Parameters
    ----------
    low, high : array_like
        The bounds, infinity admitted, of shapes that broadcast to that of the points.

    Raises
    ------
    TypeError, ValueError
        If they are no numbers, one is NaN, they do not broadcast, or `low` is above `high`.

    Examples
    --------
    >>> Box(-1, 1).project(np.array([0.5, 3.0])).tolist()
    [0.5, 1.0]
    """

    elementwise = True

    def __init__(self, low: ArrayLike, high: ArrayLike) -> None:
        self.low, self.high = floating(low, "low"), floating(high, "high")
        if not np.all(self.low <= self.high):  # NaN is not
            raise ValueError(f"low must be <= high, got {low!r} and {high!r}")

    def project(self, point: Array) -> Array:
        """Return the nearest point of the box: each entry held between its bounds.

        Parameters
        ----------
        point : ndarray
            Of a shape to which the bounds broadcast.
        """
        return np.clip(point, self.low, self.high)


class Ball:
    """All points within a distance of a centre.

    Parameters
    ----------
    radius : float, > 0
        The distance.
    centre : array_like
        Of a shape that broadcasts to that of the points.
    axis : int, optional
        Along which axis the entries of one point lie; by default an array is one point. With -1 the
        rows of an array are as many points, such as `descend` makes of many runs.

    Raises
    ------
    TypeError, ValueError
        If the radius is not one positive number, the centre not of finite ones, or the axis no
        integer.

    Examples
    --------
    >>> Ball(1.0).project(np.array([3.0, 4.0])).round(2).tolist()
    [0.6, 0.8]
    """

    def __init__(self, radius: float, centre: ArrayLike = 0.0, *, axis: int | None = None) -> None:
        self.radius: float = POSITIVE.check("radius", radius)
        self.axis: int | None = Integer(-64, optional=True).check("axis", axis)
        self.centre = floating(centre, "centre")
        if not np.isfinite(self.centre).all():
            raise ValueError(f"centre must be finite, got {centre!r}")

    @property
    def elementwise(self) -> bool:
        """Whether many runs that lie in one array are projected each by itself."""
        return self.axis is not None

    def project(self, point: Array) -> Array:
        """Return the nearest point of the ball: the one on the way to the centre.

        Parameters
        ----------
        point : ndarray
            Of a shape to which the centre broadcasts.
        """
        with np.errstate(all="ignore"):  # at the centre; and infinities and NaN flow
            way = point - self.centre
            distance = np.sqrt(np.sum(way * way, axis=self.axis, keepdims=True))
            share = np.minimum(1.0, self.radius / distance)
            return np.where(share < 1.0, self.centre + share * way, point)


class Projected(Wrapper):
    """An optimizer that is put back into a set after each of its steps.

    Parameters
    ----------
    optimizer : Optimizer
        What is wrapped.
    onto : ConvexSet
        Where every parameter must stay. A saved state does not hold it: give it again.

    Raises
    ------
    TypeError
        If `onto` cannot project, or `optimizer` is none of ours.
    ValueError
        If an array of hyper-parameters would make many runs of what the set takes for one point, or
        if the set is of a shape that a parameter is not.

    Notes
    -----
    Averages go outside, as in ``EMA(Projected(optimizer, onto))``: an average of points of the set
    lies in it, one of the points before they were put back need not.

    This is the Euclidean projection. Theory projects the steps of an adaptive method in the metric
    of its denominators (Duchi, Hazan & Singer 2011; Reddi, Kale & Kumar 2018). On a box the two
    agree, since each entry is held by itself; on a ball they do not.

    Examples
    --------
    >>> from optim_scratch import Parameter
    >>> from optim_scratch.optimizers import SGD
    >>> w = Parameter([0.0])
    >>> projected = Projected(SGD([w], lr=1.0), Box(-1, 1))
    >>> w.grad = [-5.0]
    >>> projected.step()
    >>> w.data.tolist()
    [1.0]
    """

    def __init__(self, optimizer: Optimizer, onto: ConvexSet) -> None:
        if isinstance(onto, type) or not callable(getattr(onto, "project", None)):
            raise TypeError(f"onto must be a set with a method project, got {type_name(onto)}")
        self.onto = onto
        super().__init__(optimizer)
        self._check_fit(self._parameters())

    @property
    def elementwise(self) -> bool:  # type: ignore[override]
        """Whether each run moves by itself: in the wrapped optimizer, and in the set."""
        return self.optimizer.elementwise and self.onto.elementwise

    def add_param_group(self, group: Group) -> None:
        """Let the wrapped optimizer move more parameters, of shapes that the set has too.

        Parameters
        ----------
        group : dict
            As the wrapped optimizer takes it.

        Raises
        ------
        TypeError, ValueError
            As that and the constructor do.
        """
        if "params" in group:
            group = {**group, "params": self._listed(group["params"])}
            self._check_fit([p for p in group["params"] if isinstance(p, Parameter)])
        super().add_param_group(group)

    def _check_fit(self, members: list[Parameter]) -> None:
        """Refuse parameters of which the set makes something of another shape, or nothing."""
        for p in members:
            try:
                fits = np.shape(self.onto.project(p.data)) == p.shape
            except ValueError:
                fits = False
            if not fits:
                raise ValueError(f"onto must project a parameter's shape, {p.shape}, and does not")

    def _after_step(self) -> None:
        for p in self._parameters():
            p.data[...] = self.onto.project(p.data)
