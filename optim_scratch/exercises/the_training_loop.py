"""Exercises of the chapter on the training loop."""

from __future__ import annotations

import numpy as np

from optim_scratch.exercises.checking import add, function, number
from optim_scratch.parameter import Array


def epoch_loss(means: Array, sizes: Array) -> float:
    """Return the mean loss of all examples, from that of each batch and the batches' sizes."""
    return float(np.sum(means * sizes) / np.sum(sizes))


def slopes(z: Array, y: Array) -> Array:
    """Return the slopes of the batch's mean cross-entropy in its scores."""
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    return np.asarray((p - np.eye(z.shape[1])[y]) / len(y))


def reported(validation: Array, test: Array) -> float:
    """Return the test accuracy of the setting that validation chooses."""
    return float(test[np.argmax(validation)])


def loss_factors(sizes: Array) -> Array:
    """Return what makes the sum of the batches' mean losses the mean over all examples."""
    return np.asarray(sizes / np.sum(sizes))


def period(lr: float, curvature: float) -> float:
    """Return the steps of one swing of gradient descent whose gradients are never cleared."""
    return float(2 * np.pi / np.arccos(1 - lr * curvature / 2))


def _epochs(rng: np.random.Generator) -> list[tuple[Array, Array]]:
    sizes = (np.array([128, 128, 16]), np.array([10, 20, 30, 40]), rng.integers(1, 100, size=7))
    return [(rng.exponential(size=len(batch)), batch) for batch in sizes]


def _batches(rng: np.random.Generator) -> list[tuple[Array, Array]]:
    return [
        (scale * rng.standard_normal((n, 10)), rng.integers(10, size=n))
        for n, scale in ((1, 1.0), (3, 2.0), (32, 1.0), (5, 1000.0))
    ]


def _scores(rng: np.random.Generator) -> list[tuple[Array, Array]]:
    fixed = np.array([0.90, 0.95, 0.94]), np.array([0.91, 0.93, 0.96])
    return [fixed, *((rng.uniform(0.5, 1, n), rng.uniform(0.5, 1, n)) for n in (2, 5, 9))]


def _swings(rng: np.random.Generator) -> list[tuple[float, float]]:
    return [
        (0.1, 1.0),
        (0.5, 6.0),
        *zip(rng.uniform(0, 0.1, 3), rng.uniform(1, 40, 3), strict=True),
    ]


add(
    "the-training-loop.guess",
    1,
    number(np.log(1000), "Which probability does each of the classes get?"),
    solution=-np.log(1 / 1000),
    wrong=(7.1, np.log(10), 3, 1 / 1000, np.log2(1000), 6.9, "ln 1000"),
)

add(
    "the-training-loop.frozen",
    2,
    number(81, "How many drops does it take, and which call makes the last of them?"),
    solution=16 * 5 + 1,
    wrong=(80, 5, 65, 16 * np.log(1e-3) / np.log(0.2), 390, "81"),
)

add(
    "the-training-loop.epoch-loss",
    3,
    function(epoch_loss, _epochs, "How many examples does each mean stand for?"),
    solution=lambda means, sizes: np.dot(means, sizes) / sizes.sum(),
    wrong=(
        lambda means, sizes: np.mean(means),
        lambda means, sizes: np.sum(means) / 100,
        lambda means, sizes: np.sum(means) / np.sum(sizes),
        lambda means, sizes: np.sum(means * sizes) / (len(sizes) * max(sizes)),
        lambda means, sizes: means * sizes / np.sum(sizes),
    ),
)

add(
    "the-training-loop.slopes",
    4,
    function(
        slopes,
        _batches,
        "What is subtracted for the right digit? Did you divide by the batch size?",
    ),
    solution=slopes,
    wrong=(
        lambda z, y: slopes(z, y) * len(y),  # of the sum
        lambda z, y: -slopes(z, y),
        lambda z, y: slopes(z, y) + np.eye(10)[y] / len(y),  # the probabilities alone
        lambda z, y: slopes(z, y) / 10,
        lambda z, y: (z - np.eye(10)[y]) / len(y),
    ),
)

add(
    "the-training-loop.accumulation",
    5,
    function(
        loss_factors,
        lambda rng: [(sizes,) for _, sizes in _epochs(rng)],
        "The gradients add up. What should the sum of the weighted mean losses be?",
    ),
    solution=lambda sizes: sizes / sizes.sum(),
    wrong=(
        lambda sizes: np.ones(len(sizes)),
        lambda sizes: np.ones(len(sizes)) / len(sizes),
        lambda sizes: 1 / sizes,
        lambda sizes: sizes / sizes.max(),
        lambda sizes: 1 / len(sizes),
    ),
)

add(
    "the-training-loop.period",
    6,
    function(period, _swings, "How large is ω, and how many steps are a full turn?"),
    solution=lambda lr, curvature: np.pi / np.arcsin(np.sqrt(lr * curvature) / 2),
    wrong=(
        lambda lr, curvature: 2 * np.pi / np.sqrt(lr * curvature),
        lambda lr, curvature: 2 * np.pi / np.arccos(1 - lr * curvature),
        lambda lr, curvature: np.pi / np.arccos(1 - lr * curvature / 2),
        lambda lr, curvature: np.arccos(1 - lr * curvature / 2),
        lambda lr, curvature: 2 / curvature,
    ),
)

add(
    "the-training-loop.reported",
    7,
    function(reported, _scores, "Which of the two may choose, and which has had no say?"),
    solution=lambda validation, test: test[validation.argmax()],
    wrong=(
        lambda validation, test: np.max(test),
        lambda validation, test: np.max(validation),
        lambda validation, test: validation[np.argmax(test)],
        lambda validation, test: np.mean(test),
        lambda validation, test: np.argmax(validation),
    ),
)
