"""What the schedulers' tests share: optimizers to drive, traces of rates, drawn arguments."""

import copy
import re

import numpy as np
import torch
from hypothesis import strategies as st
from torch.optim import lr_scheduler
from torch.optim.swa_utils import SWALR

from optim_scratch import Parameter
from optim_scratch import schedulers as ours
from optim_scratch.optimizers import SGD, Adam

STEPS = 300
RATES = (0.1, 0.03)
DRIVEN = ("lr", "momentum", "betas")


def steady(value):
    """Name a case without addresses: every worker must collect the same tests."""
    return re.sub(r" at 0x\w+", "", str(value))


class InverseTime:
    """A callable object: unlike a function, it is saved with the schedule."""

    def __init__(self, k):
        self.k = k

    def __call__(self, epoch):
        return 1 / (1 + self.k * epoch)


def theirs(name):
    """The class of torch's of that name."""
    return SWALR if name == "SWALR" else getattr(lr_scheduler, name)


def stepped(optimizer):
    """A scheduler warns if it steps before the optimizer ever did; many tests step it alone."""
    if hasattr(optimizer, "step"):
        optimizer.step()
    return optimizer


def our_sgd():
    return stepped(SGD([{"params": Parameter(0.0), "lr": lr} for lr in RATES], momentum=0.7))


def our_adam():
    return stepped(Adam([{"params": Parameter(0.0), "lr": lr} for lr in RATES]))


def torch_groups(tensor=False):
    rates = [torch.tensor(lr, dtype=torch.float64) if tensor else lr for lr in RATES]
    return [{"params": [torch.nn.Parameter(torch.zeros(()))], "lr": lr} for lr in rates]


def torch_sgd(tensor=False):
    return stepped(torch.optim.SGD(torch_groups(tensor), momentum=0.7))


def torch_adam():
    return stepped(torch.optim.Adam(torch_groups()))


OPTIMIZERS = {
    "our optimizer": our_sgd,
    "torch optimizer": torch_sgd,
    "torch optimizer, rates in tensors": lambda: torch_sgd(tensor=True),
}


def build(name, arguments, optimizer=None, **more):
    """One of our schedulers; torch's optimizers are seen to step only after it is made."""
    optimizer = optimizer or our_sgd()
    scheduler = getattr(ours, name)(optimizer, **copy.deepcopy(arguments), **more)
    stepped(optimizer)
    return scheduler


def torch_scheduler(name, arguments, optimizer=None, **more):
    """One of torch's; torch wants the optimizer to step after a scheduler is made."""
    optimizer = optimizer or torch_sgd()
    scheduler = theirs(name)(optimizer, **copy.deepcopy(arguments), **more)
    optimizer.step()
    return scheduler


def present(optimizer):
    """What the groups hold now of all that a scheduler may drive."""
    row = []
    for group in optimizer.param_groups:
        for key in DRIVEN:
            row += np.ravel(np.asarray(group.get(key, 0.0), dtype=float)).tolist()
    return row


def trace(scheduler, steps=STEPS):
    """What the groups hold over the steps, checked against what get_last_lr says."""
    rows = []
    for _ in range(steps):
        rates = [float(group["lr"]) for group in scheduler.optimizer.param_groups]
        assert [float(lr) for lr in scheduler.get_last_lr()] == rates
        rows.append(present(scheduler.optimizer))
        scheduler.step()
    return np.array(rows)


def same(a, b):
    """Assert that two traces are equal to 1e-12, relative."""
    np.testing.assert_allclose(a, b, rtol=1e-12, atol=0)


def hand_over(source, target):
    """Let one optimizer's groups hold what another's do, parameters aside."""
    for old, new in zip(source.param_groups, target.param_groups, strict=True):
        new.update({k: copy.deepcopy(v) for k, v in old.items() if k in KNOWN})


KNOWN = {
    *DRIVEN, "initial_lr", "max_lr", "min_lr", "base_momentum", "max_momentum", "swa_lr",
}  # fmt: skip

SETTINGS = [
    ("StepLR", {"step_size": 16, "gamma": 0.2}),
    ("StepLR", {"step_size": 1}),
    ("StepLR", {"step_size": 7, "gamma": 1.5}),
    ("StepLR", {"step_size": 1000}),
    ("MultiStepLR", {"milestones": [10, 20], "gamma": 0.5}),
    ("MultiStepLR", {"milestones": [0, 3, 3, 3, 50]}),
    ("MultiStepLR", {"milestones": []}),
    ("ExponentialLR", {"gamma": 0.885}),
    ("ExponentialLR", {"gamma": 1.01}),
    ("LambdaLR", {"lr_lambda": InverseTime(0.3)}),
    ("LambdaLR", {"lr_lambda": [lambda epoch: 0.9**epoch, InverseTime(0.1)]}),
    ("MultiplicativeLR", {"lr_lambda": lambda epoch: 0.97 + 0.001 * (epoch % 7)}),
    ("MultiplicativeLR", {"lr_lambda": [InverseTime(0.001), lambda epoch: 1.01]}),
    ("ConstantLR", {}),
    ("ConstantLR", {"factor": 0.7, "total_iters": 16}),
    ("LinearLR", {}),
    ("LinearLR", {"start_factor": 1.0, "end_factor": 0.0, "total_iters": 50}),
    ("PolynomialLR", {"total_iters": 40, "power": 1.7}),
    ("PolynomialLR", {}),
    ("CosineAnnealingLR", {"T_max": 50, "eta_min": 0.001}),
    ("CosineAnnealingLR", {"T_max": 1}),
    ("CosineAnnealingLR", {"T_max": 15}),
    ("CosineAnnealingWarmRestarts", {"T_0": 16}),
    ("CosineAnnealingWarmRestarts", {"T_0": 1, "T_mult": 2, "eta_min": 0.01}),
    ("CosineAnnealingWarmRestarts", {"T_0": 10, "T_mult": 3}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.2, "step_size_up": 16}),
    (
        "CyclicLR",
        {"base_lr": [0.01, 0.0], "max_lr": [0.2, 0.3], "step_size_up": 5, "step_size_down": 11,
         "mode": "triangular2", "base_momentum": [0.5, 0.6], "max_momentum": [0.95, 0.9]},
    ),
    (
        "CyclicLR",
        {"base_lr": 0.01, "max_lr": 0.2, "step_size_up": 9, "mode": "exp_range", "gamma": 0.99,
         "cycle_momentum": False},
    ),
    ("CyclicLR", {"base_lr": 0, "max_lr": 1, "step_size_up": 7, "scale_fn": InverseTime(0.1)}),
    (
        "CyclicLR",
        {"base_lr": 0, "max_lr": 1, "step_size_up": 3, "scale_fn": lambda t: 0.99**t,
         "scale_mode": "iterations"},
    ),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 320}),
    (
        "OneCycleLR",
        {"max_lr": [0.5, 0.1], "epochs": 32, "steps_per_epoch": 10, "three_phase": True,
         "pct_start": 0.25, "anneal_strategy": "linear", "base_momentum": [0.8, 0.7],
         "max_momentum": [0.9, 0.99], "div_factor": 10.0, "final_div_factor": 100.0},
    ),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 301, "pct_start": 0.0, "cycle_momentum": False}),
    ("SWALR", {"swa_lr": 0.05}),
    ("SWALR", {"swa_lr": [0.2, 0.001], "anneal_epochs": 16, "anneal_strategy": "linear"}),
    ("SWALR", {"swa_lr": 0.05, "anneal_epochs": 0}),
]  # fmt: skip

share = st.floats(0.05, 1.0)
rate = st.floats(1e-4, 1.0)
DRAWN = {
    "StepLR": {"step_size": st.integers(1, 60), "gamma": st.floats(0.5, 1.2)},
    "MultiStepLR": {
        "milestones": st.lists(st.integers(0, 250), max_size=8).map(sorted),
        "gamma": st.floats(0.05, 1.2),
    },
    "ExponentialLR": {"gamma": st.floats(0.8, 1.03)},
    "LambdaLR": {"lr_lambda": st.floats(0, 2).map(InverseTime)},
    "MultiplicativeLR": {"lr_lambda": st.floats(0, 0.003).map(InverseTime)},
    "ConstantLR": {"factor": share, "total_iters": st.integers(1, 100)},
    "LinearLR": {
        "start_factor": share,
        "end_factor": st.floats(0.05, 1.0),
        "total_iters": st.integers(1, 200),
    },
    "PolynomialLR": {"total_iters": st.integers(1, 200), "power": st.floats(0.2, 3.0)},
    "CosineAnnealingLR": {"T_max": st.integers(1, 200), "eta_min": st.floats(0, 0.02)},
    "CosineAnnealingWarmRestarts": {
        "T_0": st.integers(1, 60),
        "T_mult": st.integers(1, 4),
        "eta_min": st.floats(0, 0.02),
    },
    "CyclicLR": {
        "base_lr": st.floats(0, 0.1),
        "max_lr": st.floats(0.1, 1.0),
        "step_size_up": st.integers(1, 60),
        "step_size_down": st.one_of(st.none(), st.integers(1, 60)),
        "mode": st.sampled_from(["triangular", "triangular2", "exp_range"]),
        "gamma": st.floats(0.9, 1.0),
        "cycle_momentum": st.booleans(),
    },
    "OneCycleLR": {
        "max_lr": rate,
        "total_steps": st.integers(STEPS + 5, 2 * STEPS),
        "pct_start": st.floats(0.0, 0.5),
        "anneal_strategy": st.sampled_from(["cos", "linear"]),
        "cycle_momentum": st.booleans(),
        "three_phase": st.booleans(),
    },
    "SWALR": {
        "swa_lr": rate,
        "anneal_epochs": st.integers(0, 60),
        "anneal_strategy": st.sampled_from(["cos", "linear"]),
    },
}


def arguments_of(name):
    """Draw arguments of a scheduler."""
    return st.fixed_dictionaries(DRAWN[name])
