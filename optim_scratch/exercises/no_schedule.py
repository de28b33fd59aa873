"""Exercises of the chapter on methods without a schedule."""

from __future__ import annotations

from typing import Any

import numpy as np

from optim_scratch.parameter import Array

from .checking import add, function, number

add(
    "no-schedule.price",
    1,
    number(1 / (1 - 0.95**2), "The price of forgetting has β in it, and nothing else.", rtol=0.01),
    solution=1 / (1 - 0.95**2),
    wrong=(1 / (1 - 0.95), 1 - 0.95**2, 19, 0.95 / 0.05, 1 / (1 - 0.95) ** 2),
)

add(
    "no-schedule.window",
    2,
    number(
        1 - 0.5 ** (1 / 50),
        "Weights s^p add up to a share (s/t)^(p+1) of the whole. Where is it one half?",
        rtol=0.05,
    ),
    solution=1 - 0.5 ** (1 / 50),
    wrong=(0.5 ** (1 / 50), 0.02, 0.067, 0.5, 1 / 50 / 2),
)

add(
    "no-schedule.first",
    3,
    number(0.5, "In the first step the average is z, and so is y."),
    solution=2 / 4,
    wrong=(2.5, 0.25, 0.4, 2.0, 0.1),
)

add(
    "no-schedule.late",
    3,
    number(2.5, "Later the average hardly moves in one step. Which share of z does y see?"),
    solution=2 / (4 * 0.2),
    wrong=(0.5, 0.625, 5.0, 10.0, 2 / (4 * 0.8)),
)

add(
    "no-schedule.share",
    4,
    number(
        16 / 46,
        "Each point counts with the square of the largest rate so far. The new one over the sum.",
    ),
    solution=16 / (1 + 4 + 9 + 16 + 16),
    wrong=(0.2, 0.4 / 1.4, 16 / 30, 0.16, 0.25),
)


def _step(y: Array, z: Array, g: Array, t: int, eta: float, beta: float) -> tuple[Array, Array]:
    x = (y - (1 - beta) * z) / beta
    z = z - eta * g
    x = x + (z - x) / t
    return (1 - beta) * z + beta * x, z


def _average_of_y(
    y: Array, z: Array, g: Array, t: int, eta: float, beta: float
) -> tuple[Array, Array]:
    z = z - eta * g
    x = y + (z - y) / t
    return (1 - beta) * z + beta * x, z


def _from_the_new_z(
    y: Array, z: Array, g: Array, t: int, eta: float, beta: float
) -> tuple[Array, Array]:
    z = z - eta * g
    x = (y - (1 - beta) * z) / beta
    x = x + (z - x) / t
    return (1 - beta) * z + beta * x, z


def _shares_exchanged(
    y: Array, z: Array, g: Array, t: int, eta: float, beta: float
) -> tuple[Array, Array]:
    return _step(y, z, g, t, eta, 1 - beta)


def _one_step_late(
    y: Array, z: Array, g: Array, t: int, eta: float, beta: float
) -> tuple[Array, Array]:
    return _step(y, z, g, t + 1, eta, beta)


def _average_returned(
    y: Array, z: Array, g: Array, t: int, eta: float, beta: float
) -> tuple[Array, Array]:
    x = (y - (1 - beta) * z) / beta
    z = z - eta * g
    return x + (z - x) / t, z


def _cases(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    return [
        (*rng.standard_normal((3, 6)), t, rng.uniform(0.1, 1), rng.uniform(0.55, 0.95))
        for t in (2, 3, 10, 100)
    ]


add(
    "no-schedule.step",
    5,
    function(
        _step,
        _cases,
        "Find x from y and the old z. Then z moves, x takes a share 1/t, and y is mixed anew.",
    ),
    solution=_step,
    wrong=(_average_of_y, _from_the_new_z, _shares_exchanged, _one_step_late, _average_returned),
)
