"""ConstantLR: a smaller rate for the first epochs."""

from __future__ import annotations

from typing import ClassVar

from optim_scratch.checks import FACTOR, Integer

from .group_access import HasGroups
from .kinds import Limits
from .scheduler import Rescaling


class ConstantLR(Rescaling):
    r"""Multiply the rate by `factor` until epoch `total_iters`, then take it back.

    .. math:: \eta_t = \eta_0 \begin{cases} f & t < T \\ 1 & t \ge T \end{cases}

    Parameters
    ----------
    optimizer, last_epoch
        As of every `LRScheduler`.
    factor : float in (0, 1]
        :math:`f`. torch admits 0, and then divides by it at the end; we refuse it.
    total_iters : int, >= 1
        :math:`T`, the first epoch at the full rate. torch admits 0, with which the factor is
        never taken back; we refuse it.

    Notes
    -----
    Source: `torch.optim.lr_scheduler.ConstantLR`, whose rates these are.

    Examples
    --------
    >>> ConstantLR.curve(4, factor=0.5, total_iters=2).tolist()
    [0.5, 0.5, 1.0, 1.0]
    """

    limits: ClassVar[Limits] = {"factor": FACTOR, "total_iters": Integer(1)}
    factor: float
    total_iters: int

    def __init__(
        self,
        optimizer: HasGroups,
        factor: float = 1 / 3,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        self._take(factor=factor, total_iters=total_iters)
        super().__init__(optimizer, last_epoch)

    def ratio(self) -> float:
        """Return the factor at epoch 0, its inverse at `total_iters`, else 1."""
        if self.last_epoch == 0:
            return self.factor
        return 1.0 / self.factor if self.last_epoch == self.total_iters else 1.0
