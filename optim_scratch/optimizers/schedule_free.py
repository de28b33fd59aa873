"""What the schedule-free methods share: three sequences, two of them in memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from optim_scratch.checks import plain
from optim_scratch.parameter import Array, Parameter

from .optimizer import Group, Optimizer, State
from .tiles import Hyper


class ScheduleFree(Optimizer):
    r"""The base of schedule-free methods: the average is part of the step.

    .. math::

       y_t &= (1 - \beta)\,z_t + \beta\,x_t \\
       z_{t+1} &= z_t - \gamma_t\,d_t(y_t) \\
       x_{t+1} &= (1 - c_{t+1})\,x_t + c_{t+1}\,z_{t+1}, \qquad
       c_{t+1} = w_t \Big/ \sum_{i \le t} w_i, \quad
       w_t = (t + 1)^r \, \bigl(\max_{i \le t} \gamma_i\bigr)^p

    A step :math:`d` is taken from :math:`z`, its gradient at :math:`y`, and the loss evaluated at
    the average :math:`x`. The parameter holds :math:`y`, where gradients are to be computed, and
    `point` returns :math:`x`, which follows from :math:`y` and :math:`z`. The rate rises from
    :math:`\gamma_0 = \eta / W` to :math:`\eta` in :math:`W` steps and stays there.

    Notes
    -----
    Source: Defazio, Yang, Mehta, Mishchenko, Khaled & Cutkosky (2024), who weigh points by the
    square of their own rate. The power :math:`p`, the greatest rate in place of the last, and the
    power of time are those of the package ``schedulefree``. It keeps the parameter at :math:`y` or
    :math:`x` by a switch, ``train()`` and ``eval()``; `point` takes its place.
    """

    mixing = "momentum"
    """The hyper-parameter whose value, or first entry, is β."""

    def _begin_group(self, group: Group) -> State:
        # as many of each as there are runs at once
        none = 0.0 * (group["lr"] + group["r"] + group["weight_lr_power"])
        return {"k": 0, "lr_max": none, "weight_sum": none}

    def _rate_and_share(self, group: Group, h: Hyper) -> tuple[Any, Any]:
        """Return this step's rate γ and the share c of the new point in the average."""
        memory = group["shared"]
        memory["k"] += 1
        t, warmup = memory["k"], h["warmup_steps"]
        # γ ← η min(1, t / W)
        gamma = h["lr"] * (t / warmup if t < warmup else 1.0)
        # w ← tʳ (max γ)ᵖ, and c ← w / Σ w
        memory["lr_max"] = plain(np.maximum(memory["lr_max"], gamma))
        weight = t ** h["r"] * memory["lr_max"] ** h["weight_lr_power"]
        memory["weight_sum"] = memory["weight_sum"] + weight
        total = np.asarray(memory["weight_sum"])
        return gamma, plain(np.divide(weight, total, out=np.zeros(total.shape), where=total > 0))

    def _beta(self, h: Hyper) -> Any:
        """Return β, by which gradients are taken nearer to the average."""
        value = h[self.mixing]
        return value[0] if isinstance(value, tuple) else value

    def point(self, p: Parameter) -> Array:
        """Return the average x.

        Parameters
        ----------
        p : Parameter
            One of the optimizer's.

        Returns
        -------
        ndarray of its shape
        """
        if p not in self.state:
            return p.data
        (group,) = (g for g in self.param_groups if any(q is p for q in g["params"]))
        beta = self._beta(group)
        # x = (y − (1 − β) z) / β
        x: Array = (p.data - (1 - beta) * self.state[p]["z"]) / beta
        return x.astype(p.dtype, copy=False)
