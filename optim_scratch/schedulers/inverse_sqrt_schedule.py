"""InverseSqrtSchedule: a linear rise to the base rate, then the inverse square root of time."""

from __future__ import annotations

from typing import ClassVar

from optim_scratch.checks import Integer

from .group_access import HasGroups
from .kinds import Limits
from .scheduler import Overwriting


class InverseSqrtSchedule(Overwriting):
    r"""Raise the rate to the base rate, then let it fall as the inverse square root of time.

    .. math::

       \eta_t = \eta_0 \begin{cases}
           t / W & t < W \\ \left(1 + \frac{t - W}{\tau}\right)^{-1/2} & t \ge W
       \end{cases}

    Parameters
    ----------
    optimizer, last_epoch
        As of every `LRScheduler`.
    warmup_steps : int, >= 0
        :math:`W`. With 1 or more, the first update has the rate 0.
    timescale : int, >= 1, optional
        :math:`\tau`, after how many steps of the fall the rate is lower by :math:`\sqrt 2`;
        :math:`W` if not given, 10,000 if that is 0.

    Notes
    -----
    Source: ``get_inverse_sqrt_schedule`` of ``transformers``, after Zhai et al. (2022). With
    :math:`\tau = W` the fall is :math:`\sqrt{W / t}`, that of `NoamLR` in units of the peak.

    Examples
    --------
    >>> InverseSqrtSchedule.curve(6, warmup_steps=2).round(4).tolist()
    [0.0, 0.5, 1.0, 0.8165, 0.7071, 0.6325]
    """

    limits: ClassVar[Limits] = {"warmup_steps": Integer(0), "timescale": Integer(1)}
    warmup_steps: int
    timescale: int

    def __init__(
        self,
        optimizer: HasGroups,
        warmup_steps: int,
        timescale: int | None = None,
        last_epoch: int = -1,
    ) -> None:
        self._take(warmup_steps=warmup_steps)
        self._take(timescale=(self.warmup_steps or 10_000) if timescale is None else timescale)
        super().__init__(optimizer, last_epoch)

    def multiple(self, t: int) -> float:
        """Return the height of the line, then that of the root."""
        W, tau = self.warmup_steps, self.timescale
        return t / W if t < W else float((1 + (t - W) / tau) ** -0.5)
