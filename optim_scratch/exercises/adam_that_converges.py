"""Exercises of the chapter on Adam that converges."""

from __future__ import annotations

from typing import Any

import numpy as np

from optim_scratch.parameter import Array

from .checking import add, function, number

add(
    "adam-that-converges.vote",
    1,
    number(
        0.02,
        "With β₂ = 0 the divisor is the gradient's own size. What is left of each, and which sign "
        "have the steps?",
    ),
    solution=0.02,
    wrong=(-0.02, 0.04, -0.07, 0.2, -0.01),
)

add(
    "adam-that-converges.mean",
    2,
    number(
        -0.01 * 7 / (103 / 4) ** 0.5,
        "All four are divided by one number, the root of their mean square.",
    ),
    solution=-0.01 * 7 / (103 / 4) ** 0.5,
    wrong=(0.01 * 7 / (103 / 4) ** 0.5, -0.07, -0.01 * 7 / (103 / 4), -0.01 * 7 / 103**0.5),
)

Step = tuple[Array, Array, Array]


def _amsgrad(theta: Array, g: Array, v: Array, largest: Array, eta: float, beta2: float) -> Step:
    v = beta2 * v + (1 - beta2) * g**2
    largest = np.maximum(largest, v)
    return theta - eta * g / np.sqrt(largest), v, largest


def _adam(theta: Array, g: Array, v: Array, largest: Array, eta: float, beta2: float) -> Step:
    v = beta2 * v + (1 - beta2) * g**2
    return theta - eta * g / np.sqrt(v), v, np.maximum(largest, v)


def _late(theta: Array, g: Array, v: Array, largest: Array, eta: float, beta2: float) -> Step:
    v = beta2 * v + (1 - beta2) * g**2
    return theta - eta * g / np.sqrt(largest), v, np.maximum(largest, v)


def _kept(theta: Array, g: Array, v: Array, largest: Array, eta: float, beta2: float) -> Step:
    largest = np.maximum(largest, beta2 * v + (1 - beta2) * g**2)
    return theta - eta * g / np.sqrt(largest), largest, largest


def _largest_gradient(
    theta: Array, g: Array, v: Array, largest: Array, eta: float, beta2: float
) -> Step:
    v = beta2 * v + (1 - beta2) * g**2
    largest = np.maximum(largest, g**2)
    return theta - eta * g / np.sqrt(largest), v, largest


def _cases(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    first = (*np.array([[1.0], [1.0], [4.0], [4.0]]), 0.1, 0.5)
    later = []
    for _ in range(6):
        theta, g = rng.standard_normal((2, 4))
        v = rng.uniform(0.1, 2.0, 4)
        later.append((theta, g, v, v + rng.uniform(0, 1, 4), rng.uniform(0.01, 1), rng.uniform()))
    return [first, *later]


add(
    "adam-that-converges.amsgrad",
    3,
    function(
        _amsgrad,
        _cases,
        "First v as Adam's, then the larger of it and the largest so far, which is the divisor; v "
        "itself goes on as it is.",
    ),
    solution=_amsgrad,
    wrong=(_adam, _late, _kept, _largest_gradient),
)

add(
    "adam-that-converges.memory",
    4,
    number(
        0.9925,
        "Two thirds of the time between two gradients that matter is a memory of how many steps?",
        rtol=1e-4,
    ),
    solution=1 - 3 / 400,
    wrong=(0.995, 0.999, 0.99, 0.98, 400 / 3),
)
