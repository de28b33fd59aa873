"""REXLR: the rate falls to 0, late and then fast."""

from __future__ import annotations

from typing import ClassVar

from optim_scratch.checks import Integer

from .group_access import HasGroups
from .kinds import Limits
from .scheduler import Overwriting


class REXLR(Overwriting):
    r"""Let the rate fall to 0 along a hyperbola that stays high for long.

    .. math:: \eta_t = \eta_0\,\frac{1 - u}{\tfrac12 + \tfrac12 (1 - u)}, \qquad
       u = \min\left(1, \frac{t}{T}\right)

    Parameters
    ----------
    optimizer, last_epoch
        As of every `LRScheduler`.
    total_steps : int, >= 1
        :math:`T`, when the rate is 0.

    Notes
    -----
    Source: Chen, Wolfe & Kyrillidis (2022), *REX: Revisiting Budgeted Training with an Improved
    Schedule*.

    Examples
    --------
    >>> REXLR.curve(5, total_steps=4).round(4).tolist()
    [1.0, 0.8571, 0.6667, 0.4, 0.0]
    """

    limits: ClassVar[Limits] = {"total_steps": Integer(1)}
    total_steps: int

    def __init__(self, optimizer: HasGroups, total_steps: int, last_epoch: int = -1) -> None:
        self._take(total_steps=total_steps)
        super().__init__(optimizer, last_epoch)

    def multiple(self, t: int) -> float:
        """Return the height of the hyperbola."""
        left = max(0.0, 1 - t / self.total_steps)
        return left / (0.5 + 0.5 * left)
