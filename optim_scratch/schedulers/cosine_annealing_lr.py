"""CosineAnnealingLR: the rate falls along half a cosine."""

from __future__ import annotations

from math import cos, pi
from typing import Any, ClassVar

from optim_scratch.checks import NOT_NEGATIVE, Integer

from .group_access import HasGroups
from .kinds import Limits
from .scheduler import LRScheduler


class CosineAnnealingLR(LRScheduler):
    r"""Let the rate fall along half a cosine.

    .. math::

       \eta_t = \eta_{\min} + \tfrac12 (\eta_0 - \eta_{\min}) \left(1 + \cos\frac{\pi t}{T}\right)

    computed from the present rate, so that an edit by hand lasts:

    .. math::

       \eta_t - \eta_{\min} =
       \frac{1 + \cos(\pi t / T)}{1 + \cos(\pi (t - 1) / T)}\,(\eta_{t-1} - \eta_{\min})

    At the bottom, where that is 0 over 0, the rate is raised by what the base rate gives. After
    :math:`T` the rate climbs back along the cosine: nothing restarts.

    Parameters
    ----------
    optimizer, last_epoch
        As of every `LRScheduler`.
    T_max : int, >= 1
        :math:`T`, from the top to the bottom; the period is twice that.
    eta_min : float, >= 0
        :math:`\eta_{\min}`, the rate at the bottom, of every group.

    Notes
    -----
    Source: `torch.optim.lr_scheduler.CosineAnnealingLR`, whose rates these are, without the
    restarts of Loshchilov & Hutter (2017), equation 5.

    Examples
    --------
    >>> CosineAnnealingLR.curve(5, T_max=2).round(12).tolist()
    [1.0, 0.5, 0.0, 0.5, 1.0]
    """

    limits: ClassVar[Limits] = {"T_max": Integer(1), "eta_min": NOT_NEGATIVE}
    T_max: int
    eta_min: float

    def __init__(
        self, optimizer: HasGroups, T_max: int, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        self._take(T_max=T_max, eta_min=eta_min)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        """Return the rates of this epoch, from those of the last one."""
        t, T, low = self.last_epoch, self.T_max, self.eta_min
        if self._is_initial:
            return self._rates()
        # up from the bottom: η ← η + (η₀ − η_min) (1 − cos(π/T)) / 2
        if (t - 1 - T) % (2 * T) == 0:
            self._check_one_each("base_lrs")
            rise = (1 - cos(pi / T)) / 2
            pairs = zip(self.base_lrs, self._rates(), strict=True)
            return [lr + (base - low) * rise for base, lr in pairs]
        # η − η_min ← (1 + cos(π t/T)) / (1 + cos(π (t−1)/T)) (η − η_min)
        ratio = (1 + cos(pi * t / T)) / (1 + cos(pi * (t - 1) / T))
        return [ratio * (lr - low) + low for lr in self._rates()]

    def _begin_at_milestone(self) -> None:
        """Go to epoch 0: to the base rates."""
        self._check_one_each("base_lrs")
        self.last_epoch = 0
        self._write(self.base_lrs)
