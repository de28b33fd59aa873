"""Exercises of the chapter on Adam."""

from __future__ import annotations

from typing import Any

import numpy as np

from optim_scratch.parameter import Array

from .checking import add, function, number

Step = tuple[Array, Array, Array]


def _means(g: Array, m: Array, v: Array, beta1: float, beta2: float) -> tuple[Array, Array]:
    return beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g**2


def _update(theta: Array, g: Array, m: Array, v: Array, t: int, eta: float, beta1: float,
            beta2: float, eps: float) -> Step:  # fmt: skip
    m, v = _means(g, m, v, beta1, beta2)
    m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
    return theta - eta * m_hat / (np.sqrt(v_hat) + eps), m, v


def _uncorrected(theta: Array, g: Array, m: Array, v: Array, t: int, eta: float, beta1: float,
                 beta2: float, eps: float) -> Step:  # fmt: skip
    m, v = _means(g, m, v, beta1, beta2)
    return theta - eta * m / (np.sqrt(v) + eps), m, v


def _corrected_in_state(theta: Array, g: Array, m: Array, v: Array, t: int, eta: float,
                        beta1: float, beta2: float, eps: float) -> Step:  # fmt: skip
    m, v = _means(g, m, v, beta1, beta2)
    m, v = m / (1 - beta1**t), v / (1 - beta2**t)
    return theta - eta * m / (np.sqrt(v) + eps), m, v


def _inside(theta: Array, g: Array, m: Array, v: Array, t: int, eta: float, beta1: float,
            beta2: float, eps: float) -> Step:  # fmt: skip
    m, v = _means(g, m, v, beta1, beta2)
    return theta - eta * m / (1 - beta1**t) / np.sqrt(v / (1 - beta2**t) + eps), m, v


def _epsilon_hat(theta: Array, g: Array, m: Array, v: Array, t: int, eta: float, beta1: float,
                 beta2: float, eps: float) -> Step:  # fmt: skip
    m, v = _means(g, m, v, beta1, beta2)
    rate = eta * np.sqrt(1 - beta2**t) / (1 - beta1**t)
    return theta - rate * m / (np.sqrt(v) + eps), m, v


def _no_root(theta: Array, g: Array, m: Array, v: Array, t: int, eta: float, beta1: float,
             beta2: float, eps: float) -> Step:  # fmt: skip
    m, v = _means(g, m, v, beta1, beta2)
    return theta - eta * m / (1 - beta1**t) / (v / (1 - beta2**t) + eps), m, v


def _late(theta: Array, g: Array, m: Array, v: Array, t: int, eta: float, beta1: float,
          beta2: float, eps: float) -> Step:  # fmt: skip
    theta, *_ = _update(theta, g, m, v, t + 1, eta, beta1, beta2, eps)
    return theta, *_means(g, m, v, beta1, beta2)


def _in_place(theta: Array, g: Array, m: Array, v: Array, t: int, eta: float, beta1: float,
              beta2: float, eps: float) -> Step:  # fmt: skip
    m *= beta1
    m += (1 - beta1) * g
    v *= beta2
    v += (1 - beta2) * g**2
    m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
    return theta - eta * m_hat / (np.sqrt(v_hat) + eps), m, v


def _update_cases(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    cases: list[tuple[Any, ...]] = []
    for t in (1, 2, 7, 100):
        theta, g, m = rng.standard_normal((3, 4))
        v = rng.uniform(0.5, 2, size=4)
        if t == 1:
            m, v = np.zeros(4), np.zeros(4)
        betas = rng.uniform(0.5, 0.95), rng.uniform(0.95, 0.999)
        cases.append((theta, g, m, v, t, rng.uniform(0.01, 1), *betas, rng.uniform(0.01, 0.5)))
    return cases


add(
    "adam.update",
    1,
    function(
        _update,
        _update_cases,
        "Correct copies of both means, keep the means themselves, and add ε to the root.",
    ),
    solution=_update,
    wrong=(
        _uncorrected,
        _corrected_in_state,
        _inside,
        _epsilon_hat,
        _no_root,
        _late,
        _in_place,
    ),
)

add(
    "adam.steady",
    2,
    number(1.0, "A gradient that stays the same is its own root mean square."),
    solution=1.0,
    wrong=(0.03, 500 * 0.002 * 0.03, 0.002, 0.23, 0.5),
)

add(
    "adam.alternating",
    2,
    number(
        0.002 * 0.1 / 1.9,
        "Where m ← β₁ m + (1 − β₁) g comes back to −m, how large is m, in units of g?",
    ),
    solution=0.002 * 0.1 / 1.9,
    wrong=(0.002, 0.0, 0.002 * 7 * 0.1 / 1.9, 0.002 * (0.1 / 1.9) ** 0.5, 0.002 / 1.9),
)

add(
    "adam.rare",
    2,
    number(
        0.0002,
        "Of such gradients, what is the mean, and what the root mean square?",
    ),
    solution=0.0002,
    wrong=(0.002, 0.00002, 0.0001, 0.002 * 0.5 / 100, 0.02),
)

add(
    "adam.noise",
    3,
    number(0.8, "With r = 0 the box leaves the square root of (1 − β₁)/(1 + β₁)."),
    solution=0.8,
    wrong=(0.5, 2 / 3, 8 / 9, 0.9, 1 / 9, -0.8),
)


def _length(t: float, beta1: float, beta2: float) -> float:
    return float(1 / np.sqrt(1 - beta2**t))


def _length_cases(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    return [(1, 0.9, 0.99), (12, 0.9, 0.999)] + [
        (int(rng.integers(1, 500)), rng.uniform(0.5, 0.95), rng.uniform(0.9, 0.999))
        for _ in range(4)
    ]


add(
    "adam.uncorrected",
    4,
    function(
        _length,
        _length_cases,
        "The corrected mean of a constant gradient is the gradient. What is left of v?",
    ),
    solution=_length,
    wrong=(
        lambda t, beta1, beta2: 1.0,
        lambda t, beta1, beta2: (1 - beta1**t) / np.sqrt(1 - beta2**t),
        lambda t, beta1, beta2: 1 / (1 - beta2**t),
        lambda t, beta1, beta2: np.sqrt(1 - beta2**t),
        lambda t, beta1, beta2: 1 / np.sqrt(1 - beta2 ** (t - 1) + 1e-12),
        lambda t, beta1, beta2: 1 / np.sqrt(1 - beta1**t),
    ),
)

add(
    "adam.as-momentum",
    5,
    number(
        2.0, "Adam's mean holds a gradient with the share 1 − β₁, torch's buffer holds it whole."
    ),
    solution=2.0,
    wrong=(0.2, 0.02, 20.0, 0.002, 0.222),
)

add(
    "adam.pixels-sgd",
    6,
    number(65025.0, "The gradient is larger, and the weights ought to be smaller."),
    solution=255**2,
    wrong=(255, 255**3, 1, 16),
)

add(
    "adam.pixels-adam",
    6,
    number(255.0, "Adam does not see the gradient's size. What about the weight's?"),
    solution=255,
    wrong=(255**2, 1, 16, 0),
)


def _longest(beta1: float, beta2: float) -> float:
    if beta1**2 >= beta2:
        return float(np.inf)
    return float((1 - beta1) / np.sqrt((1 - beta2) * (1 - beta1**2 / beta2)))


def _paper(beta1: float, beta2: float) -> float:
    return float(max(1, (1 - beta1) / np.sqrt(1 - beta2)))


def _no_case(beta1: float, beta2: float) -> float:
    return float((1 - beta1) / np.sqrt(abs((1 - beta2) * (1 - beta1**2 / beta2))))


def _unsquared(beta1: float, beta2: float) -> float:
    if beta1 >= beta2:
        return float(np.inf)
    return float((1 - beta1) / np.sqrt((1 - beta2) * (1 - beta1 / beta2)))


def _longest_cases(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    return [(0.9, 0.999), (0.9, 0.95), (0.9, 0.8), (0.9, 0.9), (0.5, 0.999), (0.0, 0.99)]


add(
    "adam.longest",
    8,
    function(
        _longest,
        _longest_cases,
        "The bound holds the sum of (β₁²/β₂)ᵏ, which has no value where β₁² reaches β₂.",
    ),
    solution=_longest,
    wrong=(_paper, _no_case, _unsquared, lambda beta1, beta2: 1.0),
)
