"""Exercises of the chapter on signs: signSGD, Rprop, Lion."""

from __future__ import annotations

from typing import Any

import numpy as np

from optim_scratch.parameter import Array

from .checking import add, function, number

add(
    "signs.orbit",
    1,
    number(0.07, "Each step is 0.1 long. Where is it after ten, and where does the next lead?"),
    solution=0.07,
    wrong=(0.03, 0.1, 0.05, -0.07, 1.03),
)

add(
    "signs.fall",
    2,
    number(0.75, "Each weight is decided for itself. What does each contribute?"),
    solution=0.1 * 7.5,
    wrong=(0.1 * (3**2 + 4**2 + 0.5**2) ** 0.5, 0.4, -0.05, 7.5, 2.525),
)

add(
    "signs.wrong_way",
    3,
    number(
        -0.008,
        "How often is the sign +1, how often -1? The step goes against it.",
    ),
    solution=-0.01 * (0.9 - 0.1),
    wrong=(0.008, 0.0005, -0.0005, -0.8, -0.01),
)


def _lion(
    theta: Array, g: Array, m: Array, eta: float, beta1: float, beta2: float, lam: float
) -> tuple[Array, Array]:
    u = np.sign(beta1 * m + (1 - beta1) * g)
    return (1 - eta * lam) * theta - eta * u, beta2 * m + (1 - beta2) * g


def _signum(
    theta: Array, g: Array, m: Array, eta: float, beta1: float, beta2: float, lam: float
) -> tuple[Array, Array]:
    m = beta2 * m + (1 - beta2) * g
    return (1 - eta * lam) * theta - eta * np.sign(m), m


def _direction_kept(
    theta: Array, g: Array, m: Array, eta: float, beta1: float, beta2: float, lam: float
) -> tuple[Array, Array]:
    u = beta1 * m + (1 - beta1) * g
    return (1 - eta * lam) * theta - eta * np.sign(u), u


def _coupled(
    theta: Array, g: Array, m: Array, eta: float, beta1: float, beta2: float, lam: float
) -> tuple[Array, Array]:
    g = g + lam * theta
    return theta - eta * np.sign(beta1 * m + (1 - beta1) * g), beta2 * m + (1 - beta2) * g


def _no_sign(
    theta: Array, g: Array, m: Array, eta: float, beta1: float, beta2: float, lam: float
) -> tuple[Array, Array]:
    u = beta1 * m + (1 - beta1) * g
    return (1 - eta * lam) * theta - eta * u, beta2 * m + (1 - beta2) * g


def _without_the_rate(
    theta: Array, g: Array, m: Array, eta: float, beta1: float, beta2: float, lam: float
) -> tuple[Array, Array]:
    u = np.sign(beta1 * m + (1 - beta1) * g)
    return (1 - lam) * theta - eta * u, beta2 * m + (1 - beta2) * g


def _cases(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    first = (*np.array([[1.0, -2.0], [0.5, 1.0], [-0.1, 2.0]]), 0.1, 0.9, 0.99, 0.5)
    later = [
        (
            *rng.standard_normal((3, 8)),
            rng.uniform(0.01, 1),
            *rng.uniform(0.2, 0.8, 2),
            rng.uniform(),
        )
        for _ in range(5)
    ]
    return [first, *later]


add(
    "signs.lion",
    4,
    function(
        _lion,
        _cases,
        "The sign is that of one mixture, with β₁; what is kept is another, with β₂; the decay "
        "stands beside both.",
    ),
    solution=_lion,
    wrong=(_signum, _direction_kept, _coupled, _no_sign, _without_the_rate),
)

add(
    "signs.share",
    5,
    number(
        np.log(1.5) / np.log(3),
        "In logarithms each change takes ln 2 off, and each agreement adds ln 1.5.",
    ),
    solution=np.log(1.5) / (np.log(1.5) + np.log(2)),
    wrong=(np.log(1.2) / np.log(2.4), np.log(2) / np.log(3), np.log(1.5) / np.log(2), 0.5, 1 / 3),
)

_LENGTH = (0.05 / 1.95) ** 0.5

add(
    "signs.rate",
    6,
    number(
        0.001 * _LENGTH,
        "How long are AdamW's steps in units of its rate, if gradients are noise and β₁ = 0.95?",
        rtol=0.02,
    ),
    solution=0.001 * _LENGTH,
    wrong=(0.001 / _LENGTH, 0.001 * 0.23, 0.001 * 0.05 / 1.95, 0.001, 0.0002),
)

add(
    "signs.decay",
    6,
    number(
        0.1 / _LENGTH,
        "The product of rate and decay stays.",
        rtol=0.02,
    ),
    solution=0.1 / _LENGTH,
    wrong=(0.1 * _LENGTH, 0.1 / 0.23, 0.1, 0.5, 0.1 * 1.95 / 0.05),
)
