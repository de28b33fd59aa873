"""Hold our optimizers against torch's: same gradients, same settings, every step compared."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch

from optim_scratch import Parameter, registry
from optim_scratch.optimizers import Optimizer

TOLERANCE = 1e-12
SHAPES = ((3,), (4, 2), ())
STEPS = 300

SETTINGS: dict[str, list[dict[str, Any]]] = {
    "SGD": [
        {"lr": 0.1},
        {"lr": 0.1, "maximize": True},
        {"lr": 0.1, "weight_decay": 0.01},
        {"lr": 0.01, "momentum": 0.9},
        {"lr": 0.01, "momentum": 0.9, "dampening": 0.3},
        {"lr": 0.01, "momentum": 0.9, "dampening": 0.9},
        {"lr": 0.1, "momentum": 0.0, "dampening": 0.5},
        {"lr": 0.01, "momentum": 0.9, "nesterov": True},
        {"lr": 0.01, "momentum": 0.9, "weight_decay": 5e-4},
        {"lr": 0.01, "momentum": 0.9, "dampening": 0.1, "weight_decay": 0.1, "maximize": True},
        {"lr": 0.01, "momentum": 0.99, "nesterov": True, "weight_decay": 0.1, "maximize": True},
        {"lr": 0.0, "momentum": 0.9},
        {},
    ],
    "Adam": [
        {},
        {"lr": 0.1},
        {"lr": 0.1, "maximize": True},
        {"lr": 0.0},
        {"lr": 0.01, "betas": (0.5, 0.9)},
        {"lr": 0.01, "betas": (0.0, 0.999)},
        {"lr": 0.01, "betas": (0.9, 0.0)},
        {"lr": 0.01, "betas": (0.0, 0.0)},
        {"lr": 0.01, "eps": 0.1},
        {"lr": 0.01, "weight_decay": 0.1},
        {"lr": 0.1, "betas": (0.8, 0.99), "weight_decay": 0.5, "maximize": True},
        {"lr": 0.01, "amsgrad": True},
        {"lr": 0.01, "betas": (0.5, 0.5), "amsgrad": True},
        {"lr": 0.1, "eps": 1e-3, "weight_decay": 0.01, "amsgrad": True, "maximize": True},
    ],
}
"""For each of torch's methods, settings that reach every branch of its update."""

GROUPS: dict[str, list[list[dict[str, Any]]]] = {
    "SGD": [
        [{}],
        [{"lr": 0.3}, {"momentum": 0.5}],
        [{"weight_decay": 0.1}, {}, {"lr": 0.02, "maximize": True}],
    ],
    # no decay of the first parameter, which has an entry without gradient: decay alone drives it to
    # and fro across 0 in steps that do not shrink with it, and rounding errors grow from each to
    # the next when the betas are small
    "Adam": [
        [{}],
        [{"lr": 0.3}, {"betas": (0.7, 0.95)}],
        [{"amsgrad": True}, {"weight_decay": 0.1}, {"lr": 0.02, "maximize": True, "eps": 1e-4}],
    ],
}
"""For each of torch's methods, what its groups overrule."""

Path = list[list[np.ndarray]]
Make = Callable[..., Any]


def record(steps: int, shapes: Sequence[tuple[int, ...]] = SHAPES, seed: int = 0) -> Path:
    """Starts, followed by `steps` gradients for each shape; some entries are exactly zero."""
    rng = np.random.default_rng(seed)
    rows = [[rng.normal(size=shape) for shape in shapes] for _ in range(steps + 1)]
    for gradients in rows[1:]:
        gradients[0][0] = 0.0
    return rows


def groups_of(parameters: Sequence[Any], per_group: Sequence[dict[str, Any]]) -> list[dict]:
    """One group per entry of `per_group`, the last with all parameters that are left."""
    last = len(per_group) - 1
    return [
        {**options, "params": list(parameters[i:]) if i == last else [parameters[i]]}
        for i, options in enumerate(per_group)
    ]


def cases() -> list[Any]:
    """Each of the registry's optimizers that torch has too, with each of its settings."""
    return [
        pytest.param(method.load(), options, id=f"{method.name} {options}")
        for method in registry.methods("optimizer")
        if method.torch
        for options in SETTINGS[method.name]
    ]


class Ours:
    """One of our optimizers on recorded data."""

    def __init__(self, kind: type[Optimizer], starts: Sequence[np.ndarray], per_group, **options):
        self.parameters = [Parameter(start) for start in starts]
        self.optimizer = kind(groups_of(self.parameters, per_group), **options)

    def step(self, gradients: Sequence[np.ndarray]) -> list[np.ndarray]:
        for p, gradient in zip(self.parameters, gradients, strict=True):
            p.grad = gradient
        self.optimizer.step()
        return [p.data.copy() for p in self.parameters]


class Theirs:
    """One of torch's optimizers on recorded data."""

    def __init__(self, kind: Make, starts: Sequence[np.ndarray], per_group, **options):
        self.parameters = [torch.nn.Parameter(torch.tensor(start)) for start in starts]
        self.optimizer = kind(groups_of(self.parameters, per_group), **options)

    def step(self, gradients: Sequence[np.ndarray]) -> list[np.ndarray]:
        for p, gradient in zip(self.parameters, gradients, strict=True):
            p.grad = torch.tensor(gradient)
        self.optimizer.step()
        return [p.detach().numpy().copy() for p in self.parameters]


def pair(
    kind: type[Optimizer],
    starts: Sequence[np.ndarray],
    options: dict[str, Any],
    per_group: Sequence[dict[str, Any]] = ({},),
) -> tuple[Ours, Theirs]:
    """Our method and torch's of the same name, from the same start."""
    theirs = getattr(torch.optim, kind.__name__)
    return Ours(kind, starts, per_group, **options), Theirs(theirs, starts, per_group, **options)


def distance(ours: Sequence[np.ndarray], theirs: Sequence[np.ndarray]) -> float:
    """max|a − b| / max|b|, over all parameters."""
    scale = max(np.abs(b).max() for b in theirs)
    return max(np.abs(a - b).max() for a, b in zip(ours, theirs, strict=True)) / scale


def assert_equal_paths(ours: Ours, theirs: Theirs, gradients: Path) -> None:
    """Step both through the gradients; they must agree after each step."""
    for t, row in enumerate(gradients, start=1):
        error = distance(ours.step(row), theirs.step(row))
        assert error <= TOLERANCE, f"{error:.1e} after step {t}"
