"""Exercises of the chapter on curvature: Newton's step and L-BFGS."""

from __future__ import annotations

from typing import Any

import numpy as np

from optim_scratch.parameter import Array

from .checking import add, function, number

add(
    "curvature.quartic",
    1,
    number(2 / 3, "Divide the first derivative by the second, and take that from θ."),
    solution=2 / 3,
    wrong=(0, 1 / 3, 1 / 4, 3 / 4, -1 / 3),
)

add(
    "curvature.pairs",
    2,
    number(24e6, "How many vectors are in a pair, and how long is each?"),
    solution=24e6,
    wrong=(12e6, 24, 1e12, 48e6),
)

add(
    "curvature.times",
    2,
    number(1e12 / 24e6, "A matrix has as many rows as columns.", rtol=0.01),
    solution=1e12 / 24e6,
    wrong=(1e6, 1e12, 1e12 / 12e6, 24e6 / 1e12),
)

add(
    "curvature.measured",
    3,
    number(5, "y = H s, each entry of s times its curvature. Then two products of vectors."),
    solution=5,
    wrong=(10, 9, 3, 0.2, 41),
)

add(
    "curvature.gamma",
    3,
    number(10 / 82, "The lower product is that of y with itself."),
    solution=10 / 82,
    wrong=(0.2, 5, 8.2, 1 / 9, 0.5),
)


def _product(g: Array, s: Array, y: Array) -> Array:
    sy = s @ y
    if sy <= 0:
        return g
    alpha = (s @ g) / sy
    r = sy / (y @ y) * (g - alpha * y)
    result: Array = r + (alpha - (y @ r) / sy) * s
    return result


def _without_the_second_loop(g: Array, s: Array, y: Array) -> Array:
    sy = s @ y
    result: Array = g if sy <= 0 else sy / (y @ y) * (g - (s @ g) / sy * y)
    return result


def _other_scale(g: Array, s: Array, y: Array) -> Array:
    sy = s @ y
    if sy <= 0:
        return g
    alpha = (s @ g) / sy
    r = (s @ s) / sy * (g - alpha * y)
    result: Array = r + (alpha - (y @ r) / sy) * s
    return result


def _swapped(g: Array, s: Array, y: Array) -> Array:
    return _product(g, y, s)


def _unguarded(g: Array, s: Array, y: Array) -> Array:
    sy = s @ y
    alpha = (s @ g) / sy
    r = sy / (y @ y) * (g - alpha * y)
    result: Array = r + (alpha - (y @ r) / sy) * s
    return result


def _cases(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    first = (np.array([1.0, 2.0]), np.array([1.0, 1.0]), np.array([1.0, 9.0]))
    negative = (np.array([1.0, 2.0]), np.array([1.0, 1.0]), np.array([1.0, -9.0]))
    later = []
    for _ in range(5):
        g, s = rng.standard_normal((2, 6))
        later.append((g, s, rng.uniform(0.5, 4, 6) * s))
    return [first, negative, *later]


add(
    "curvature.product",
    4,
    function(
        _product,
        _cases,
        "From right to left: g - α y, then times γ, then the first bracket, then + α s.",
    ),
    solution=_product,
    wrong=(_without_the_second_loop, _other_scale, _swapped, _unguarded),
)

add(
    "curvature.batches",
    5,
    number(17, "The true curvature, and the share of noise over the rate."),
    solution=17,
    wrong=(2, 15, 22, 0.75, 2.0375),
)

add(
    "curvature.shorter",
    5,
    number(8.5, "A step is in proportion to one over the curvature."),
    solution=8.5,
    wrong=(2 / 17, 17, 7.5, 15),
)
