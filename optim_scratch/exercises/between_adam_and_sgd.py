"""Exercises of the chapter between Adam and SGD."""

from __future__ import annotations

from typing import Any

import numpy as np

from optim_scratch.parameter import Array

from .checking import add, function, number

add(
    "between-adam-and-sgd.edge",
    1,
    number(0.375, "What is γ t? Which share of the final rate is the lower edge at?"),
    solution=0.5 * 3 / 4,
    wrong=(0.5, 2 / 3, 0.25, 0.125, 3.0),
)

add(
    "between-adam-and-sgd.final",
    2,
    number(0.4, "The mean weighs a gradient by 1 - β₁, momentum's buffer by 1."),
    solution=0.02 / (1 - 0.95),
    wrong=(0.02, 0.2, 0.001, 0.019, 0.021),
)

add(
    "between-adam-and-sgd.rate",
    3,
    number(0.05, "pᵀp over -pᵀg, and both are sums over the two weights."),
    solution=0.02 / 0.4,
    wrong=(-0.05, 20.0, 0.04, 0.1, 0.4 / 10),
)


def _estimate(steps: Array, gradients: Array) -> Any:
    return np.sum(steps * steps) / -np.sum(steps * gradients)


def _mean_of_quotients(steps: Array, gradients: Array) -> Any:
    return np.mean(np.sum(steps * steps, axis=-1) / -np.sum(steps * gradients, axis=-1))


def _wrong_sign(steps: Array, gradients: Array) -> Any:
    return np.sum(steps * steps) / np.sum(steps * gradients)


def _on_the_gradient(steps: Array, gradients: Array) -> Any:
    return -np.sum(steps * gradients) / np.sum(gradients * gradients)


def _for_each_weight(steps: Array, gradients: Array) -> Any:
    return np.sum(steps * steps, axis=0) / -np.sum(steps * gradients, axis=0)


def _cases(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    made = []
    for shape in ((1, 2), (2, 3), (6, 3), (20, 4)):
        gradients = rng.standard_normal(shape)
        noise = rng.standard_normal(shape)
        made.append((-0.1 * np.sign(gradients) + 0.03 * noise, gradients))
    return made


add(
    "between-adam-and-sgd.estimate",
    4,
    function(
        _estimate,
        _cases,
        "One sum over all steps and weights above, one below; the step goes against the gradient.",
    ),
    solution=_estimate,
    wrong=(_mean_of_quotients, _wrong_sign, _on_the_gradient, _for_each_weight),
)

add(
    "between-adam-and-sgd.late",
    5,
    number(-0.234, "What Adam has done stays; SGD fits the rest as if from zero."),
    solution=0.6 * 0.25 + 0.4 * -0.96,
    wrong=(-0.96, 0.25, 0.4 * 0.25 + 0.6 * -0.96, 0.15, -0.384),
)
