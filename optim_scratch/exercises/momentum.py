"""Exercises of the chapter on momentum."""

from __future__ import annotations

from typing import Any

import numpy as np

from optim_scratch.parameter import Array

from .checking import add, function, number


def _update(theta: Array, g: Array, b: Array, eta: float, mu: float) -> tuple[Array, Array]:
    b = mu * b + g
    return theta - eta * b, b


def _rate_inside(theta: Array, g: Array, b: Array, eta: float, mu: float) -> tuple[Array, Array]:
    b = mu * b + eta * g
    return theta - b, b


def _average(theta: Array, g: Array, b: Array, eta: float, mu: float) -> tuple[Array, Array]:
    b = mu * b + (1 - mu) * g
    return theta - eta * b, b


def _old_buffer(theta: Array, g: Array, b: Array, eta: float, mu: float) -> tuple[Array, Array]:
    return theta - eta * b, mu * b + g


def _nesterov(theta: Array, g: Array, b: Array, eta: float, mu: float) -> tuple[Array, Array]:
    b = mu * b + g
    return theta - eta * (g + mu * b), b


def _in_place(theta: Array, g: Array, b: Array, eta: float, mu: float) -> tuple[Array, Array]:
    b *= mu
    b += g
    return theta - eta * b, b


def _update_cases(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    first = (np.array([1.0, -2.0]), np.array([0.5, 1.0]), np.zeros(2), 0.1, 0.9)
    later = [(*rng.standard_normal((3, 4)), rng.uniform(0.01, 1), rng.uniform()) for _ in range(5)]
    return [first, *later]


add(
    "momentum.update",
    1,
    function(_update, _update_cases, "torch's buffer holds plain gradients; the rate comes after."),
    solution=_update,
    wrong=(_rate_inside, _average, _old_buffer, _nesterov, _in_place),
)

add(
    "momentum.terminal",
    2,
    number(
        0.02 * 3 / (1 - 0.95),
        "Where does b ← μ b + g come to rest, and how long is a step from there?",
    ),
    solution=1.2,
    wrong=(0.06, 1.14, 0.003, 20.0, 60.0, "1.2"),
)

add(
    "momentum.optimal",
    3,
    number(
        (9 / 11) ** 2,
        "Both ends of the band, (1 − √μ)² and (1 + √μ)², must meet a curvature times the rate.",
    ),
    solution=(9 / 11) ** 2,
    wrong=(9 / 11, 99 / 101, (99 / 101) ** 2, 0.9, 0.99),
)


def _convert(
    theta: Array, g: Array, b: Array, eta: float, eta_before: float, mu: float
) -> tuple[Array, Array]:
    b = mu * (eta_before / eta) * b + g
    return theta - eta * b, b


def _unscaled(
    theta: Array, g: Array, b: Array, eta: float, eta_before: float, mu: float
) -> tuple[Array, Array]:
    return _update(theta, g, b, eta, mu)


def _upside_down(
    theta: Array, g: Array, b: Array, eta: float, eta_before: float, mu: float
) -> tuple[Array, Array]:
    b = mu * (eta / eta_before) * b + g
    return theta - eta * b, b


def _all_scaled(
    theta: Array, g: Array, b: Array, eta: float, eta_before: float, mu: float
) -> tuple[Array, Array]:
    b = (mu * b + g) * eta_before / eta
    return theta - eta * b, b


def _old_rate(
    theta: Array, g: Array, b: Array, eta: float, eta_before: float, mu: float
) -> tuple[Array, Array]:
    return _update(theta, g, b, eta_before, mu)


def _convert_cases(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    drop = (np.array([1.0]), np.array([1.0]), np.array([2.71]), 0.01, 0.1, 0.9)
    others = [
        (*rng.standard_normal((3, 4)), *rng.uniform(0.01, 1, size=2), rng.uniform())
        for _ in range(5)
    ]
    return [drop, *others]


add(
    "momentum.convert",
    4,
    function(_convert, _convert_cases, "Which b makes −η b the textbook's velocity?"),
    solution=_convert,
    wrong=(_unscaled, _upside_down, _all_scaled, _old_rate),
)

add(
    "momentum.cycle",
    5,
    number(
        42875 / 18252,
        "With κ = 36 the rate is 4/49, the momentum 25/49, and the pieces of the slope are "
        "36x, x + 35 and 36x − 35. Run it from 3.3, then take the largest of the three.",
    ),
    solution=42875 / 18252,
    wrong=(2592 / 1225, 7595 / 18252, -32725 / 18252, 3.3, 0.0),
)
