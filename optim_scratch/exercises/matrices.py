"""Exercises of the chapter on matrices: Muon, Shampoo, SOAP, Adafactor."""

from __future__ import annotations

from typing import Any

import numpy as np

from optim_scratch.parameter import Array

from .checking import add, function, number

add(
    "matrices.step",
    1,
    number(
        -0.02,
        "Each direction moves by the whole rate, however small its gradient; the step goes "
        "against the gradient.",
    ),
    solution=-0.02,
    wrong=(0.02, -0.002, 0.002, -0.0005, -0.08, 0),
)

add(
    "matrices.fall",
    2,
    number(0.45, "Each direction contributes. What does one with the singular value 3?"),
    solution=0.1 * (3 + 1 + 0.5),
    wrong=(0.3, 0.1 * 10.25**0.5, -0.45, 4.5, 1.025),
)

add(
    "matrices.rate",
    3,
    number(0.0032, "Which two factors stand before the same step?"),
    solution=0.001 * 6.4 / 2,
    wrong=(0.0064, 0.001 * 2 / 6.4, 0.001, 0.0128, 0.0016),
)


def _root(matrix: Array, k: int) -> Array:
    s, q = np.linalg.eigh(matrix)
    root: Array = q * s ** (-1 / k) @ q.T
    return root


def _shampoo(
    theta: Array, g: Array, left: Array, right: Array, eta: float
) -> tuple[Array, Array, Array]:
    left, right = left + g @ g.T, right + g.T @ g
    return theta - eta * _root(left, 4) @ g @ _root(right, 4), left, right


def _square_roots(
    theta: Array, g: Array, left: Array, right: Array, eta: float
) -> tuple[Array, Array, Array]:
    left, right = left + g @ g.T, right + g.T @ g
    return theta - eta * _root(left, 2) @ g @ _root(right, 2), left, right


def _late(
    theta: Array, g: Array, left: Array, right: Array, eta: float
) -> tuple[Array, Array, Array]:
    step = eta * _root(left, 4) @ g @ _root(right, 4)
    return theta - step, left + g @ g.T, right + g.T @ g


def _one_side(
    theta: Array, g: Array, left: Array, right: Array, eta: float
) -> tuple[Array, Array, Array]:
    left, right = left + g @ g.T, right + g.T @ g
    return theta - eta * _root(left, 4) @ g, left, right


def _entries(
    theta: Array, g: Array, left: Array, right: Array, eta: float
) -> tuple[Array, Array, Array]:
    left, right = left + g @ g.T, right + g.T @ g
    return theta - eta * np.abs(left) ** -0.25 @ g @ np.abs(right) ** -0.25, left, right


def _cases(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    cases: list[tuple[Any, ...]] = []
    for m, n in ((2, 2), (2, 3), (4, 3)):
        theta, g, old = rng.standard_normal((3, m, n))
        cases.append((theta, g, old @ old.T + np.eye(m), old.T @ old + np.eye(n), 0.1))
    return cases


add(
    "matrices.shampoo",
    4,
    function(
        _shampoo,
        _cases,
        "The sums take in this gradient first. A root of a matrix is that of its eigenvalues, and "
        "each side has its own.",
    ),
    solution=_shampoo,
    wrong=(_square_roots, _late, _one_side, _entries),
)

_SOAP_HINT = "Two numbers for each weight, and for each side a matrix and its axes."

add(
    "matrices.memory_one",
    5,
    number(2 * 512 * 2048 + 2 * (512**2 + 2048**2), _SOAP_HINT, rtol=1e-6),
    solution=2 * 512 * 2048 + 2 * (512**2 + 2048**2),
    wrong=(2 * 512 * 2048 + 512**2 + 2048**2, 2 * 512 * 2048, 2 * (512**2 + 2048**2)),
)

_HALF = 2 * 1024 * 2048 + 2 * (1024**2 + 2048**2)

add(
    "matrices.memory_two",
    5,
    number(2 * _HALF, _SOAP_HINT, rtol=1e-6),
    solution=2 * _HALF,
    wrong=(_HALF, 2 * 2048**2 + 4 * 2048**2, 2 * (2 * 1024 * 2048 + 1024**2 + 2048**2)),
)
