"""Exercises of the chapter on schedules with a warmup."""

from __future__ import annotations

import numpy as np

from optim_scratch.parameter import Array

from .checking import add, function


def rate_of_update(k: int, lr: float, warmup: int) -> float:
    """Return the rate of update k, the first being 1, under a linear warmup from 0."""
    return lr * min(1.0, (k - 1) / warmup)


add(
    "warmup.rate-of-update",
    1,
    function(
        rate_of_update,
        lambda rng: [(1, 0.1, 4), (2, 0.1, 4), (5, 0.1, 4), (6, 0.1, 4), (50, 0.003, 100)],
        "The scheduler has been stepped k - 1 times before update k.",
    ),
    solution=rate_of_update,
    wrong=(
        lambda k, lr, warmup: lr * min(1.0, k / warmup),
        lambda k, lr, warmup: lr * (k - 1) / warmup,
        lambda k, lr, warmup: lr if k == 1 else lr * min(1.0, (k - 1) / warmup),
        lambda k, lr, warmup: lr * min(1.0, (k - 1) / (warmup - 1)),
    ),
)


def noam_warmup(peak: float, width: int) -> float:
    """Return the number of updates of warmup that gives Noam's schedule this peak."""
    return 1 / (width * peak**2)


add(
    "warmup.noam",
    2,
    function(
        noam_warmup,
        lambda rng: [(1e-3, 512), (5e-4, 512), (1e-3, 256), (2e-4, 1024)],
        "The peak is 1 / sqrt(width * warmup).",
    ),
    solution=noam_warmup,
    wrong=(
        lambda peak, width: 1 / np.sqrt(width * peak),
        lambda peak, width: 1 / (width * peak),
        lambda peak, width: width * peak**2,
        4000,
    ),
)


def gradual_rates(epochs: int, base: float, multiplier: float, warmup: int, gamma: float) -> Array:
    """Return the rates of gradual warmup before an exponential decay, stepped before each epoch."""
    epoch = np.arange(1, epochs + 1)
    rise = base * (1 + (multiplier - 1) * epoch / warmup)
    fall = multiplier * base * float(gamma) ** (epoch - warmup - 1)
    return np.where(epoch <= warmup, rise, fall)


def after_stepping_late(
    epochs: int, base: float, multiplier: float, warmup: int, gamma: float
) -> Array:
    """Give the rates of a scheduler that is stepped after each epoch."""
    rates = gradual_rates(epochs, base, multiplier, warmup, gamma)
    return np.concatenate([[base], rates[:-1]])


def stale(epochs: int, base: float, multiplier: float, warmup: int, gamma: float) -> Array:
    """Fall back to the base rate after the rise, as the package does."""
    rates = gradual_rates(epochs, base, multiplier, warmup, gamma)
    return np.where(np.arange(1, epochs + 1) <= warmup, rates, rates / multiplier)


def one_factor_more(
    epochs: int, base: float, multiplier: float, warmup: int, gamma: float
) -> Array:
    """Decay in the first epoch after the rise already."""
    rates = gradual_rates(epochs, base, multiplier, warmup, gamma)
    return np.where(np.arange(1, epochs + 1) <= warmup, rates, gamma * rates)


add(
    "warmup.gradual",
    3,
    function(
        gradual_rates,
        lambda rng: [(30, 0.001, 40, 5, 0.885), (12, 0.1, 8, 5, 0.5), (4, 0.01, 2, 5, 0.9)],
        "Stepped before each epoch: epoch 1 has t = 1, epoch W the peak, and epoch W + 1 still.",
    ),
    solution=gradual_rates,
    wrong=(after_stepping_late, stale, one_factor_more),
)
