"""CosineAnnealingWarmRestarts: the rate falls along half a cosine, again and again."""

from __future__ import annotations

from math import cos, floor, pi
from typing import Any, ClassVar

from optim_scratch.checks import ANY, NOT_NEGATIVE, Integer

from .group_access import HasGroups
from .kinds import Limits
from .scheduler import LRScheduler


class CosineAnnealingWarmRestarts(LRScheduler):
    r"""Let the rate fall along half a cosine, then jump back to the base rate, again and again.

    .. math::

       \eta_t = \eta_{\min} + \tfrac12 (\eta_0 - \eta_{\min})
       \left(1 + \cos\frac{\pi\,T_{\mathrm{cur}}}{T_i}\right)

    where :math:`T_{\mathrm{cur}}` counts from the last restart and the cycle :math:`i` is
    :math:`T_i = T_0\,T_{\mathrm{mult}}^i` long. It overwrites the present rate.

    Parameters
    ----------
    optimizer, last_epoch
        As of every `LRScheduler`.
    T_0 : int, >= 1
        Length of the first cycle.
    T_mult : int, >= 1
        How many times longer each cycle is than the one before.
    eta_min : float, >= 0
        :math:`\eta_{\min}`, which the rate nears at the end of each cycle.

    Attributes
    ----------
    T_cur : float
        Epochs since the last restart.
    T_i : int
        Length of the present cycle.

    Notes
    -----
    Source: Loshchilov & Hutter (2017), equation 5. torch finds the cycle of a given epoch by a
    rounded logarithm and is a whole cycle late where that falls short, as at epoch 1210 with
    ``T_0=10, T_mult=3``; and resumed by `last_epoch` it has wrong rates from the epoch
    ``2 * T_0`` on if cycles grow. We count cycles in integers.

    Examples
    --------
    >>> CosineAnnealingWarmRestarts.curve(6, T_0=2, T_mult=2).round(4).tolist()
    [1.0, 0.5, 1.0, 0.8536, 0.5, 0.1464]
    """

    limits: ClassVar[Limits] = {
        "T_0": Integer(1),
        "T_i": Integer(1),
        "T_mult": Integer(1),
        "eta_min": NOT_NEGATIVE,
        "T_cur": ANY,  # a rounded logarithm of torch's may take it below 0
    }
    T_0: int
    T_i: int
    T_mult: int
    eta_min: float
    T_cur: float

    def __init__(
        self,
        optimizer: HasGroups,
        T_0: int,
        T_mult: int = 1,
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        self._take(T_0=T_0, T_i=T_0, T_mult=T_mult, eta_min=eta_min, last_epoch=last_epoch)
        self.T_cur = self.last_epoch
        if self.last_epoch >= 0:
            self._locate(self.last_epoch)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return the rates at `T_cur` of a cycle of `T_i`."""
        self._check_one_each("base_lrs")
        height = (1 + cos(pi * self.T_cur / self.T_i)) / 2
        return [self.eta_min + (base - self.eta_min) * height for base in self.base_lrs]

    def step(self, epoch: float | None = None) -> None:
        """Go to the next epoch, or to a given one.

        Parameters
        ----------
        epoch : float, >= 0, optional
            Where to go, in epochs; within an epoch, as in ``step(epoch + batch / batches)``.

        Raises
        ------
        TypeError, ValueError
            If `epoch` is no finite number of at least 0.
        """
        if epoch is None:
            self._step_whole()
        else:
            epoch = NOT_NEGATIVE.check("epoch", epoch)
            self._optimizer_stepped()  # who says where to go skips nothing
            self._step_whole(epoch)

    def _advance(self, *signal: Any) -> None:
        """Go to the next epoch, or to a given one."""
        self._step_count += 1
        if signal:
            self._locate(signal[0])
            self.last_epoch = floor(signal[0])
        elif self.last_epoch < 0:
            self.last_epoch = 0
            self._locate(0)
        else:
            self.last_epoch += 1
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur -= self.T_i
                self.T_i *= self.T_mult
        self._write(self.get_lr())

    def _begin_at_milestone(self) -> None:
        """Go to epoch 0, of the first cycle."""
        self._locate(0)
        super()._begin_at_milestone()

    def _locate(self, epoch: float) -> None:
        """Find the cycle that an epoch lies in, and how far in."""
        begin, self.T_i = 0, self.T_0
        if self.T_mult == 1:
            begin = int(epoch // self.T_0) * self.T_0
        while epoch - begin >= self.T_i:
            begin += self.T_i
            self.T_i *= self.T_mult
        self.T_cur = epoch - begin
