"""Exercises of the chapter on momentum's conventions."""

from __future__ import annotations

from typing import Any

import numpy as np

from optim_scratch.parameter import Array

from .checking import add, function, number

add(
    "momentum-conventions.average",
    1,
    number(0.02, "An average is 1 − μ times the sum that torch keeps."),
    solution=0.4 * (1 - 0.95),
    wrong=(0.4, 8.0, 0.38, 0.4 * 0.95**2, 0.421),
)

add(
    "momentum-conventions.coasting",
    2,
    number(
        68.4,
        "How many steps late is the form with the rate inside, and by how much is a step longer "
        "before the drop than after?",
    ),
    solution=19 * 0.18 / 0.05,
    wrong=(3.6, 3.42, 72.0, 76.0, 8.1, 1.296),
)


def _convert(
    theta: Array, g: Array, b: Array, eta: float, eta_before: float, mu: float
) -> tuple[Array, Array]:
    b = mu * (eta_before / eta) * b + g
    return theta - eta * b, b


def _unscaled(
    theta: Array, g: Array, b: Array, eta: float, eta_before: float, mu: float
) -> tuple[Array, Array]:
    b = mu * b + g
    return theta - eta * b, b


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
    b = mu * b + g
    return theta - eta_before * b, b


def _cases(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    drop = (np.array([1.0]), np.array([1.0]), np.array([2.71]), 0.01, 0.1, 0.9)
    others = [
        (*rng.standard_normal((3, 4)), *rng.uniform(0.01, 1, size=2), rng.uniform())
        for _ in range(5)
    ]
    return [drop, *others]


add(
    "momentum-conventions.convert",
    3,
    function(_convert, _cases, "Which b makes −η b the velocity of the form with the rate inside?"),
    solution=_convert,
    wrong=(_unscaled, _upside_down, _all_scaled, _old_rate),
)

add(
    "momentum-conventions.decay",
    4,
    number(
        1e-3,
        "What share of a weight does a step take through the buffer, and what share past it?",
    ),
    solution=1e-4 / (1 - 0.9),
    wrong=(1e-4, 1e-5, 1e-2, 9e-5),
)
