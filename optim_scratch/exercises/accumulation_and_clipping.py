"""Exercises of the chapter on accumulation and clipping."""

from __future__ import annotations

from typing import Any

import numpy as np

from optim_scratch.parameter import Array
from optim_scratch.training import total_updates

from .checking import Verdict, add, function, number

add(
    "accumulation-and-clipping.updates",
    1,
    number(
        total_updates(1_281_167, 256, epochs=90, accumulation=4, drop_last=True),
        "Round down to batches, then up to groups, then count the epochs.",
        rtol=1e-9,
    ),
    solution=112_590,
    wrong=(
        1251,
        1_281_167 / 256 / 4,
        1_281_167 / 256 / 4 * 90,
        total_updates(1_281_167, 256, epochs=90, accumulation=4),
        450_360,
    ),
)


def combine(gradients: Array, sizes: Array) -> Array:
    """Return the gradient of the large batch's mean loss."""
    return np.asarray(sizes @ gradients / sizes.sum())


add(
    "accumulation-and-clipping.combine",
    2,
    function(
        combine,
        lambda rng: [
            (rng.standard_normal((3, 2)), np.array([4, 4, 4])),
            (rng.standard_normal((4, 5)), np.array([16, 16, 16, 1])),
            (rng.standard_normal((1, 2)), np.array([7])),
        ],
        "A mean over n examples counts for n of them.",
    ),
    solution=combine,
    wrong=(
        lambda gradients, sizes: gradients.sum(axis=0),
        lambda gradients, sizes: gradients.mean(axis=0),
        lambda gradients, sizes: sizes @ gradients,
        lambda gradients, sizes: sizes @ gradients / len(sizes),
        lambda gradients, sizes: (1 / sizes) @ gradients / (1 / sizes).sum(),
    ),
)


add(
    "accumulation-and-clipping.worth",
    3,
    number(
        16 / (1 / 10 + 1 / 20 + 1 / 40 + 1 / 1000),
        "Each word of a text of n words has the weight 1 / (4 n). Sum the squares.",
        rtol=0.01,
    ),
    solution=16 / 0.176,
    wrong=(1070, 4, 1070 / 4, 4 / 0.176, 40),
)


def clip(first: Array, second: Array, max_norm: float) -> tuple[Array, Array]:
    """Clip two arrays to one norm together."""
    norm = np.sqrt(np.sum(first**2) + np.sum(second**2))
    factor = min(1.0, max_norm / (norm + 1e-6))
    return first * factor, second * factor


def clip_always(first: Array, second: Array, max_norm: float) -> tuple[Array, Array]:
    """Forget that short gradients stay."""
    norm = np.sqrt(np.sum(first**2) + np.sum(second**2))
    return first * max_norm / (norm + 1e-6), second * max_norm / (norm + 1e-6)


def clip_exactly(first: Array, second: Array, max_norm: float) -> tuple[Array, Array]:
    """Forget the small number that torch adds."""
    factor = min(1.0, max_norm / np.sqrt(np.sum(first**2) + np.sum(second**2)))
    return first * factor, second * factor


def clip_each(first: Array, second: Array, max_norm: float) -> tuple[Array, Array]:
    """Clip each array by its own norm, which turns the whole."""
    return clip(first, 0 * second, max_norm)[0], clip(second, 0 * first, max_norm)[0]


add(
    "accumulation-and-clipping.clip",
    4,
    function(
        clip,
        lambda rng: [
            (np.array([3.0, 4.0]), np.array([[12.0]]), 1.0),
            (0.01 * rng.standard_normal(3), 0.01 * rng.standard_normal((2, 2)), 1.0),
            (rng.standard_normal(3), 5 * rng.standard_normal((2, 2)), 0.5),
        ],
        "One norm for both; a gradient shorter than max_norm stays.",
    ),
    solution=clip,
    wrong=(
        clip_always,
        clip_exactly,
        clip_each,
        lambda first, second, max_norm: (first, second),
        lambda first, second, max_norm: (
            np.clip(first, -max_norm, max_norm),
            np.clip(second, -max_norm, max_norm),
        ),
    ),
)


def slow_steps(ratio: float, beta2: float) -> float:
    """Return for how many steps Adam stays below half its speed."""
    return max(0.0, float(np.log((1 - beta2) * ratio**2 / 3) / -np.log(beta2)))


def slow_steps_nearly(ratio: float, beta2: float) -> float:
    """Return the same with 1 / (1 − β₂) for −1 / ln β₂, as in the chapter's box."""
    return max(0.0, float(np.log((1 - beta2) * ratio**2 / 3) / (1 - beta2)))


def judge_slow_steps(answer: Any) -> Verdict:
    """Accept the exact formula and the chapter's approximation to it."""
    exact, nearly = (
        function(
            reference,
            lambda rng: [(1e3, 0.999), (100.0, 0.999), (1e3, 0.95), (10.0, 0.999), (50.0, 0.99)],
            "The speed is 1/√v with v = 1 + (1 − β₂) R² β₂ᵗ; half speed is v = 4.",
        )
        for reference in (slow_steps, slow_steps_nearly)
    )
    return exact(answer) if nearly(answer) else ""


add(
    "accumulation-and-clipping.slow",
    5,
    judge_slow_steps,
    solution=slow_steps,
    wrong=(
        lambda ratio, beta2: np.log((1 - beta2) * ratio**2 / 3) / -np.log(beta2),
        lambda ratio, beta2: max(0.0, np.log((1 - beta2) * ratio**2) / -np.log(beta2)),
        lambda ratio, beta2: max(0.0, np.log((1 - beta2) * ratio / 3) / -np.log(beta2)),
        lambda ratio, beta2: 1 / (1 - beta2),
        lambda ratio, beta2: max(0.0, np.log(ratio**2 / 3) / -np.log(beta2)),
    ),
)
