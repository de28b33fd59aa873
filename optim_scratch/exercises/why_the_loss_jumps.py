"""Exercises of the page on what a drop of the rate does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from optim_scratch.problems import NoisyQuadratic

from .checking import Verdict, add, function, number
from .telling import failure, show

add(
    "why-the-loss-jumps.soon",
    1,
    number(0.32, "What lies above the loss at the mean weights is the floor; a fifth of it stays."),
    solution=0.30 + 0.2 * 0.10,
    wrong=(0.08, 0.38, 0.30, 0.36, "0.32"),
)


def floor(lr: float, momentum: float, curvature: float, sigma: float) -> float:
    """Return the noise floor of one direction."""
    return NoisyQuadratic([curvature], sigma).stationary_loss(lr, momentum)


def naive_floor(lr: float, momentum: float, curvature: float, sigma: float) -> float:
    """Put η/(1−μ) into the formula without momentum: right for small η h only."""
    rate = lr / (1 - momentum)
    return rate * sigma**2 / 2 / (2 - rate * curvature)


add(
    "why-the-loss-jumps.floor",
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
    "why-the-loss-jumps.after",
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
    "why-the-loss-jumps.best-drop",
    4,
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
