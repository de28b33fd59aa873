"""Exercises of the chapter on parameter groups."""

from __future__ import annotations

import numpy as np

from optim_scratch.parameter import Array

from .checking import add, function, number

add(
    "parameter-groups.first-rate",
    1,
    number(
        0.01 / 2.6**3,
        "From the last of four layers to the first there are three steps.",
        rtol=0.005,
    ),
    solution=0.01 / 2.6**3,
    wrong=(0.01 / 2.6**4, 0.01 / 2.6, 0.01 * 2.6**3, 0.01 / (3 * 2.6), 0.01),
)

add(
    "parameter-groups.erased",
    2,
    number(50, "Adam's first step has the length of the rate. What does the decay do to it?"),
    solution=50,
    wrong=(0.05 / (0.001 * 0.0001), 500_000, 10_000, 0.05, 5),
)


def awake(epoch: int, layer: int, layers: int, every: int) -> float:
    """Return 1 from the epoch on in which a layer wakes up, and 0 before."""
    return float(epoch >= every * (layers - 1 - layer))


add(
    "parameter-groups.awake",
    3,
    function(
        awake,
        lambda rng: [(e, i, 3, 2) for i in (2, 1, 0) for e in (0, 1, 2, 3, 4, 9)],
        "Layer layers - 1 wakes in epoch 0, the one before it in epoch every.",
    ),
    solution=awake,
    wrong=(
        lambda epoch, layer, layers, every: 1.0,
        lambda epoch, layer, layers, every: float(epoch >= every * layer),
        lambda epoch, layer, layers, every: float(epoch > every * (layers - 1 - layer)),
        lambda epoch, layer, layers, every: float(epoch >= every * (layers - layer)),
        lambda epoch, layer, layers, every: float(epoch // every == layers - 1 - layer),
    ),
)


def survive(rates: Array, epochs: int, gamma: float, max_lr: float) -> tuple[Array, Array]:
    """Return the rates that a rescaling and an overwriting scheduler leave."""
    return rates * gamma**epochs, np.full(rates.shape, max_lr * gamma**epochs)


add(
    "parameter-groups.survive",
    4,
    function(
        survive,
        lambda rng: [
            (np.array([0.0, 0.01, 0.1]), 3, 0.5, 0.1),
            (np.array([0.2]), 1, 0.9, 0.3),
            (rng.random(4), 10, 0.8, 1.0),
        ],
        "Rescaling multiplies what is there; overwriting does not look at it.",
    ),
    solution=survive,
    wrong=(
        lambda rates, epochs, gamma, max_lr: (rates, rates),
        lambda rates, epochs, gamma, max_lr: (rates * gamma**epochs, rates * gamma**epochs),
        lambda rates, epochs, gamma, max_lr: (rates * gamma, np.full(rates.shape, max_lr * gamma)),
        lambda rates, epochs, gamma, max_lr: (
            rates * gamma**epochs,
            max_lr * gamma**epochs * rates / rates.max(),
        ),
    ),
)


def matching_rate(curvature: float, penalty: float, steps: int) -> float:
    """Return the rate with which so many steps move as far as the penalty lets the minimum lie."""
    return (1 - float((penalty / (curvature + penalty)) ** (1 / steps))) / curvature


add(
    "parameter-groups.matching",
    5,
    function(
        matching_rate,
        lambda rng: [(1.0, 1.0, 10), (10.0, 0.5, 100), (0.1, 2.0, 5), (3.0, 7.0, 1)],
        "Set 1 − (1 − η h)ᵀ equal to h / (h + α) and solve for η.",
    ),
    solution=matching_rate,
    wrong=(
        lambda curvature, penalty, steps: 1 / (penalty * steps),
        lambda curvature, penalty, steps: penalty / steps,
        lambda curvature, penalty, steps: (
            (1 - (curvature / (curvature + penalty)) ** (1 / steps)) / curvature
        ),
        lambda curvature, penalty, steps: 1 - (penalty / (curvature + penalty)) ** (1 / steps),
        lambda curvature, penalty, steps: curvature / (curvature + penalty) / steps,
    ),
)
