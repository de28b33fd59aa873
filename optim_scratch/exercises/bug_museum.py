"""Exercises of the bug museum: find the mistake, or mend it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from optim_scratch.schedulers import ExponentialLR, GradualWarmupScheduler
from optim_scratch.schedulers import curve as curve_of

from .checking import Verdict, add, function, number

add(
    "bug-museum.line",
    1,
    number(8, "Which call belongs to the epoch?", rtol=0),
    solution=8,
    wrong=(2, 4, 6, 9, 10),
)


def real_rate(printed: float, epoch: int, step_size: int, gamma: float) -> float:
    """Return the rate in use, from what get_lr() prints under StepLR."""
    drops = epoch > 0 and epoch % step_size == 0
    return printed / gamma if drops else printed


add(
    "bug-museum.real-rate",
    2,
    function(
        real_rate,
        lambda rng: [
            (0.0004, 16, 16, 0.2),
            (0.002, 17, 16, 0.2),
            (0.01, 0, 16, 0.2),
            (0.01, 15, 16, 0.2),
            (1e-5, 60, 30, 0.1),
        ],
        "At which epochs does get_lr() apply the factor once more?",
    ),
    solution=real_rate,
    wrong=(
        lambda printed, epoch, step_size, gamma: printed,
        lambda printed, epoch, step_size, gamma: printed / gamma,
        lambda printed, epoch, step_size, gamma: (
            printed / gamma if epoch % step_size == 0 else printed
        ),
        lambda printed, epoch, step_size, gamma: (
            printed * gamma if epoch and epoch % step_size == 0 else printed
        ),
    ),
)


def adam(
    theta: float, g: float, m: float, v: float, t: int, lr: float
) -> tuple[float, float, float]:
    """Return Adam's new weight and averages after update t, counted from 1."""
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + 0.001 * g**2
    m_hat, v_hat = m / (1 - 0.9**t), v / (1 - 0.999**t)
    return theta - lr * m_hat / (np.sqrt(v_hat) + 1e-8), m, v


def broken_adam(*, rooted: bool, inside: bool, counted: bool) -> Callable[..., Any]:
    """Return the exercise's Adam with some of its three mistakes mended, as asked."""

    def update(
        theta: float, g: float, m: float, v: float, t: int, lr: float
    ) -> tuple[float, float, float]:
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g**2
        k = t if counted else t + 1
        m_hat, v_hat = m / (1 - 0.9**k), v / (1 - 0.999**k)
        root = np.sqrt(v_hat) if rooted else v_hat
        step = lr * m_hat / (root + 1e-8) if inside else lr * m_hat / root + 1e-8
        return theta - step, m, v

    return update


add(
    "bug-museum.adam",
    3,
    function(
        adam,
        lambda rng: [
            (1.0, 0.5, 0.0, 0.0, 1, 0.01),
            (1.0, 1e-7, 0.0, 0.0, 1, 0.01),
            (-2.0, 3.0, 0.4, 0.2, 7, 0.1),
        ],
        "There are three mistakes: try a gradient of 1e-7, and count from 1.",
    ),
    solution=adam,
    wrong=(
        broken_adam(rooted=False, inside=False, counted=False),
        broken_adam(rooted=False, inside=True, counted=True),
        broken_adam(rooted=True, inside=False, counted=True),
        broken_adam(rooted=True, inside=True, counted=False),
    ),
)


def warmed_up(t: int, base: float, multiplier: float, warmup: int, gamma: float) -> float:
    """Return the rate after t calls: a warmup, then an exponential decay from its peak."""
    rates = curve_of(
        lambda optimizer: GradualWarmupScheduler(
            optimizer, multiplier, warmup, ExponentialLR(optimizer, gamma)
        ),
        t + 1,
        lr=base,
    )
    return float(rates[-1])


def warmed_up_formula(t: int, base: float, multiplier: float, warmup: int, gamma: float) -> float:
    """Return the same in closed form."""
    if t <= warmup:
        return base * (1 + (multiplier - 1) * t / warmup)
    return base * multiplier * gamma ** (t - warmup - 1)


add(
    "bug-museum.hand-over",
    4,
    function(
        warmed_up,
        lambda rng: [(t, 0.001, 40.0, 5, 0.885) for t in (0, 3, 5, 6, 7, 30)],
        "The after-schedule's epoch 0 is the call after the warmup's last.",
    ),
    solution=warmed_up_formula,
    wrong=(
        lambda t, base, multiplier, warmup, gamma: (
            base * (1 + (multiplier - 1) * t / warmup)
            if t <= warmup
            else base * gamma ** (t - warmup - 1)
        ),
        lambda t, base, multiplier, warmup, gamma: (
            base * (1 + (multiplier - 1) * t / warmup)
            if t <= warmup
            else base * multiplier * gamma ** (t - warmup)
        ),
        lambda t, base, multiplier, warmup, gamma: (
            base * multiplier * t / warmup
            if t <= warmup
            else base * multiplier * gamma ** (t - warmup - 1)
        ),
    ),
)

WRONG_LINES = frozenset({2, 8, 15, 17})


def judge_lines(answer: Iterable[int]) -> Verdict:
    """Judge a set of line numbers, and tell how many are right without telling which."""
    try:
        lines = set(answer)
        known = lines <= set(range(1, 18))
    except TypeError:
        known = False
    if not known:
        return "The answer must be a set of line numbers from 1 to 17."
    hits, misses = len(lines & WRONG_LINES), len(lines - WRONG_LINES)
    if lines == WRONG_LINES:
        return ""
    return f"{hits} of {len(WRONG_LINES)} found; lines of yours that are right: {misses}."


add(
    "bug-museum.four-lines",
    5,
    judge_lines,
    solution={2, 8, 15, 17},
    wrong=({2}, {2, 8, 15}, {2, 8, 15, 17, 6}, {2, 8, 16, 17}, set(range(1, 18))),
)
