"""WarmupCosineWithHardRestartsSchedule: a linear rise, then a cosine with restarts."""

from __future__ import annotations

from math import cos, pi
from typing import ClassVar

from optim_scratch.checks import POSITIVE

from .group_access import HasGroups
from .kinds import Limits
from .warmup_schedule import WarmupSchedule


class WarmupCosineWithHardRestartsSchedule(WarmupSchedule):
    r"""Raise the rate in a straight line, then let it fall along a cosine, again and again.

    .. math::

       \eta_t = \eta_0 \begin{cases}
           t / W & t < W \\
           \tfrac12 \left(1 + \cos(\pi\,(c\,u \bmod 1))\right), \; u = \frac{t - W}{T - W}
           & W \le t < T \\
           0 & t \ge T
       \end{cases}

    Parameters
    ----------
    optimizer, last_epoch
        As of every `LRScheduler`.
    warmup_steps : int, >= 0
        :math:`W`. With 1 or more, the first update has the rate 0.
    t_total : int, >= `warmup_steps`
        :math:`T`, the number of updates.
    cycles : float, > 0
        :math:`c`, how many falls; all are equally long.

    Notes
    -----
    Source: the package ``pytorch-transformers`` (2019), after Loshchilov & Hutter (2017);
    ``get_cosine_with_hard_restarts_schedule_with_warmup`` of ``transformers`` has the same rates
    but one: where the rise is the whole run, its rate at :math:`t = T` is the peak, and ours is 0.

    Examples
    --------
    >>> schedule = WarmupCosineWithHardRestartsSchedule
    >>> schedule.curve(6, warmup_steps=1, t_total=5, cycles=2).round(4).tolist()
    [0.0, 1.0, 0.5, 1.0, 0.5, 0.0]
    """

    limits: ClassVar[Limits] = {"cycles": POSITIVE}
    cycles: float

    def __init__(
        self,
        optimizer: HasGroups,
        warmup_steps: int,
        t_total: int,
        cycles: float = 1.0,
        last_epoch: int = -1,
    ) -> None:
        self._take(warmup_steps=warmup_steps, t_total=t_total, cycles=cycles)
        super().__init__(optimizer, last_epoch)

    def multiple(self, t: int) -> float:
        """Return the height of the line, then that of the present fall."""
        W, T = self.warmup_steps, self.t_total
        if t < W:
            return t / W
        if t >= T:
            return 0.0
        return 0.5 * (1 + cos(pi * ((self.cycles * (t - W) / (T - W)) % 1.0)))
