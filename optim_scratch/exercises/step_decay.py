"""Exercises of the chapter on step decay."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from optim_scratch.problems import NoisyQuadratic

from .checking import Verdict, add, function
from .telling import failure, show


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


def floor(lr: float, momentum: float, curvature: float, sigma: float) -> float:
    """Return the noise floor of one direction."""
    return NoisyQuadratic([curvature], sigma).stationary_loss(lr, momentum)


def naive_floor(lr: float, momentum: float, curvature: float, sigma: float) -> float:
    """Put η/(1−μ) into the formula without momentum: right for small η h only."""
    rate = lr / (1 - momentum)
    return rate * sigma**2 / 2 / (2 - rate * curvature)


add(
    "step-decay.floor",
    2,
    function(
        floor,
        lambda rng: [
            (0.1, 0.0, 1.0, 1.0),
            (0.1, 0.0, 4.0, 2.0),
            (0.01, 0.9, 1.0, 1.0),
            (0.1, 0.5, 2.0, 3.0),
        ],
        "It is half the curvature times the stationary mean of the squared parameter.",
    ),
    solution=floor,
    wrong=(
        naive_floor,
        lambda lr, momentum, curvature, sigma: floor(lr, 0.0, curvature, sigma),
        lambda lr, momentum, curvature, sigma: 2 * floor(lr, momentum, curvature, sigma),
        lambda lr, momentum, curvature, sigma: (
            floor(lr, momentum, curvature, sigma) * 2 / curvature
        ),
        lambda lr, momentum, curvature, sigma: lr * sigma**2 / 4 / (1 - momentum),
    ),
)


def after(before: float, centre: float, gamma: float) -> float:
    """Return the loss after a drop, from the loss before it and that at the mean weights."""
    return centre + gamma * (before - centre)


add(
    "step-decay.after",
    3,
    function(
        after,
        lambda rng: [(*np.sort(rng.random(2))[::-1], g) for g in (0.1, 0.2, 0.5)],
        "What lies above the loss at the mean weights is the floor; gamma of it remains.",
    ),
    solution=after,
    wrong=(
        lambda before, centre, gamma: gamma * before,
        lambda before, centre, gamma: centre,
        lambda before, centre, gamma: before - gamma * (before - centre),
    ),
)


def ratio(t: int, T: float) -> float:
    """Return by what the rate 1 / (1 + t / T) is multiplied from epoch t - 1 to epoch t."""
    return (T + t - 1) / (T + t)


add(
    "step-decay.ratio",
    4,
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
    5,
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


def final_loss(problem: NoisyQuadratic, steps: int, lr: float, gamma: float, drop: int) -> float:
    """Return the expected loss after `steps` steps, of which those from `drop` on are slower."""
    rates = np.where(np.arange(steps) < drop, lr, gamma * lr)
    return float(problem.expected_losses(rates)[-1])


def best_drop(problem: NoisyQuadratic, steps: int, lr: float, gamma: float) -> int:
    """Return the drop with the lowest expected loss at the end."""
    losses = [final_loss(problem, steps, lr, gamma, drop) for drop in range(steps + 1)]
    return int(np.argmin(losses))


def judge_best_drop(answer: Callable[..., Any]) -> Verdict:
    """Judge by the loss that the answer's drop leads to, so that any equally good drop passes."""
    if not callable(answer):
        return f"The answer must be a function, got {show(answer)}."
    for curvatures, noise, start in (([0.05, 4.0], 1.0, 3.0), ([0.01, 1.0], 0.5, 2.0)):
        problem = NoisyQuadratic(curvatures, noise, start=start)
        best = best_drop(problem, 80, 0.2, 0.1)
        try:
            reached = final_loss(problem, 80, 0.2, 0.1, int(answer(problem, 80, 0.2, 0.1)))
        except Exception as error:  # a student's function may fail in any way
            return f"For curvatures {curvatures} {failure(error)}"
        if reached > (1 + 1e-9) * final_loss(problem, 80, 0.2, 0.1, best):
            return (
                f"For curvatures {curvatures}, noise {noise}, start {start}, 80 steps, rate 0.2 "
                f"and gamma 0.1 another drop ends lower. Try every drop from 0 to steps."
            )
    return ""


add(
    "step-decay.best-drop",
    6,
    judge_best_drop,
    solution=best_drop,
    wrong=(
        lambda problem, steps, lr, gamma: steps // 2,
        lambda problem, steps, lr, gamma: steps,
        lambda problem, steps, lr, gamma: 0,
        lambda problem, steps, lr, gamma: int(
            np.argmin(problem.expected_losses(np.full(steps, lr)))
        ),
        40,
    ),
)
