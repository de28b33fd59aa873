"""GradientNoise: noise on purpose, less of it from step to step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from optim_scratch.checks import NOT_NEGATIVE, Integer

from .optimizer import Optimizer, State
from .wrapper import Wrapper


class GradientNoise(Wrapper):
    r"""Gaussian noise on each gradient before another optimizer sees it.

    .. math::

       g_t \leftarrow g_t + \sigma_t\,z_t, \qquad z_t \sim N(0, 1), \qquad
       \sigma_t^2 = \frac{\eta}{(1 + t)^\gamma}

    in each entry, with :math:`t = 0` in the first step. Many runs at once have noise of their own
    each.

    Parameters
    ----------
    optimizer : Optimizer
        What is wrapped.
    eta : float, >= 0
        :math:`\eta`, the variance in the first step, in units of the gradient squared. The paper
        chooses among 0.01, 0.3 and 1.
    gamma : float, >= 0
        :math:`\gamma`, by which the variance falls; with 0 it stays.
    seed : int >= 0
        Of the noise. The same step of the same parameter always has the same, so that a resumed run
        is the run that went on.

    Raises
    ------
    TypeError, ValueError
        If `optimizer` is none of ours, or an argument is not of its type or outside its range; in a
        step, if only some rows of a gradient are given, as noise would be in all.

    Notes
    -----
    Source: Neelakantan et al. (2015), equation 1. The gradients of the parameters are themselves
    again after the step. Clipping, which the paper combines with noise, comes before a step, and so
    before the noise. An optimizer that looks more than once in a step meets the same noise at each
    look. Some implementations take :math:`\eta / (1 + t)^\gamma` for the standard deviation, as
    ESPnet does.

    Examples
    --------
    >>> from optim_scratch import Parameter
    >>> from optim_scratch.optimizers import SGD
    >>> w = Parameter(np.zeros(10_000))
    >>> noisy = GradientNoise(SGD([w], lr=1.0), eta=0.01)
    >>> w.grad = np.zeros(10_000)
    >>> noisy.step()
    >>> round(float(w.data.std()), 2)
    0.1
    """

    limits: ClassVar[dict[str, Any]] = {
        "eta": NOT_NEGATIVE,
        "gamma": NOT_NEGATIVE,
        "seed": Integer(0),
    }

    def __init__(
        self, optimizer: Optimizer, eta: float = 0.01, gamma: float = 0.55, seed: int = 0
    ) -> None:
        super().__init__(optimizer, eta=eta, gamma=gamma, seed=seed)

    def _begin_shared(self) -> State:
        return {"step": 0}

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take a step of the wrapped optimizer with noisy gradients, which do not stay so.

        Parameters
        ----------
        closure : callable, optional
            Computes the gradients and returns the loss, each time that the wrapped one looks.

        Returns
        -------
        The closure's loss, or None.
        """
        if closure is not None and not callable(closure):
            raise TypeError(f"closure must be callable, got {closure!r}")
        given: dict[Any, Any] = {}

        def look() -> Any:
            loss = None if closure is None else closure()
            for i, p in enumerate(self._parameters()):
                self._check_gradient(p.grad, {})
                if p.grad is not None:
                    given[p] = p.grad
                    p.grad = self._noisy(p.grad, i)
            return loss

        try:
            if closure is None:
                look()
            loss = self.optimizer.step(None if closure is None else look)
        finally:
            for p, g in given.items():
                p.grad = g
        self.shared["step"] += 1
        return loss

    def _noisy(self, g: Any, i: int) -> Any:
        """Return the gradient of the i-th parameter with this step's noise."""
        t, eta, gamma = self.shared["step"], self.own["eta"], self.own["gamma"]
        # σ² = η / (1 + t)^γ
        sigma = (eta / (1 + t) ** gamma) ** 0.5
        # a generator for each step and parameter: the count of steps is all there is to save
        z = np.random.default_rng((self.own["seed"], t, i)).standard_normal(g.shape)
        with np.errstate(over="ignore"):  # infinities flow, in float16 too
            # g ← g + σ z
            return (g + sigma * z).astype(g.dtype)
