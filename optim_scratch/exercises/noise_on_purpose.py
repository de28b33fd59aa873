"""Exercises of the chapter on noise that is added on purpose."""

from __future__ import annotations

from math import erfc
from typing import Any

import numpy as np

from optim_scratch.parameter import Array

from .checking import add, function, number

add(
    "noise-on-purpose.delay",
    1,
    number(
        np.log(1000) / np.log(1.1),
        "By which factor does a step multiply the distance? How many of them make up for 1000?",
    ),
    solution=np.log(1000) / np.log(1.1),
    wrong=(
        np.log(1000) / np.log(1.05),
        1000,
        np.log10(1000) / np.log(1.1),
        np.log(1000) / np.log(3),
        np.log(1000) / 0.1,
    ),
)

_SPREAD = 0.1 * 0.01 * ((1.1**120 - 1) / (1.1**2 - 1)) ** 0.5

add(
    "noise-on-purpose.probability",
    2,
    number(
        erfc(0.5 / (2**0.5 * _SPREAD)),
        "First the standard deviation after 60 steps, then the share of a Gaussian beyond 0.5 on "
        "both sides.",
    ),
    solution=erfc(0.5 / (2**0.5 * _SPREAD)),
    wrong=(
        0.5 * erfc(0.5 / (2**0.5 * _SPREAD)),
        1 - erfc(0.5 / (2**0.5 * _SPREAD)),
        erfc(0.5 / _SPREAD),
        _SPREAD,
        erfc(0.5 / (2**0.5 * 0.1 * 0.01 * 1.1**60)),
    ),
)


def _step(
    theta: Array,
    g: Array,
    b: Array,
    noise: Array,
    t: int,
    lr: float,
    mu: float,
    eta: float,
    gamma: float,
) -> tuple[Array, Array]:
    b = mu * b + g + np.sqrt(eta / t**gamma) * noise
    return theta - lr * b, b


def _variance_for_deviation(*given: Any) -> tuple[Array, Array]:
    theta, g, b, noise, t, lr, mu, eta, gamma = given
    return _step(theta, g, b, noise, t, lr, mu, eta**2, 2 * gamma)


def _counted_from_zero(*given: Any) -> tuple[Array, Array]:
    theta, g, b, noise, t, lr, mu, eta, gamma = given
    return _step(theta, g, b, noise, t + 1, lr, mu, eta, gamma)


def _on_the_weights(*given: Any) -> tuple[Array, Array]:
    theta, g, b, noise, t, lr, mu, eta, gamma = given
    b = mu * b + g
    return theta - lr * (b + np.sqrt(eta / t**gamma) * noise), b


def _deviation_decays(*given: Any) -> tuple[Array, Array]:
    theta, g, b, noise, t, lr, mu, eta, gamma = given
    return _step(theta, g, b, noise, t, lr, mu, eta, 2 * gamma)


def _cases(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    first = (*np.array([[1.0, -2.0], [0.5, 1.0], [0.1, 0.2], [1.0, -1.0]]), 4, 0.1, 0.9, 0.04, 1.0)
    later = [
        (
            *rng.standard_normal((4, 6)),
            int(rng.integers(2, 50)),
            rng.uniform(0.01, 1),
            *rng.uniform(0.2, 0.8, 3),
        )
        for _ in range(5)
    ]
    return [first, *later]


add(
    "noise-on-purpose.step",
    3,
    function(
        _step,
        _cases,
        "The noise joins the gradient before the buffer does; eta is a variance, and so is what "
        "falls with t.",
    ),
    solution=_step,
    wrong=(_variance_for_deviation, _counted_from_zero, _on_the_weights, _deviation_decays),
)

_KICK = 0.2 * 0.01 / (1.1**2 - 1) ** 0.5

add(
    "noise-on-purpose.kick",
    4,
    number(
        _KICK,
        "For large t, what multiplies (1 + ηh)^2t in the variance? A start has only its own "
        "variance there.",
    ),
    solution=_KICK,
    wrong=(0.01, 0.2 * 0.01, _KICK**2, 0.2 * 0.01 / 0.1**0.5, 0.01 * (0.2 / 2.1) ** 0.5),
)

add(
    "noise-on-purpose.eta",
    5,
    number(
        (0.1 * 0.015) ** 2,
        "First the deviation between batches of 256. A tenth of it is a deviation, and eta a "
        "variance.",
    ),
    solution=(0.1 * 0.015) ** 2,
    wrong=((0.1 * 0.03) ** 2, 0.1 * 0.015, (0.1 * 0.0075) ** 2, 0.015**2, 0.1 * 0.015**2),
)
