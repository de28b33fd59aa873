"""ASGD: SGD with a falling rate, and the average of its points."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from optim_scratch.checks import ANY, FLAG, NOT_NEGATIVE, plain
from optim_scratch.parameter import Array, Parameter, Real

from .optimizer import Optimizer, Parameters, State, nonzero
from .tiles import Hyper, tiles


class ASGD(Optimizer):
    r"""Averaged stochastic gradient descent.

    .. math::

       \theta_t &= (1 - \lambda\,\eta_t)\,\theta_{t-1} - \eta_t\,g_t \\
       a_t &= a_{t-1} + \mu_t\,(\theta_t - a_{t-1}) \\
       \eta_{t+1} &= \eta / (1 + \lambda\,\eta\,t)^\alpha, \qquad
       \mu_{t+1} = 1 / \max(1,\, t - t_0)

    with :math:`\eta_1 = \eta` and :math:`\mu_1 = 1`. Up to :math:`t = t_0 + 2` the average
    :math:`a` is the present point; from there on all points count alike.

    Parameters
    ----------
    params : iterable of Parameter, or of groups
        What to move. The average is ``state[p]["ax"]``, and what ``point(p)`` returns.
    lr : float or array, >= 0
        Learning rate :math:`\eta` of the first step, in units of parameter per gradient. A later
        change takes effect one step after.
    lambd : float or array, >= 0
        :math:`\lambda`, decay of the parameter, and of the rate.
    alpha : float or array
        :math:`\alpha`, the power by which the rate falls.
    t0 : float or array
        :math:`t_0`, the step after which averaging begins. The default of torch's, a million, is
        beyond the end of most trainings.
    weight_decay : float or array, >= 0
        The strength of an L2 penalty, whose gradient is added.
    maximize : bool
        Go up the gradient instead of down.

    Notes
    -----
    Source: Polyak & Juditsky (1992) for the average; Xu (2011) and Bottou's ``sgd`` for the rate
    and the start of averaging. torch, and so this class, computes :math:`\eta` and :math:`\mu` at
    the end of a step for the next. It keeps the average aside and evaluates where it steps; here
    ``point(p)`` gives the average.

    Examples
    --------
    >>> w = Parameter([0.0])
    >>> asgd = ASGD([w], lr=1.0, lambd=0.0, t0=0)
    >>> for gradient in (-1.0, 2.0, -3.0):
    ...     w.grad = [gradient]
    ...     asgd.step()
    >>> w.data.tolist(), asgd.point(w).round(3).tolist()
    ([2.0], [0.5])
    """

    limits: ClassVar[dict[str, Any]] = {
        "lr": NOT_NEGATIVE,
        "lambd": NOT_NEGATIVE,
        "alpha": ANY,
        "t0": ANY,
        "weight_decay": NOT_NEGATIVE,
        "maximize": FLAG,
    }

    def __init__(
        self,
        params: Parameters,
        lr: Real = 1e-2,
        lambd: Real = 1e-4,
        alpha: Real = 0.75,
        t0: Real = 1e6,
        weight_decay: Real = 0,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "lambd": lambd,
            "alpha": alpha,
            "t0": t0,
            "weight_decay": weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _begin(self, p: Parameter, h: Hyper) -> State:
        # as many rates as there are runs at once
        eta, mu = h["lr"] + 0.0 * (h["lambd"] + h["alpha"]), 1.0 + 0.0 * h["t0"]
        return {"step": 0, "eta": eta, "mu": mu, "ax": np.zeros_like(p.data)}

    def _update(self, theta: Array, g: Array, state: State, h: Hyper) -> None:
        state["step"] += 1
        t, eta, mu = state["step"], state["eta"], state["mu"]
        for h_, theta, g, a, eta, mu in tiles(h, theta, g, state["ax"], eta, mu):
            # g ← g plus the gradient of the penalty
            if nonzero(h_["weight_decay"]):
                g = g + h_["weight_decay"] * theta
            # θ ← (1 − λ η) θ − η g
            theta *= 1 - h_["lambd"] * eta
            theta -= eta * g
            # a ← a + μ (θ − a), which with μ = 1 is θ to the last digit, and whatever a was
            a[...] = np.where(mu == 1, theta, a + mu * (theta - a))
        # for the next step: η = η₁ / (1 + λ η₁ t)^α and μ = 1 / max(1, t − t₀)
        state["eta"] = h["lr"] / (1 + h["lambd"] * h["lr"] * t) ** h["alpha"]
        state["mu"] = plain(1 / np.maximum(1.0, t - h["t0"]))

    def point(self, p: Parameter) -> Array:
        """Return the average.

        Parameters
        ----------
        p : Parameter
            One of the optimizer's.

        Returns
        -------
        ndarray of its shape
        """
        average: Array = self.state[p]["ax"] if p in self.state else p.data
        return average
