"""One step of our optimizers against torch's, or another reference, side by side on one thread."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytorch_optimizer
import torch

from optim_scratch import Parameter
from optim_scratch.optimizers import SGD, Adam, AdamW, Lookahead, Muon

SIZES = {2: 2000, 1_000: 2000, 100_000: 100, 10_000_000: 1}
"""Parameters, and how many steps make one measurement."""

Make = Callable[[Any], Any]


@dataclass(frozen=True)
class Case:
    """One optimizer of ours and its reference, made from a list with one parameter.

    Parameters
    ----------
    name : str
        What the line says.
    ours, theirs : callable
        Make the optimizers.
    small, large : float
        The least share of the reference's speed, for up to 1,000 parameters and for more.
    shapes : dict of shape to int
        The parameters, and how many steps make one measurement.
    """

    name: str
    ours: Make
    theirs: Make
    small: float
    large: float
    shapes: dict[tuple[int, ...], int] = field(
        default_factory=lambda: {(size,): repeats for size, repeats in SIZES.items()}
    )


def same(name: str, kind: type, small: float, large: float, **options: Any) -> Case:
    """Return the case of a class that torch has under the same name."""
    theirs = getattr(torch.optim, kind.__name__)
    return Case(name, lambda p: kind(p, **options), lambda p: theirs(p, **options), small, large)


CASES = (
    same("SGD step, plain", SGD, 1.0, 0.6, lr=1e-3),
    same("SGD step, momentum", SGD, 1.0, 0.6, lr=1e-3, momentum=0.9),
    same("Adam step, plain", Adam, 1.0, 0.5),
    same("Adam step, AMSGrad", Adam, 1.0, 0.5, amsgrad=True),
    same("AdamW step", AdamW, 1.0, 0.5),
    Case(
        "Lookahead over Adam",
        lambda p: Lookahead(Adam(p)),
        lambda p: pytorch_optimizer.Lookahead(torch.optim.Adam(p)),
        1.0,
        0.5,
    ),
    # torch multiplies in bfloat16, ours in the parameter's float32
    Case("Muon step", Muon, torch.optim.Muon, 0.3, 0.3, {(512, 512): 5}),
)


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
    return [
        line_of(case, shape, repeats) for case in CASES for shape, repeats in case.shapes.items()
    ]


def line_of(case: Case, shape: tuple[int, ...], repeats: int) -> str:
    """Time one case on one parameter."""
    start = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
    p, q = Parameter(start), torch.nn.Parameter(torch.tensor(start))
    p.grad, q.grad = start, torch.tensor(start)
    ours, theirs = side_by_side(case.ours([p]).step, case.theirs([q]).step, repeats)
    target = case.large if start.size > 1_000 else case.small
    return (
        f"{case.name:<19} {start.size:>10,} parameters: {theirs / ours:5.2f} times torch's "
        f"speed (at least {target}) {1e6 * ours:10,.1f} µs"
    )
