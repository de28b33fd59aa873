"""AdaBelief: steps in units of how far the gradient is from what was expected."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from optim_scratch.checks import FLAG, NOT_NEGATIVE, SHARE
from optim_scratch.parameter import Array, Parameter, Real

from .optimizer import Optimizer, Parameters, State, nonzero
from .tiles import Hyper, tiles


class AdaBelief(Optimizer):
    r"""AdaBelief, Adam divided by the deviation from the mean gradient.

    .. math::

       m_t &= \beta_1\,m_{t-1} + (1 - \beta_1)\,g_t, \qquad
       \hat m_t = m_t / (1 - \beta_1^t) \\
       s_t &= \beta_2\,s_{t-1} + (1 - \beta_2)\,(g_t - m_t)^2 + \varepsilon, \qquad
       \hat s_t = s_t / (1 - \beta_2^t) \\
       \theta_t &= (1 - \eta\lambda)\,\theta_{t-1}
           - \eta\,\frac{\hat m_t}{\sqrt{\hat s_t} + \varepsilon}

    with :math:`m_0 = s_0 = 0`. Where gradients agree with their mean, steps are long, however large
    the gradients are; Adam's are :math:`\eta` there.

    Parameters
    ----------
    params : iterable of Parameter, or of groups
        What to move.
    lr : float or array, >= 0
        Learning rate :math:`\eta`, in units of the parameter. The first step of each entry is
        :math:`\eta / \beta_1` long.
    betas : tuple of two, each a float or array in [0, 1)
        :math:`\beta_1` and :math:`\beta_2`, the shares of the mean gradient and of the mean squared
        deviation that survive a step. With :math:`\beta_1 = 0` the mean is the gradient, nothing
        deviates, and :math:`\varepsilon` alone is left to divide by.
    eps : float or array, >= 0
        :math:`\varepsilon`, added twice: to the mean square in each step, in units of the gradient
        squared, so that it gathers to :math:`\varepsilon / (1 - \beta_2)`; and to the root. The
        default is 0 in float16.
    weight_decay : float or array, >= 0
        :math:`\lambda`; what a step takes off is :math:`\eta\lambda\theta`, as AdamW's.
    maximize : bool
        Go up the gradient instead of down.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its type or outside its range, or if an array hyper-parameter
        does not broadcast to the shape of every parameter.

    Notes
    -----
    Source: Zhuang et al. (2020), Algorithm 2, with both :math:`\varepsilon` as here; the one inside
    the mean came with the paper's second version, and its appendix does not have it there. Weight
    decay, decoupled, and the default of :math:`\varepsilon` are those of the authors' package,
    whose first versions had :math:`10^{-8}`. It also rectifies by default, as `RAdam` does; the
    paper does not, nor does this class.

    Examples
    --------
    >>> w = Parameter([1.0, 1.0])
    >>> adabelief = AdaBelief([w], lr=0.1)
    >>> for sign in (1, -1):
    ...     w.grad = [1.0, sign * 1.0]
    ...     adabelief.step()
    >>> w.data.round(2).tolist()  # the gradients of the first entry agree
    [0.77, 0.89]
    """

    limits: ClassVar[dict[str, Any]] = {
        "lr": NOT_NEGATIVE,
        "betas": (SHARE, SHARE),
        "eps": NOT_NEGATIVE,
        "weight_decay": NOT_NEGATIVE,
        "maximize": FLAG,
    }
    squares = ("exp_avg_var",)

    def __init__(
        self,
        params: Parameters,
        lr: Real = 1e-3,
        betas: tuple[Real, Real] = (0.9, 0.999),
        eps: Real = 1e-16,
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
        return {"step": 0, "exp_avg": np.zeros_like(p.data), "exp_avg_var": np.zeros_like(p.data)}

    def _update(self, theta: Array, g: Array, state: State, h: Hyper) -> None:
        state["step"] += 1
        t, m, s = state["step"], state["exp_avg"], state["exp_avg_var"]
        for h, theta, g, m, s in tiles(h, theta, g, m, s):
            eta, (beta1, beta2), eps, lam = h["lr"], h["betas"], h["eps"], h["weight_decay"]
            # θ ← (1 − η λ) θ
            if nonzero(lam):
                theta *= 1 - eta * lam
            # m ← β₁ m + (1 − β₁) g
            m *= beta1
            m += (1 - beta1) * g
            # s ← β₂ s + (1 − β₂) (g − m)² + ε
            off = g - m
            s *= beta2
            s += (1 - beta2) * off * off
            s += eps
            # θ ← θ − η m̂ / (√ŝ + ε)
            theta -= eta / (1 - beta1**t) * m / (np.sqrt(s) / (1 - beta2**t) ** 0.5 + eps)
