"""Exercises of the page on comparing optimizers."""

from __future__ import annotations

from typing import Any

import numpy as np

from optim_scratch.parameter import Array

from .checking import add, function, number

add(
    "a-fair-comparison.two-tries",
    1,
    number(
        70 / 3,
        "Nine pairs are equally likely. In how many is 10 the lower one? In how many 20?",
    ),
    solution=70 / 3,
    wrong=(130 / 3, 10, 20, 15.0, 40 / 3),
)


def _best_of(scores: Array, k: int) -> float:
    ordered = np.sort(scores)
    n = len(ordered)
    left = (np.arange(n, -1, -1) / n) ** k
    return float(ordered @ (left[:-1] - left[1:]))


def _unsorted(scores: Array, k: int) -> float:
    left = (np.arange(len(scores), -1, -1) / len(scores)) ** k
    return float(scores @ (left[:-1] - left[1:]))


def _of_the_worst(scores: Array, k: int) -> float:
    return _best_of(-scores, k) * -1


def _mean(scores: Array, k: int) -> float:
    return float(scores.mean())


def _least(scores: Array, k: int) -> float:
    return float(scores.min())


def _cases(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    drawn = [(rng.uniform(1, 500, 13), int(k)) for k in (1, 2, 4, 16)]
    return [(np.array([100.0, 10.0, 20.0]), 2), *drawn]


add(
    "a-fair-comparison.best-of",
    2,
    function(
        _best_of,
        _cases,
        "All k draws are at or above the i-th lowest with the probability ((n − i + 1) / n)^k.",
    ),
    solution=_best_of,
    wrong=(_unsorted, _of_the_worst, _mean, _least),
)

add(
    "a-fair-comparison.paired",
    4,
    number(
        2.776 * 0.01 / 5**0.5,
        "Take the difference seed by seed: its spread is that of the differences, not of the "
        "losses.",
        rtol=0.01,
    ),
    solution=2.776 * 0.01 / 5**0.5,
    wrong=(2.776 * 0.2 / 5**0.5, 0.01, 0.01 / 5**0.5, 2.776 * 0.01, 0.2),
)
