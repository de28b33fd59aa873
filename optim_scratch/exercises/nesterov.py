"""Exercises of the chapter on Nesterov momentum."""

from __future__ import annotations

from typing import Any

import numpy as np

from optim_scratch.parameter import Array

from .checking import add, function, number

add(
    "nesterov.limit",
    1,
    number(
        3.6 / 2.6 / 50,
        "The look is 1 + 2μ times as far up the wall: divide momentum's limit by that.",
    ),
    solution=3.6 / 2.6 / 50,
    wrong=(3.6 / 50, 2 / 50, 1.2 / 50, 3.6 / 2.6, 3.6 / 1.8 / 50),
)

add(
    "nesterov.factor",
    2,
    number(
        (0.95 * 0.64) ** 0.5,
        "Momentum's factor is √μ. What becomes of μ where rate times curvature is 0.36?",
    ),
    solution=(0.95 * 0.64) ** 0.5,
    wrong=(0.95**0.5, 0.95 * 0.64, 0.64**0.5, 0.95 * 0.64**0.5, 0.64),
)

add(
    "nesterov.half",
    3,
    number(
        2.0,
        "From -θ to θ the velocity is 2θ. Where does half of the way ahead lead, and how steep is "
        "it there?",
    ),
    solution=2.0,
    wrong=(3.8, 3.8 / 2.8, 3.8 / 1.45, 1.0, 1.9),
)


def _update(phi: Array, g: Array, b: Array, eta: float, mu: float) -> tuple[Array, Array]:
    b = mu * b + g
    return phi - eta * (g + mu * b), b


def _heavy_ball(phi: Array, g: Array, b: Array, eta: float, mu: float) -> tuple[Array, Array]:
    b = mu * b + g
    return phi - eta * b, b


def _old_buffer(phi: Array, g: Array, b: Array, eta: float, mu: float) -> tuple[Array, Array]:
    return phi - eta * (g + mu * b), mu * b + g


def _no_momentum_ahead(
    phi: Array, g: Array, b: Array, eta: float, mu: float
) -> tuple[Array, Array]:
    b = mu * b + g
    return phi - eta * (g + b), b


def _direction_kept(phi: Array, g: Array, b: Array, eta: float, mu: float) -> tuple[Array, Array]:
    d = g + mu * (mu * b + g)
    return phi - eta * d, d


def _in_place(phi: Array, g: Array, b: Array, eta: float, mu: float) -> tuple[Array, Array]:
    b *= mu
    b += g
    return phi - eta * (g + mu * b), b


def _cases(rng: np.random.Generator, arrays: int = 3) -> list[tuple[Any, ...]]:
    first = (*np.array([[1.0, -2.0], [0.5, 1.0], [2.0, 0.0]])[:arrays], 0.1, 0.9)
    later = [
        (*rng.standard_normal((arrays, 4)), rng.uniform(0.01, 1), rng.uniform()) for _ in range(5)
    ]
    return [first, *later]


add(
    "nesterov.update",
    4,
    function(_update, _cases, "First the buffer; then a step along g + μ b with the new buffer."),
    solution=_update,
    wrong=(_heavy_ball, _old_buffer, _no_momentum_ahead, _direction_kept, _in_place),
)


def _plain(phi: Array, b: Array, eta: float, mu: float) -> Array:
    return phi + eta * mu * b


add(
    "nesterov.plain",
    4,
    function(
        _plain,
        lambda rng: _cases(rng, 2),
        "φ = θ + μ v, and the velocity is v = -η b: solve for θ.",
    ),
    solution=_plain,
    wrong=(
        lambda phi, b, eta, mu: phi - eta * mu * b,
        lambda phi, b, eta, mu: phi + eta * b,
        lambda phi, b, eta, mu: phi - mu * b,
        lambda phi, b, eta, mu: phi,
    ),
)

add(
    "nesterov.diagnose",
    5,
    number(
        0.19 / 2.8,
        "It alternates at every step, so it is the rate. By which factor is Nesterov's limit below "
        "momentum's?",
    ),
    solution=0.19 / 2.8,
    wrong=(0.19, 0.1, 0.19 / 1.9, 0.19 / 3.8, 0.19 * 2.8),
)
