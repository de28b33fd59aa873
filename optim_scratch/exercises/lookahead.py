"""Exercises of the chapter on Lookahead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from optim_scratch.parameter import Array

from .checking import add, function, number

add(
    "lookahead.cycle",
    1,
    number(
        0.204755, "ρ is below 0, and so is its fifth power. Which share of it is added to 1 - α?"
    ),
    solution=0.5 + 0.5 * (-0.9) ** 5,
    wrong=(0.5 + 0.5 * 0.9**5, (-0.9) ** 5, 0.5 * (-0.9) ** 5, 0.5 - 0.9 * 0.5, 1.0),
)

add(
    "lookahead.limit",
    2,
    number(1 + 3 ** (1 / 3), "Stable means R > -1. What must ρ³ be above?"),
    solution=1 + 3 ** (1 / 3),
    wrong=(2.0, 1 + 3 ** (1 / 5), 3 ** (1 / 3), 4.0, 1 + 2 ** (1 / 3)),
)

_Inner = Callable[[Array], Array]


def _cycles(inner: _Inner, start: Array, cycles: int, k: int, alpha: float) -> Array:
    slow = start
    for _ in range(cycles):
        theta = slow
        for _ in range(k):
            theta = inner(theta)
        slow = slow + alpha * (theta - slow)
    return slow


def _fast_goes_on(inner: _Inner, start: Array, cycles: int, k: int, alpha: float) -> Array:
    slow = theta = start
    for _ in range(cycles):
        for _ in range(k):
            theta = inner(theta)
        slow = slow + alpha * (theta - slow)
    return slow


def _other_share(inner: _Inner, start: Array, cycles: int, k: int, alpha: float) -> Array:
    return _cycles(inner, start, cycles, k, 1 - alpha)


def _no_way_back(inner: _Inner, start: Array, cycles: int, k: int, alpha: float) -> Array:
    return _cycles(inner, start, cycles, k, 1.0)


def _one_step(inner: _Inner, start: Array, cycles: int, k: int, alpha: float) -> Array:
    return _cycles(inner, start, cycles, 1, alpha)


def _one_more(inner: _Inner, start: Array, cycles: int, k: int, alpha: float) -> Array:
    return _cycles(inner, start, cycles, k + 1, alpha)


def _bowl(theta: Array) -> Array:
    return theta - 0.3 * np.array([1.0, 3.0]) * (theta - 1.0)


def _cases(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    first = (_bowl, np.array([2.0, -1.0]), 2, 3, 0.3)
    later = [
        (_bowl, rng.standard_normal(2), int(rng.integers(2, 4)), int(rng.integers(2, 5)),
         rng.uniform(0.2, 0.4))
        for _ in range(5)
    ]  # fmt: skip
    return [first, *later]


add(
    "lookahead.cycles",
    3,
    function(
        _cycles,
        _cases,
        "Each cycle begins at the slow weights, makes k steps, and keeps the share α of the way.",
    ),
    solution=_cycles,
    wrong=(_fast_goes_on, _other_share, _no_way_back, _one_step, _one_more),
)


def _floor(q: float, alpha: float) -> float:
    return alpha * (1 + q) / (2 - alpha + alpha * q)


add(
    "lookahead.floor",
    4,
    number(_floor(0.9**5, 0.8), "The boxed formula, with q = ρ to the power k."),
    solution=_floor(0.9**5, 0.8),
    wrong=(0.8, _floor(0.9, 0.8), _floor(0.9**5, 0.5), 0.8 / 1.2, 0.64),
)

add(
    "lookahead.k",
    5,
    number(
        47,
        "The loss goes like the square of the distance, and has two peaks in one turn of the hand.",
        rtol=0.001,
    ),
    solution=47,
    wrong=(24, 23.5, 30, 60, 94),
)
