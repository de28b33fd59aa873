"""Exercises of the chapter on gradient descent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from optim_scratch.parameter import Array

from .checking import add, function, number

Gradient = Callable[[Array], Array]

add(
    "gradient-descent.limit",
    1,
    number(0.1, "Which curvature of the ravine sets the limit 2/L: the largest or the smallest?"),
    solution=2 / 20,
    wrong=(2.0, 0.05, 40.0, "0.1"),
)


def descent(gradient: Gradient, theta: Array, lr: float, steps: int) -> Array:
    """Return the point after so many steps of gradient descent."""
    for _ in range(steps):
        theta = theta - lr * gradient(theta)
    return theta


def _ascent(gradient: Gradient, theta: Array, lr: float, steps: int) -> Array:
    return descent(gradient, theta, -lr, steps)


def _in_place(gradient: Gradient, theta: Array, lr: float, steps: int) -> Array:
    for _ in range(steps):
        theta -= lr * gradient(theta)
    return theta


def _stale(gradient: Gradient, theta: Array, lr: float, steps: int) -> Array:
    return theta - steps * lr * gradient(theta)


def _off_by_one(gradient: Gradient, theta: Array, lr: float, steps: int) -> Array:
    return descent(gradient, theta, lr, steps - 1)


def _normalised(gradient: Gradient, theta: Array, lr: float, steps: int) -> Array:
    for _ in range(steps):
        g = gradient(theta)
        theta = theta - lr * g / np.linalg.norm(g)
    return theta


def bowl(theta: Array) -> Array:
    """Return the gradient of a bowl with the curvatures 1, 2, 3, ... along its axes."""
    return theta * np.arange(1.0, theta.size + 1)


def quartic(theta: Array) -> Array:
    """Return the gradient of the sum of θ⁴/4 − θ²/2."""
    return theta**3 - theta


add(
    "gradient-descent.update",
    2,
    function(
        descent,
        lambda rng: [
            (bowl, rng.standard_normal(3), 0.1, 1),
            (bowl, rng.standard_normal(2), 0.3, 7),
            (quartic, rng.standard_normal(4), 0.05, 20),
        ],
        "Each step needs a fresh gradient, taken where the last step ended.",
    ),
    solution=descent,
    wrong=(_ascent, _in_place, _stale, _off_by_one, _normalised, 0.1),
)


def iterations(lr: float, curvatures: Array, shrink: float = 1e-6) -> int:
    """Return how many steps bring every error of a quadratic to a share `shrink` of its start."""
    slowest = np.max(np.abs(1 - lr * curvatures))
    return int(np.ceil(np.log(shrink) / np.log(slowest)))


def _iterations_cases(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    cases: list[tuple[Any, ...]] = []
    for share in (0.2, 1.3, 1.99):
        h = rng.uniform(0.5, 30, size=4)
        cases.append((share / h.max(), h, 1e-6))
    return [*cases, (0.05, np.array([1.0, 10.0]), 1e-3)]


add(
    "gradient-descent.iterations",
    3,
    function(
        iterations,
        _iterations_cases,
        "The direction with the factor |1 - lr h| nearest to 1 is the last to arrive.",
    ),
    solution=iterations,
    wrong=(
        lambda lr, h, shrink=1e-6: np.ceil(np.log(shrink) / np.log(abs(1 - lr * h.max()))),
        lambda lr, h, shrink=1e-6: np.ceil(np.log(shrink) / np.log(1 - lr * h.min())),
        lambda lr, h, shrink=1e-6: np.floor(np.log(shrink) / np.log(np.abs(1 - lr * h).max())),
        lambda lr, h, shrink=1e-6: np.ceil(h.max() / h.min() / 2 * np.log(1 / shrink)),
    ),
)


add(
    "gradient-descent.diagnose",
    4,
    number(
        2.2 / 0.3,
        "The loss goes with the square of the error; an error that explodes changes its sign.",
        rtol=0.01,
    ),
    solution=(1 + (7.2 / 5.0) ** 0.5) / 0.3,
    wrong=((1 + 7.2 / 5.0) / 0.3, ((7.2 / 5.0) ** 0.5 - 1) / 0.3, 2 / 0.3, 0.44 / 0.3, "7.3"),
)

add(
    "gradient-descent.choose",
    5,
    number(
        2000 / np.log(1000),
        "Solve κ/2 · ln 1000 = 1000 for κ.",
        rtol=0.02,
    ),
    solution=2000 / np.log(1000),
    wrong=(1000 / np.log(1000), 2000 / np.log10(1000), 2000 / np.log(1e6), 2.0, "290"),
)
