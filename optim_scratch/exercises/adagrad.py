"""Exercises of the chapter on Adagrad."""

from __future__ import annotations

from typing import Any

import numpy as np

from optim_scratch.parameter import Array

from .checking import add, function, number

add(
    "adagrad.turn",
    1,
    number(0.1, "How many turns has the word had, and what is then the root of its sum?"),
    solution=0.1,
    wrong=(0.3, 0.3 / 450**0.5, 0.02 * 0.3, 0.3 / 9, 0.3 / 8**0.5),
)

add(
    "adagrad.burst",
    2,
    number(2700, "Half of the rate is twice the root, so how many times the sum?"),
    solution=2700,
    wrong=(900, 3600, 60, 30, 1800),
)

add(
    "adagrad.bound",
    3,
    number(0.75, "The sum of 400 squares of 0.1 first; then its root."),
    solution=0.75,
    wrong=(3.0, 1.5 / 4, 1.5 / 40, 1.5 / 20, 2 / 1.5),
)

Step = tuple[Array, Array]


def _step(
    theta: Array, g: Array, s: Array, t: int, eta: float, zeta: float, lam: float, eps: float
) -> Step:
    g = g + lam * theta
    s = s + g**2
    return theta - eta / (1 + (t - 1) * zeta) * g / (np.sqrt(s) + eps), s


def _one_late(
    theta: Array, g: Array, s: Array, t: int, eta: float, zeta: float, lam: float, eps: float
) -> Step:
    return _step(theta, g, s, t + 1, eta, zeta, lam, eps)


def _beside(
    theta: Array, g: Array, s: Array, t: int, eta: float, zeta: float, lam: float, eps: float
) -> Step:
    rate, s = eta / (1 + (t - 1) * zeta), s + g**2
    return theta * (1 - rate * lam) - rate * g / (np.sqrt(s) + eps), s


def _old_sum(
    theta: Array, g: Array, s: Array, t: int, eta: float, zeta: float, lam: float, eps: float
) -> Step:
    g = g + lam * theta
    return theta - eta / (1 + (t - 1) * zeta) * g / (np.sqrt(s) + eps), s + g**2


def _eps_inside(
    theta: Array, g: Array, s: Array, t: int, eta: float, zeta: float, lam: float, eps: float
) -> Step:
    g = g + lam * theta
    s = s + g**2
    return theta - eta / (1 + (t - 1) * zeta) * g / np.sqrt(s + eps), s


def _no_root(
    theta: Array, g: Array, s: Array, t: int, eta: float, zeta: float, lam: float, eps: float
) -> Step:
    g = g + lam * theta
    s = s + g**2
    return theta - eta / (1 + (t - 1) * zeta) * g / (s + eps), s


def _cases(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    first = (np.array([1.0]), np.array([2.0]), np.array([4.0]), 3, 0.1, 0.5, 0.5, 0.1)
    later = []
    for t in (1, 2, 10, 30):
        theta, g = rng.standard_normal((2, 4))
        later.append((theta, g, rng.uniform(1, 2, 4), t, *rng.uniform(0.1, 0.9, 4)))
    return [first, *later]


add(
    "adagrad.step",
    4,
    function(
        _step,
        _cases,
        "The penalty joins the gradient before the square; at t = 1 the rate is η itself.",
    ),
    solution=_step,
    wrong=(_one_late, _beside, _old_sum, _eps_inside, _no_root),
)
