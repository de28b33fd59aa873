"""Exercises of the chapter on when Adam wins."""

from __future__ import annotations

from typing import Any

import numpy as np

from optim_scratch.parameter import Array

from .checking import add, function, number

add(
    "when-adam-wins.time",
    1,
    number(120_000, "The loss depends on η π t. How many times smaller is the share?"),
    solution=60 * 0.02 / 0.00001,
    wrong=(1200, 60, 60 * 0.00001 / 0.02, 120),
)

_SIGNS = np.log(4 * 9999) / 0.1

add(
    "when-adam-wins.signs",
    2,
    number(
        _SIGNS,
        "At which lead of the own score is p = 1 / (1 + (K - 1) exp(-lead)) equal to 0.8? And how "
        "much does a step add to the lead?",
        rtol=0.01,
    ),
    solution=_SIGNS,
    wrong=(2 * _SIGNS, np.log(4) / 0.1, np.log(9999) / 0.1, _SIGNS / 2),
)

Two = tuple[float, float]


def _by_frequency(losses: Array, classes: Array, counts: Array, many: int) -> Two:
    frequent = counts[classes] >= many
    return losses[frequent].mean(), losses[~frequent].mean()


def _swapped(losses: Array, classes: Array, counts: Array, many: int) -> Two:
    frequent, rare = _by_frequency(losses, classes, counts, many)
    return rare, frequent


def _above(losses: Array, classes: Array, counts: Array, many: int) -> Two:
    return _by_frequency(losses, classes, counts, many + 1)


def _of_classes(losses: Array, classes: Array, counts: Array, many: int) -> Two:
    each = np.array([losses[classes == k].mean() for k in range(len(counts))])
    return each[counts >= many].mean(), each[counts < many].mean()


def _by_number(losses: Array, classes: Array, counts: Array, many: int) -> Two:
    frequent = classes < len(counts) // 2
    return losses[frequent].mean(), losses[~frequent].mean()


def _cases(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    cases = []
    for _ in range(5):
        counts = rng.permutation([9, 6, 4, 2, 1, 1])
        classes = rng.permutation(np.repeat(np.arange(6), counts))
        cases.append((rng.uniform(0, 5, len(classes)), classes, counts, 4))
    return cases


add(
    "when-adam-wins.groups",
    3,
    function(
        _by_frequency,
        _cases,
        "counts[classes] is, for each example, how many examples its class has. Take the mean over "
        "examples, not over classes.",
    ),
    solution=_by_frequency,
    wrong=(_swapped, _above, _of_classes, _by_number),
)

add(
    "when-adam-wins.momentum",
    4,
    number(0.95, "How many times rarer is the class at rank 6,000 than that at rank 300?"),
    solution=0.95,
    wrong=(0.9, 20, 0.05, 0.99),
)
