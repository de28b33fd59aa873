"""SWATS: Adam, and SGD once it is known at which rate."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from optim_scratch.checks import FLAG, NOT_NEGATIVE, SHARE
from optim_scratch.parameter import Array, Parameter

from .optimizer import Group, Optimizer, Parameters, State, grown, nonzero
from .tiles import Hyper


class SWATS(Optimizer):
    r"""SWATS, switching from Adam to SGD.

    First Adam, whose step :math:`p_t` is watched beside the gradient:

    .. math::

       p_t &= -\eta\,\frac{\sqrt{1 - \beta_2^t}}{1 - \beta_1^t}\,
           \frac{m_t}{\sqrt{v_t} + \varepsilon}, \qquad \theta_t = \theta_{t-1} + p_t \\
       \gamma_t &= \frac{p_t^\top p_t}{-p_t^\top g_t}, \qquad
       \lambda_t = \beta_2\,\lambda_{t-1} + (1 - \beta_2)\,\gamma_t, \qquad
       \Lambda_t = \lambda_t / (1 - \beta_2^t)

    with Adam's means :math:`m_t` and :math:`v_t`. The SGD step :math:`-\gamma_t\,g_t`, projected on
    :math:`p_t`, is :math:`p_t`. As soon as :math:`t > 1` and
    :math:`|\Lambda_t - \gamma_t| < \varepsilon`, the rate is :math:`\Lambda_t` for good and the
    steps are those of SGD:

    .. math::

       b_t = \beta_1\,b_{t-1} + g_t, \qquad
       \theta_t = \theta_{t-1} - (1 - \beta_1)\,\Lambda\,b_t

    Parameters
    ----------
    params : iterable of Parameter, or of groups
        What to move. All parameters of a group are one vector :math:`\theta`; groups, which have
        rates of their own, switch by themselves.
    lr : float, >= 0
        Learning rate :math:`\eta` of Adam, in units of the parameter. The group's ``"lr"`` is
        :math:`\Lambda` from the switch on, in units of parameter per gradient; schedulers that
        rescale it go on from there, those that overwrite it undo the find.
    betas : tuple of two, each a float in [0, 1)
        :math:`\beta_1`, of the mean gradient and then of the momentum, and :math:`\beta_2`, of the
        mean square and of the mean rate.
    weight_decay : float, >= 0
        The strength of an L2 penalty, whose gradient is part of :math:`g_t`.
    eps : float, >= 0
        :math:`\varepsilon`, in units of the gradient where it is added to the root, and of
        :math:`\gamma` where it says how near is near enough: one number for both, as in the paper.
        With 0 there is no switch.
    maximize : bool
        Go up the gradient instead of down.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its type or outside its range.

    Notes
    -----
    Source: Keskar & Socher (2017), Algorithm 1, with weight decay in the gradient. We want
    :math:`\Lambda_t > 0`, of which the paper says nothing: where momentum leads uphill,
    :math:`\gamma_t` is negative, and so would the rate be.

    With the paper's :math:`\varepsilon = 10^{-9}` the switch waits until :math:`\gamma_t` happens
    to cross its mean that closely, which may be never, unless gradients stay the same.

    pytorch-optimizer's SWATS estimates a rate for each tensor by itself, and of those in a group
    that have settled the last decides for all. It takes :math:`|\Lambda_t - \gamma_t| \le 10^{-8} +
    \varepsilon\,|\gamma_t|` for near enough, :math:`\varepsilon = 10^{-6}` by default, adds 1e-15
    under the root, counts the steps that a group spends without a gradient, and its
    ``nesterov=True`` leaves the new gradient out of the look-ahead.

    Examples
    --------
    >>> w = Parameter([0.0, 0.0])
    >>> swats = SWATS([w], lr=0.1)
    >>> for _ in range(2):
    ...     w.grad = [3.0, 1.0]
    ...     swats.step()
    >>> swats.switched_at, round(swats.param_groups[0]["lr"], 6)  # 0.1 over the mean of |g|
    ([2], 0.05)
    """

    limits: ClassVar[dict[str, Any]] = {
        "lr": NOT_NEGATIVE,
        "betas": (SHARE, SHARE),
        "weight_decay": NOT_NEGATIVE,
        "eps": NOT_NEGATIVE,
        "maximize": FLAG,
    }
    squares = ("exp_avg_sq",)
    elementwise = False

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        weight_decay: float = 0.0,
        eps: float = 1e-9,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "weight_decay": weight_decay,
            "eps": eps,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    @property
    def switched_at(self) -> list[int | None]:
        """Of each group, the step after which it went over to SGD; None as long as it has not."""
        return [group["shared"]["switched_at"] or None for group in self.param_groups]

    def _begin(self, p: Parameter, h: Hyper) -> State:
        m, v = np.zeros_like(p.data), np.zeros_like(p.data)
        return {"exp_avg": m, "exp_avg_sq": v, "momentum_buffer": None}

    def _begin_group(self, group: Group) -> State:
        return {"step": 0, "exp_avg2": 0.0, "switched_at": 0}

    def _step_group(self, group: Group) -> None:
        moving, shared = list(self._moving(group)), group["shared"]
        shared["step"] += bool(moving)
        if shared["switched_at"]:
            for p, g, state, h in moving:
                self._sgd(p.data, g, state, h)
        else:
            t = shared["step"]
            products = [self._adam(p.data, g, state, h, t) for p, g, state, h in moving]
            self._look(group, sum(pp for pp, _ in products), sum(pg for _, pg in products))

    def _adam(self, theta: Array, g: Array, state: State, h: Hyper, t: int) -> tuple[float, float]:
        """Take Adam's step p, and return pᵀp and pᵀg."""
        m, v = state["exp_avg"], state["exp_avg_sq"]
        eta, (beta1, beta2), eps, lam = h["lr"], h["betas"], h["eps"], h["weight_decay"]
        # g ← g + λ θ
        if nonzero(lam):
            g = g + lam * theta
        # m ← β₁ m + (1 − β₁) g
        m *= beta1
        m += (1 - beta1) * g
        # v ← β₂ v + (1 − β₂) g²
        v *= beta2
        v += (1 - beta2) * g * g
        # p = −η √(1 − β₂ᵗ) / (1 − β₁ᵗ) · m / (√v + ε);  θ ← θ + p
        p = -eta * (1 - beta2**t) ** 0.5 / (1 - beta1**t) * m / (np.sqrt(v) + eps)
        theta += p
        p, g = (array.ravel().astype(np.float64, copy=False) for array in (p, g))
        return float(p @ p), float(p @ g)

    def _look(self, group: Group, pp: float, pg: float) -> None:
        """Estimate SGD's rate from the step of all parameters, and switch if it has settled."""
        shared, (_, beta2), eps = group["shared"], group["betas"], group["eps"]
        if pg == 0:
            return
        # γ = pᵀp / (−pᵀg)
        gamma, t = pp / -pg, shared["step"]
        # λ ← β₂ λ + (1 − β₂) γ, and Λ = λ / (1 − β₂ᵗ)
        shared["exp_avg2"] = beta2 * shared["exp_avg2"] + (1 - beta2) * gamma
        rate = shared["exp_avg2"] / (1 - beta2**t)
        if t > 1 and rate > 0 and abs(rate - gamma) < eps:
            shared["switched_at"], group["lr"] = t, rate

    def _sgd(self, theta: Array, g: Array, state: State, h: Hyper) -> None:
        """Take SGD's step."""
        rate, (beta1, _), lam = h["lr"], h["betas"], h["weight_decay"]
        b = grown(state, "momentum_buffer", theta)
        # g ← g + λ θ
        if nonzero(lam):
            g = g + lam * theta
        # b ← β₁ b + g
        b *= beta1
        b += g
        # θ ← θ − (1 − β₁) Λ b
        theta -= (1 - beta1) * rate * b
