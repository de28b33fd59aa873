"""Exercises of the chapter on the range test."""

from __future__ import annotations

import numpy as np

from optim_scratch.parameter import Array

from .checking import add, function


def again(
    rate: float, n: int, low: float, high: float, n2: int, low2: float, high2: float
) -> float:
    """Return what another range test of the same run suggests."""
    return float(rate * np.log(high2 / low2) / np.log(high / low) * (n - 1) / (n2 - 1))


add(
    "range-test.again",
    1,
    function(
        again,
        lambda rng: [
            (0.02, 200, 1e-4, 1.0, 400, 1e-4, 1.0),
            (0.02, 200, 1e-4, 1.0, 200, 1e-6, 1.0),
            (0.3, 101, 1e-3, 10.0, 1001, 1e-5, 10.0),
        ],
        "The steepest fall is at q / 2h: how many times larger or smaller is the new q?",
    ),
    solution=again,
    wrong=(
        lambda rate, n, low, high, n2, low2, high2: rate * (n - 1) / (n2 - 1),
        lambda rate, n, low, high, n2, low2, high2: again(rate, n2, low2, high2, n, low, high),
        lambda rate, n, low, high, n2, low2, high2: (
            rate * np.log(high2 / low2) / np.log(high / low) * n / n2
        ),
        lambda rate, n, low, high, n2, low2, high2: (
            rate * (high2 / low2) / (high / low) * (n - 1) / (n2 - 1)
        ),
    ),
)


def length(rate: float, h: float, low: float, high: float) -> float:
    """Return how many updates a range test needs for its steepest fall to be at a rate."""
    return float(1 + np.log(high / low) / (2 * h * rate))


add(
    "range-test.length",
    2,
    function(
        length,
        lambda rng: [(0.01, 10.0, 1e-4, 0.4), (0.05, 1.0, 1e-5, 1.0), (0.001, 3.0, 1e-3, 10.0)],
        "The steepest fall is at q / 2h, and n rates have n - 1 factors between them.",
    ),
    solution=length,
    wrong=(
        lambda rate, h, low, high: np.log(high / low) / (2 * h * rate),
        lambda rate, h, low, high: 1 + np.log(high / low) / (h * rate),
        lambda rate, h, low, high: 1 + np.log10(high / low) / (2 * h * rate),
        lambda rate, h, low, high: 1 + np.log(high / low) * h / (2 * rate),
    ),
)


def smooth(losses: Array, beta: float, corrected: bool = True) -> Array:
    """Return the running mean of losses, as a range test takes it."""
    mean, smoothed = 0.0, []
    for i, loss in enumerate(losses):
        mean = beta * mean + (1 - beta) * loss
        smoothed.append(mean / (1 - beta ** (i + 1)) if corrected else mean)
    return np.array(smoothed)


add(
    "range-test.smooth",
    3,
    function(
        smooth,
        lambda rng: [
            (np.array([2.0, 1.0, 0.5]), 0.9),
            (rng.uniform(0.5, 3, 20), 0.8),
            (rng.uniform(0.5, 3, 5), 0.0),
        ],
        "The first smoothed loss is the first loss itself.",
    ),
    solution=smooth,
    wrong=(
        lambda losses, beta: smooth(losses, beta, corrected=False),
        lambda losses, beta: smooth(losses, 1 - beta) if beta else np.asarray(losses),
        lambda losses, beta: np.cumsum(losses) / np.arange(1, len(losses) + 1),
        lambda losses, beta: smooth(losses, beta) + 0.1 * beta,
    ),
)
