"""AdamW: Adam with weight decay beside the gradient, not in it."""

from __future__ import annotations

from typing import Any, ClassVar

from optim_scratch.parameter import Real

from .adam import Adam
from .optimizer import Parameters


class AdamW(Adam):
    r"""AdamW, Adam with decoupled weight decay.

    .. math::

       \theta_t = (1 - \eta\lambda)\,\theta_{t-1}
           - \eta\,\frac{\hat m_t}{\sqrt{\hat v_t} + \varepsilon}

    with :math:`\hat m` and :math:`\hat v` as Adam's, of the loss's gradient alone. Every entry
    shrinks by one and the same factor, however large its gradients are.

    Parameters
    ----------
    params, lr, betas, eps, amsgrad, maximize
        As Adam's.
    weight_decay : float or array, >= 0
        :math:`\lambda`; what a step takes off is :math:`\eta\lambda\theta`.

    Notes
    -----
    Source: Loshchilov & Hutter (2019), Algorithm 2. The paper takes off :math:`\eta_t\lambda\theta`
    with a schedule's multiplier :math:`\eta_t`, by which the rate :math:`\alpha` is multiplied too;
    torch, and so this class, takes off :math:`\eta\lambda\theta` with the rate. A decay of the
    paper's is that over the base rate here.

    Examples
    --------
    >>> from optim_scratch import Parameter
    >>> w = Parameter([1.0])
    >>> adamw = AdamW([w], lr=0.1, weight_decay=0.5)
    >>> w.grad = [0.0]
    >>> adamw.step()
    >>> w.data.round(4).tolist()
    [0.95]
    """

    fixed: ClassVar[dict[str, Any]] = {"decoupled_weight_decay": True}

    def __init__(
        self,
        params: Parameters,
        lr: Real = 1e-3,
        betas: tuple[Real, Real] = (0.9, 0.999),
        eps: Real = 1e-8,
        weight_decay: Real = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        rest: dict[str, Any] = {"maximize": maximize, "decoupled_weight_decay": True}
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, **rest)
