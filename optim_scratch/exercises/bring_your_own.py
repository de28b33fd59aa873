"""Exercises of the page on an optimizer of one's own."""

from __future__ import annotations

from typing import Any

import numpy as np

from optim_scratch.parameter import Array

from .checking import add, function, number

add(
    "bring-your-own.wait",
    1,
    number(
        6,
        "The buffer has come to 10. Each step takes a tenth of it, and one more: when does its "
        "sign change?",
    ),
    solution=6,
    wrong=(7, 5, 10, 1, 0),
)


def _rescaled(theta: Array, m: Array, g: Array, eta: float) -> Array:
    mask = m * g > 0
    return theta - eta * m * mask / max(mask.mean(), 1e-12)


def _not_rescaled(theta: Array, m: Array, g: Array, eta: float) -> Array:
    return theta - eta * m * (m * g > 0)


def _by_the_sum(theta: Array, m: Array, g: Array, eta: float) -> Array:
    mask = m * g > 0
    return theta - eta * m * mask / max(mask.sum(), 1)


def _multiplied(theta: Array, m: Array, g: Array, eta: float) -> Array:
    mask = m * g > 0
    return theta - eta * m * mask * mask.mean()


def _by_the_weights(theta: Array, m: Array, g: Array, eta: float) -> Array:
    mask = theta * g > 0
    return theta - eta * m * mask / max(mask.mean(), 1e-12)


def _cases(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    first = (np.zeros(4), np.array([1.0, -2, 3, 4]), np.array([1.0, 1, 1, -1]), 0.1)
    none = (np.ones(3), np.ones(3), -np.ones(3), 0.1)
    return [first, none, *((*rng.standard_normal((3, 8)), rng.uniform(0.01, 1)) for _ in range(5))]


add(
    "bring-your-own.rescaled",
    2,
    function(
        _rescaled,
        _cases,
        "The mask is 1 where m and g have one sign; its mean is the share that moves, and the "
        "masked step is divided by it.",
    ),
    solution=_rescaled,
    wrong=(_not_rescaled, _by_the_sum, _multiplied, _by_the_weights),
)

add(
    "bring-your-own.interval",
    3,
    number(
        2.093 * 1.2 / 20**0.5,
        "The standard deviation of a mean of 20 is smaller by the root of 20; 2.09 of them.",
        rtol=0.005,
    ),
    solution=2.09 * 1.2 / 20**0.5,
    wrong=(2.09 * 1.2 / 20, 1.2 / 20**0.5, 2.09 * 1.2, 2.09 * 0.4 / 20**0.5, 0.4),
)
