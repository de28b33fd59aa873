"""Yogi: Adam whose mean square changes by no more than the new square."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from optim_scratch.checks import FLAG, NOT_NEGATIVE, SHARE
from optim_scratch.parameter import Array, Parameter, Real

from .optimizer import Optimizer, Parameters, State, nonzero
from .tiles import Hyper, tiles


class Yogi(Optimizer):
    r"""Yogi, Adam with an additive mean square.

    .. math::

       m_t &= \beta_1\,m_{t-1} + (1 - \beta_1)\,g_t, \qquad
       \hat m_t = m_t / (1 - \beta_1^t) \\
       v_t &= v_{t-1} - (1 - \beta_2)\,\operatorname{sign}(v_{t-1} - g_t^2)\,g_t^2, \qquad
       \hat v_t = v_t / (1 - \beta_2^t) \\
       \theta_t &= (1 - \eta\lambda)\,\theta_{t-1}
           - \eta\,\frac{\hat m_t}{\sqrt{\hat v_t} + \varepsilon}

    Where gradients have become small, Adam forgets the large ones at the speed of :math:`\beta_2`,
    and its rate rises with it. Here :math:`v` moves by :math:`(1 - \beta_2)\,g_t^2` at the most,
    and so falls slowly.

    Parameters
    ----------
    params : iterable of Parameter, or of groups
        What to move.
    lr : float or array, >= 0
        Learning rate :math:`\eta`, in units of the parameter.
    betas : tuple of two, each a float or array in [0, 1)
        :math:`\beta_1`, the share of the mean gradient that survives a step, and :math:`\beta_2`.
    eps : float or array, >= 0
        :math:`\varepsilon`, in units of the gradient; large by default, as the authors advise.
    initial_accumulator : float or array, >= 0
        :math:`v_0`, in units of the gradient squared.
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
    Source: Zaheer et al. (2018), Algorithm 2, which corrects no bias and has no weight decay; for
    :math:`v_0` they propose the square of the gradient at the start, averaged over a large
    mini-batch. Their own code, in TensorFlow Addons, begins at :math:`v_0 = 10^{-6}` and corrects
    both biases, as this class does; it adds :math:`\varepsilon` before the correction. The
    correction is Adam's, and divides :math:`v_0` too: the first step sees :math:`v_0 / (1 -
    \beta_2)`. optax and pytorch-optimizer let the mean gradient begin at :math:`v_0` too, where the
    paper and its authors' code begin at 0: so there an entry that never has a gradient moves, by
    0.0003 of the rate in the first step.

    Examples
    --------
    >>> w = Parameter([1.0])
    >>> yogi = Yogi([w], lr=0.1, betas=(0.0, 0.9), eps=0.0, initial_accumulator=4.0)
    >>> w.grad = [1.0]
    >>> yogi.step()
    >>> yogi.state[w]["exp_avg_sq"].round(3).tolist()  # Adam's would be 3.7
    [3.9]
    """

    limits: ClassVar[dict[str, Any]] = {
        "lr": NOT_NEGATIVE,
        "betas": (SHARE, SHARE),
        "eps": NOT_NEGATIVE,
        "initial_accumulator": NOT_NEGATIVE,
        "weight_decay": NOT_NEGATIVE,
        "maximize": FLAG,
    }
    squares = ("exp_avg_sq",)

    def __init__(
        self,
        params: Parameters,
        lr: Real = 1e-2,
        betas: tuple[Real, Real] = (0.9, 0.999),
        eps: Real = 1e-3,
        initial_accumulator: Real = 1e-6,
        weight_decay: Real = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "initial_accumulator": initial_accumulator,
            "weight_decay": weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _begin(self, p: Parameter, h: Hyper) -> State:
        m, v = np.zeros_like(p.data), np.zeros_like(p.data)
        v += h["initial_accumulator"]
        return {"step": 0, "exp_avg": m, "exp_avg_sq": v}

    def _update(self, theta: Array, g: Array, state: State, h: Hyper) -> None:
        state["step"] += 1
        t, m, v = state["step"], state["exp_avg"], state["exp_avg_sq"]
        for h, theta, g, m, v in tiles(h, theta, g, m, v):
            eta, (beta1, beta2), eps, lam = h["lr"], h["betas"], h["eps"], h["weight_decay"]
            # θ ← (1 − η λ) θ
            if nonzero(lam):
                theta *= 1 - eta * lam
            # m ← β₁ m + (1 − β₁) g
            m *= beta1
            m += (1 - beta1) * g
            # v ← v − (1 − β₂) sign(v − g²) g²
            square = g * g
            v -= (1 - beta2) * np.sign(v - square) * square
            # θ ← θ − η m̂ / (√v̂ + ε)
            theta -= eta / (1 - beta1**t) * m / (np.sqrt(v) / (1 - beta2**t) ** 0.5 + eps)
