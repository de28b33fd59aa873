"""Exercises of the chapter on weight decay."""

from __future__ import annotations

from typing import Any

import numpy as np

from optim_scratch.parameter import Array

from .checking import add, function, number

add(
    "weight-decay.shrink",
    1,
    number(
        0.2 * (1 - 3e-5) ** 50_000,
        "Each update multiplies the weight by one and the same number. By which?",
    ),
    solution=0.2 * np.exp(-1.5),
    wrong=(0.2 * 0.9**50_000, 0.2 * (1 - 1.5), 0.2 * np.exp(-0.15), 0.2 * (1 - 3e-5), np.exp(-1.5)),
)

add(
    "weight-decay.half",
    2,
    number(
        np.log(2) / (1e-3 * 0.01 / 0.2),
        "By what does Adam divide the penalty of this weight? Then ask the decay that is left when "
        "half of the weight is.",
        rtol=0.02,
    ),
    solution=np.log(2) * 0.2 / 1e-5,
    wrong=(np.log(2) / 1e-5, 250.0, np.log(2) / (1e-5 / 0.5), 0.2 / 1e-5, np.log(2) / 1e-5 / 0.2),
)

add(
    "weight-decay.fence",
    3,
    number(1 / 3, "Where the weight rests, the pull ηλθ equals the push. How long is the push?"),
    solution=1 / 3,
    wrong=(3.0, 1.0, 1 / 9, 1 / 6),
)


def _sgdw(
    theta: Array, g: Array, b: Array, eta: float, mu: float, lam: float
) -> tuple[Array, Array]:
    b = mu * b + g
    return (1 - eta * lam) * theta - eta * b, b


def _penalty(
    theta: Array, g: Array, b: Array, eta: float, mu: float, lam: float
) -> tuple[Array, Array]:
    b = mu * b + g + lam * theta
    return theta - eta * b, b


def _without_the_rate(
    theta: Array, g: Array, b: Array, eta: float, mu: float, lam: float
) -> tuple[Array, Array]:
    b = mu * b + g
    return (1 - lam) * theta - eta * b, b


def _all_shrunk(
    theta: Array, g: Array, b: Array, eta: float, mu: float, lam: float
) -> tuple[Array, Array]:
    b = mu * b + g
    return (1 - eta * lam) * (theta - eta * b), b


def _old_buffer(
    theta: Array, g: Array, b: Array, eta: float, mu: float, lam: float
) -> tuple[Array, Array]:
    return (1 - eta * lam) * theta - eta * b, mu * b + g


def _cases(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    first = (*np.array([[1.0, -2.0], [0.5, 1.0], [2.0, 0.0]]), 0.1, 0.9, 0.5)
    later = [
        (*rng.standard_normal((3, 4)), rng.uniform(0.01, 1), rng.uniform(), rng.uniform(0.1, 0.9))
        for _ in range(5)
    ]
    return [first, *later]


add(
    "weight-decay.sgdw",
    4,
    function(
        _sgdw,
        _cases,
        "The buffer takes the gradient alone; the old weights shrink by 1 - ηλ beside it.",
    ),
    solution=_sgdw,
    wrong=(_penalty, _without_the_rate, _all_shrunk, _old_buffer),
)

add(
    "weight-decay.copy",
    5,
    number(
        0.02,
        "Both must shrink a weight by the same share per step. torch multiplies by the rate first.",
    ),
    solution=4e-5 / 0.002,
    wrong=(4e-5, 8e-8, 0.002, 0.04),
)
