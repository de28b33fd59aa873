"""One step of our SGD against torch's default, side by side on one thread."""

import time
from collections.abc import Callable

import numpy as np
import torch

from optim_scratch import Parameter
from optim_scratch.optimizers import SGD

SIZES = {2: 2000, 1_000: 2000, 100_000: 100, 10_000_000: 1}
"""Parameters, and how many steps make one measurement."""

SETTINGS = {"plain": {"lr": 1e-3}, "momentum": {"lr": 1e-3, "momentum": 0.9}}


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
    for name, options in SETTINGS.items():
        for size, repeats in SIZES.items():
            start = np.random.default_rng(0).standard_normal(size, dtype=np.float32)
            p, q = Parameter(start), torch.nn.Parameter(torch.tensor(start))
            p.grad, q.grad = start, torch.tensor(start)
            ours, theirs = side_by_side(
                SGD([p], **options).step, torch.optim.SGD([q], **options).step, repeats
            )
            target = 1.0 if size <= 1_000 else 0.6
            lines.append(
                f"SGD step, {name:<8} {size:>10,} parameters: {theirs / ours:5.2f} times torch's "
                f"speed (at least {target}) {1e6 * ours:10,.1f} µs"
            )
    return lines
