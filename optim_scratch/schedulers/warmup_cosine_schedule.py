"""WarmupCosineSchedule: the rate rises in a straight line, then falls along a cosine."""

from __future__ import annotations

from math import cos, pi
from typing import ClassVar

from optim_scratch.checks import POSITIVE

from .group_access import HasGroups
from .kinds import Limits
from .warmup_schedule import WarmupSchedule


class WarmupCosineSchedule(WarmupSchedule):
    r"""Raise the rate in a straight line from 0, then let it fall along a cosine.

    .. math::

       \eta_t = \eta_0 \begin{cases}
           t / W & t < W \\
           \tfrac12 \left(1 + \cos\left(2 \pi c\,\frac{t - W}{T - W}\right)\right) & t \ge W
       \end{cases}

    Parameters
    ----------
    optimizer, last_epoch
        As of every `LRScheduler`.
    warmup_steps : int, >= 0
        :math:`W`. With 1 or more, the first update has the rate 0.
    t_total : int, >= `warmup_steps`
        :math:`T`, the number of updates. With half a cycle the rate stays at 0 after them.
    cycles : float, > 0
        :math:`c`, how many waves of the cosine; one half falls to 0 and ends there.

    Notes
    -----
    Source: the package ``pytorch-transformers`` (2019); the cosine is of Loshchilov & Hutter
    (2017). ``get_cosine_schedule_with_warmup`` of ``transformers`` has the same rates up to
    :math:`T`; it climbs back after it, as a wrong total shows.

    Examples
    --------
    >>> WarmupCosineSchedule.curve(7, warmup_steps=2, t_total=6).round(4).tolist()
    [0.0, 0.5, 1.0, 0.8536, 0.5, 0.1464, 0.0]
    """

    limits: ClassVar[Limits] = {"cycles": POSITIVE}
    cycles: float

    def __init__(
        self,
        optimizer: HasGroups,
        warmup_steps: int,
        t_total: int,
        cycles: float = 0.5,
        last_epoch: int = -1,
    ) -> None:
        self._take(warmup_steps=warmup_steps, t_total=t_total, cycles=cycles)
        super().__init__(optimizer, last_epoch)

    def multiple(self, t: int) -> float:
        """Return the height of the line, then that of the cosine."""
        W, T = self.warmup_steps, self.t_total
        if t < W:
            return t / W
        way = min(1.0, (t - W) / max(1, T - W))
        return 0.5 * (1 + cos(2 * pi * self.cycles * way))
