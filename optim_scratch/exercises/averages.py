"""Exercises of the chapter on averages: ASGD, SWA, EMA."""

from __future__ import annotations

from typing import Any

import numpy as np

from optim_scratch.parameter import Array

from .checking import add, function, number

add(
    "averages.loss",
    1,
    number(
        0.0025,
        "The loss is half of h times the variance of the mean. Is the rate in that variance?",
    ),
    solution=9 / (2 * 4 * 450),
    wrong=(9 / (4**2 * 450), 9 / (2 * 450), 0.05 * 9 / 4, 3 / (2 * 4 * 450), 9 / (4 * 450)),
)

add(
    "averages.beginning",
    2,
    number(0.2, "Only the second term is left. Where is the last point?"),
    solution=10 / (0.1 * 0.5 * 1000),
    wrong=(0.01, 0.1, 0.0, 5.0, 2.0),
)

add(
    "averages.decay",
    3,
    number(
        1 - 2 / 15_000,
        "A quarter of the run is the window. How does a window become a decay?",
        rtol=1e-6,
    ),
    solution=14_999 / 15_001,
    wrong=(1 - 1 / 15_000, 1 - 2 / 60_000, 1 - 8 / 15_000, 0.999, 1 - 1 / 7500 * 2),
)


def _swa(points: Array, start: int, every: int) -> Array:
    return np.asarray(points[start + every - 1 :: every].mean(axis=0))


def _from_the_first(points: Array, start: int, every: int) -> Array:
    return np.asarray(points[start::every].mean(axis=0))


def _with_the_beginning(points: Array, start: int, every: int) -> Array:
    return np.asarray(points[every - 1 :: every].mean(axis=0))


def _each(points: Array, start: int, every: int) -> Array:
    return np.asarray(points[start:].mean(axis=0))


def _last(points: Array, start: int, every: int) -> Array:
    return np.asarray(points[-1])


def _sum(points: Array, start: int, every: int) -> Array:
    return np.asarray(points[start + every - 1 :: every].sum(axis=0))


def _cases(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    first = (np.array([[1.0], [2.0], [4.0], [8.0], [16.0]]), 1, 2)
    later = [
        (rng.standard_normal((20, 3)), int(rng.integers(1, 8)), int(rng.integers(2, 5)))
        for _ in range(5)
    ]
    return [first, *later]


add(
    "averages.swa",
    4,
    function(
        _swa,
        _cases,
        "The first point that counts has the number start + every, and Python counts from 0.",
    ),
    solution=_swa,
    wrong=(_from_the_first, _with_the_beginning, _each, _last, _sum),
)

_RARELY = (1 + np.exp(-1)) / (1 - np.exp(-1)) / 2

add(
    "averages.rarely",
    5,
    number(
        _RARELY,
        "There are n/D points, and each counts 1 + 2 (1/e + 1/e² + …) times. For all points it is "
        "2D of n.",
        rtol=0.005,
    ),
    solution=_RARELY,
    wrong=(2 * _RARELY, 1 / _RARELY, 1.0, 1.58, 2.0),
)
