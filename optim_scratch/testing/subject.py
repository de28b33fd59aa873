"""What is examined: how it is made, and how it is given gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from optim_scratch.optimizers import Optimizer
from optim_scratch.parameter import Array, Parameter

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Subject:
    """An optimizer under examination.

    Parameters
    ----------
    make : class of Optimizer, or callable
        From a list of parameters and keyword arguments to an optimizer.
    settings : dict
        Arguments that it is always given, unless a check overrules them.
    shapes : tuple of shapes
        Of the parameters that it is given.
    """

    make: Callable[..., Optimizer]
    settings: dict[str, Any]
    shapes: tuple[Shape, ...]

    @property
    def is_class(self) -> bool:
        """Whether it is a class, whose arguments can be known, and no function."""
        return isinstance(self.make, type)

    def optimizer(self, params: Any, **overrule: Any) -> Optimizer:
        """Return one, for parameters or groups."""
        return self.make(params, **{**self.settings, **overrule})

    def started(self, shapes: Sequence[Shape] | None = None, **overrule: Any) -> Run:
        """Return one with parameters of its own, which begin at the same numbers every time."""
        rng = np.random.default_rng(0)
        shapes = self.shapes if shapes is None else shapes
        parameters = [Parameter(rng.uniform(0.5, 1.5, size=shape)) for shape in shapes]
        return Run(self.optimizer(parameters, **overrule), parameters)


@dataclass
class Run:
    """An optimizer with its parameters, on a bowl that tilts from step to step, as batches do."""

    optimizer: Optimizer
    parameters: list[Parameter]
    t: int = 0
    given: list[Array] = field(default_factory=list)
    """The last gradients, as they were before the step."""

    def take(self, steps: int = 1, *, sign: float = 1.0, order: str = "K") -> Run:
        """Take some steps."""
        for _ in range(steps):
            tilts = np.random.default_rng(self.t)
            noise = [0.3 * tilts.standard_normal(p.shape) for p in self.parameters]

            def look(noise: list[Array] = noise) -> float:
                loss, self.given = 0.0, []
                for p, tilt in zip(self.parameters, noise, strict=True):
                    g = sign * (p.data + tilt)
                    p.grad = np.array(g, dtype=p.dtype, order=order)  # type: ignore[call-overload]
                    self.given.append(np.array(p.grad))
                    loss += sign * float(np.sum(p.data * (0.5 * p.data + tilt)))
                return loss

            self.step(look)
            self.t += 1
        return self

    def step(self, look: Callable[[], float]) -> Any:
        """Take a step, at which the method may look as often as it must."""
        if self.optimizer.needs_closure:
            return self.optimizer.step(look)
        look()
        return self.optimizer.step()

    def data(self) -> list[Array]:
        """Return copies of the parameters, and of where the loss is to be evaluated."""
        return [p.data.copy() for p in self.parameters] + [
            np.array(self.optimizer.point(p)) for p in self.parameters
        ]


def same(a: Sequence[Array], b: Sequence[Array]) -> bool:
    """Whether two lists of arrays hold the very same numbers."""
    return all(np.array_equal(x, y, equal_nan=True) for x, y in zip(a, b, strict=True))


def apart(a: Sequence[Array], b: Sequence[Array]) -> float:
    """Return the largest difference, in units of the largest number."""
    most = max(float(np.abs(y).max(initial=0.0)) for y in b)
    return max(float(np.abs(x - y).max(initial=0.0)) for x, y in zip(a, b, strict=True)) / most
