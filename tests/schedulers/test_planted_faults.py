"""Three off-by-ones planted in each scheduler are each seen in its rates.

Each fault is a change of one place in a scheduler's source. The faulty class must part from the
reference, torch's rates or the source's formula, that the class itself equals.
"""

import importlib
import inspect
import math
import types
from bisect import bisect_left

import numpy as np
import pytest
from scheduling import SETTINGS, InverseTime, build, our_sgd, present, torch_scheduler

from optim_scratch import registry
from optim_scratch import schedulers as ours

FAULTS = {
    "StepLR": [
        ("epoch > 0 and epoch % self.step_size == 0", "epoch % self.step_size == 0"),
        ("epoch % self.step_size == 0", "(epoch + 1) % self.step_size == 0"),
        ("epoch % self.step_size == 0", "epoch % (self.step_size + 1) == 0"),
    ],
    "MultiStepLR": [
        ("self.milestones[self.last_epoch]", "self.milestones[self.last_epoch + 1]"),
        ("self.milestones[self.last_epoch]", "self.milestones[self.last_epoch - 1]"),
        ("self.milestones[self.last_epoch]", "min(1, self.milestones[self.last_epoch])"),
    ],
    "ExponentialLR": [
        ("1.0 if self._is_initial else self.gamma", "self.gamma"),
        ("if self._is_initial else", "if self.last_epoch <= 1 else"),
        ("else self.gamma", "else self.gamma ** (1 + 1 / (1 + self.last_epoch))"),
    ],
    "LambdaLR": [
        ("_times_factors(self.base_lrs)", "_times_factors(self._rates())"),
        ("_times_factors(self.base_lrs)", "_times_factors(self.base_lrs[::-1])"),
        ("return self._times", "self.last_epoch += 1\n        return self._times"),
    ],
    "MultiplicativeLR": [
        ("if self._is_initial:", "if False:"),
        ("_times_factors(self._rates())", "_times_factors(self.base_lrs)"),
        ("_times_factors(self._rates())", "_times_factors(self._rates()[::-1])"),
    ],
    "ConstantLR": [
        ("self.last_epoch == self.total_iters", "self.last_epoch == self.total_iters - 1"),
        ("self.last_epoch == self.total_iters", "self.last_epoch == self.total_iters + 1"),
        ("self.last_epoch == self.total_iters", "self.last_epoch >= self.total_iters"),
    ],
    "LinearLR": [
        ("t > self.total_iters", "t >= self.total_iters"),
        ("(t - 1) * rise", "t * rise"),
        ("t > self.total_iters", "t > self.total_iters + 1"),
    ],
    "PolynomialLR": [
        ("t > whole", "t >= whole"),
        ("(t - 1) / whole", "(t - 2) / whole"),
        ("(1.0 - t / whole)", "(1.0 - t / (whole + 1))"),
    ],
    "CosineAnnealingLR": [
        ("(t - 1 - T)", "(t - T)"),
        ("(t - 1) / T", "t / T"),
        ("% (2 * T)", "% (2 * T + 1)"),
        ("(1 - cos(pi / T)) / 2", "(1 - cos(pi / (T + 1))) / 2"),
    ],
    "CosineAnnealingWarmRestarts": [
        ("self.T_cur >= self.T_i", "self.T_cur > self.T_i"),
        ("self.T_i *= self.T_mult\n        self._write", "self.T_i += 1\n        self._write"),
        ("self.T_cur -= self.T_i", "self.T_cur = 1"),
        ("while epoch - begin >=", "while epoch - begin >"),
    ],
    "CyclicLR": [
        ("floor(1 + t / self.total_size)", "floor(1 + (t + 1) / self.total_size)"),
        ("0.5 ** (x - 1)", "0.5**x"),
        ("x <= top", "x < 0"),
        ("else t)", "else t + 1)"),
        ("high - (high - low) * way", "low + (high - low) * way"),
    ],
    "OneCycleLR": [
        ("up = float(share * steps) - 1", "up = float(share * steps)"),
        ("(steps - 1, \"max_lr\", \"min_lr\"", "(steps, \"max_lr\", \"min_lr\""),
        ("float(2 * share * steps) - 2", "float(2 * share * steps) - 1"),
        ("(t - start)", "(t - start + 1)"),
    ],
    "SWALR": [
        ("self._step_count - 1", "self._step_count"),
        ("self._alpha(step - 1)", "self._alpha(step)"),
        ("max(1, self.anneal_epochs)", "max(1, self.anneal_epochs - 1)"),
    ],
    "ReduceLROnPlateau": [
        ("self.num_bad_epochs > self.patience", "self.num_bad_epochs >= self.patience"),
        ("self.cooldown_counter = self.cooldown", "self.cooldown_counter = self.cooldown + 1"),
        ("if self.cooldown_counter > 0", "if self.cooldown_counter > 1"),
        ("self._reduce()\n", "self._reduce()\n            self.best = signal[0]\n"),
    ],
    "SequentialLR": [
        ("bisect_right(", "bisect_left("),
        ("self._milestones[i - 1] == self.last_epoch", "False"),
        ("leaf.last_epoch = -1", "leaf.last_epoch = 0"),
        ("self._schedulers[0]._initial_step()", "self._schedulers[-1]._initial_step()"),
    ],
    "ChainedScheduler": [
        ("        for member in self._schedulers:\n            member.step()",
         "        for member in self._schedulers[1:]:\n            member.step()"),
        ("            member.step()", "            member.step() if member.last_epoch < 9 else 0"),
        ("            member.step()", "            member.step() if member.last_epoch else 0"),
    ],
    "WarmupLinearSchedule": [
        ("t / W if t < W", "(t + 1) / W if t < W"),
        ("max(0, T - t)", "max(0, T - t - 1)"),
        ("max(1, T - W)", "max(1, T - W + 1)"),
    ],
    "WarmupCosineSchedule": [
        ("return t / W", "return (t + 1) / W"),
        ("(t - W) / max(1, T - W)", "(t - W + 1) / max(1, T - W)"),
        ("min(1.0, (t", "min(2.0, (t"),
    ],
    "WarmupCosineWithHardRestartsSchedule": [
        ("if t >= T", "if t > T"),
        ("(t - W) / (T - W)", "(t - W + 1) / (T - W)"),
        ("return t / W", "return (t + 1) / W"),
    ],
    "NoamLR": [
        ("k, d, W = t + 1", "k, d, W = t + 2"),
        ("k * W**-1.5", "(k - 1) * W**-1.5"),
        ("min(k**-0.5", "min((k + 1) ** -0.5"),
    ],
    "InverseSqrtSchedule": [
        ("t / W if t < W", "(t + 1) / W if t < W"),
        ("(t - W) / tau", "(t - W + 1) / tau"),
        ("warmup_steps or 10_000", "warmup_steps + 1 or 10_000"),
    ],
    "WarmupStableDecayLR": [
        ("(1 - r) * t / W", "(1 - r) * (t + 1) / W"),
        ("if t < W + S", "if t < W + S - 1"),
        ("(t - W - S) / self.decay_steps", "(t - W - S + 1) / self.decay_steps"),
    ],
    "REXLR": [
        ("1 - t / self.total_steps", "1 - (t + 1) / self.total_steps"),
        ("t / self.total_steps", "t / (self.total_steps + 1)"),
        ("max(0.0, 1", "max(0.1, 1"),
    ],
    "GradualWarmupScheduler": [
        ("self.last_epoch == self.total_epoch + 1", "self.last_epoch == self.total_epoch"),
        ("self.last_epoch < self.total_epoch", "self.last_epoch <= self.total_epoch"),
        ("if not first or isinstance", "if True or isinstance"),
        ("min(self.last_epoch, self.total_epoch)", "min(self.last_epoch + 1, self.total_epoch)"),
    ],
}  # fmt: skip
CASES = [(name, fault) for name, faults in FAULTS.items() for fault in faults]
STEPS = 130


def faulty(name, old, new):
    """The scheduler's class, with one place of its module changed."""
    module = importlib.import_module(f"optim_scratch.{registry.find(name).module}")
    source = inspect.getsource(module)
    before, found, after = source.rpartition(old)  # the last place: docstrings come first
    assert found, f"{old!r} is not in {module.__name__} any more"
    broken = types.ModuleType(module.__name__)
    broken.__dict__.update(__package__=module.__package__, bisect_left=bisect_left)
    exec(compile(before + new + after, f"<{name} with a fault>", "exec"), broken.__dict__)
    return getattr(broken, name)


def walk(scheduler, *signals):
    """What the groups hold over the steps; or the error that ends them."""
    rows = []
    for signal in signals or [()] * STEPS:
        rows.append(present(scheduler.optimizer))
        try:
            scheduler.step(*signal)
        except (ValueError, ZeroDivisionError) as error:
            return [*rows, str(error)]
    return rows


def simple(kind, name):
    """The rates of a class under each of the tests' settings of its name."""
    rows = []
    for known, arguments in SETTINGS:
        if known == name and kind is None:
            rows.append(walk(torch_scheduler(name, arguments)))
        elif known == name:
            rows.append(walk(kind(our_sgd(), **arguments)))
    return rows


def plateau(kind):
    metrics = [(math.sin(t / 3) + 2 / (t + 1),) for t in range(STEPS)]
    rows = []
    for patience, cooldown in ((2, 0), (0, 4), (3, 1)):
        settings = {"patience": patience, "cooldown": cooldown, "threshold_mode": "abs"}
        settings |= {"factor": 0.9, "eps": 0.0}
        scheduler = (
            torch_scheduler("ReduceLROnPlateau", settings)
            if kind is None
            else kind(our_sgd(), **settings)
        )
        rows.append(walk(scheduler, *metrics))
    return rows


def parts(module, sgd):
    return [
        module.LinearLR(sgd, 0.5, total_iters=4),
        module.MultiplicativeLR(sgd, InverseTime(0.01)),
        module.CosineAnnealingLR(sgd, 20),
    ]


def sequential(kind):
    if kind is not None:
        sgd = our_sgd()
        return [walk(kind(sgd, parts(ours, sgd), [6, 31]))]
    line, cosine = [0.5, 0.625, 0.75, 0.875, 1.0, 1.0], []
    rise = 1.0
    for t in range(25):
        rise *= InverseTime(0.01)(t)
        cosine.append(rise)
    cosine += [(1 + math.cos(math.pi * t / 20)) / 2 for t in range(STEPS - 31)]
    return [[[lr * 0.1, 0.7, 0.0, lr * 0.03, 0.7, 0.0] for lr in line + cosine]]


def chained(kind):
    sgd = our_sgd()
    if kind is not None:
        return [walk(kind(parts(ours, sgd)[:2]))]
    lines = [min(1.0, 0.5 + t / 8) for t in range(STEPS)]
    decay = np.cumprod([1.0, *(InverseTime(0.01)(t) for t in range(1, STEPS))])
    return [
        [[a * b * 0.1, 0.7, 0.0, a * b * 0.03, 0.7, 0.0] for a, b in zip(lines, decay, strict=True)]
    ]


def gradual(kind):
    sgd = our_sgd()
    if kind is not None:
        return [walk(kind(sgd, 4, 5, ours.LambdaLR(sgd, InverseTime(0.1))))]
    rates = [1 + 3 * t / 5 for t in range(6)] + [4 / (1 + 0.1 * t) for t in range(STEPS - 6)]
    return [[[lr * 0.1, 0.7, 0.0, lr * 0.03, 0.7, 0.0] for lr in rates]]


def cosine(half_turns):
    return math.cos(math.pi * half_turns)


FORMULAS = {
    "WarmupLinearSchedule": (
        {"warmup_steps": 10, "t_total": 60},
        lambda t: t / 10 if t < 10 else max(0, 60 - t) / 50,
    ),
    "WarmupCosineSchedule": (
        {"warmup_steps": 10, "t_total": 60},
        lambda t: t / 10 if t < 10 else (1 + math.cos(math.pi * min(50, t - 10) / 50)) / 2,
    ),
    "WarmupCosineWithHardRestartsSchedule": (
        {"warmup_steps": 10, "t_total": 60, "cycles": 2},
        lambda t: t / 10 if t < 10 else (t < 60) * (1 + cosine((t - 10) / 25 % 1)) / 2,
    ),
    "NoamLR": (
        {"model_size": 16, "warmup_steps": 10},
        lambda t: min((t + 1) ** -0.5, (t + 1) / 10**1.5) / 4,
    ),
    "InverseSqrtSchedule": (
        {"warmup_steps": 10},
        lambda t: t / 10 if t < 10 else math.sqrt(10 / t),
    ),
    "WarmupStableDecayLR": (
        {"warmup_steps": 10, "stable_steps": 20, "decay_steps": 30, "decay_type": "linear"},
        lambda t: min(t / 10, 1, max(0, 60 - t) / 30),
    ),
    "REXLR": (
        {"total_steps": 50},
        lambda t: max(0, 50 - t) / 50 / (0.5 + 0.5 * max(0, 50 - t) / 50),
    ),
}  # fmt: skip


def formula(kind, name):
    arguments, height = FORMULAS[name]
    if kind is not None:
        return [walk(kind(our_sgd(), **arguments))]
    return [[[h * 0.1, 0.7, 0.0, h * 0.03, 0.7, 0.0] for h in map(height, range(STEPS))]]


COMPOSED = {
    "ReduceLROnPlateau": plateau,
    "SequentialLR": sequential,
    "ChainedScheduler": chained,
    "GradualWarmupScheduler": gradual,
}


def rates(kind, name):
    """The rates of a class where its faults would show; without one, those of the reference."""
    if name in COMPOSED:
        return COMPOSED[name](kind)
    return formula(kind, name) if name in FORMULAS else simple(kind, name)


def agree(a, b):
    """Whether all traces are as long and equal, to 1e-9 (1e-12 is asserted elsewhere)."""
    return all(
        len(x) == len(y)
        and not any(isinstance(row, str) for row in (*x, *y))
        and np.allclose(x, y, rtol=1e-9, atol=1e-15)
        for x, y in zip(a, b, strict=True)
    )


def test_every_scheduler_has_three_faults():
    assert set(FAULTS) == {method.name for method in registry.methods("scheduler")}
    assert min(map(len, FAULTS.values())) >= 3


@pytest.mark.parametrize("name", FAULTS)
def test_without_a_fault_the_reference_is_met(name):
    assert agree(rates(registry.find(name).load(), name), rates(None, name))


@pytest.mark.parametrize(("name", "fault"), CASES, ids=str)
def test_a_planted_fault_is_seen(name, fault):
    if name == "CosineAnnealingWarmRestarts" and fault[0].startswith("while"):
        scheduler = faulty(name, *fault)(our_sgd(), 10, 3)
        scheduler.step(1210)
        assert scheduler.get_last_lr() != [0.1, 0.03]
        return
    assert not agree(rates(faulty(name, *fault), name), rates(None, name))


def test_the_class_itself_is_untouched():
    faulty("StepLR", *FAULTS["StepLR"][0])
    assert build("StepLR", {"step_size": 2}).get_last_lr() == [0.1, 0.03]
