"""signSGD: a step of one length for each entry, and with momentum Signum."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from optim_scratch.checks import FLAG, NOT_NEGATIVE, SHARE
from optim_scratch.parameter import Array, Parameter, Real

from .optimizer import Optimizer, Parameters, State, grown, nonzero
from .tiles import Hyper, tiles


class SignSGD(Optimizer):
    r"""signSGD; with momentum, Signum.

    .. math::

       m_t &= \mu\,m_{t-1} + (1 - \mu)\,g_t \\
       \theta_t &= (1 - \eta\lambda)\,\theta_{t-1} - \eta\,\operatorname{sign}(m_t)

    with :math:`m_0 = 0`. Of all steps whose entries are at most :math:`\eta` long, this one goes
    furthest down the gradient.

    Parameters
    ----------
    params : iterable of Parameter, or of groups
        What to move.
    lr : float or array, >= 0
        Learning rate :math:`\eta`, in units of the parameter: the length of each step of each entry
        whose gradient is not 0.
    momentum : float or array in [0, 1)
        :math:`\mu`, the share of the mean gradient that survives a step; 0 for signSGD.
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
    Source: Bernstein et al. (2018), Algorithms 1 and 2, which have no weight decay; it is decoupled
    here. torch has no signSGD.

    Examples
    --------
    >>> w = Parameter([1.0, 1.0])
    >>> sign_sgd = SignSGD([w], lr=0.1)
    >>> w.grad = [1000.0, -0.001]
    >>> sign_sgd.step()
    >>> w.data.round(4).tolist()
    [0.9, 1.1]
    """

    limits: ClassVar[dict[str, Any]] = {
        "lr": NOT_NEGATIVE,
        "momentum": SHARE,
        "weight_decay": NOT_NEGATIVE,
        "maximize": FLAG,
    }

    def __init__(
        self,
        params: Parameters,
        lr: Real = 1e-3,
        momentum: Real = 0.0,
        weight_decay: Real = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "weight_decay": weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _begin(self, p: Parameter, h: Hyper) -> State:
        return {"momentum_buffer": None}

    def _update(self, theta: Array, g: Array, state: State, h: Hyper) -> None:
        m = grown(state, "momentum_buffer", theta) if nonzero(h["momentum"]) else None
        for h, theta, g, m in tiles(h, theta, g, m):
            eta, mu, lam = h["lr"], h["momentum"], h["weight_decay"]
            # θ ← (1 − η λ) θ
            if nonzero(lam):
                theta *= 1 - eta * lam
            # m ← μ m + (1 − μ) g, in place of g
            if m is not None:
                m *= mu
                m += (1 - mu) * g
                g = m
            # θ ← θ − η sign(m)
            theta -= eta * np.sign(g)
