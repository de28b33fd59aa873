"""PolynomialLR: the rate falls to 0 as a power of the time that is left."""

from __future__ import annotations

from typing import ClassVar

from optim_scratch.checks import POSITIVE, Integer

from .group_access import HasGroups
from .kinds import Limits
from .scheduler import Rescaling


class PolynomialLR(Rescaling):
    r"""Let the rate fall to 0 as a power of the time that is left.

    .. math:: \eta_t = \eta_0 \left(1 - \frac{\min(t, T)}{T}\right)^{p}

    Parameters
    ----------
    optimizer, last_epoch
        As of every `LRScheduler`.
    total_iters : int, >= 1
        :math:`T`, when the rate is 0.
    power : float, > 0
        :math:`p`; 1 is a straight line. torch admits 0 and less; we refuse them.

    Notes
    -----
    Source: `torch.optim.lr_scheduler.PolynomialLR`, whose rates these are.

    Examples
    --------
    >>> PolynomialLR.curve(5, total_iters=4, power=2).tolist()
    [1.0, 0.5625, 0.25, 0.0625, 0.0]
    """

    limits: ClassVar[Limits] = {"total_iters": Integer(1), "power": POSITIVE}
    total_iters: int
    power: float

    def __init__(
        self,
        optimizer: HasGroups,
        total_iters: int = 5,
        power: float = 1.0,
        last_epoch: int = -1,
    ) -> None:
        self._take(total_iters=total_iters, power=power)
        super().__init__(optimizer, last_epoch)

    def ratio(self) -> float:
        """Return the time left now over that left an epoch ago, to the power."""
        t, whole = self.last_epoch, self.total_iters
        if self._is_initial or t > whole:
            return 1.0
        return float(((1.0 - t / whole) / (1.0 - (t - 1) / whole)) ** self.power)
