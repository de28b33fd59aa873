"""Exercises of the page on cosine annealing."""

from __future__ import annotations

from math import cos, pi

import numpy as np

from optim_scratch.parameter import Array

from .checking import add, function, number


def rate(t: int, T: int, lr: float, eta_min: float) -> float:
    """Return the rate of a cosine after so many steps."""
    return eta_min + (lr - eta_min) * (1 + cos(pi * t / T)) / 2


add(
    "cosine-and-restarts.rate",
    1,
    function(
        rate,
        lambda rng: [
            (0, 10, 0.1, 0.0),
            (10, 10, 0.1, 0.02),
            (3, 10, 0.1, 0.0),
            (7, 30, 0.5, 0.1),
            (15, 10, 0.1, 0.01),
        ],
        "Half a wave lasts T steps; it runs between lr and eta_min, and on from there.",
    ),
    solution=rate,
    wrong=(
        lambda t, T, lr, eta_min: lr * (1 + cos(pi * t / T)) / 2,
        lambda t, T, lr, eta_min: eta_min + lr * (1 + cos(pi * t / T)) / 2,
        lambda t, T, lr, eta_min: eta_min + (lr - eta_min) * (1 + cos(2 * pi * t / T)) / 2,
        lambda t, T, lr, eta_min: eta_min + (lr - eta_min) * cos(pi * t / T),
        lambda t, T, lr, eta_min: rate(min(t, T), T, lr, eta_min),
        lambda t, T, lr, eta_min: rate(t % T, T, lr, eta_min),
    ),
)


add(
    "cosine-and-restarts.unit",
    2,
    number(0.2, "How many whole waves, down and up again, fit into three epochs' calls?"),
    solution=0.2,
    wrong=(0.0, 0.1, rate(3, 60, 0.2, 0.0), rate(400, 60, 0.2, 0.0)),
)


def best_rate(h: Array, sigma: Array, start: Array, rates: Array, t: int) -> float:
    """Return the best rate for one update of a noisy bowl, those before and after it held."""
    v, w, s2 = start**2, h, sigma**2
    for eta in rates[:t]:
        v = (1 - eta * h) ** 2 * v + eta**2 * s2
    for eta in rates[t + 1 :]:
        w = w * (1 - eta * h) ** 2
    return float(np.sum(w * h * v) / np.sum(w * (h**2 * v + s2)))


def bowls(rng: np.random.Generator) -> list[tuple[Array, Array, Array, Array, int]]:
    """Return bowls with rates, and updates at the start, within and at the end."""
    h, sigma, start = np.array([0.01, 0.2, 1.0]), np.array([1.0, 0.2, 0.5]), np.full(3, 2.0)
    return [(h, sigma, start, rng.random(20) / 2, t) for t in (0, 12, 19)]


add(
    "cosine-and-restarts.best-rate",
    4,
    function(
        best_rate,
        bowls,
        "v comes from the rates before t, w from those after it.",
    ),
    solution=best_rate,
    wrong=(
        lambda h, sigma, start, rates, t: best_rate(h, sigma, start, rates[: t + 1], t),
        lambda h, sigma, start, rates, t: best_rate(h, 0 * sigma, start, rates, t),
        lambda h, sigma, start, rates, t: best_rate(h, sigma, start, rates[::-1], t),
        lambda h, sigma, start, rates, t: best_rate(h, sigma**0.5, start, rates, t),
        lambda h, sigma, start, rates, t: rates[t],
    ),
)
