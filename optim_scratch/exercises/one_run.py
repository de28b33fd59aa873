"""Exercises of the chapter on how far one run can be trusted."""

from __future__ import annotations

import math

import numpy as np

from optim_scratch.parameter import Array

from .checking import add, function


def corrected(printed: float, images: int, batch_size: int, divisor: int) -> float:
    """Return the mean of the batch means, from their sum divided by something else."""
    return printed * divisor / math.ceil(images / batch_size)


def seeds(spread: float, difference: float) -> int:
    """Return the fewest runs a side whose means differ by two standard errors."""
    return math.ceil(8 * (spread / difference) ** 2)


def honest(validation: Array, test: Array) -> tuple[int, float]:
    """Return the epoch to report, counted from 1, and its test accuracy."""
    best = int(np.argmax(validation))
    return best + 1, float(test[best])


def effects(grid: Array) -> tuple[float, float, float]:
    """Return what the schedule, the rate and both at once change in a 2×2 grid of scores."""
    (a, b), (c, d) = grid
    return float(c + d - a - b) / 2, float(b + d - a - c) / 2, float(d - a)


def _curves(rng: np.random.Generator) -> list[tuple[Array, Array]]:
    rise = 0.8 - 0.5 * np.exp(-np.arange(30) / 6)
    return [
        (rise + 0.02 * rng.standard_normal(30), rise + 0.02 * rng.standard_normal(30))
        for _ in range(3)
    ]


add(
    "one-run.corrected",
    1,
    function(
        corrected,
        lambda rng: [
            (0.49, 10_000, 128, 100),
            (0.63, 10_000, 256, 100),
            (1.2, 5_000, 100, 79),
            (0.4, 1_000, 128, 10),
        ],
        "How many batch means were added up? The last batch may be short.",
    ),
    solution=corrected,
    wrong=(
        lambda printed, images, batch_size, divisor: printed * divisor / (images // batch_size),
        lambda printed, images, batch_size, divisor: printed * divisor / (images / batch_size),
        lambda printed, images, batch_size, divisor: (
            printed * math.ceil(images / batch_size) / divisor
        ),
        lambda printed, images, batch_size, divisor: printed * 1.21,
        lambda printed, images, batch_size, divisor: printed,
    ),
)

add(
    "one-run.seeds",
    2,
    function(
        seeds,
        lambda rng: [(0.31, 0.5), (0.62, 0.5), (0.31, 0.1), (0.9, 2.1), (1.1, 0.5)],
        "The variance of a difference of two means is the sum of their variances; "
        "runs come in whole numbers.",
    ),
    solution=lambda spread, difference: math.ceil(2 * (2 * spread / difference) ** 2),
    wrong=(
        lambda spread, difference: math.ceil(4 * (spread / difference) ** 2),
        lambda spread, difference: math.ceil(2 * (spread / difference) ** 2),
        lambda spread, difference: 8 * (spread / difference) ** 2,
        lambda spread, difference: math.floor(8 * (spread / difference) ** 2),
        lambda spread, difference: math.ceil(8 * spread / difference),
    ),
)

add(
    "one-run.honest",
    3,
    function(
        honest,
        _curves,
        "The test images must have no part in the choice, and epochs count from 1.",
    ),
    solution=honest,
    wrong=(
        lambda validation, test: (int(np.argmax(test)) + 1, float(np.max(test))),
        lambda validation, test: (int(np.argmax(validation)) + 1, float(np.max(validation))),
        lambda validation, test: (int(np.argmax(validation)), float(test[np.argmax(validation)])),
        lambda validation, test: (int(np.argmax(validation)) + 1, float(np.max(test))),
        lambda validation, test: (len(test), float(test[-1])),
    ),
)

add(
    "one-run.effects",
    4,
    function(
        effects,
        lambda rng: [(rng.uniform(70, 90, size=(2, 2)),) for _ in range(3)],
        "Compare only cells that differ in one thing, then average the two comparisons.",
    ),
    solution=effects,
    wrong=(
        lambda grid: (grid[1, 1] - grid[0, 0],) * 3,
        lambda grid: (grid[1, 0] - grid[0, 0], grid[0, 1] - grid[0, 0], grid[1, 1] - grid[0, 0]),
        lambda grid: (
            float(grid[:, 1].mean() - grid[:, 0].mean()),
            float(grid[1].mean() - grid[0].mean()),
            float(grid[1, 1] - grid[0, 0]),
        ),
        lambda grid: (*tuple(2 * e for e in effects(grid)[:2]), effects(grid)[2]),
    ),
)
