"""AdaBound: Adam whose rates are held in a band that closes on one of SGD's."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from optim_scratch.checks import FLAG, NOT_NEGATIVE, POSITIVE, SHARE, plain
from optim_scratch.parameter import Array, Parameter, Real

from .optimizer import Group, Optimizer, Parameters, State, grown, nonzero
from .tiles import Hyper, tiles


class AdaBound(Optimizer):
    r"""AdaBound; with the largest mean square so far, AMSBound.

    .. math::

       g_t &= \nabla \mathcal{L}(\theta_{t-1}) + \lambda\,\theta_{t-1} \\
       m_t &= \beta_1\,m_{t-1} + (1 - \beta_1)\,g_t, \qquad
       v_t = \beta_2\,v_{t-1} + (1 - \beta_2)\,g_t^2 \\
       r_t &= \operatorname{clip}\Bigl(
           \frac{\sqrt{1 - \beta_2^t}}{1 - \beta_1^t}\,\frac{\eta}{\sqrt{v_t} + \varepsilon},\;
           \eta^* - \frac{\eta^*}{\gamma t + 1},\; \eta^* + \frac{\eta^*}{\gamma t}\Bigr) \\
       \theta_t &= \theta_{t-1} - r_t\,m_t

    with :math:`m_0 = v_0 = 0`. At first the band is wide and the step is Adam's; in the end all
    rates are :math:`\eta^*`, and the step is that of SGD with an averaged momentum.

    Parameters
    ----------
    params : iterable of Parameter, or of groups
        What to move.
    lr : float or array, >= 0
        Adam's rate :math:`\eta`, in units of the parameter.
    betas : tuple of two, each a float or array in [0, 1)
        :math:`\beta_1` and :math:`\beta_2`, as Adam's.
    final_lr : float or array, >= 0
        :math:`\eta^*`, the rate in the end, in units of the parameter over the gradient, as SGD's.
        What is done to `lr`, by a schedule or by hand, is done to it too: the band is around
        :math:`\eta^*` times the present `lr` over that of the beginning.
    gamma : float or array, > 0
        :math:`\gamma`, how fast the band closes: after :math:`1/\gamma` steps its lower edge is at
        half of :math:`\eta^*` and its upper at twice that.
    eps : float or array, >= 0
        :math:`\varepsilon`, in units of the gradient, added to the root before its bias is
        corrected; Adam adds it after.
    weight_decay : float or array, >= 0
        :math:`\lambda`, the strength of an L2 penalty, whose gradient enters both means.
    amsbound : bool
        Divide by the largest :math:`v` so far.
    maximize : bool
        Go up the gradient instead of down.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its type or outside its range, or if an array hyper-parameter
        does not broadcast to the shape of every parameter.

    Notes
    -----
    Source: Luo et al. (2019), Algorithms 2 and 3. The paper corrects no bias, has neither
    :math:`\varepsilon` nor decay, divides the clipped rate by :math:`\sqrt t` and ties the band to
    :math:`1 - \beta_2` in place of :math:`\gamma`. The authors' package ``adabound`` computes what
    this class does: both biases are corrected inside the clip, so that where the band holds, the
    mean gradient is not corrected and begins at :math:`(1 - \beta_1)\,g`. It notes the rates of the
    beginning when it is made, saves none, and never moves a group that is added later; here they
    are the group's, ``"base_lr"`` in its ``"shared"``, and saved. pytorch-optimizer adds
    :math:`10^{-15}` inside the root, and decouples the decay unless it is told otherwise.

    Examples
    --------
    >>> w = Parameter([1.0, 1.0])
    >>> adabound = AdaBound([w], lr=0.1, final_lr=1.0, gamma=1.0)
    >>> w.grad = [1000.0, 0.001]
    >>> adabound.step()  # the band is from 0.5 to 2, and m is a tenth of the gradient
    >>> w.data.round(4).tolist()
    [-49.0, 0.9998]
    """

    limits: ClassVar[dict[str, Any]] = {
        "lr": NOT_NEGATIVE,
        "betas": (SHARE, SHARE),
        "final_lr": NOT_NEGATIVE,
        "gamma": POSITIVE,
        "eps": NOT_NEGATIVE,
        "weight_decay": NOT_NEGATIVE,
        "amsbound": FLAG,
        "maximize": FLAG,
    }
    squares = ("exp_avg_sq", "max_exp_avg_sq")

    def __init__(
        self,
        params: Parameters,
        lr: Real = 1e-3,
        betas: tuple[Real, Real] = (0.9, 0.999),
        final_lr: Real = 0.1,
        gamma: Real = 1e-3,
        eps: Real = 1e-8,
        weight_decay: Real = 0.0,
        amsbound: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "final_lr": final_lr,
            "gamma": gamma,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsbound": amsbound,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _begin_group(self, group: Group) -> State:
        return {"base_lr": 1.0 * group["lr"]}

    def _hyper(self, group: Group) -> Hyper:
        h, memory = super()._hyper(group), group["shared"]
        # a group that began with rate 0 begins with its first other one
        memory["base_lr"] = base = plain(np.where(memory["base_lr"], memory["base_lr"], h["lr"]))
        # η* ← η* η / η₁
        return {**h, "final_lr": h["final_lr"] * (h["lr"] / plain(np.where(base, base, 1.0)))}

    def _begin(self, p: Parameter, h: Hyper) -> State:
        m, v = np.zeros_like(p.data), np.zeros_like(p.data)
        return {"step": 0, "exp_avg": m, "exp_avg_sq": v, "max_exp_avg_sq": None}

    def _update(self, theta: Array, g: Array, state: State, h: Hyper) -> None:
        state["step"] += 1
        t, m, v = state["step"], state["exp_avg"], state["exp_avg_sq"]
        v_max = grown(state, "max_exp_avg_sq", theta) if h["amsbound"] else None
        for h, theta, g, m, v, v_max in tiles(h, theta, g, m, v, v_max):
            eta, (beta1, beta2), eps, lam = h["lr"], h["betas"], h["eps"], h["weight_decay"]
            low, high = bounds(t, h)
            # g ← g + λ θ
            if nonzero(lam):
                g = g + lam * theta
            # m ← β₁ m + (1 − β₁) g
            m *= beta1
            m += (1 - beta1) * g
            # v ← β₂ v + (1 − β₂) g²
            v *= beta2
            v += (1 - beta2) * g * g
            # AMSBound: v_max ← max(v_max, v), in place of v
            if v_max is not None:
                v = np.maximum(v_max, v, out=v_max)
            # r = η √(1 − β₂ᵗ) / (1 − β₁ᵗ) / (√v + ε), within the band
            r = eta * (1 - beta2**t) ** 0.5 / (1 - beta1**t) / (np.sqrt(v) + eps)
            # θ ← θ − r m
            theta -= np.clip(r, low, high) * m


def bounds(t: int, h: Hyper) -> tuple[Any, Any]:
    """Return the band of rates at step `t`: numbers, or arrays of those of each run."""
    final, gamma = h["final_lr"], h["gamma"]
    return final - final / (gamma * t + 1), final + final / (gamma * t)
