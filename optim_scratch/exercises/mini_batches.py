"""Exercises of the page on mini-batches."""

from __future__ import annotations

import numpy as np

from optim_scratch.parameter import Array

from .checking import add, function, number

add(
    "mini-batches.without",
    1,
    number(2, "σ²/B with replacement; without, times (N − B)/(N − 1).", rtol=0.01),
    solution=12 / 4 * (10 - 4) / (10 - 1),
    wrong=(3, 1.8, 8, 0.5, "2"),
)

add(
    "mini-batches.floor",
    2,
    number(0.25, "The floor goes with η/B.", rtol=0.01),
    solution=0.5 / 2,
    wrong=(0.5, 1.0, 4.0, 0.125, "1/4"),
)


def batch_variance(gradients: Array, size: int) -> float:
    """Return the mean squared distance of a batch's gradient, (N, d), from the full gradient."""
    return float(np.sum(np.var(gradients, axis=0)) / size)


add(
    "mini-batches.variance",
    3,
    function(
        batch_variance,
        lambda rng: [
            (1.0 + rng.standard_normal((3, 2)), 1),
            (1.0 + rng.standard_normal((6, 3)), 4),
            (rng.standard_normal((20, 1)), 32),
        ],
        "Sum over the coordinates the variance of one example's gradient; B draws divide it by B.",
    ),
    solution=batch_variance,
    wrong=(
        lambda g, size: np.sum(np.var(g, axis=0)) / size**2,
        lambda g, size: np.sum(np.std(g, axis=0)) / size,
        lambda g, size: np.sum(np.var(g, axis=0, ddof=1)) / size,
        lambda g, size: np.mean(np.sum(g**2, axis=1)) / size,
        lambda g, size: np.var(g, axis=0) / size,
    ),
)
