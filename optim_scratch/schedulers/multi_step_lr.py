"""MultiStepLR: the rate falls by a factor at chosen epochs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import ClassVar

from optim_scratch.checks import POSITIVE

from .group_access import HasGroups
from .kinds import Counts, Limits, Rising
from .scheduler import Rescaling


class MultiStepLR(Rescaling):
    r"""Multiply the rate by `gamma` at each milestone.

    .. math:: \eta_t = \eta_0\,\gamma^{\#\{m \,:\, m \le t\}}

    Parameters
    ----------
    optimizer, last_epoch
        As of every `LRScheduler`.
    milestones : iterable of int, >= 0
        The epochs :math:`m`, in rising order; one given twice counts twice. torch takes them in
        any order; we refuse a list out of order, for it is more often a slip than a wish.
    gamma : float, > 0
        :math:`\gamma`. torch admits 0 and negative factors; we refuse them.

    Notes
    -----
    Source: `torch.optim.lr_scheduler.MultiStepLR`, whose rates these are; He et al. (2016),
    section 4.2, train so, with two drops to a tenth.

    Examples
    --------
    >>> MultiStepLR.curve(5, lr=0.02, milestones=[1, 3], gamma=0.5).tolist()
    [0.02, 0.01, 0.01, 0.005, 0.005]
    """

    limits: ClassVar[Limits] = {"milestones": Counts(), "gamma": POSITIVE}
    milestones: Counter[int]
    gamma: float

    def __init__(
        self,
        optimizer: HasGroups,
        milestones: Iterable[int],
        gamma: float = 0.1,
        last_epoch: int = -1,
    ) -> None:
        epochs = Rising(low=0).check("milestones", milestones)
        self._take(milestones=Counter(epochs), gamma=gamma)
        super().__init__(optimizer, last_epoch)

    def ratio(self) -> float:
        """Return gamma to the power of how often this epoch is a milestone."""
        return float(self.gamma ** self.milestones[self.last_epoch])
