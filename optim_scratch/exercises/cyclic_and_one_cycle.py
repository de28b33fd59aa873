"""Exercises of the chapter on cyclical rates and one cycle."""

from __future__ import annotations

import numpy as np

from optim_scratch.parameter import Array
from optim_scratch.schedulers import CyclicLR

from .checking import add, function


def height(t: int, up: int, down: int) -> float:
    """Return how far up its bounds a triangle wave is at call t."""
    wave = CyclicLR.curve(
        t + 1, base_lr=0.0, max_lr=1.0, step_size_up=up, step_size_down=down, cycle_momentum=False
    )
    return float(wave[-1])


add(
    "cyclic.height",
    1,
    function(
        height,
        lambda rng: [
            (0, 4, 4),
            (3, 4, 4),
            (4, 4, 4),
            (6, 4, 4),
            (8, 4, 4),
            (13, 2, 6),
            (41, 10, 5),
        ],
        "The wave starts at 0, is at 1 after the rise, and repeats.",
    ),
    solution=lambda t, up, down: (
        t % (up + down) / up if t % (up + down) <= up else (up + down - t % (up + down)) / down
    ),
    wrong=(
        lambda t, up, down: t % (up + down) / (up + down),
        lambda t, up, down: 1 - abs(t % (2 * up) / up - 1),
        lambda t, up, down: t / up if t <= up else (up + down - t) / down,
        lambda t, up, down: height(t + 1, up, down),
    ),
)


def cancelling(base_momentum: float, max_momentum: float) -> float:
    """Return max_lr over base_lr at which the effective rate stands still."""
    return (1 - base_momentum) / (1 - max_momentum)


add(
    "cyclic.cancelling",
    2,
    function(
        cancelling,
        lambda rng: [(0.8, 0.9), (0.85, 0.95), (0.5, 0.99), (0.0, 0.9)],
        "Ask where the rate over one less the momentum is the same at the trough and at the peak.",
    ),
    solution=cancelling,
    wrong=(
        lambda base_momentum, max_momentum: 2.0,
        lambda base_momentum, max_momentum: (1 - max_momentum) / (1 - base_momentum),
        lambda base_momentum, max_momentum: max_momentum / max(base_momentum, 0.1),
        lambda base_momentum, max_momentum: (1 + max_momentum) / (1 + base_momentum),
    ),
)


def price(rates: Array) -> float:
    """Return a flat direction's loss over that of the constant mean rate."""
    return float(np.mean(rates**2) / np.mean(rates) ** 2)


add(
    "cyclic.price",
    3,
    function(
        price,
        lambda rng: [
            (np.linspace(0.0, 1.0, 101),),
            (np.full(10, 0.1),),
            (rng.random(50),),
            (np.repeat([0.01, 1.0], [90, 10]),),
        ],
        "In the long run the mean change of its squared parameter over a cycle is 0.",
    ),
    solution=price,
    wrong=(
        lambda rates: 4 / 3,
        lambda rates: np.mean(rates**2) / np.mean(rates),
        lambda rates: np.max(rates) / np.mean(rates),
        lambda rates: np.sqrt(np.mean(rates**2)) / np.mean(rates),
    ),
)
