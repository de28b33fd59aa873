"""RMSprop: each entry of the gradient over its own recent size."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from optim_scratch.checks import FLAG, NOT_NEGATIVE, SHARE
from optim_scratch.parameter import Array, Parameter, Real

from .optimizer import Optimizer, Parameters, State, grown, nonzero
from .tiles import Hyper, tiles


class RMSprop(Optimizer):
    r"""RMSprop, root mean square propagation.

    .. math::

       g_t &= \nabla \mathcal{L}(\theta_{t-1}) + \lambda\,\theta_{t-1} \\
       v_t &= \alpha\,v_{t-1} + (1 - \alpha)\,g_t^2 \\
       b_t &= \mu\,b_{t-1} + g_t / (\sqrt{v_t} + \varepsilon) \\
       \theta_t &= \theta_{t-1} - \eta\,b_t

    with :math:`v_0 = b_0 = 0`. No bias is corrected: each entry's first step has the length
    :math:`\eta / \sqrt{1 - \alpha}`, ten times :math:`\eta` with the usual :math:`\alpha`. Centred,
    it divides by an estimate of the standard deviation, :math:`\sqrt{v_t - m_t^2}` in place of
    :math:`\sqrt{v_t}`, with the mean :math:`m_t = \alpha\,m_{t-1} + (1 - \alpha)\,g_t`.

    Parameters
    ----------
    params : iterable of Parameter, or of groups
        What to move.
    lr : float or array, >= 0
        Learning rate :math:`\eta`, in units of the parameter.
    alpha : float or array in [0, 1)
        :math:`\alpha`, the share of the mean square that survives a step. torch admits 1 and more.
    eps : float or array, >= 0
        :math:`\varepsilon`, in units of the gradient, added to the root.
    weight_decay : float or array, >= 0
        :math:`\lambda`, the strength of an L2 penalty, whose gradient enters the mean square.
    momentum : float or array in [0, 1)
        :math:`\mu`, the share of the buffer that survives a step; the rate stands outside it. torch
        admits 1 and more.
    centered : bool
        Divide by the standard deviation. A gradient that stays the same has none: then
        :math:`\varepsilon` alone is left, and with 0 the step is not a number.
    maximize : bool
        Go up the gradient instead of down.

    Notes
    -----
    Source: Tieleman & Hinton (2012), lecture 6.5, which has neither :math:`\varepsilon` nor
    momentum; Graves (2013), equations 38 to 41, for the centred form with momentum, which takes
    :math:`\varepsilon` into the root and the rate into the buffer. torch, and so this class, keeps
    both outside.

    Examples
    --------
    >>> w = Parameter([1.0, 1.0])
    >>> rmsprop = RMSprop([w], lr=0.01)
    >>> w.grad = [1000.0, 0.001]
    >>> rmsprop.step()
    >>> w.data.round(3).tolist()
    [0.9, 0.9]
    """

    limits: ClassVar[dict[str, Any]] = {
        "lr": NOT_NEGATIVE,
        "alpha": SHARE,
        "eps": NOT_NEGATIVE,
        "weight_decay": NOT_NEGATIVE,
        "momentum": SHARE,
        "centered": FLAG,
        "maximize": FLAG,
    }
    squares = ("square_avg",)

    def __init__(
        self,
        params: Parameters,
        lr: Real = 1e-2,
        alpha: Real = 0.99,
        eps: Real = 1e-8,
        weight_decay: Real = 0,
        momentum: Real = 0,
        centered: bool = False,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "alpha": alpha,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "centered": centered,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _begin(self, p: Parameter, h: Hyper) -> State:
        v = np.zeros_like(p.data)
        return {"step": 0, "square_avg": v, "momentum_buffer": None, "grad_avg": None}

    def _update(self, theta: Array, g: Array, state: State, h: Hyper) -> None:
        state["step"] += 1
        v = state["square_avg"]
        b = grown(state, "momentum_buffer", theta) if nonzero(h["momentum"]) else None
        m = grown(state, "grad_avg", theta) if h["centered"] else None
        for h, theta, g, v, b, m in tiles(h, theta, g, v, b, m):
            eta, alpha, eps, lam = h["lr"], h["alpha"], h["eps"], h["weight_decay"]
            # g ← g + λ θ
            if nonzero(lam):
                g = g + lam * theta
            # v ← α v + (1 − α) g²
            v *= alpha
            v += (1 - alpha) * g * g
            # centred: m ← α m + (1 − α) g, and the variance v − m² in place of v
            if m is not None:
                m *= alpha
                m += (1 - alpha) * g
                v = v - m * m
            # d = g / (√v + ε)
            d = g / (np.sqrt(v) + eps)
            # b ← μ b + d, in place of d
            if b is not None:
                b *= h["momentum"]
                b += d
                d = b
            # θ ← θ − η d
            theta -= eta * d
