"""Schedule-free AdamW: Adam's denominator, and an average in place of momentum and schedule."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from optim_scratch.checks import ANY, NOT_NEGATIVE, SHARE, Integer, Number
from optim_scratch.parameter import Parameter, Real

from .optimizer import Group, Parameters, State, nonzero
from .schedule_free import ScheduleFree
from .tiles import Hyper, tiles


class AdamWScheduleFree(ScheduleFree):
    r"""Schedule-free AdamW.

    .. math::

       g_t &= \nabla \mathcal{L}(y_t) \\
       v_t &= \beta_2\,v_{t-1} + (1 - \beta_2)\,g_t^2, \qquad
       \hat v_t = v_t / (1 - \beta_2^t) \\
       d_t &= g_t / (\sqrt{\hat v_t} + \varepsilon) + \lambda\,y_t \\
       z_{t+1} &= z_t - \gamma_t\,d_t \\
       x_{t+1} &= (1 - c_{t+1})\,x_t + c_{t+1}\,z_{t+1} \\
       y_{t+1} &= (1 - \beta_1)\,z_{t+1} + \beta_1\,x_{t+1}

    with :math:`x_0 = y_0 = z_0 = \theta_0` and :math:`v_0 = 0`. What :math:`\gamma` and :math:`c`
    are, the base says: `ScheduleFree`.

    Parameters
    ----------
    params : iterable of Parameter, or of groups
        What to move. A parameter holds :math:`y`; the loss is to be evaluated at ``point(p)``.
    lr : float or array, >= 0
        Learning rate :math:`\eta`, in units of the parameter.
    betas : tuple of two, a float or array in (0, 1) and one in [0, 1)
        :math:`\beta_1`, how near to the average gradients are taken, and :math:`\beta_2`, the share
        of the mean square that survives a step.
    eps : float or array, >= 0
        :math:`\varepsilon`, in units of the gradient.
    weight_decay : float or array, >= 0
        :math:`\lambda`, how much of :math:`y` a step takes off, in units of the rate: decoupled, as
        it does not pass through the denominator.
    warmup_steps : int, >= 0
        :math:`W`, over how many steps the rate rises.
    r : float or array
        The power of time in the weights of the average; 0 weighs all points alike.
    weight_lr_power : float or array
        :math:`p`, the power of the greatest rate so far in them.

    Notes
    -----
    Source: Defazio et al. (2024), Algorithm 1; names and defaults are those of the package
    ``schedulefree`` 1.4, which corrects the bias of :math:`v`, where the algorithm as printed lets
    it stand in the rate.

    Examples
    --------
    >>> w = Parameter([1.0])
    >>> free = AdamWScheduleFree([w], lr=0.5)
    >>> w.grad = [1000.0]
    >>> free.step()
    >>> w.data.round(4).tolist(), free.point(w).round(4).tolist()
    ([0.5], [0.5])
    """

    mixing = "betas"
    limits: ClassVar[dict[str, Any]] = {
        "lr": NOT_NEGATIVE,
        "betas": (Number(low=0, high=1, above=True, below=True), SHARE),
        "eps": NOT_NEGATIVE,
        "weight_decay": NOT_NEGATIVE,
        "warmup_steps": Integer(0),
        "r": ANY,
        "weight_lr_power": ANY,
    }
    squares = ("exp_avg_sq",)

    def __init__(
        self,
        params: Parameters,
        lr: Real = 0.0025,
        betas: tuple[Real, Real] = (0.9, 0.999),
        eps: Real = 1e-8,
        weight_decay: Real = 0,
        warmup_steps: int = 0,
        r: Real = 0.0,
        weight_lr_power: Real = 2.0,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "warmup_steps": warmup_steps,
            "r": r,
            "weight_lr_power": weight_lr_power,
        }
        super().__init__(params, defaults)

    def _begin(self, p: Parameter, h: Hyper) -> State:
        return {"z": p.data.copy(), "exp_avg_sq": np.zeros_like(p.data)}

    def _step_group(self, group: Group) -> None:
        gamma, c = self._rate_and_share(group, self._hyper(group))
        t = group["shared"]["k"]
        for p, g, state, h in self._moving(group):
            z, v = state["z"], state["exp_avg_sq"]
            for h, y, g, z, v, gamma_, c_ in tiles(h, p.data, g, z, v, gamma, c):
                (beta1, beta2), eps, lam = h["betas"], h["eps"], h["weight_decay"]
                # v ← β₂ v + (1 − β₂) g²
                v *= beta2
                v += (1 - beta2) * g * g
                # d = g / (√v̂ + ε) + λ y, where v̂ = v / (1 − β₂ᵗ)
                d = g / (np.sqrt(v / (1 - beta2**t)) + eps)
                d = d + lam * y if nonzero(lam) else d
                # x = (y − (1 − β₁) z) / β₁
                x = (y - (1 - beta1) * z) / beta1
                # z ← z − γ d
                z -= gamma_ * d
                # x ← (1 − c) x + c z
                x += c_ * (z - x)
                # y ← (1 − β₁) z + β₁ x
                y[...] = (1 - beta1) * z + beta1 * x
