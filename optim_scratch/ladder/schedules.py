"""The second part of the ladder: every schedule on SGD with momentum 0.9, for 20 epochs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from optim_scratch import schedulers as s
from optim_scratch.optimizers import Optimizer
from optim_scratch.parameter import Array, Parameter
from optim_scratch.problems import Digits

from .entries import Entry, heavy
from .running import MARKS, Run, judged, measured, rates, trained

EPOCHS = MARKS[-1]
STEPS = 32 * EPOCHS
WARMUP = 64
MIDDLE = 0.1
SGD_MOMENTUM = Entry("SGD momentum 0.9", "SGD", heavy, MIDDLE)

Make = Callable[[Optimizer], Any]


@dataclass(frozen=True)
class Schedule:
    """A line of the ladder's second part.

    Parameters
    ----------
    name : str
        The scheduler's in the registry; "constant" for none.
    make : callable or None
        From the optimizer to the scheduler.
    settings : str
        What it is given, to be shown.
    per_epoch : bool
        Whether it steps once an epoch; else after every step of the optimizer.
    """

    name: str
    make: Make | None
    settings: str
    per_epoch: bool = False


def sequence(optimizer: Optimizer) -> Any:
    """Return a warmup, then a cosine."""
    parts = [s.LinearLR(optimizer, 0.1, total_iters=WARMUP),
             s.CosineAnnealingLR(optimizer, STEPS - WARMUP)]  # fmt: skip
    return s.SequentialLR(optimizer, parts, milestones=[WARMUP])


def chain(optimizer: Optimizer) -> Any:
    """Return a warmup and an exponential fall at once."""
    parts = [s.LinearLR(optimizer, 0.1, total_iters=WARMUP), s.ExponentialLR(optimizer, 0.995)]
    return s.ChainedScheduler(parts)


def gradual(optimizer: Optimizer) -> Any:
    """Return a gradual warmup before a cosine."""
    after = s.CosineAnnealingLR(optimizer, STEPS - WARMUP)
    return s.GradualWarmupScheduler(optimizer, 1, WARMUP, after)


def _of(name: str, settings: str, per_epoch: bool = False, **options: Any) -> Schedule:
    return Schedule(name, partial(getattr(s, name), **options), settings, per_epoch)


SCHEDULES = (
    Schedule("constant", None, "no scheduler"),
    _of("StepLR", "by 0.3 every 7 epochs", True, step_size=7, gamma=0.3),
    _of("MultiStepLR", "by 0.1 at epochs 12 and 17", True, milestones=[12, 17], gamma=0.1),
    _of("ExponentialLR", "by 0.85 every epoch", True, gamma=0.85),
    _of("PolynomialLR", "to 0 in 640 steps, power 1", total_iters=STEPS, power=1.0),
    _of("LinearLR", "from 1 to 0.01 in 640 steps", start_factor=1.0, end_factor=0.01,
        total_iters=STEPS),
    _of("ConstantLR", "0.1 of the rate for one epoch", factor=0.1, total_iters=32),
    _of("MultiplicativeLR", "by 0.995 every step", lr_lambda=lambda t: 0.995),
    _of("LambdaLR", "1 / (1 + t / 64)", lr_lambda=lambda t: 1 / (1 + t / 64)),
    _of("CosineAnnealingLR", "to 0 in 640 steps", T_max=STEPS),
    _of("CosineAnnealingWarmRestarts", "two falls, of 214 and 428 steps", T_0=214, T_mult=2),
    _of("REXLR", "to 0 in 640 steps", total_steps=STEPS),
    _of("SWALR", "to 0.05 of the rate in 10 epochs", True, swa_lr=0.05, anneal_epochs=10),
    _of("WarmupLinearSchedule", "64 steps up, to 0 at 640", warmup_steps=WARMUP, t_total=STEPS),
    _of("WarmupCosineSchedule", "64 steps up, to 0 at 640", warmup_steps=WARMUP, t_total=STEPS),
    _of("WarmupCosineWithHardRestartsSchedule", "64 steps up, two falls", warmup_steps=WARMUP,
        t_total=STEPS, cycles=2.0),
    Schedule("GradualWarmupScheduler", gradual, "64 steps up, then a cosine to 0"),
    _of("NoamLR", "64 steps up, then 1 / √t", model_size=64, warmup_steps=WARMUP),
    _of("InverseSqrtSchedule", "64 steps up, then 1 / √t", warmup_steps=WARMUP),
    _of("WarmupStableDecayLR", "64 up, 448 level, 128 down", warmup_steps=WARMUP,
        stable_steps=448, decay_steps=128),
    _of("CyclicLR", "five times from 0.1 to 1 and back", base_lr=0.1, max_lr=1.0,
        step_size_up=64, cycle_momentum=False),
    _of("OneCycleLR", "up in 30 %, down to 0; momentum 0.95 to 0.85 and back", max_lr=1.0,
        total_steps=STEPS),
    _of("ReduceLROnPlateau", "by 0.3 after 2 epochs without a lower loss on validation", True,
        factor=0.3, patience=2),
    Schedule("SequentialLR", sequence, "64 steps up, then a cosine to 0"),
    Schedule("ChainedScheduler", chain, "64 steps up, and by 0.995 every step"),
)  # fmt: skip
"""No schedule, then every scheduler of the registry, in its order."""


def profile(schedule: Schedule) -> Array:
    """Return rate, in units of its peak, and momentum at each step: shape (steps, 2)."""
    p = Parameter([0.0])
    optimizer = heavy([p], 1.0)
    scheduler = schedule.make(optimizer) if schedule.make else None
    found = []
    for step in range(1, STEPS + 1):
        group = optimizer.param_groups[0]
        found.append((group["lr"], group["momentum"]))
        p.grad = np.zeros(1)
        optimizer.step()
        if scheduler and (not schedule.per_epoch or step % 32 == 0):
            scheduler.step()
    array: Array = np.array(found)
    return np.asarray(array / [array[:, 0].max(), 1.0])


def scheduled(
    schedule: Schedule, lrs: Array, seeds: Sequence[int], marks: Sequence[int]
) -> list[Array]:
    """Return the weights after some epochs, of every seed at every peak rate."""
    if schedule.name == "ReduceLROnPlateau":
        return watched(schedule, lrs, seeds, marks)
    course = profile(schedule)

    def set_rate(run: Run, count: int) -> None:
        multiple, momentum = course[count]
        run.optimizers[0].param_groups[0].update(lr=lrs[:, None] * multiple, momentum=momentum)

    return trained(Run(SGD_MOMENTUM, Digits(seed=list(seeds)), lrs), marks, set_rate)


def watched(
    schedule: Schedule, lrs: Array, seeds: Sequence[int], marks: Sequence[int]
) -> list[Array]:
    """Return the same of a scheduler that goes by the loss on validation, run by run."""
    assert schedule.make is not None
    found = []
    for seed in seeds:
        for lr in lrs:
            run = Run(SGD_MOMENTUM, Digits(seed=seed), float(lr))
            scheduler, reached = schedule.make(run.optimizers[0]), []
            for epoch in range(max(marks)):
                for batch in run.digits.batches(1, first=epoch):
                    run.step(batch)
                loss, _ = judged(run.digits, run.point(), "validation", "validation")
                scheduler.step(float(loss))
                if epoch + 1 in marks:
                    reached.append(run.point().copy())
            found.append(reached)
    shape = (len(seeds), len(lrs), -1)
    return [np.array([each[i] for each in found]).reshape(shape) for i in range(len(marks))]


def schedule_line(schedule: Schedule) -> dict[str, Any]:
    """Return all that is measured of a schedule."""
    row = measured(schedule.name, rates(MIDDLE), partial(scheduled, schedule))
    return row | {"settings": schedule.settings}
