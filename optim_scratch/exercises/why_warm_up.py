"""Exercises of the chapter on why one warms up."""

from __future__ import annotations

import numpy as np

from optim_scratch.parameter import Array

from .checking import add, function


def factor(eta: float, r: float) -> float:
    """Return what an update multiplies a² − b² by, for two weights in a row with the error r."""
    return 1 - (eta * r) ** 2


add(
    "why-warm-up.factor",
    2,
    function(
        factor,
        lambda rng: [(0.1, 1.0), (0.6, 0.5), (0.6, -0.5), (3.0, 1.0)],
        "Put both updates into a**2 - b**2 and see which terms cancel.",
    ),
    solution=factor,
    wrong=(
        lambda eta, r: 1 - eta * r**2,
        lambda eta, r: 1 - eta * r,
        lambda eta, r: (1 - eta * r) ** 2,
        lambda eta, r: 1 + (eta * r) ** 2,
    ),
)


def longest_step(gradient: Array, hessian: Array) -> float:
    """Return the rate at which Adam's first step neither lowers nor raises a quadratic loss."""
    sign = np.sign(gradient)
    return float(2 * np.sum(np.abs(gradient)) / (sign @ hessian @ sign))


def slopes_and_bowls(rng: np.random.Generator) -> list[tuple[Array, Array]]:
    """Draw gradients and positive definite Hessians."""
    cases = []
    for size in (1, 2, 5, 10):
        root = rng.standard_normal((size, size))
        cases.append((rng.standard_normal(size), root @ root.T + np.eye(size)))
    return cases


add(
    "why-warm-up.longest-step",
    3,
    function(
        longest_step,
        slopes_and_bowls,
        "Put the step along the sign of the gradient into the expansion to second order.",
    ),
    solution=longest_step,
    wrong=(
        lambda g, H: 2 / np.linalg.eigvalsh(H)[-1],
        lambda g, H: 2 * (g @ g) / (g @ H @ g),
        lambda g, H: np.sum(np.abs(g)) / (np.sign(g) @ H @ np.sign(g)),
        lambda g, H: 2 * np.linalg.norm(g) / (np.sign(g) @ H @ np.sign(g)),
    ),
)
