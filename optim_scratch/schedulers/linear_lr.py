"""LinearLR: the rate goes in a straight line from one multiple of the base rate to another."""

from __future__ import annotations

from typing import ClassVar

from optim_scratch.checks import FACTOR, FRACTION, Integer

from .group_access import HasGroups
from .kinds import Limits
from .scheduler import Rescaling


class LinearLR(Rescaling):
    r"""Lead the rate in a straight line from one multiple of the base rate to another.

    .. math:: \eta_t = \eta_0 \left(f_0 + (f_1 - f_0)\,\frac{\min(t, T)}{T}\right)

    Parameters
    ----------
    optimizer, last_epoch
        As of every `LRScheduler`.
    start_factor : float in (0, 1]
        :math:`f_0`.
    end_factor : float in [0, 1]
        :math:`f_1`.
    total_iters : int, >= 1
        :math:`T`, in how many steps. torch admits 0, with which the rate never leaves its
        start; we refuse it.

    Notes
    -----
    Source: `torch.optim.lr_scheduler.LinearLR`, whose rates these are.

    Examples
    --------
    >>> LinearLR.curve(5, start_factor=0.25, total_iters=3).tolist()
    [0.25, 0.5, 0.75, 1.0, 1.0]
    """

    limits: ClassVar[Limits] = {
        "start_factor": FACTOR,
        "end_factor": FRACTION,
        "total_iters": Integer(1),
    }
    start_factor: float
    end_factor: float
    total_iters: int

    def __init__(
        self,
        optimizer: HasGroups,
        start_factor: float = 1 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        self._take(start_factor=start_factor, end_factor=end_factor, total_iters=total_iters)
        super().__init__(optimizer, last_epoch)

    def ratio(self) -> float:
        """Return the line's height at this epoch over that at the last one."""
        t, start = self.last_epoch, self.start_factor
        rise = self.end_factor - start
        if t == 0:
            return start
        if self._is_initial or t > self.total_iters:
            return 1.0
        # (f₀ + d t/T) / (f₀ + d (t−1)/T) = 1 + d / (T f₀ + (t−1) d)
        ratio = 1.0 + rise / (self.total_iters * start + (t - 1) * rise)
        return max(0.0, ratio)  # rounding may take it below
