"""Exercises of the chapter on composing and resuming schedules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from optim_scratch.optimizers import SGD
from optim_scratch.parameter import Parameter
from optim_scratch.schedulers import ExponentialLR, LambdaLR, LinearLR, LRScheduler

from .checking import Verdict, add, function
from .telling import failure, show


def left(memories: Sequence[float], edited: int, now: int) -> float:
    """Return the share of an edit at epoch `edited` that is still there at epoch `now`."""
    return float(np.prod(memories[edited + 1 : now + 1]))


add(
    "composing-and-resuming.left",
    1,
    function(
        left,
        lambda rng: [
            (rng.uniform(0.5, 1.0, 12), 3, 9),
            (rng.uniform(0.5, 1.0, 12), 0, 11),
            (rng.uniform(0.5, 1.0, 12), 5, 5),
            (np.array([1.0, 0.0, 0.5, 0.5]), 1, 3),
            (np.array([1.0, 0.5, 0.5, 0.0]), 1, 3),
        ],
        "Entry t of memories acts on the way from epoch t - 1 to t; one of 0 wipes the edit out.",
    ),
    solution=left,
    wrong=(
        lambda memories, edited, now: float(np.prod(memories[edited : now + 1])),
        lambda memories, edited, now: float(np.prod(memories[edited + 1 : now])),
        lambda memories, edited, now: float(memories[now]),
        lambda memories, edited, now: float(np.mean(memories[edited + 1 : now + 1])),
    ),
)


def commute(first: tuple[float, float], second: tuple[float, float]) -> bool:
    """Return whether two steps, each a pair of memory and pull, give the same in either order."""
    (a, c), (a2, c2) = first, second
    return bool(np.isclose((1 - a2) * c, (1 - a) * c2))


STEPS: list[tuple[tuple[float, float], tuple[float, float]]] = [
    ((0.5, 0.0), (0.9, 0.0)),
    ((0.5, 0.0), (0.0, 0.1)),
    ((0.0, 0.1), (0.0, 0.2)),
    ((0.0, 0.1), (0.0, 0.1)),
    ((1.0, 0.0), (0.0, 0.1)),
    ((0.5, 0.05), (0.9, 0.01)),
    ((0.5, 0.05), (0.9, 0.02)),
    ((0.5, 0.05), (0.9, 0.0)),
    ((0.9, 0.02), (0.9, 0.01)),
    ((1.0, 0.1), (1.0, 0.2)),
]

add(
    "composing-and-resuming.commute",
    3,
    function(
        commute,
        lambda rng: list(STEPS),
        "Write both orders out; what multiplies the rate is the same, compare what is added.",
    ),
    solution=commute,
    wrong=(
        lambda first, second: first[1] == 0 and second[1] == 0,
        lambda first, second: bool(np.isclose(first[0] * second[1], second[0] * first[1])),
        lambda first, second: first[0] != 0 and second[0] != 0,
        lambda first, second: True,
    ),
)


def seam(epoch: int, base: float, start: float, rise: int, gamma: float) -> float:
    """Return the rate of a LinearLR over `rise` epochs, followed by an ExponentialLR."""
    if epoch < rise:
        return base * (start + (1 - start) * epoch / rise)
    return base * gamma ** (epoch - rise)


add(
    "composing-and-resuming.seam",
    4,
    function(
        seam,
        lambda rng: (
            [(epoch, 0.1, 0.01, 5, 0.9) for epoch in (0, 3, 4, 5, 6, 20)]
            + [(epoch, 0.2, 0.5, 1, 0.5) for epoch in (0, 1, 2)]
        ),
        "At the milestone the second member counts 0, and starts from the base rate.",
    ),
    solution=seam,
    wrong=(
        lambda epoch, base, start, rise, gamma: (
            base * gamma**epoch if epoch >= rise else seam(epoch, base, start, rise, gamma)
        ),
        lambda epoch, base, start, rise, gamma: (
            base * gamma ** (epoch - rise + 1)
            if epoch >= rise
            else seam(epoch, base, start, rise, gamma)
        ),
        lambda epoch, base, start, rise, gamma: (
            base * (start + (1 - start) * min(epoch, rise) / rise) * gamma**epoch
        ),
        lambda epoch, base, start, rise, gamma: (
            seam(rise - 1, base, start, rise, gamma) * gamma ** (epoch - rise + 1)
            if epoch >= rise
            else seam(epoch, base, start, rise, gamma)
        ),
    ),
)


def per_batch(gamma: float, batches: int) -> float:
    """Return the factor per batch that makes `gamma` per epoch."""
    return float(gamma ** (1 / batches))


add(
    "composing-and-resuming.per-batch",
    2,
    function(
        per_batch,
        lambda rng: [(0.5, 10), (0.885, 390), (0.1, 1), (1.1, 100)],
        "After so many batches the factors have multiplied to gamma.",
    ),
    solution=per_batch,
    wrong=(
        lambda gamma, batches: gamma / batches,
        lambda gamma, batches: 1 - (1 - gamma) / batches,
        lambda gamma, batches: gamma**batches,
        lambda gamma, batches: gamma,
    ),
)


def healthy(optimizer: Any, scheduler: LRScheduler, calls: int) -> bool:
    """Return whether a scheduler has counted `calls` and its rates are the optimizer's."""
    rates = [group["lr"] for group in optimizer.param_groups]
    return scheduler.last_epoch == calls and rates == scheduler.get_last_lr()


Build = Callable[[SGD], LRScheduler]
BUILDS: dict[str, Build] = {
    "LinearLR": lambda optimizer: LinearLR(optimizer, 0.1, total_iters=8),
    "ExponentialLR": lambda optimizer: ExponentialLR(optimizer, 0.9),
    "LambdaLR": lambda optimizer: LambdaLR(optimizer, lambda epoch: 1 / (1 + epoch)),
}
ORDERS = {
    "build, load the optimizer, load the scheduler": "bos",
    "build, load the scheduler, load the optimizer": "bso",
    "load the optimizer, build, load the scheduler": "obs",
    "build, load the optimizer only": "bo",
    "build, load the scheduler only": "bs",
    "build, load nothing": "b",
}


def two_groups() -> SGD:
    """Return an optimizer of two groups: an edit of the second is easily overlooked."""
    return SGD([{"params": Parameter(0.0), "lr": lr} for lr in (0.1, 0.02)])


def resumed(build: Build, order: str, calls: int) -> tuple[SGD, LRScheduler]:
    """Return an optimizer and its scheduler, resumed after `calls` in the given order."""
    before = two_groups()
    scheduler = build(before)
    for _ in range(calls):
        before.step()
        scheduler.step()
    saved = before.state_dict(), scheduler.state_dict()
    after = two_groups()
    for letter in order:
        if letter == "b":
            scheduler = build(after)
        elif letter == "o":
            after.load_state_dict(saved[0])
        else:
            scheduler.load_state_dict(saved[1])
    return after, scheduler


def judge_healthy(answer: Any) -> Verdict:
    """Try a guard on runs resumed in every order, and on one edited by hand."""
    if not callable(answer):
        return f"The answer must be a function, got {show(answer)}."
    for name, build in BUILDS.items():
        for words, order in {**ORDERS, "halve the second group's rate": "bos"}.items():
            optimizer, scheduler = resumed(build, order, calls=5)
            if words.startswith("halve"):
                optimizer.param_groups[1]["lr"] /= 2
            try:
                verdict = answer(optimizer, scheduler, 5)
            except Exception as error:  # a student's function may fail in any way
                return f"For {name} ({words}) {failure(error)}"
            if bool(verdict) != healthy(optimizer, scheduler, 5):
                return f"For {name} after 5 calls ({words}) it should not say {verdict!r}."
    return ""


add(
    "composing-and-resuming.healthy",
    5,
    judge_healthy,
    solution=healthy,
    wrong=(
        lambda optimizer, scheduler, calls: scheduler.last_epoch == calls,
        lambda optimizer, scheduler, calls: (
            [group["lr"] for group in optimizer.param_groups] == scheduler.get_last_lr()
        ),
        lambda optimizer, scheduler, calls: (
            scheduler.last_epoch == calls
            and optimizer.param_groups[0]["lr"] == scheduler.get_last_lr()[0]
        ),
        lambda optimizer, scheduler, calls: (
            scheduler.last_epoch == calls
            and [group["initial_lr"] for group in optimizer.param_groups] == scheduler.base_lrs
        ),
        lambda optimizer, scheduler, calls: True,
    ),
)
