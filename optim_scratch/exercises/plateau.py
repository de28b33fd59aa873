"""Exercises of the chapter on reducing on a plateau."""

from __future__ import annotations

import math

import numpy as np

from .checking import add, function, number


def drops(epochs: int, patience: int, cooldown: int) -> int:
    """Return how many drops are felt if the metric is best in epoch 1 and never again."""
    return max(0, (epochs - patience - 3) // (patience + 1 + cooldown) + 1)


add(
    "plateau.drops",
    1,
    function(
        drops,
        lambda rng: [
            (8, 5, 0), (7, 5, 0), (30, 5, 0), (30, 5, 4), (31, 2, 1), (100, 10, 10),
            (1, 0, 0), (3, 0, 0), (10, 0, 0),
        ],
        "Epoch 1 is good. The bad epochs must exceed the patience, and the new rate begins in "
        "the epoch after.",
    ),
    solution=drops,
    wrong=(
        lambda epochs, patience, cooldown: epochs // (patience + 1 + cooldown),
        lambda epochs, patience, cooldown: max(0, (epochs - 1) // (patience + 1 + cooldown)),
        lambda epochs, patience, cooldown: drops(epochs, patience, 0),
        lambda epochs, patience, cooldown: drops(epochs + 1, patience, cooldown),
        lambda epochs, patience, cooldown: drops(epochs, patience - 1, cooldown),
    ),
)  # fmt: skip


def beats(metric: float, best: float, threshold: float, mode: str) -> bool:
    """Return whether a metric beats the best one by a share of the best one's size."""
    if math.isinf(best):
        return metric < best if mode == "min" else metric > best
    margin = threshold * abs(best)
    return metric < best - margin if mode == "min" else metric > best + margin


def torch_beats(metric: float, best: float, threshold: float, mode: str) -> bool:
    """Compare as torch does, wrong where the best metric is negative."""
    return metric < best * (1 - threshold) if mode == "min" else metric > best * (1 + threshold)


def share_of_the_new_one(metric: float, best: float, threshold: float, mode: str) -> bool:
    """Ask for a share of the new value instead of the best one."""
    margin = 0.0 if math.isinf(best) else threshold * abs(metric)
    return metric < best - margin if mode == "min" else metric > best + margin


def careless(metric: float, best: float, threshold: float, mode: str) -> bool:
    """Forget that infinity less a share of infinity is not a number."""
    margin = threshold * np.abs(best)
    with np.errstate(invalid="ignore"):
        return bool(metric < best - margin if mode == "min" else metric > best + margin)


add(
    "plateau.beats",
    2,
    function(
        beats,
        lambda rng: [
            (0.98, 1.0, 0.01, "min"), (0.995, 1.0, 0.01, "min"), (0.995, 1.0, 0.01, "max"),
            (1.02, 1.0, 0.01, "max"), (1.005, 1.0, 0.01, "max"),
            (-99.5, -100.0, 0.01, "min"), (-100.5, -100.0, 0.01, "min"),
            (-101.5, -100.0, 0.01, "min"),
            (-100.5, -100.0, 0.01, "max"), (-99.5, -100.0, 0.01, "max"),
            (-98.5, -100.0, 0.01, "max"),
            (3.0, math.inf, 0.01, "min"), (3.0, -math.inf, 0.01, "max"),
            (math.nan, math.inf, 0.01, "min"), (math.nan, 1.0, 0.01, "max"),
            (0.6, 1.0, 0.5, "min"), (-1.6, -1.0, 0.5, "min"), (1.6, 1.0, 0.5, "max"),
            (1.0, 1.0, 0.0, "min"), (-2.0, -2.0, 0.0, "max"), (math.inf, math.inf, 0.0, "min"),
        ],
        "Take the threshold's share of the best metric's absolute value, and treat an infinite "
        "best by itself.",
    ),
    solution=beats,
    wrong=(
        torch_beats,
        careless,
        lambda metric, best, threshold, mode: beats(metric, best, threshold, "min"),
        lambda metric, best, threshold, mode: beats(metric, best, 0.0, mode),
        lambda metric, best, threshold, mode: metric == best or beats(
            metric, best, threshold, mode
        ),
        share_of_the_new_one,
        lambda metric, best, threshold, mode: math.isinf(best) or beats(
            metric, best, threshold, mode
        ),
    ),
)  # fmt: skip


def unfired(epochs: int, patience: int) -> list[float]:
    """Return the chances that noise has not fired by the end of the epochs 0, 1, ..., `epochs`."""
    chances = [1.0]
    for t in range(1, epochs + 1):
        chances.append(sum(chances[max(0, t - patience - 1) :]) / t)
    return chances


def chance(epoch: int, patience: int) -> float:
    """Return the chance that the first firing on pure noise is at the end of `epoch`."""
    chances = unfired(epoch, patience)
    return chances[-2] - chances[-1]


add(
    "plateau.chance",
    3,
    function(
        chance,
        lambda rng: [(1, 0), (2, 0), (3, 0), (6, 5), (7, 5), (13, 5), (14, 5), (30, 5), (40, 10)],
        "No drop up to the epoch before, and one at the end of this epoch.",
    ),
    solution=chance,
    wrong=(
        lambda epoch, patience: 1 / epoch,
        lambda epoch, patience: 1 / epoch if epoch >= patience + 2 else 0.0,
        lambda epoch, patience: unfired(epoch, patience)[-1],
        lambda epoch, patience: 1 - unfired(epoch, patience)[-1],
        lambda epoch, patience: chance(epoch, patience + 1),
        lambda epoch, patience: (1 - 1 / (patience + 2)) ** max(0, epoch - 2) / (patience + 2),
    ),
)


add(
    "plateau.patience",
    4,
    number(8, "Solve p + 1 >= 2.5 σ / d for p, and round up."),
    solution=8,
    wrong=(9, 7.75, 3, 4),
)
