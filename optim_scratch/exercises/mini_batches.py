"""Exercises of the page on mini-batches."""

from __future__ import annotations

import numpy as np

from optim_scratch.parameter import Array

from .checking import add, function, number

add(
    "mini-batches.steps",
    1,
    number(320, "Batches of 32 of 1,024 examples: how many in one pass?"),
    solution=10 * 1024 / 32,
    wrong=(32, 10240, 10, 3.2, "320"),
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
