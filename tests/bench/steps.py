"""One step of our optimizers against torch's default, side by side on one thread."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from optim_scratch import Parameter
from optim_scratch.optimizers import SGD, Adam, Optimizer

SIZES = {2: 2000, 1_000: 2000, 100_000: 100, 10_000_000: 1}
"""Parameters, and how many steps make one measurement."""

SETTINGS: dict[str, tuple[type[Optimizer], dict[str, Any]]] = {
    "SGD step, plain": (SGD, {"lr": 1e-3}),
    "SGD step, momentum": (SGD, {"lr": 1e-3, "momentum": 0.9}),
    "Adam step, plain": (Adam, {}),
    "Adam step, AMSGrad": (Adam, {"amsgrad": True}),
}

TARGETS = {SGD: (1.0, 0.6), Adam: (1.0, 0.5)}
"""The least share of torch's speed, for up to 1,000 parameters and for more."""


def seconds(call: Callable[[], object], repeats: int) -> float:
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - start) / repeats


def side_by_side(
    ours: Callable[[], object], theirs: Callable[[], object], repeats: int, rounds: int = 25
) -> tuple[float, float]:
    """The least time of each, measured in turns, so that both see the same machine."""
    pairs = [(seconds(ours, repeats), seconds(theirs, repeats)) for _ in range(rounds)]
    a, b = zip(*pairs, strict=True)
    return min(a), min(b)


def measure() -> list[str]:
    """Time every size and setting; return a line for each."""
    torch.set_num_threads(1)
    lines = []
    for name, (kind, options) in SETTINGS.items():
        theirs_kind = getattr(torch.optim, kind.__name__)
        for size, repeats in SIZES.items():
            start = np.random.default_rng(0).standard_normal(size, dtype=np.float32)
            p, q = Parameter(start), torch.nn.Parameter(torch.tensor(start))
            p.grad, q.grad = start, torch.tensor(start)
            ours, theirs = side_by_side(
                kind([p], **options).step, theirs_kind([q], **options).step, repeats
            )
            target = TARGETS[kind][size > 1_000]
            lines.append(
                f"{name:<18} {size:>10,} parameters: {theirs / ours:5.2f} times torch's "
                f"speed (at least {target}) {1e6 * ours:10,.1f} µs"
            )
    return lines
