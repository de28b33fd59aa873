"""Exercises of the chapter on Adam's relatives."""

from __future__ import annotations

from typing import Any

import numpy as np

from optim_scratch.parameter import Array

from .checking import add, function, number

add(
    "adams-relatives.first",
    1,
    number(0.01, "Does it divide yet, while its mean is one of so few squares?"),
    solution=5 * 0.01 * 0.2,
    wrong=(0.05, 0.002, 0.05 * 0.026, 0.1, -0.01),
)

add(
    "adams-relatives.warmup",
    2,
    number(200.0, "Two memories of the mean square."),
    solution=2 / (1 - 0.99),
    wrong=(2000.0, 100.0, 199.0, 2 / 0.99),
)

add(
    "adams-relatives.belief",
    3,
    number(
        3**0.5,
        "g - m = β₁ (g - m before). Which share of the noise's variance is in the mean before?",
    ),
    solution=(1.5 / 0.5) ** 0.5,
    wrong=(3.0, 1.083, 1 / 3, 1 / 3**0.5, 2.0),
)


def _adamax(
    theta: Array, g: Array, m: Array, u: Array, t: int, eta: float, beta1: float, beta2: float
) -> tuple[Array, Array, Array]:
    m = beta1 * m + (1 - beta1) * g
    u = np.maximum(beta2 * u, np.abs(g))
    return theta - eta * m / (1 - beta1**t) / u, m, u


def _biased(
    theta: Array, g: Array, m: Array, u: Array, t: int, eta: float, beta1: float, beta2: float
) -> tuple[Array, Array, Array]:
    m = beta1 * m + (1 - beta1) * g
    u = np.maximum(beta2 * u, np.abs(g))
    return theta - eta * m / u, m, u


def _corrected_twice(
    theta: Array, g: Array, m: Array, u: Array, t: int, eta: float, beta1: float, beta2: float
) -> tuple[Array, Array, Array]:
    m = beta1 * m + (1 - beta1) * g
    u = np.maximum(beta2 * u, np.abs(g))
    return theta - eta * m / (1 - beta1**t) / (u / (1 - beta2**t)), m, u


def _signed(
    theta: Array, g: Array, m: Array, u: Array, t: int, eta: float, beta1: float, beta2: float
) -> tuple[Array, Array, Array]:
    m = beta1 * m + (1 - beta1) * g
    u = np.maximum(beta2 * u, g)
    return theta - eta * m / (1 - beta1**t) / u, m, u


def _never_forgets(
    theta: Array, g: Array, m: Array, u: Array, t: int, eta: float, beta1: float, beta2: float
) -> tuple[Array, Array, Array]:
    m = beta1 * m + (1 - beta1) * g
    u = np.maximum(u, np.abs(g))
    return theta - eta * m / (1 - beta1**t) / u, m, u


def _cases(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    first = (*np.array([[1.0, -2.0], [0.5, -1.0], [0.1, 2.0], [2.0, 0.1]]), 3, 0.1, 0.9, 0.5)
    later = [
        (
            *rng.standard_normal((3, 8)),
            rng.uniform(0.1, 3, 8),
            int(rng.integers(1, 9)),
            rng.uniform(0.01, 1),
            *rng.uniform(0.2, 0.9, 2),
        )
        for _ in range(5)
    ]
    return [first, *later]


add(
    "adams-relatives.adamax",
    4,
    function(
        _adamax,
        _cases,
        "The maximum shrinks by β₂ before it is compared with |g|; only the mean has a bias.",
    ),
    solution=_adamax,
    wrong=(_biased, _corrected_twice, _signed, _never_forgets),
)

add(
    "adams-relatives.spike",
    5,
    number(
        np.log(25) / -np.log(0.999),
        "It shrinks by 0.999 in each step. From 50 to 2 is which factor?",
        rtol=0.01,
    ),
    solution=np.log(2 / 50) / np.log(0.999),
    wrong=(1000.0, 48 / 0.001, np.log(50) / -np.log(0.999), 693.0, 25.0),
)
