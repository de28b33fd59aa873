"""One small build of every scheduler of the registry, out of any module that has the classes."""

import importlib

from optim_scratch import registry

NAMES = [method.name for method in registry.methods("scheduler")]
WITH_METRIC = "ReduceLROnPlateau"
WITHOUT_METRIC = [name for name in NAMES if name != WITH_METRIC]
IN_TORCH = [method.name for method in registry.methods("scheduler") if method.torch]
STEPS = 12
METRICS = [1.0, 0.5, 0.75, 0.75, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25]  # also in float32


class Inverse:
    """A function of the epoch that is saved and pickled."""

    def __init__(self, k):
        self.k = k

    def __call__(self, epoch):
        return 1 / (1 + self.k * epoch)


ARGUMENTS = {
    "StepLR": {"step_size": 3, "gamma": 0.5},
    "MultiStepLR": {"milestones": [2, 5, 5], "gamma": 0.5},
    "ExponentialLR": {"gamma": 0.8},
    "PolynomialLR": {"total_iters": 11, "power": 1.5},
    "LinearLR": {"start_factor": 0.25, "total_iters": 6},
    "ConstantLR": {"factor": 0.5, "total_iters": 4},
    "MultiplicativeLR": {"lr_lambda": Inverse(0.02)},
    "LambdaLR": {"lr_lambda": Inverse(0.3)},
    "CosineAnnealingLR": {"T_max": 5},
    "CosineAnnealingWarmRestarts": {"T_0": 2, "T_mult": 2},
    "REXLR": {"total_steps": 10},
    "SWALR": {"swa_lr": 0.02, "anneal_epochs": 5},
    "WarmupLinearSchedule": {"warmup_steps": 3, "t_total": 10},
    "WarmupCosineSchedule": {"warmup_steps": 3, "t_total": 10},
    "WarmupCosineWithHardRestartsSchedule": {"warmup_steps": 3, "t_total": 10, "cycles": 2.0},
    "GradualWarmupScheduler": {"multiplier": 4, "total_epoch": 3},
    "NoamLR": {"model_size": 4, "warmup_steps": 3},
    "InverseSqrtSchedule": {"warmup_steps": 3},
    "WarmupStableDecayLR": {"warmup_steps": 2, "stable_steps": 4, "decay_steps": 4},
    "CyclicLR": {"base_lr": 0.01, "max_lr": 0.2, "step_size_up": 3},
    "OneCycleLR": {"max_lr": 0.5, "total_steps": 30},
    "ReduceLROnPlateau": {"factor": 0.5, "patience": 1, "cooldown": 1},
}


def sequence(module, optimizer):
    members = [
        module.LinearLR(optimizer, 0.25, total_iters=3),
        module.ExponentialLR(optimizer, 0.8),
    ]
    return module.SequentialLR(optimizer, members, milestones=[4])


def chain(module, optimizer):
    members = [module.ConstantLR(optimizer, 0.5, 3), module.ExponentialLR(optimizer, 0.8)]
    return module.ChainedScheduler(members)


COMPOSED = {"SequentialLR": sequence, "ChainedScheduler": chain}


def build(name, module, optimizer):
    """Make one with the classes of a module: ours, ours for frameworks, or torch's."""
    if name in COMPOSED:
        return COMPOSED[name](module, optimizer)
    assert name in ARGUMENTS, f"{name} needs arguments in ARGUMENTS of tests/every_scheduler.py"
    return getattr(module, name)(optimizer, **ARGUMENTS[name])


class Torch:
    """torch's schedulers under the names of the registry, as attributes."""

    def __getattr__(self, name):
        module, _, torchs = registry.find(name).torch.rpartition(".")
        return getattr(importlib.import_module(module), torchs)


def signal(name, epoch):
    """What `step` is given after an epoch."""
    return (METRICS[epoch],) if name == WITH_METRIC else ()


def present(optimizer):
    """What the groups hold of all that a scheduler may drive."""
    return [[group["lr"], group.get("momentum")] for group in optimizer.param_groups]


def walk(name, scheduler, start=0, steps=STEPS):
    """What the groups hold in each epoch, the first included, and after the last."""
    rows = [present(scheduler.optimizer)]
    for epoch in range(start, steps):
        scheduler.optimizer.step()
        scheduler.step(*signal(name, epoch))
        rows.append(present(scheduler.optimizer))
    return rows
