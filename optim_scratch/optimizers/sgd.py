"""Stochastic gradient descent, with momentum, Nesterov's step and weight decay."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from optim_scratch.checks import FLAG, FRACTION, NOT_NEGATIVE, SHARE
from optim_scratch.parameter import Array, Parameter, Real, RowSparse

from .optimizer import Optimizer, Parameters, State, check_rows, grown, nonzero
from .tiles import Hyper, tiles


class SGD(Optimizer):
    r"""Stochastic gradient descent.

    .. math::

       g_t &= \nabla \mathcal{L}(\theta_{t-1}) + \lambda\,\theta_{t-1} \\
       b_t &= \mu\,b_{t-1} + (1 - \tau)\,g_t, \qquad b_1 = g_1 \\
       \theta_t &= \theta_{t-1} - \eta\,d_t, \qquad
       d_t = b_t \;\text{ or, with Nesterov's step, }\; d_t = g_t + \mu\,b_t

    Without momentum, :math:`d_t = g_t`. The first gradient enters the buffer undamped.

    Parameters
    ----------
    params : iterable of Parameter, or of groups
        What to move. A group is a dict with the key ``"params"`` and hyper-parameters of its own.
    lr : float or array, >= 0
        Learning rate :math:`\eta`, in units of parameter per gradient.
    momentum : float or array in [0, 1)
        :math:`\mu`, the share of the buffer that survives a step. torch admits 1 and more,
        with which no step ever forgets; we refuse it.
    dampening : float or array in [0, 1]
        :math:`\tau`, the share of a new gradient that is kept out of the buffer. torch admits
        any number.
    weight_decay : float or array, >= 0
        :math:`\lambda`, the strength of an L2 penalty :math:`\tfrac{\lambda}{2}\|\theta\|^2`.
    nesterov : bool
        Take Nesterov's step. It needs momentum > 0 and dampening 0.
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
    A `RowSparse` gradient moves its rows alone. With momentum all rows move that ever had a
    gradient, and it is taken as dense: the numbers are torch's, which keeps a sparse buffer. Weight
    decay would move all rows; with such a gradient it is refused, here as in torch.

    Source: Robbins & Monro (1951) for the stochastic step, Polyak (1964) for momentum,
    Nesterov (1983) for the look-ahead, in the form of Sutskever et al. (2013). They keep the
    rate inside the buffer; torch, and so this class, keeps it outside: see the chapter on
    momentum's conventions for what differs when the rate changes.

    Examples
    --------
    >>> w = Parameter(1.0)
    >>> sgd = SGD([w], lr=0.1)
    >>> w.grad = 2 * w.data
    >>> sgd.step()
    >>> float(w.data)
    0.8
    """

    limits: ClassVar[dict[str, Any]] = {
        "lr": NOT_NEGATIVE,
        "momentum": SHARE,
        "dampening": FRACTION,
        "weight_decay": NOT_NEGATIVE,
        "nesterov": FLAG,
        "maximize": FLAG,
    }

    def __init__(
        self,
        params: Parameters,
        lr: Real = 1e-3,
        momentum: Real = 0.0,
        dampening: Real = 0.0,
        weight_decay: Real = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "nesterov": nesterov,
            "maximize": maximize,
            "weight_decay": weight_decay,
        }
        super().__init__(params, defaults)

    def _check(self, group: dict[str, Any]) -> None:
        mu, tau = np.asarray(group["momentum"]), np.asarray(group["dampening"])
        if group["nesterov"] and not (np.all(mu > 0) and np.all(tau == 0)):
            raise ValueError(
                f"nesterov=True needs momentum > 0 and dampening 0, got momentum "
                f"{group['momentum']} and dampening {group['dampening']}"
            )

    def _check_gradient(self, g: Any, group: dict[str, Any]) -> None:
        check_rows(g, group)

    def _begin(self, p: Parameter, h: Hyper) -> State:
        return {"momentum_buffer": None}

    def _update(self, theta: Array, g: Array | RowSparse, state: State, h: Hyper) -> None:
        first = state["momentum_buffer"] is None
        b = grown(state, "momentum_buffer", theta) if nonzero(h["momentum"]) else None
        if isinstance(g, RowSparse) and b is not None:
            g = g.dense()
        for h, theta, g, b in tiles(h, theta, g, b):
            eta, mu, tau, lam = h["lr"], h["momentum"], h["dampening"], h["weight_decay"]
            # g ← g + λ θ
            if nonzero(lam):
                g = g + lam * theta
            if b is not None:
                # b ← μ b + (1 − τ) g; the first gradient enters undamped, and where μ is 0 each
                b *= mu
                b += g if first else (1 - tau * (mu != 0)) * g
                # d = g + μ b with Nesterov's step, else d = b
                g = g + mu * b if h["nesterov"] else b
            # θ ← θ − η d
            theta -= eta * g
