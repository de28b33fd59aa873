"""ExponentialLR: the rate falls by a factor every epoch."""

from __future__ import annotations

from typing import ClassVar

from optim_scratch.checks import POSITIVE

from .group_access import HasGroups
from .kinds import Limits
from .scheduler import Rescaling


class ExponentialLR(Rescaling):
    r"""Multiply the rate by `gamma` every epoch.

    .. math:: \eta_t = \eta_0\,\gamma^t

    Parameters
    ----------
    optimizer, last_epoch
        As of every `LRScheduler`.
    gamma : float, > 0
        :math:`\gamma`. torch admits 0 and negative factors; we refuse them.

    Notes
    -----
    Source: `torch.optim.lr_scheduler.ExponentialLR`, whose rates these are.

    Examples
    --------
    >>> ExponentialLR.curve(3, lr=1.0, gamma=0.5).tolist()
    [1.0, 0.5, 0.25]
    """

    limits: ClassVar[Limits] = {"gamma": POSITIVE}
    gamma: float

    def __init__(self, optimizer: HasGroups, gamma: float, last_epoch: int = -1) -> None:
        self._take(gamma=gamma)
        super().__init__(optimizer, last_epoch)

    def ratio(self) -> float:
        """Return gamma; 1 for the first epoch, and for the first one after resuming by hand."""
        return 1.0 if self._is_initial else self.gamma
