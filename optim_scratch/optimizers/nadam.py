"""NAdam: Adam that looks ahead, as Nesterov's momentum does."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from optim_scratch.checks import FLAG, NOT_NEGATIVE, SHARE
from optim_scratch.parameter import Array, Parameter, Real

from .optimizer import Optimizer, Parameters, State, nonzero
from .tiles import Hyper, tiles


class NAdam(Optimizer):
    r"""NAdam, Nesterov-accelerated adaptive moment estimation.

    .. math::

       \mu_t &= \beta_1\,\bigl(1 - \tfrac12\,0.96^{\,t\psi}\bigr) \\
       m_t &= \beta_1\,m_{t-1} + (1 - \beta_1)\,g_t \\
       v_t &= \beta_2\,v_{t-1} + (1 - \beta_2)\,g_t^2, \qquad \hat v_t = v_t / (1 - \beta_2^t) \\
       \hat m_t &= \frac{\mu_{t+1}\,m_t}{1 - \prod_{i=1}^{t+1}\mu_i}
           + \frac{(1 - \mu_t)\,g_t}{1 - \prod_{i=1}^{t}\mu_i} \\
       \theta_t &= \theta_{t-1} - \eta\,\frac{\hat m_t}{\sqrt{\hat v_t} + \varepsilon}

    The mean gradient that a step goes along is the next step's, as far as it is known: the momentum
    :math:`m_t` is weighted as it will be at step :math:`t + 1`, and the gradient is added.

    Parameters
    ----------
    params : iterable of Parameter, or of groups
        What to move.
    lr : float or array, >= 0
        Learning rate :math:`\eta`, in units of the parameter.
    betas : tuple of two, each a float or array in [0, 1)
        :math:`\beta_1` and :math:`\beta_2`, as Adam's.
    eps : float or array, >= 0
        :math:`\varepsilon`, in units of the gradient.
    weight_decay : float or array, >= 0
        :math:`\lambda`.
    momentum_decay : float or array, >= 0
        :math:`\psi`: how fast :math:`\mu` rises from about half of :math:`\beta_1` to all of it.
    decoupled_weight_decay : bool
        Take the decay off the parameter, as AdamW does, instead of adding it to the gradient.
    maximize : bool
        Go up the gradient instead of down.

    Notes
    -----
    Source: Dozat (2016), Algorithm 2, whose :math:`\mu_t` may be any schedule. torch, and so this
    class, takes the one above, which Dozat recommends, but lets :math:`\beta_1` weigh the running
    mean.

    Examples
    --------
    >>> w = Parameter([1.0, 1.0])
    >>> nadam = NAdam([w], lr=0.1)
    >>> w.grad = [1000.0, 0.001]
    >>> nadam.step()
    >>> w.data.round(3).tolist()
    [0.894, 0.894]
    """

    limits: ClassVar[dict[str, Any]] = {
        "lr": NOT_NEGATIVE,
        "betas": (SHARE, SHARE),
        "eps": NOT_NEGATIVE,
        "weight_decay": NOT_NEGATIVE,
        "momentum_decay": NOT_NEGATIVE,
        "decoupled_weight_decay": FLAG,
        "maximize": FLAG,
    }
    squares = ("exp_avg_sq",)

    def __init__(
        self,
        params: Parameters,
        lr: Real = 2e-3,
        betas: tuple[Real, Real] = (0.9, 0.999),
        eps: Real = 1e-8,
        weight_decay: Real = 0,
        momentum_decay: Real = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _begin(self, p: Parameter, h: Hyper) -> State:
        m, v = np.zeros_like(p.data), np.zeros_like(p.data)
        product = 1.0 + 0.0 * (h["betas"][0] + h["momentum_decay"])  # one for each of many runs
        return {"step": 0, "mu_product": product, "exp_avg": m, "exp_avg_sq": v}

    def _update(self, theta: Array, g: Array, state: State, h: Hyper) -> None:
        state["step"] += 1
        t, m, v = state["step"], state["exp_avg"], state["exp_avg_sq"]
        # μ_t, μ_{t+1}, and the product of all μ so far
        mu, mu_next = momentum(t, h), momentum(t + 1, h)
        state["mu_product"] = product = state["mu_product"] * mu
        # what the gradient and the mean weigh in m̂: each over 1 − the product up to its own μ
        of_g, of_m = (1 - mu) / (1 - product), mu_next / (1 - product * mu_next)
        for h, theta, g, m, v, of_g, of_m in tiles(h, theta, g, m, v, of_g, of_m):
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
            # θ ← θ − η m̂ / (√v̂ + ε), where v̂ = v / (1 − β₂ᵗ)
            theta -= eta * (of_m * m + of_g * g) / (np.sqrt(v / (1 - beta2**t)) + eps)


def momentum(t: int, h: Hyper) -> Any:
    """Return the momentum of step `t`, or an array with that of each run."""
    # μ_t = β₁ (1 − ½ 0.96^(t ψ))
    return h["betas"][0] * (1 - 0.5 * 0.96 ** (t * h["momentum_decay"]))
