"""Adagrad: each entry of the gradient over the root of all its squares so far."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from optim_scratch.checks import FLAG, NOT_NEGATIVE
from optim_scratch.parameter import Array, Parameter, Real, RowSparse

from .optimizer import Group, Optimizer, Parameters, State, check_rows, nonzero
from .tiles import Hyper, tiles


class Adagrad(Optimizer):
    r"""Adagrad, adaptive (sub)gradients.

    .. math::

       g_t &= \nabla \mathcal{L}(\theta_{t-1}) + \lambda\,\theta_{t-1} \\
       s_t &= s_{t-1} + g_t^2 \\
       \theta_t &= \theta_{t-1}
           - \frac{\eta}{1 + (t - 1)\,\zeta}\,\frac{g_t}{\sqrt{s_t} + \varepsilon}

    An entry whose gradient is rarely other than 0 keeps a small sum, and so takes long steps when
    it is its turn. Nothing is forgotten: under gradients of one size the steps fall like
    :math:`\eta / \sqrt{t}`.

    Parameters
    ----------
    params : iterable of Parameter, or of groups
        What to move.
    lr : float or array, >= 0
        Learning rate :math:`\eta`, in units of the parameter: the length of the first step of each
        entry, whatever the size of its gradient.
    lr_decay : float or array, >= 0
        :math:`\zeta`, by which the rate falls beside the sum; per step.
    weight_decay : float or array, >= 0
        :math:`\lambda`, the strength of an L2 penalty, whose gradient enters the sum.
    initial_accumulator_value : float or array, >= 0
        :math:`s_0`, in units of the gradient squared. Above 0 it shortens the first steps.
    eps : float or array, >= 0
        :math:`\varepsilon`, in units of the gradient, added to the root. With 0, and :math:`s_0` 0
        too, an entry whose gradient was always 0 becomes NaN.
    maximize : bool
        Go up the gradient instead of down.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its type or outside its range, or if an array hyper-parameter
        does not broadcast to the shape of every parameter. In a step, if a `RowSparse` gradient
        meets weight decay.

    Notes
    -----
    A `RowSparse` gradient costs as much as it has rows, and moves them as the dense one would:
    where that is 0, neither the sum nor the parameter changes. Weight decay would move all rows;
    with such a gradient it is refused, here as in torch.

    Source: Duchi, Hazan & Singer (2011), the diagonal form, which adds :math:`\varepsilon` to the
    root as here, and has neither a fall of the rate nor weight decay.

    Examples
    --------
    >>> w = Parameter([1.0, 1.0])
    >>> adagrad = Adagrad([w], lr=0.1)
    >>> for _ in range(4):
    ...     w.grad = [1000.0, 0.001]
    ...     adagrad.step()
    >>> w.data.round(3).tolist()  # 0.1 (1 + 1/√2 + 1/√3 + 1/2) away
    [0.722, 0.722]
    """

    limits: ClassVar[dict[str, Any]] = {
        "lr": NOT_NEGATIVE,
        "lr_decay": NOT_NEGATIVE,
        "weight_decay": NOT_NEGATIVE,
        "initial_accumulator_value": NOT_NEGATIVE,
        "eps": NOT_NEGATIVE,
        "maximize": FLAG,
    }
    squares = ("sum",)

    def __init__(
        self,
        params: Parameters,
        lr: Real = 1e-2,
        lr_decay: Real = 0,
        weight_decay: Real = 0,
        initial_accumulator_value: Real = 0,
        eps: Real = 1e-10,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "eps": eps,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def add_param_group(self, group: Group) -> None:
        """Let the optimizer move more parameters; as in torch, their sums are there at once."""
        super().add_param_group(group)
        hyper = self._hyper(self.param_groups[-1])
        for p in self.param_groups[-1]["params"]:
            self.state[p] = self._begin(p, hyper)

    def _check_gradient(self, g: Any, group: Group) -> None:
        check_rows(g, group)

    def _begin(self, p: Parameter, h: Hyper) -> State:
        s = np.zeros_like(p.data)
        s += h["initial_accumulator_value"]
        return {"step": 0, "sum": s}

    def _update(self, theta: Array, g: Array | RowSparse, state: State, h: Hyper) -> None:
        state["step"] += 1
        t = state["step"]
        for h, theta, g, s in tiles(h, theta, g, state["sum"]):
            eta, zeta, eps, lam = h["lr"], h["lr_decay"], h["eps"], h["weight_decay"]
            # g ← g + λ θ
            if nonzero(lam):
                g = g + lam * theta
            # s ← s + g²
            s += g * g
            # θ ← θ − η / (1 + (t − 1) ζ) · g / (√s + ε)
            theta -= eta / (1 + (t - 1) * zeta) * g / (np.sqrt(s) + eps)
