"""Exercises of the chapter on sharpness: SAM."""

from __future__ import annotations

from typing import Any

import numpy as np

from optim_scratch.parameter import Array

from .checking import add, function, number

add(
    "sharpness.bounce",
    1,
    number(0.0125, "At rest it jumps from a to -a. The look is at a + ρ."),
    solution=0.4 * 0.05 / 1.6,
    wrong=(0, 0.05, 0.02, 0.01, 0.025, -0.0125),
)

add(
    "sharpness.rescaled",
    2,
    number((16 + 1 / 16) / (4 + 1 / 4), "The sharpness is u² + v², and v = 1/u."),
    solution=(16 + 1 / 16) / (4 + 1 / 4),
    wrong=(4, 1, 2, 16.0625, 4.25 / 16.0625),
)

add(
    "sharpness.time",
    3,
    number(
        np.log(2) / 0.001, "By which share does u² - v² shrink in a step? When is it half?", 0.01
    ),
    solution=np.log(2) / 0.001,
    wrong=(1000, 500, np.log(2) / 0.0005, np.log(2) / 0.002, np.log(2) / 0.01),
)


def _adaptive(theta: Array, g: Array, rho: float) -> Array:
    result: Array = rho * theta**2 * g / np.linalg.norm(theta * g)
    return result


def _plain(theta: Array, g: Array, rho: float) -> Array:
    result: Array = rho * g / np.linalg.norm(g)
    return result


def _once(theta: Array, g: Array, rho: float) -> Array:
    result: Array = rho * theta * g / np.linalg.norm(theta * g)
    return result


def _other_norm(theta: Array, g: Array, rho: float) -> Array:
    result: Array = rho * theta**2 * g / np.linalg.norm(theta**2 * g)
    return result


def _entrywise(theta: Array, g: Array, rho: float) -> Array:
    result: Array = rho * np.abs(theta) * np.sign(g)
    return result


def _cases(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    first = (np.array([2.0, -0.5]), np.array([1.0, 3.0]), 0.1)
    return [
        first,
        *((*rng.standard_normal((2, 6)), rng.uniform(0.01, 1)) for _ in range(5)),
    ]


add(
    "sharpness.adaptive",
    4,
    function(_adaptive, _cases, "θ stands twice above, once below, and the norm is one number."),
    solution=_adaptive,
    wrong=(_plain, _once, _other_norm, _entrywise),
)

add(
    "sharpness.hangs",
    5,
    number(2.4, "Where is the gradient at the look zero?"),
    solution=2.4,
    wrong=(3, 2.6, 3.6, 2, 0),
)
