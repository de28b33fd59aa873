"""Adadelta: steps of the size of the last steps, so that units cancel and no rate is needed."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from optim_scratch.checks import FLAG, NOT_NEGATIVE, SHARE
from optim_scratch.parameter import Array, Parameter, Real

from .optimizer import Optimizer, Parameters, State, nonzero
from .tiles import Hyper, tiles


class Adadelta(Optimizer):
    r"""Adadelta, which measures its steps by its steps.

    .. math::

       g_t &= \nabla \mathcal{L}(\theta_{t-1}) + \lambda\,\theta_{t-1} \\
       v_t &= \rho\,v_{t-1} + (1 - \rho)\,g_t^2 \\
       d_t &= \frac{\sqrt{a_{t-1} + \varepsilon}}{\sqrt{v_t + \varepsilon}}\,g_t \\
       a_t &= \rho\,a_{t-1} + (1 - \rho)\,d_t^2 \\
       \theta_t &= \theta_{t-1} - \eta\,d_t

    with :math:`v_0 = a_0 = 0`. :math:`d_t` is in units of the parameter, as the mean square
    :math:`a_t` of the last steps is, and so :math:`\eta = 1` will do. The first step has the length
    :math:`\sqrt{\varepsilon / (1 - \rho)}` where gradients are well above :math:`\sqrt\varepsilon`.

    Parameters
    ----------
    params : iterable of Parameter, or of groups
        What to move.
    lr : float or array, >= 0
        :math:`\eta`, a number without units; 1 in the paper.
    rho : float or array in [0, 1)
        :math:`\rho`, the share of both mean squares that survives a step. torch admits 1.
    eps : float or array, >= 0
        :math:`\varepsilon`, added to both mean squares, though their units differ; it sets how long
        the first steps are. With 0 there are none.
    weight_decay : float or array, >= 0
        :math:`\lambda`, the strength of an L2 penalty, whose gradient enters the mean square.
    maximize : bool
        Go up the gradient instead of down.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its type or outside its range, or if an array hyper-parameter
        does not broadcast to the shape of every parameter.

    Notes
    -----
    Source: Zeiler (2012), Algorithm 1, which has no rate and is tried there with :math:`\rho` 0.95;
    0.9 is torch's.

    Examples
    --------
    >>> w = Parameter([1.0, 1.0])
    >>> adadelta = Adadelta([w])
    >>> w.grad = [1000.0, 1.0]
    >>> adadelta.step()
    >>> w.data.round(4).tolist()
    [0.9968, 0.9968]
    """

    limits: ClassVar[dict[str, Any]] = {
        "lr": NOT_NEGATIVE,
        "rho": SHARE,
        "eps": NOT_NEGATIVE,
        "weight_decay": NOT_NEGATIVE,
        "maximize": FLAG,
    }
    squares = ("square_avg", "acc_delta")

    def __init__(
        self,
        params: Parameters,
        lr: Real = 1.0,
        rho: Real = 0.9,
        eps: Real = 1e-6,
        weight_decay: Real = 0,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _begin(self, p: Parameter, h: Hyper) -> State:
        v, a = np.zeros_like(p.data), np.zeros_like(p.data)
        return {"step": 0, "square_avg": v, "acc_delta": a}

    def _update(self, theta: Array, g: Array, state: State, h: Hyper) -> None:
        state["step"] += 1
        for h, theta, g, v, a in tiles(h, theta, g, state["square_avg"], state["acc_delta"]):
            eta, rho, eps, lam = h["lr"], h["rho"], h["eps"], h["weight_decay"]
            # g ← g + λ θ
            if nonzero(lam):
                g = g + lam * theta
            # v ← ρ v + (1 − ρ) g²
            v *= rho
            v += (1 - rho) * g * g
            # d = √(a + ε) / √(v + ε) · g
            d = np.sqrt(a + eps) / np.sqrt(v + eps) * g
            # a ← ρ a + (1 − ρ) d²
            a *= rho
            a += (1 - rho) * d * d
            # θ ← θ − η d
            theta -= eta * d
