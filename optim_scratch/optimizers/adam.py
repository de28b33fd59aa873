"""Adam: steps in units of the gradient's own size, with AMSGrad on request."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from optim_scratch.checks import FLAG, NOT_NEGATIVE, SHARE
from optim_scratch.parameter import Array, Parameter, Real

from .optimizer import Optimizer, Parameters, State, grown, nonzero
from .tiles import Hyper, tiles


class Adam(Optimizer):
    r"""Adam, adaptive moment estimation.

    .. math::

       g_t &= \nabla \mathcal{L}(\theta_{t-1}) + \lambda\,\theta_{t-1} \\
       m_t &= \beta_1\,m_{t-1} + (1 - \beta_1)\,g_t, \qquad
       \hat m_t = m_t / (1 - \beta_1^t) \\
       v_t &= \beta_2\,v_{t-1} + (1 - \beta_2)\,g_t^2, \qquad
       \hat v_t = v_t / (1 - \beta_2^t) \\
       \theta_t &= \theta_{t-1} - \eta\,\frac{\hat m_t}{\sqrt{\hat v_t} + \varepsilon}

    with :math:`m_0 = v_0 = 0`. AMSGrad divides by the largest :math:`v` there has been:
    :math:`\hat v_t = \max(v_1, \dots, v_t) / (1 - \beta_2^t)`.

    Parameters
    ----------
    params : iterable of Parameter, or of groups
        What to move. A group is a dict with the key ``"params"`` and hyper-parameters of its own.
    lr : float or array, >= 0
        Learning rate :math:`\eta`, in units of the parameter: about the length of a step of each
        entry, whatever the size of its gradient.
    betas : tuple of two, each a float or array in [0, 1)
        :math:`\beta_1` and :math:`\beta_2`, the shares of the mean gradient and of the mean square
        that survive a step. A mean reaches back about :math:`1 / (1 - \beta)` steps.
    eps : float or array, >= 0
        :math:`\varepsilon`, in units of the gradient: entries whose gradients are smaller take
        shorter steps. With 0, an entry whose gradient was always 0 becomes NaN; and the default
        *is* 0 in float16, whose smallest number is 6e-8, here as in torch.
    weight_decay : float or array, >= 0
        :math:`\lambda`, the strength of an L2 penalty :math:`\tfrac{\lambda}{2}\|\theta\|^2`. Its
        gradient enters both means, so that where gradients are large it decays less.
    amsgrad : bool
        Divide by the largest :math:`v` so far.
    maximize : bool
        Go up the gradient instead of down.
    decoupled_weight_decay : bool
        Take the decay off the parameter instead of adding it to the gradient, as `AdamW` does.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its type or outside its range, or if an array hyper-parameter
        does not broadcast to the shape of every parameter.

    Notes
    -----
    Source: Kingma & Ba (2015), Algorithm 1, and for AMSGrad Reddi, Kale & Kumar (2018), Algorithm
    2. torch, and so this class, follows the first to the letter and differs from the second: it
    corrects both biases, where that paper corrects none. The maximum is taken before the
    correction, so that :math:`\hat v` may still fall while :math:`1 - \beta_2^t` grows. Neither
    paper has weight decay; Loshchilov & Hutter (2019) show what its place in the gradient costs.

    Examples
    --------
    >>> w = Parameter([1.0, 1.0])
    >>> adam = Adam([w], lr=0.1)
    >>> w.grad = [1000.0, 0.001]
    >>> adam.step()
    >>> w.data.round(4).tolist()
    [0.9, 0.9]
    """

    limits: ClassVar[dict[str, Any]] = {
        "lr": NOT_NEGATIVE,
        "betas": (SHARE, SHARE),
        "eps": NOT_NEGATIVE,
        "weight_decay": NOT_NEGATIVE,
        "amsgrad": FLAG,
        "maximize": FLAG,
        "decoupled_weight_decay": FLAG,
    }
    squares = ("exp_avg_sq", "max_exp_avg_sq")

    def __init__(
        self,
        params: Parameters,
        lr: Real = 1e-3,
        betas: tuple[Real, Real] = (0.9, 0.999),
        eps: Real = 1e-8,
        weight_decay: Real = 0.0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)

    def _begin(self, p: Parameter, h: Hyper) -> State:
        m, v = np.zeros_like(p.data), np.zeros_like(p.data)
        return {"step": 0, "exp_avg": m, "exp_avg_sq": v, "max_exp_avg_sq": None}

    def _update(self, theta: Array, g: Array, state: State, h: Hyper) -> None:
        state["step"] += 1
        t, m, v = state["step"], state["exp_avg"], state["exp_avg_sq"]
        v_max = grown(state, "max_exp_avg_sq", theta) if h["amsgrad"] else None
        for h, theta, g, m, v, v_max in tiles(h, theta, g, m, v, v_max):
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
            # AMSGrad: v_max ← max(v_max, v), in place of v
            if v_max is not None:
                v = np.maximum(v_max, v, out=v_max)
            # θ ← θ − η m̂ / (√v̂ + ε), where m̂ = m / (1 − β₁ᵗ) and v̂ = v / (1 − β₂ᵗ)
            theta -= eta / (1 - beta1**t) * m / (np.sqrt(v) / (1 - beta2**t) ** 0.5 + eps)
