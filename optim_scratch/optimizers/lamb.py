"""LAMB: Adam's direction, with steps that are in each layer a share of the weights' length."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from optim_scratch.checks import FLAG, NOT_NEGATIVE, SHARE, Number
from optim_scratch.parameter import Array, Parameter

from .layers import SCALED, is_scaled, length, quotient
from .optimizer import Group, Optimizer, Parameters, State
from .tiles import Hyper, tiles


class LAMB(Optimizer):
    r"""LAMB, layer-wise adaptive moments.

    .. math::

       m_t &= \beta_1\,m_{t-1} + (1 - \beta_1)\,g_t, \qquad
       \hat m_t = m_t / (1 - \beta_1^t) \\
       v_t &= \beta_2\,v_{t-1} + (1 - \beta_2)\,g_t^2, \qquad
       \hat v_t = v_t / (1 - \beta_2^t) \\
       u_t &= \frac{\hat m_t}{\sqrt{\hat v_t} + \varepsilon} + \lambda\,\theta_{t-1} \\
       \theta_t &= \theta_{t-1} - \eta\,\frac{\phi(\|\theta_{t-1}\|)}{\|u_t\|}\,u_t,
       \qquad \phi(z) = \min(\max(z, \phi_{\min}), \phi_{\max})

    with lengths of each parameter, which is taken for a layer, and :math:`m_0 = v_0 = 0`. A step is
    :math:`\eta` times as long as the parameter, decay included, whatever the size of its gradient.
    Where :math:`\phi(\|\theta\|)` or :math:`u` is 0, the ratio of the two lengths is taken as 1.

    Parameters
    ----------
    params : iterable of Parameter, or of groups
        What to move, weights and biases of each layer by themselves: the lengths are those of whole
        arrays.
    lr : float, >= 0
        Learning rate :math:`\eta`, without unit: the length of a step as a share of the
        parameter's. Of the parameters that have no ratio, in units of the parameter, as Adam's.
    betas : tuple of two, each a float in [0, 1)
        :math:`\beta_1` and :math:`\beta_2`, of the mean gradient and of the mean square.
    eps : float, >= 0
        :math:`\varepsilon`, in units of the gradient. With 0, an entry whose gradient was always 0
        becomes NaN, and its parameter loses its ratio.
    weight_decay : float, >= 0
        :math:`\lambda`, in units of Adam's step over the parameter: it turns the step towards 0,
        and does not lengthen it.
    clamp : tuple of a float >= 0, and a float > 0 that is not less and may be infinite
        :math:`\phi_{\min}` and :math:`\phi_{\max}`, between which a parameter's length is taken to
        be.
    bias_correction : bool
        Divide :math:`m` by :math:`1 - \beta_1^t` and :math:`v` by :math:`1 - \beta_2^t`. As the
        ratio undoes what all of :math:`u` is multiplied by, it matters only beside :math:`\lambda`
        and :math:`\varepsilon`, and where there is no ratio.
    scaled : {"all", "matrices", "none"}
        Which parameters have a ratio: each, or those of two axes and more, or none. The others take
        Adam's step, without decay. A group may have its own: ``{"params": gains, "scaled":
        "none"}``.
    maximize : bool
        Go up the gradient instead of down.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its type or outside its range, or the bounds of `clamp` are the
        wrong way round.

    Notes
    -----
    Source: You et al. (2020), Algorithm 2. The preprint's first version corrects the means, its
    third does not, the published one does again. The paper admits any :math:`\phi` within bounds,
    :math:`\phi(z) = z` among them, the default here. It spares no parameter; its authors' code
    spares those that it is told by name, biases and the gains of normalisation mostly, as
    ``scaled="matrices"`` does.

    pytorch-optimizer's Lamb bounds the length by 10 from above, adds :math:`\varepsilon` to
    :math:`\|u\|` too, takes decay off beside the ratio and not in it, :math:`(1 -
    \eta\lambda)\,\theta`, unless ``weight_decouple=False``, and corrects neither mean but divides
    the rate by :math:`1 - \beta_1^t`, unless ``adam_debias=True``. It has Adam's rectified step and
    a bound on the norm of all gradients, of which the paper knows nothing.

    Examples
    --------
    >>> w = Parameter([[3.0, 0.0], [0.0, 4.0]])  # of length 5
    >>> lamb = LAMB([w], lr=0.1, weight_decay=0.0)
    >>> w.grad = [[0.0, 2000.0], [0.0, 0.0]]
    >>> lamb.step()
    >>> w.data.round(4).tolist()
    [[3.0, -0.5], [0.0, 4.0]]
    """

    limits: ClassVar[dict[str, Any]] = {
        "lr": NOT_NEGATIVE,
        "betas": (SHARE, SHARE),
        "eps": NOT_NEGATIVE,
        "weight_decay": NOT_NEGATIVE,
        "clamp": (NOT_NEGATIVE, Number(low=0, above=True, infinite=True)),
        "bias_correction": FLAG,
        "scaled": SCALED,
        "maximize": FLAG,
    }
    squares = ("exp_avg_sq",)
    elementwise = False

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-6,
        weight_decay: float = 1e-2,
        clamp: tuple[float, float] = (0.0, float("inf")),
        bias_correction: bool = True,
        scaled: str = "all",
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "clamp": clamp,
            "bias_correction": bias_correction,
            "scaled": scaled,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _check(self, group: Group) -> None:
        low, high = group["clamp"]
        if low > high:
            raise ValueError(f"clamp must be a lower and an upper bound, got {group['clamp']}")

    def _begin(self, p: Parameter, h: Hyper) -> State:
        return {"step": 0, "exp_avg": np.zeros_like(p.data), "exp_avg_sq": np.zeros_like(p.data)}

    def _update(self, theta: Array, g: Array, state: State, h: Hyper) -> None:
        state["step"] += 1
        t, (beta1, beta2), has_ratio = state["step"], h["betas"], is_scaled(theta, h["scaled"])
        c1, c2 = (1 - beta1**t, 1 - beta2**t) if h["bias_correction"] else (1.0, 1.0)
        lam, u = h["weight_decay"] if has_ratio else 0.0, np.empty_like(theta)
        for _, w, g, m, v, d in tiles(h, theta, g, state["exp_avg"], state["exp_avg_sq"], u):
            # m ← β₁ m + (1 − β₁) g
            m *= beta1
            m += (1 - beta1) * g
            # v ← β₂ v + (1 − β₂) g²
            v *= beta2
            v += (1 - beta2) * g * g
            # u = m̂ / (√v̂ + ε) + λ θ, where m̂ = m / (1 − β₁ᵗ) and v̂ = v / (1 − β₂ᵗ)
            np.divide(m, c1 * (np.sqrt(v) / c2**0.5 + h["eps"]), out=d)
            if lam:
                d += lam * w
        # θ ← θ − η φ(‖θ‖) / ‖u‖ u
        low, high = h["clamp"]
        r = quotient(min(max(length(theta), low), high), length(u)) if has_ratio else 1.0
        for _, theta, u in tiles(h, theta, u):
            theta -= h["lr"] * r * u
