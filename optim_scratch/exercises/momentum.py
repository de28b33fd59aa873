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
    "momentum.alternating",
    2,
    number(
        0.02 * 3 / (1 + 0.95),
        "Where b ← μ b + g, with a g that changes its sign, comes back to −b, how large is b?",
    ),
    solution=0.06 / 1.95,
    wrong=(0.06 / 0.05, 0.0, 0.06, 3 / 1.95, 0.02 * 3 * 0.95 / 1.95),
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


def _memory(eta: float, h: float) -> float:
    return float((1 - np.sqrt(eta * h)) ** 2)


def _root(eta: float, h: float) -> float:
    return float(1 - np.sqrt(eta * h))


def _plain(eta: float, h: float) -> float:
    return 1 - eta * h


def _upper_edge(eta: float, h: float) -> float:
    return float((1 + np.sqrt(eta * h)) ** 2)


def _no_rate(eta: float, h: float) -> float:
    return float((1 - np.sqrt(h)) ** 2)


def _memory_cases(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    return [(0.01, 1.0), (0.03, 20.0), *((share / h, h) for share, h in rng.uniform(size=(5, 2)))]


add(
    "momentum.memory",
    4,
    function(
        _memory,
        _memory_cases,
        "The smallest momentum whose band, from (1 − √μ)² to (1 + √μ)², holds the rate times the "
        "curvature.",
    ),
    solution=_memory,
    wrong=(_root, _plain, _upper_edge, _no_rate, lambda eta, h: 0.9),
)


def _turning(gradients: Array) -> float:
    return float(np.mean(np.sum(gradients[1:] * gradients[:-1], axis=1) < 0))


def _agreeing(gradients: Array) -> float:
    return 1 - _turning(gradients)


def _mean_product(gradients: Array) -> float:
    return float(np.mean(np.sum(gradients[1:] * gradients[:-1], axis=1)))


def _by_coordinate(gradients: Array) -> float:
    return float(np.mean(gradients[1:] * gradients[:-1] < 0))


def _count(gradients: Array) -> int:
    return int(np.sum(np.sum(gradients[1:] * gradients[:-1], axis=1) < 0))


def _first_counted(gradients: Array) -> float:
    return _count(gradients) / len(gradients)


def _turning_cases(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    signs = (-1.0) ** np.arange(6)
    alternating = signs[:, None] * np.array([1.0, 2.0])
    walks = [rng.standard_normal((20, 3)).cumsum(axis=0) for _ in range(3)]
    return [(alternating,), (np.ones((6, 2)),), *((walk,) for walk in walks)]


add(
    "momentum.turning",
    5,
    function(
        _turning,
        _turning_cases,
        "The sign of the product of two gradients, summed over coordinates, is that of the cosine; "
        "of T gradients there are T − 1 pairs.",
    ),
    solution=_turning,
    wrong=(_agreeing, _mean_product, _by_coordinate, _count, _first_counted),
)

add(
    "momentum.rate",
    7,
    number(0.01, "Hold η/(1 − μ) fixed."),
    solution=0.01,
    wrong=(0.1, 1.0, 0.11, 0.001, 0.099),
)

add(
    "momentum.cycle",
    8,
    number(
        42875 / 18252,
        "With κ = 36 the rate is 4/49, the momentum 25/49, and the pieces of the slope are "
        "36x, x + 35 and 36x − 35. Run it from 3.3, then take the largest of the three.",
    ),
    solution=42875 / 18252,
    wrong=(2592 / 1225, 7595 / 18252, -32725 / 18252, 3.3, 0.0),
)
