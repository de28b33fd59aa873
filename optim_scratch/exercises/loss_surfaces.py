"""Exercises of the chapter on loss surfaces."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from optim_scratch.parameter import Array

from .checking import add, function, number

add(
    "loss-surfaces.condition",
    1,
    number(
        (54 + 800**0.5) / (54 - 800**0.5),
        "The condition number is a ratio of eigenvalues, the largest over the smallest.",
        rtol=5e-3,
    ),
    solution=3.2,
    wrong=(74 / 34, 34 / 74, 2116.0, 1 / 3.2, 82.28, "3.2"),
)


def _slopes(f: Callable[[Array], float], theta: Array, w: float) -> Array:
    """Return the gradient by two-sided differences of half-width `w`."""
    return np.array([(f(theta + s) - f(theta - s)) / (2 * w) for s in w * np.eye(len(theta))])


def _slopes_cases(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    def cubic(theta: Array) -> float:  # a third derivative, so that other widths differ
        return float(np.sum(theta**3) + theta[0] * theta[-1] ** 2)

    return [(cubic, rng.normal(size=d), w) for d, w in ((1, 0.5), (2, 0.25), (5, 0.125))]


def _slopes_one_sided(f: Callable[[Array], float], theta: Array, w: float) -> Array:
    return np.array([(f(theta + s) - f(theta)) / w for s in w * np.eye(len(theta))])


def _slopes_in_place(f: Callable[[Array], float], theta: Array, w: float) -> Array:
    theta += w
    return _slopes(f, theta - w, w)


add(
    "loss-surfaces.slopes",
    2,
    function(
        _slopes,
        _slopes_cases,
        "Move one coordinate at a time, by w up and by w down, and divide by the distance between.",
    ),
    solution=_slopes,
    wrong=(
        _slopes_one_sided,
        _slopes_in_place,
        lambda f, theta, w: 2 * _slopes(f, theta, w),
        lambda f, theta, w: _slopes(f, theta, w / 2),
        lambda f, theta, w: (f(theta + w) - f(theta - w)) / (2 * w),
        lambda f, theta, w: np.zeros_like(theta),
    ),
)


def _turned(condition: float, degrees: float) -> float:
    """Return what scaling the coordinates leaves of a turned ravine's condition number."""
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    diagonal = (c**2 + condition * s**2) * (s**2 + condition * c**2)
    r = (condition - 1) * c * s / diagonal**0.5
    return float((1 + r) / (1 - r))


add(
    "loss-surfaces.turned",
    3,
    number(
        _turned(100, 15),
        "Scale the Hessian's rows and columns by the roots of its diagonal; its eigenvalues are "
        "then 1 + r and 1 - r. The angle is in degrees.",
        rtol=5e-3,
    ),
    solution=_turned(100, 15),
    wrong=(100, 1, _turned(20, 15), _turned(100, 15 * 180 / np.pi), 100 * np.sin(np.deg2rad(15))),
)


def _steps_to_leave(delta: float, reach: float, eta: float, h: float) -> float:
    """Return the least t with delta (1 + eta h)^t >= reach."""
    return float(np.ceil(np.log(reach / delta) / np.log(1 + eta * h)))


def _escape_cases(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    low, high = (1e-9, 0.2, 0.01, 0.3), (1e-1, 2.0, 0.5, 3.0)
    return [(1e-3, 0.5, 0.1, 1.0), *(tuple(rng.uniform(low, high)) for _ in range(3))]


add(
    "loss-surfaces.escape",
    4,
    function(
        _steps_to_leave,
        _escape_cases,
        "Each step multiplies the distance by 1 + eta h; round up to whole steps.",
    ),
    solution=_steps_to_leave,
    wrong=(
        lambda delta, reach, eta, h: np.log(reach / delta) / np.log(1 + eta * h),
        lambda delta, reach, eta, h: np.floor(np.log(reach / delta) / np.log(1 + eta * h)),
        lambda delta, reach, eta, h: np.ceil(np.log(reach / delta) / (eta * h)),
        lambda delta, reach, eta, h: np.ceil(np.log(reach / delta) / np.log(1 + eta)),
        lambda delta, reach, eta, h: np.ceil(reach / (delta * eta * h)),
    ),
)

add(
    "loss-surfaces.momentum",
    5,
    number(
        1 + 0.1**0.5,
        "Write the step with y alone, from two steps back, and look for solutions that grow by "
        "one factor each step. Take the larger.",
        rtol=5e-3,
    ),
    solution=1 + 0.1**0.5,
    wrong=(1.1, 2.0, 1 - 0.1**0.5, 10.0, 1.9, 8.4),
)
