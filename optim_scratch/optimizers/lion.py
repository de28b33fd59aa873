"""Lion: the sign of a momentum that weighs the newest gradient more."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from optim_scratch.checks import FLAG, NOT_NEGATIVE, SHARE
from optim_scratch.parameter import Array, Parameter, Real

from .optimizer import Optimizer, Parameters, State, nonzero
from .tiles import Hyper, tiles


class Lion(Optimizer):
    r"""Lion, evolved sign momentum.

    .. math::

       u_t &= \operatorname{sign}\bigl(\beta_1\,m_{t-1} + (1 - \beta_1)\,g_t\bigr) \\
       \theta_t &= (1 - \eta\lambda)\,\theta_{t-1} - \eta\,u_t \\
       m_t &= \beta_2\,m_{t-1} + (1 - \beta_2)\,g_t

    with :math:`m_0 = 0`. Every entry moves by :math:`\eta`, up or down, and is forgotten over
    :math:`1 / (\eta\lambda)` steps. The direction weighs the newest gradient with
    :math:`1 - \beta_1`, the memory with the smaller :math:`1 - \beta_2`.

    Parameters
    ----------
    params : iterable of Parameter, or of groups
        What to move.
    lr : float or array, >= 0
        Learning rate :math:`\eta`, in units of the parameter: how far each entry steps.
    betas : tuple of two, each a float or array in [0, 1)
        :math:`\beta_1`, of the direction, and :math:`\beta_2`, of the memory.
    weight_decay : float or array, >= 0
        :math:`\lambda`; what a step takes off is :math:`\eta\lambda\theta`, beside the sign.
    maximize : bool
        Go up the gradient instead of down.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its type or outside its range, or if an array hyper-parameter
        does not broadcast to the shape of every parameter.

    Notes
    -----
    Source: Chen et al. (2023), Program 1, found by a search over programs. They advise a rate 3 to
    10 times smaller than AdamW's and a decay larger by the same factor, so that their product
    stays. torch has no Lion.

    Examples
    --------
    >>> w = Parameter([1.0, 1.0])
    >>> lion = Lion([w], lr=0.1)
    >>> w.grad = [1000.0, -0.001]
    >>> lion.step()
    >>> w.data.round(4).tolist()
    [0.9, 1.1]
    """

    limits: ClassVar[dict[str, Any]] = {
        "lr": NOT_NEGATIVE,
        "betas": (SHARE, SHARE),
        "weight_decay": NOT_NEGATIVE,
        "maximize": FLAG,
    }

    def __init__(
        self,
        params: Parameters,
        lr: Real = 1e-4,
        betas: tuple[Real, Real] = (0.9, 0.99),
        weight_decay: Real = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {"lr": lr, "betas": betas, "weight_decay": weight_decay, "maximize": maximize}
        super().__init__(params, defaults)

    def _begin(self, p: Parameter, h: Hyper) -> State:
        return {"exp_avg": np.zeros_like(p.data)}

    def _update(self, theta: Array, g: Array, state: State, h: Hyper) -> None:
        for h, theta, g, m in tiles(h, theta, g, state["exp_avg"]):
            eta, (beta1, beta2), lam = h["lr"], h["betas"], h["weight_decay"]
            # θ ← (1 − η λ) θ
            if nonzero(lam):
                theta *= 1 - eta * lam
            # θ ← θ − η sign(β₁ m + (1 − β₁) g)
            theta -= eta * np.sign(beta1 * m + (1 - beta1) * g)
            # m ← β₂ m + (1 − β₂) g
            m *= beta2
            m += (1 - beta2) * g
