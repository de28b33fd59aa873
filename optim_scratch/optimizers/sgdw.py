"""SGDW: SGD with weight decay beside the buffer, not through it."""

from __future__ import annotations

from optim_scratch.parameter import Array, RowSparse

from .optimizer import State, nonzero
from .sgd import SGD
from .tiles import Hyper


class SGDW(SGD):
    r"""SGDW, SGD with decoupled weight decay.

    .. math::

       \theta_t = (1 - \eta\lambda)\,\theta_{t-1} - \eta\,d_t

    with the direction :math:`d_t` that `SGD` takes without weight decay. Without momentum the two
    are the same. With momentum :math:`\mu`, SGD's penalty gathers in the buffer and acts
    :math:`1 / (1 - \mu)` times as strongly in the long run.

    Parameters
    ----------
    params, lr, momentum, dampening, nesterov, maximize
        As SGD's.
    weight_decay : float or array, >= 0
        :math:`\lambda`; what a step takes off is :math:`\eta\lambda\theta`.

    Notes
    -----
    Source: Loshchilov & Hutter (2019), Algorithm 1. There the rate stands inside the buffer, and a
    step takes off :math:`\eta_t\lambda\theta` with a schedule's multiplier :math:`\eta_t`; here, as
    in pytorch-optimizer, both go with the rate, as torch's SGD and AdamW do.

    Examples
    --------
    >>> from optim_scratch import Parameter
    >>> w = Parameter([1.0])
    >>> sgdw = SGDW([w], lr=0.1, momentum=0.9, weight_decay=0.5)
    >>> for _ in range(2):
    ...     w.grad = [0.0]
    ...     sgdw.step()
    >>> w.data.round(4).tolist()
    [0.9025]
    """

    def _update(self, theta: Array, g: Array | RowSparse, state: State, h: Hyper) -> None:
        # θ ← (1 − η λ) θ, then SGD's step without decay
        if nonzero(h["weight_decay"]):
            theta *= 1 - h["lr"] * h["weight_decay"]
        super()._update(theta, g, state, {**h, "weight_decay": 0.0})
