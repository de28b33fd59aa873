"""Exercises of the chapter on methods without a rate."""

from __future__ import annotations

from typing import Any

import numpy as np

from optim_scratch.parameter import Array

from .checking import add, function, number

add(
    "no-rate.units",
    1,
    number(1000, "In r stand a gradient and a length, in s a gradient. What is left?"),
    solution=1000,
    wrong=(1, 1e-3, 1e6, 1e-6, 1000**0.5),
)

add(
    "no-rate.bound",
    2,
    number(0.06, "The first step adds nothing to r, but both gradients add to s."),
    solution=0.3 / 5,
    wrong=(0.3 / 13**0.5, 0.15, 0.3, 0.1, -0.06),
)

add(
    "no-rate.free",
    3,
    number(np.log(5e6) / np.log(1.52), "How many times 1.52 make five million?", rtol=0.04),
    solution=np.log(0.05 / 1e-8) / np.log(1.52),
    wrong=(np.log10(5e6), np.log(5e6), np.log(5e4) / np.log(1.52), 5e6 / 1.52, 14.7),
)

add(
    "no-rate.held",
    3,
    number(np.log(5e4) / np.log(1.02), "How many times 1.02 make fifty thousand?", rtol=0.01),
    solution=np.log(0.05 / 1e-6) / np.log(1.02),
    wrong=(np.log(5e6) / np.log(1.02), 5e4 / 1.02, np.log(5e4), 0.05 / 0.02, 26),
)

add(
    "no-rate.growth",
    4,
    number(
        2**0.5,
        "The weighted mean now has powers -2j above and -j below. What is left of ρ?",
        rtol=0.01,
    ),
    solution=2**0.5,
    wrong=(1.52, 2, (1 + 5**0.5) / 2, 1.3247, 3**0.5),
)


def _bound(points: Array, gradients: Array, weights: Array) -> float:
    come = points[0] - points
    r = (weights * (gradients * come).sum(axis=1)).sum()
    s = (weights[:, None] * gradients).sum(axis=0)
    return float(r / np.abs(s).sum())


def _sizes_first(points: Array, gradients: Array, weights: Array) -> float:
    r = (weights * (gradients * (points[0] - points)).sum(axis=1)).sum()
    return float(r / (weights[:, None] * np.abs(gradients)).sum())


def _euclidean(points: Array, gradients: Array, weights: Array) -> float:
    r = (weights * (gradients * (points[0] - points)).sum(axis=1)).sum()
    return float(r / np.linalg.norm((weights[:, None] * gradients).sum(axis=0)))


def _backwards(points: Array, gradients: Array, weights: Array) -> float:
    return -_bound(points, gradients, weights)


def _unweighted(points: Array, gradients: Array, weights: Array) -> float:
    return _bound(points, gradients, np.ones_like(weights))


def _from_the_end(points: Array, gradients: Array, weights: Array) -> float:
    r = (weights * (gradients * (points[-1] - points)).sum(axis=1)).sum()
    return float(r / np.abs((weights[:, None] * gradients).sum(axis=0)).sum())


def _cases(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    two = np.array([[0.0, 0.0], [-0.1, 0.2]]), np.array([[1.0, -2.0], [1.0, -1.0]])
    first = (*two, np.array([1.0, 3.0]))
    later = [
        (rng.standard_normal((n, 3)), rng.standard_normal((n, 3)), rng.uniform(0.1, 1, n))
        for n in (2, 5, 20)
    ]
    return [first, *later]


add(
    "no-rate.estimate",
    5,
    function(
        _bound,
        _cases,
        "How far had each step come from the first point? Sum the gradients first, then take "
        "sizes.",
    ),
    solution=_bound,
    wrong=(_sizes_first, _euclidean, _backwards, _unweighted, _from_the_end),
)
