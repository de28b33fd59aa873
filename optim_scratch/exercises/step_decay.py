"""Exercises of the page on schedules that drop the rate."""

from __future__ import annotations

from .checking import add, function, number


def drops(epochs: int, step_size: int) -> int:
    """Return how many drops of a StepLR are felt in so many epochs."""
    return (epochs - 1) // step_size


add(
    "step-decay.drops",
    1,
    function(
        drops,
        lambda rng: [(30, 16), (100, 100), (101, 100), (1, 1), (90, 30)],
        "The first epoch has the number 0, so the last has the number epochs - 1.",
    ),
    solution=drops,
    wrong=(
        lambda epochs, step_size: epochs // step_size,
        lambda epochs, step_size: epochs / step_size,
        lambda epochs, step_size: (epochs - 1) // step_size + 1,
    ),
)


add(
    "step-decay.gamma",
    2,
    number(0.01 ** (1 / 89), "89 multiplications lead from epoch 0 to epoch 89.", rtol=1e-4),
    solution=(0.001 / 0.1) ** (1 / 89),
    wrong=(0.01 ** (1 / 30), 0.01, 0.01 / 89, 1 - 0.01 ** (1 / 89), "0.95"),
)


def ratio(t: int, T: float) -> float:
    """Return by what the rate 1 / (1 + t / T) is multiplied from epoch t - 1 to epoch t."""
    return (T + t - 1) / (T + t)


add(
    "step-decay.ratio",
    3,
    function(
        ratio,
        lambda rng: [(1, 5.0), (2, 5.0), (10, 5.0), (1, 0.5), (7, 0.5), (29, 20.0)],
        "It is the height of the curve at t over its height at t - 1.",
    ),
    solution=ratio,
    wrong=(
        lambda t, T: 1 / (1 + t / T),
        lambda t, T: (T + t) / (T + t - 1),
        lambda t, T: (T + t) / (T + t + 1),
        lambda t, T: T / (T + 1),
    ),
)


def edited(t: int, k: int, lr: float, T: int, p: float) -> float:
    """Return epoch t's rate under PolynomialLR, when epoch k's was set by hand to `lr`."""
    return float(lr * ((T - t) / (T - k)) ** p)


add(
    "step-decay.edited",
    4,
    function(
        edited,
        lambda rng: [
            (3, 3, 0.1, 10, 1.0),
            (7, 3, 0.1, 10, 1.0),
            (20, 5, 0.4, 30, 2.0),
            (29, 10, 0.05, 30, 0.5),
            (30, 12, 0.3, 30, 2.0),
        ],
        "It is lr times the ratios of the epochs k + 1 to t, each of them r(t) / r(t - 1).",
    ),
    solution=edited,
    wrong=(
        lambda t, k, lr, T, p: lr * (1 - t / T) ** p,
        lambda t, k, lr, T, p: lr * (1 - (t - k) / T) ** p,
        lambda t, k, lr, T, p: lr * ((T - t) / (T - t + 1)) ** p,
        lambda t, k, lr, T, p: lr * ((T - t) / (T - k + 1)) ** p,
        lambda t, k, lr, T, p: lr * (T - t) / (T - k),
    ),
)
