"""RAdam: Adam that takes momentum's steps until it knows its denominators."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from optim_scratch.checks import FLAG, NOT_NEGATIVE, SHARE, plain
from optim_scratch.parameter import Array, Parameter, Real

from .optimizer import Optimizer, Parameters, State, nonzero
from .tiles import Hyper, tiles


class RAdam(Optimizer):
    r"""RAdam, Adam with a rectified denominator.

    .. math::

       m_t &= \beta_1\,m_{t-1} + (1 - \beta_1)\,g_t, \qquad
       \hat m_t = m_t / (1 - \beta_1^t) \\
       v_t &= \beta_2\,v_{t-1} + (1 - \beta_2)\,g_t^2, \qquad
       l_t = \sqrt{1 - \beta_2^t} / (\sqrt{v_t} + \varepsilon) \\
       \rho_\infty &= \frac{2}{1 - \beta_2} - 1, \qquad
       \rho_t = \rho_\infty - \frac{2\,t\,\beta_2^t}{1 - \beta_2^t} \\
       \theta_t &= \theta_{t-1} - \eta\,\hat m_t \cdot \begin{cases}
           r_t\,l_t & \rho_t > 5, \quad r_t = \sqrt{\dfrac{(\rho_t - 4)(\rho_t - 2)\,\rho_\infty}
               {(\rho_\infty - 4)(\rho_\infty - 2)\,\rho_t}} \\
           1 & \text{else}
       \end{cases}

    :math:`\rho_t` is about the number of squares that :math:`v_t` is a mean of, and :math:`r_t` a
    warmup that follows from it: with the usual :math:`\beta_2` the first five steps are those of
    momentum, in units of the gradient, and then :math:`r_t` rises from 0.026 towards 1.

    Parameters
    ----------
    params : iterable of Parameter, or of groups
        What to move.
    lr : float or array, >= 0
        Learning rate :math:`\eta`, in units of the parameter; in the first steps in those of the
        parameter over the gradient.
    betas : tuple of two, each a float or array in [0, 1)
        :math:`\beta_1` and :math:`\beta_2`, as Adam's. With :math:`\beta_2 \le 2/3` no step is ever
        rectified.
    eps : float or array, >= 0
        :math:`\varepsilon`, in units of the gradient, added to the root before its bias is
        corrected; Adam adds it after.
    weight_decay : float or array, >= 0
        :math:`\lambda`, the strength of an L2 penalty, whose gradient enters both means.
    decoupled_weight_decay : bool
        Take the decay off the parameter instead of adding it to the gradient, as `AdamW` does.
    maximize : bool
        Go up the gradient instead of down.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its type or outside its range, or if an array hyper-parameter
        does not broadcast to the shape of every parameter.

    Notes
    -----
    Source: Liu et al. (2020), Algorithm 2, which rectifies from :math:`\rho_t > 4` on and has no
    :math:`\varepsilon`; torch, and so this class, waits for :math:`\rho_t > 5`.

    Examples
    --------
    >>> w = Parameter([1.0])
    >>> radam = RAdam([w], lr=0.1)
    >>> for _ in range(6):
    ...     w.grad = [0.5]
    ...     radam.step()
    >>> w.data.round(4).tolist()  # five steps of 0.05, then one of 0.1 r₆
    [0.7474]
    """

    limits: ClassVar[dict[str, Any]] = {
        "lr": NOT_NEGATIVE,
        "betas": (SHARE, SHARE),
        "eps": NOT_NEGATIVE,
        "weight_decay": NOT_NEGATIVE,
        "decoupled_weight_decay": FLAG,
        "maximize": FLAG,
    }
    squares = ("exp_avg_sq",)

    def __init__(
        self,
        params: Parameters,
        lr: Real = 1e-3,
        betas: tuple[Real, Real] = (0.9, 0.999),
        eps: Real = 1e-8,
        weight_decay: Real = 0,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _begin(self, p: Parameter, h: Hyper) -> State:
        m, v = np.zeros_like(p.data), np.zeros_like(p.data)
        return {"step": 0, "exp_avg": m, "exp_avg_sq": v}

    def _update(self, theta: Array, g: Array, state: State, h: Hyper) -> None:
        state["step"] += 1
        t, m, v = state["step"], state["exp_avg"], state["exp_avg_sq"]
        # r, and 1 where the step is rectified, 0 where it is momentum's
        r, known = rectification(t, h["betas"][1])
        for h, theta, g, m, v, r, known in tiles(h, theta, g, m, v, r, known):
            eta, (beta1, beta2), eps, lam = h["lr"], h["betas"], h["eps"], h["weight_decay"]
            # g ← g + λ θ; decoupled: θ ← (1 − η λ) θ
            if nonzero(lam) and h["decoupled_weight_decay"]:
                theta *= 1 - eta * lam
            elif nonzero(lam):
                g = g + lam * theta
            # m ← β₁ m + (1 − β₁) g
            m *= beta1
            m += (1 - beta1) * g
            # v ← β₂ v + (1 − β₂) g²
            v *= beta2
            v += (1 - beta2) * g * g
            # θ ← θ − η m̂ · (r l where the denominator is known, else 1)
            step = eta / (1 - beta1**t) * m
            if nonzero(known):
                rl = r * (1 - beta2**t) ** 0.5 / (np.sqrt(v) + eps)
                step *= rl if known is True else np.where(known, rl, 1.0)
            theta -= step


def rectification(t: int, beta2: Any) -> tuple[Any, Any]:
    """Return r of step `t`, and whether it is used: numbers, or arrays of those of each run."""
    # ρ_∞ = 2 / (1 − β₂) − 1, ρ_t = ρ_∞ − 2 t β₂ᵗ / (1 − β₂ᵗ)
    rho_inf = 2 / (1 - beta2) - 1
    rho = rho_inf - 2 * t * beta2**t / (1 - beta2**t)
    known = rho > 5
    # r² = (ρ − 4) (ρ − 2) ρ_∞ / ((ρ_∞ − 4) (ρ_∞ − 2) ρ)
    rho, end = np.where(known, rho, 6.0), np.where(known, rho_inf, 6.0)
    return plain(np.sqrt((rho - 4) * (rho - 2) * end / ((end - 4) * (end - 2) * rho))), known
