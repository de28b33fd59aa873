"""Adamax: Adam with the largest gradient of late in place of the root mean square."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from optim_scratch.checks import FLAG, NOT_NEGATIVE, SHARE
from optim_scratch.parameter import Array, Parameter, Real

from .optimizer import Optimizer, Parameters, State, nonzero
from .tiles import Hyper, tiles


class Adamax(Optimizer):
    r"""Adamax, Adam in the maximum norm.

    .. math::

       g_t &= \nabla \mathcal{L}(\theta_{t-1}) + \lambda\,\theta_{t-1} \\
       m_t &= \beta_1\,m_{t-1} + (1 - \beta_1)\,g_t \\
       u_t &= \max(\beta_2\,u_{t-1},\; |g_t| + \varepsilon) \\
       \theta_t &= \theta_{t-1} - \frac{\eta}{1 - \beta_1^t}\,\frac{m_t}{u_t}

    with :math:`m_0 = u_0 = 0`. A maximum needs no correction of a bias. Where
    :math:`\beta_1 < \beta_2` no entry ever moves by more than
    :math:`\eta\,(1 - \beta_1) / (1 - \beta_1 / \beta_2)`, with the usual ones
    :math:`1.009\,\eta`; else nothing bounds a step, for :math:`u` forgets before :math:`m` does.

    Parameters
    ----------
    params : iterable of Parameter, or of groups
        What to move.
    lr : float or array, >= 0
        Learning rate :math:`\eta`, in units of the parameter.
    betas : tuple of two, each a float or array in [0, 1)
        :math:`\beta_1`, the share of the mean gradient that survives a step; :math:`\beta_2`, by
        which the memory of the largest gradient shrinks.
    eps : float or array, >= 0
        :math:`\varepsilon`, in units of the gradient. With 0, an entry whose gradient was always 0
        becomes NaN.
    weight_decay : float or array, >= 0
        :math:`\lambda`, the strength of an L2 penalty, whose gradient enters mean and maximum.
    maximize : bool
        Go up the gradient instead of down.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its type or outside its range, or if an array hyper-parameter
        does not broadcast to the shape of every parameter.

    Notes
    -----
    Source: Kingma & Ba (2015), Algorithm 2, which has no :math:`\varepsilon`. torch, and so this
    class, adds it to the new gradient's size before the maximum is taken. The paper bounds steps
    by :math:`\eta` itself, which gradients that shrink by :math:`\beta_2` exceed.

    Examples
    --------
    >>> w = Parameter([1.0, 1.0])
    >>> adamax = Adamax([w], lr=0.1)
    >>> w.grad = [1000.0, 0.001]
    >>> adamax.step()
    >>> w.data.round(4).tolist()
    [0.9, 0.9]
    """

    limits: ClassVar[dict[str, Any]] = {
        "lr": NOT_NEGATIVE,
        "betas": (SHARE, SHARE),
        "eps": NOT_NEGATIVE,
        "weight_decay": NOT_NEGATIVE,
        "maximize": FLAG,
    }
    squares = ("exp_inf",)

    def __init__(
        self,
        params: Parameters,
        lr: Real = 2e-3,
        betas: tuple[Real, Real] = (0.9, 0.999),
        eps: Real = 1e-8,
        weight_decay: Real = 0,
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
        return {"step": 0, "exp_avg": np.zeros_like(p.data), "exp_inf": np.zeros_like(p.data)}

    def _update(self, theta: Array, g: Array, state: State, h: Hyper) -> None:
        state["step"] += 1
        t, m, u = state["step"], state["exp_avg"], state["exp_inf"]
        for h, theta, g, m, u in tiles(h, theta, g, m, u):
            eta, (beta1, beta2), eps, lam = h["lr"], h["betas"], h["eps"], h["weight_decay"]
            # g ← g + λ θ
            if nonzero(lam):
                g = g + lam * theta
            # m ← β₁ m + (1 − β₁) g
            m *= beta1
            m += (1 - beta1) * g
            # u ← max(β₂ u, |g| + ε)
            u *= beta2
            np.maximum(u, np.abs(g) + eps, out=u)
            # θ ← θ − η / (1 − β₁ᵗ) · m / u
            theta -= eta / (1 - beta1**t) * m / u
