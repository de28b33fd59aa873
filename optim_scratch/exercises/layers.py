"""Exercises of the chapter on layers: LARS and LAMB."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from optim_scratch.parameter import Array

from .checking import add, function, number

add(
    "layers.share",
    1,
    number(0.04, "The length of the step, over the length of what it changes."),
    solution=0.1 * 2 / 5,
    wrong=(0.2, 0.25, 0.4, 0.1),
)

add(
    "layers.units_sgd",
    2,
    number(1 / 256, "The gradient has grown, and the weights have shrunk."),
    solution=1 / 16**2,
    wrong=(1 / 16, 256, 16, 1),
)

add(
    "layers.units_adam",
    2,
    number(1 / 16, "Adam's step does not care about the gradient's size, but the weights shrank."),
    solution=1 / 16,
    wrong=(1 / 256, 16, 1, 256),
)


def _common(arrays: tuple[Array, ...]) -> float:
    return math.sqrt(sum(float(np.sum(each**2)) for each in arrays))


def _one_ratio(thetas: tuple[Array, ...], slopes: tuple[Array, ...], rho: float) -> Any:
    size, slope = _common(thetas), _common(slopes)
    ratio = size / slope if size * slope > 0 else 1.0
    return tuple(w - rho * ratio * g for w, g in zip(thetas, slopes, strict=True))


def _for_each(thetas: tuple[Array, ...], slopes: tuple[Array, ...], rho: float) -> Any:
    pairs = zip(thetas, slopes, strict=True)
    return tuple(_one_ratio((w,), (g,), rho)[0] for w, g in pairs)


def _lengths_added(thetas: tuple[Array, ...], slopes: tuple[Array, ...], rho: float) -> Any:
    size, slope = (sum(_common((each,)) for each in arrays) for arrays in (thetas, slopes))
    ratio = size / slope if size * slope > 0 else 1.0
    return tuple(w - rho * ratio * g for w, g in zip(thetas, slopes, strict=True))


def _not_divided(thetas: tuple[Array, ...], slopes: tuple[Array, ...], rho: float) -> Any:
    size = _common(thetas) or 1.0
    return tuple(w - rho * size * g for w, g in zip(thetas, slopes, strict=True))


def _stuck_at_zero(thetas: tuple[Array, ...], slopes: tuple[Array, ...], rho: float) -> Any:
    ratio = _common(thetas) / (_common(slopes) + 1e-12)
    return tuple(w - rho * ratio * g for w, g in zip(thetas, slopes, strict=True))


def _cases(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    first = ((np.array([3.0, 0.0]), np.array([[4.0]])), (np.array([0.0, 6.0]), np.array([[8.0]])))
    zeros = (np.zeros(2), np.zeros((2, 3)))
    drawn = [
        (
            (rng.standard_normal((3, 2)), 5 * rng.standard_normal(4)),
            (rng.standard_normal((3, 2)), 0.1 * rng.standard_normal(4)),
            rng.uniform(0.01, 0.1),
        )
        for _ in range(4)
    ]
    return [(*first, 0.1), (zeros, (np.ones(2), np.ones((2, 3))), 0.1), *drawn]


add(
    "layers.one_ratio",
    3,
    function(
        _one_ratio,
        _cases,
        "The common length is the root of the sum of all squares, of weights and of gradients.",
    ),
    solution=_one_ratio,
    wrong=(_for_each, _lengths_added, _not_divided, _stuck_at_zero),
)

add(
    "layers.steps",
    4,
    number(349, "Each step multiplies the length by 1.02 at most. Count whole steps."),
    solution=math.ceil(math.log(1000) / math.log(1.02)),
    wrong=(50_000, 345.4, 348, 49.95, 1000),
)

add(
    "layers.growth",
    5,
    number(1.0004**500, "Pythagoras: the square of the length grows by the factor 1 + ρ²."),
    solution=(1 + 0.02**2) ** 500,
    wrong=(1.0004**1000, 1.02**1000, 1.4, 1.0, 1.0002**500),
)
