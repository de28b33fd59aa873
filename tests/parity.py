"""Hold our optimizers against torch's: same gradients, same settings, every step compared."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from optim_scratch import Parameter
from optim_scratch.optimizers import Optimizer

TOLERANCE = 1e-12
SHAPES = ((3,), (4, 2), ())

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


def distance(ours: Sequence[np.ndarray], theirs: Sequence[np.ndarray]) -> float:
    """max|a − b| / max|b|, over all parameters."""
    scale = max(np.abs(b).max() for b in theirs)
    return max(np.abs(a - b).max() for a, b in zip(ours, theirs, strict=True)) / scale


def assert_equal_paths(ours: Ours, theirs: Theirs, gradients: Path) -> None:
    """Step both through the gradients; they must agree after each step."""
    for t, row in enumerate(gradients, start=1):
        error = distance(ours.step(row), theirs.step(row))
        assert error <= TOLERANCE, f"{error:.1e} after step {t}"
