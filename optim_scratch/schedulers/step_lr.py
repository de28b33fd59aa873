"""StepLR: the rate falls by a factor every so many epochs."""

from __future__ import annotations

from typing import ClassVar

from optim_scratch.checks import POSITIVE, Integer

from .group_access import HasGroups
from .kinds import Limits
from .scheduler import Rescaling


class StepLR(Rescaling):
    r"""Multiply the rate by `gamma` every `step_size` epochs.

    .. math:: \eta_t = \eta_0\,\gamma^{\lfloor t / s \rfloor}

    Parameters
    ----------
    optimizer, last_epoch
        As of every `LRScheduler`.
    step_size : int, >= 1
        :math:`s`, in epochs, or whatever unit `step` is called in.
    gamma : float, > 0
        :math:`\gamma`. torch admits 0 and negative factors; we refuse them.

    Notes
    -----
    Source: `torch.optim.lr_scheduler.StepLR`, whose rates these are.

    Examples
    --------
    >>> StepLR.curve(6, lr=0.01, step_size=2, gamma=0.5).tolist()
    [0.01, 0.01, 0.005, 0.005, 0.0025, 0.0025]
    """

    limits: ClassVar[Limits] = {"step_size": Integer(1), "gamma": POSITIVE}
    step_size: int
    gamma: float

    def __init__(
        self, optimizer: HasGroups, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self._take(step_size=step_size, gamma=gamma)
        super().__init__(optimizer, last_epoch)

    def ratio(self) -> float:
        """Return gamma every `step_size` epochs, but not in epoch 0; else 1."""
        epoch = self.last_epoch
        return self.gamma if epoch > 0 and epoch % self.step_size == 0 else 1.0
