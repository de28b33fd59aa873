"""Exercises of the chapter on RMSprop and Adadelta."""

from __future__ import annotations

from typing import Any

import numpy as np

from optim_scratch.parameter import Array

from .checking import add, function, number

add(
    "rmsprop-and-adadelta.first",
    1,
    number(0.01, "What does the mean square hold after one gradient, and what is its root?"),
    solution=0.01,
    wrong=(0.002, 0.1, 0.05, 0.002 / 0.04, 0.0004),
)

add(
    "rmsprop-and-adadelta.start",
    2,
    number(
        (1e-5 / 0.05) ** 0.5,
        "At the start the numerator is the root of ε, and the mean square holds 1 - ρ of one "
        "square.",
    ),
    solution=(1e-5 / 0.05) ** 0.5,
    wrong=(1e-5**0.5, 1e-5 / 0.05, (1e-5 / 0.95) ** 0.5, 1.0),
)

add(
    "rmsprop-and-adadelta.forget",
    3,
    number(
        np.log(3 / 9999) / np.log(0.99),
        "v falls from 10,000 towards 1: what is left of the difference after t steps?",
        rtol=0.01,
    ),
    solution=np.log(3 / 9999) / np.log(0.99),
    wrong=(np.log(4 / 100) / np.log(0.99), 100.0, np.log(0.5) / np.log(0.99), 460.0),
)

Step = tuple[Array, Array, Array]


def _centred(
    theta: Array, g: Array, v: Array, m: Array, eta: float, alpha: float, eps: float
) -> Step:
    v = alpha * v + (1 - alpha) * g**2
    m = alpha * m + (1 - alpha) * g
    return theta - eta * g / (np.sqrt(v - m**2) + eps), v, m


def _plain(
    theta: Array, g: Array, v: Array, m: Array, eta: float, alpha: float, eps: float
) -> Step:
    v = alpha * v + (1 - alpha) * g**2
    m = alpha * m + (1 - alpha) * g
    return theta - eta * g / (np.sqrt(v) + eps), v, m


def _eps_inside(
    theta: Array, g: Array, v: Array, m: Array, eta: float, alpha: float, eps: float
) -> Step:
    v = alpha * v + (1 - alpha) * g**2
    m = alpha * m + (1 - alpha) * g
    return theta - eta * g / np.sqrt(v - m**2 + eps), v, m


def _old_mean(
    theta: Array, g: Array, v: Array, m: Array, eta: float, alpha: float, eps: float
) -> Step:
    v = alpha * v + (1 - alpha) * g**2
    new = alpha * m + (1 - alpha) * g
    return theta - eta * g / (np.sqrt(v - m**2) + eps), v, new


def _variance_kept(
    theta: Array, g: Array, v: Array, m: Array, eta: float, alpha: float, eps: float
) -> Step:
    v = alpha * v + (1 - alpha) * g**2
    m = alpha * m + (1 - alpha) * g
    v = v - m**2
    return theta - eta * g / (np.sqrt(v) + eps), v, m


def _cases(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    first = (*np.array([[1.0], [2.0], [1.0], [0.0]]), 0.1, 0.5, 0.1)
    later = []
    for _ in range(5):
        theta, g, m = rng.standard_normal((3, 4)) * 0.3
        later.append((theta, g, rng.uniform(1, 2, 4), m, *rng.uniform(0.1, 0.9, 3)))
    return [first, *later]


add(
    "rmsprop-and-adadelta.centred",
    4,
    function(
        _centred,
        _cases,
        "Both means take in the gradient first; then the new m is squared and taken off the new v.",
    ),
    solution=_centred,
    wrong=(_plain, _eps_inside, _old_mean, _variance_kept),
)
