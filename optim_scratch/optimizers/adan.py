"""Adan: Adam with Nesterov's look ahead made from the change of the gradient."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from optim_scratch.checks import FLAG, NOT_NEGATIVE, SHARE
from optim_scratch.parameter import Array, Parameter, Real

from .optimizer import Optimizer, Parameters, State, nonzero
from .tiles import Hyper, tiles


class Adan(Optimizer):
    r"""Adan, adaptive Nesterov momentum.

    .. math::

       c_t &= g_t - g_{t-1} \\
       m_t &= \beta_1\,m_{t-1} + (1 - \beta_1)\,g_t, \qquad
       d_t = \beta_2\,d_{t-1} + (1 - \beta_2)\,c_t \\
       n_t &= \beta_3\,n_{t-1} + (1 - \beta_3)\,(g_t + \beta_2\,c_t)^2 \\
       \theta_t &= \frac{1}{1 + \eta\lambda}\left(\theta_{t-1}
           - \eta\,\frac{\hat m_t + \beta_2\,\hat d_t}{\sqrt{\hat n_t} + \varepsilon}\right)

    with :math:`m_0 = d_0 = n_0 = 0`, :math:`c_1 = 0`, and hats for :math:`m`, :math:`d`, :math:`n`
    over their :math:`1 - \beta^t`. The mean change of the gradient tells where it is going to be: a
    look ahead without a gradient taken elsewhere.

    Parameters
    ----------
    params : iterable of Parameter, or of groups
        What to move.
    lr : float or array, >= 0
        Learning rate :math:`\eta`, in units of the parameter.
    betas : tuple of three, each a float or array in [0, 1)
        :math:`\beta_1`, :math:`\beta_2`, :math:`\beta_3`, the shares of the mean gradient, of
        its mean change and of the mean square that survive a step. The paper writes
        :math:`1 - \beta`.
    eps : float or array, >= 0
        :math:`\varepsilon`, in units of the gradient.
    weight_decay : float or array, >= 0
        :math:`\lambda`, by which the new point is divided as :math:`1 + \eta\lambda`.
    maximize : bool
        Go up the gradient instead of down.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its type or outside its range, or if an array hyper-parameter
        does not broadcast to the shape of every parameter.

    Notes
    -----
    Source: Xie et al. (2024), Algorithm 1. The paper corrects no bias: it begins with
    :math:`m = g`, :math:`n = g^2` and, at the second gradient, :math:`d = c`. The authors' code and
    pytorch-optimizer begin at 0 and correct three, as this class does. They correct :math:`d` for
    :math:`t` changes where there have been :math:`t - 1`, so that the first counts
    :math:`1 / (1 + \beta_2)` in place of one.

    The paper's algorithm restarts, forgetting all but the point, when a condition of its theory
    holds; the authors' code leaves the condition to its users, who here call
    ``optimizer.state.clear()``. Their code can also clip the norm of all gradients, for which see
    `optim_scratch.training`, and decay as AdamW does. With ``maximize``, pytorch-optimizer's first
    change is twice the gradient in place of 0.

    Examples
    --------
    >>> w = Parameter([1.0, 1.0])
    >>> adan = Adan([w], lr=0.1)
    >>> w.grad = [1000.0, 0.001]
    >>> adan.step()
    >>> w.data.round(4).tolist()
    [0.9, 0.9]
    """

    limits: ClassVar[dict[str, Any]] = {
        "lr": NOT_NEGATIVE,
        "betas": (SHARE, SHARE, SHARE),
        "eps": NOT_NEGATIVE,
        "weight_decay": NOT_NEGATIVE,
        "maximize": FLAG,
    }
    squares = ("exp_avg_sq",)

    def __init__(
        self,
        params: Parameters,
        lr: Real = 1e-3,
        betas: tuple[Real, Real, Real] = (0.98, 0.92, 0.99),
        eps: Real = 1e-8,
        weight_decay: Real = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _begin(self, p: Parameter, h: Hyper) -> State:
        m, d, n = (np.zeros_like(p.data) for _ in range(3))
        before = np.zeros_like(p.data)
        return {
            "step": 0, "exp_avg": m, "exp_avg_diff": d, "exp_avg_sq": n, "previous_grad": before
        }  # fmt: skip

    def _update(self, theta: Array, g: Array, state: State, h: Hyper) -> None:
        state["step"] += 1
        t, before = state["step"], state["previous_grad"]
        if t == 1:
            before[...] = g
        means = (state[name] for name in ("exp_avg", "exp_avg_diff", "exp_avg_sq"))
        for h, theta, g, before, m, d, n in tiles(h, theta, g, before, *means):
            eta, (beta1, beta2, beta3), eps = h["lr"], h["betas"], h["eps"]
            # c = g − the gradient before
            c = g - before
            before[...] = g
            # m ← β₁ m + (1 − β₁) g, d ← β₂ d + (1 − β₂) c
            m *= beta1
            m += (1 - beta1) * g
            d *= beta2
            d += (1 - beta2) * c
            # n ← β₃ n + (1 − β₃) (g + β₂ c)²
            c *= beta2
            c += g
            n *= beta3
            n += (1 - beta3) * c * c
            # θ ← (θ − η (m̂ + β₂ d̂) / (√n̂ + ε)) / (1 + η λ)
            ahead = m / (1 - beta1**t) + beta2 / (1 - beta2**t) * d
            theta -= eta * ahead / (np.sqrt(n) / (1 - beta3**t) ** 0.5 + eps)
            if nonzero(h["weight_decay"]):
                theta /= 1 + eta * h["weight_decay"]
