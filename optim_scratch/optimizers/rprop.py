"""Rprop: a step length for each entry, which grows while the gradient keeps its sign."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from optim_scratch.checks import FLAG, NOT_NEGATIVE, Number
from optim_scratch.parameter import Array, Parameter, Real

from .optimizer import Optimizer, Parameters, State
from .tiles import Hyper, tiles


class Rprop(Optimizer):
    r"""Rprop, resilient propagation; for gradients without noise.

    .. math::

       s_t &= s_{t-1} \cdot \begin{cases}
           \eta^+ & g_t\,g_{t-1} > 0 \\ \eta^- & g_t\,g_{t-1} < 0 \\ 1 & \text{else}
       \end{cases} \quad \text{within } [s_{\min}, s_{\max}] \\
       g_t &\leftarrow 0 \quad \text{where } g_t\,g_{t-1} < 0 \\
       \theta_t &= \theta_{t-1} - s_t\,\operatorname{sign}(g_t)

    with :math:`s_0 = \eta` and :math:`g_0 = 0`. An entry whose gradient has changed its sign has
    stepped over a minimum: its length is cut, and it waits for one step, of which it remembers a
    gradient of 0, so that its length stays as it is in the next.

    Parameters
    ----------
    params : iterable of Parameter, or of groups
        What to move.
    lr : float or array, >= 0
        :math:`\eta`, the first length, in units of the parameter; it plays no part after the first
        step, so that a schedule has no effect.
    etas : tuple of two floats or arrays, the first in (0, 1), the second above 1
        :math:`\eta^-` and :math:`\eta^+`, by which a length shrinks and grows.
    step_sizes : tuple of two floats or arrays, >= 0
        :math:`s_{\min}` and :math:`s_{\max}`, in units of the parameter.
    maximize : bool
        Go up the gradient instead of down.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its type or outside its range, or if an array hyper-parameter
        does not broadcast to the shape of every parameter.

    Notes
    -----
    Source: Riedmiller & Braun (1993), which begins with 0.1 and takes back a step that went over a
    minimum; torch, and so this class, leaves it, and remembers a gradient of 0 nevertheless: the
    iRprop⁻ of Igel & Hüsken (2000). A gradient that is NaN makes the parameter NaN; torch takes its
    sign for 0 and goes on. On mini-batches signs change by chance and lengths shrink for no reason.

    Examples
    --------
    >>> w = Parameter([1.0, 1.0])
    >>> rprop = Rprop([w], lr=0.1)
    >>> for g in ([1000.0, 1.0], [0.001, 1.0], [0.1, -1.0]):
    ...     w.grad = g
    ...     rprop.step()
    >>> w.data.round(3).tolist()  # steps of 0.1, 0.12, 0.144; of 0.1, 0.12, none
    [0.636, 0.78]
    """

    limits: ClassVar[dict[str, Any]] = {
        "lr": NOT_NEGATIVE,
        "etas": (Number(low=0, high=1, above=True, below=True), Number(low=1, above=True)),
        "step_sizes": (NOT_NEGATIVE, NOT_NEGATIVE),
        "maximize": FLAG,
    }
    squares = ("step_size",)

    def __init__(
        self,
        params: Parameters,
        lr: Real = 1e-2,
        etas: tuple[Real, Real] = (0.5, 1.2),
        step_sizes: tuple[Real, Real] = (1e-6, 50),
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {"lr": lr, "etas": etas, "step_sizes": step_sizes, "maximize": maximize}
        super().__init__(params, defaults)

    def _begin(self, p: Parameter, h: Hyper) -> State:
        before, s = np.zeros_like(p.data), np.zeros_like(p.data)
        s += h["lr"]
        return {"step": 0, "prev": before, "step_size": s}

    def _update(self, theta: Array, g: Array, state: State, h: Hyper) -> None:
        state["step"] += 1
        for h, theta, g, before, s in tiles(h, theta, g, state["prev"], state["step_size"]):
            (shrink, grow), (least, most) = h["etas"], h["step_sizes"]
            same = g * before
            # s ← s · (η⁺ where the sign is that of before, η⁻ where it is the other), within limits
            s *= np.where(same > 0, grow, np.where(same < 0, shrink, 1.0))
            np.clip(s, least, most, out=s)
            # g ← 0 where the sign has changed
            before[...] = np.where(same < 0, 0.0, g)
            # θ ← θ − s sign(g)
            theta -= s * np.sign(before)
