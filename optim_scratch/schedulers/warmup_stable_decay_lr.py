"""WarmupStableDecayLR: the rate rises, stays, and falls at the end."""

from __future__ import annotations

from math import cos, pi, sqrt
from typing import ClassVar

from optim_scratch.checks import FRACTION, Choice, Integer

from .group_access import HasGroups
from .kinds import Limits
from .scheduler import Overwriting


class WarmupStableDecayLR(Overwriting):
    r"""Raise the rate in a straight line, keep it, and let it fall at the end.

    .. math::

       \eta_t = \eta_0 \begin{cases}
           r + (1 - r)\,t / W & t < W \\ 1 & W \le t < W + S \\
           r + (1 - r)\,f(u), \quad u = \min\left(1, \frac{t - W - S}{D}\right) & t \ge W + S
       \end{cases}

    with :math:`f(u) = 1 - \sqrt u`, :math:`1 - u` or :math:`\tfrac12 (1 + \cos \pi u)`.
    The length of the run need not be known until the fall begins.

    Parameters
    ----------
    optimizer, last_epoch
        As of every `LRScheduler`.
    warmup_steps : int, >= 0
        :math:`W`. With 1 or more, the first update has the lowest rate, 0 unless
        `min_lr_ratio` says otherwise.
    stable_steps : int, >= 0
        :math:`S`.
    decay_steps : int, >= 1
        :math:`D`.
    decay_type : {"1-sqrt", "linear", "cosine"}
        :math:`f`.
    min_lr_ratio : float in [0, 1]
        :math:`r`, the first and the last rate in units of the base rate.

    Notes
    -----
    Source: Hu et al. (2024) for the three phases; Hägele et al. (2024) for the fall with the
    square root, which they found best; ``get_wsd_schedule`` of ``transformers`` has the same
    rates.

    Examples
    --------
    >>> schedule = WarmupStableDecayLR
    >>> schedule.curve(8, warmup_steps=2, stable_steps=2, decay_steps=4).round(4).tolist()
    [0.0, 0.5, 1.0, 1.0, 1.0, 0.5, 0.2929, 0.134]
    """

    limits: ClassVar[Limits] = {
        "warmup_steps": Integer(0),
        "stable_steps": Integer(0),
        "decay_steps": Integer(1),
        "decay_type": Choice(("1-sqrt", "linear", "cosine")),
        "min_lr_ratio": FRACTION,
    }
    warmup_steps: int
    stable_steps: int
    decay_steps: int
    decay_type: str
    min_lr_ratio: float

    def __init__(
        self,
        optimizer: HasGroups,
        warmup_steps: int,
        stable_steps: int,
        decay_steps: int,
        decay_type: str = "1-sqrt",
        min_lr_ratio: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        self._take(
            warmup_steps=warmup_steps,
            stable_steps=stable_steps,
            decay_steps=decay_steps,
            decay_type=decay_type,
            min_lr_ratio=min_lr_ratio,
        )
        super().__init__(optimizer, last_epoch)

    def multiple(self, t: int) -> float:
        """Return the height in whichever phase the step lies."""
        W, S, r = self.warmup_steps, self.stable_steps, self.min_lr_ratio
        if t < W:
            return r + (1 - r) * t / W
        if t < W + S:
            return 1.0
        return r + (1 - r) * self._fall(min(1.0, (t - W - S) / self.decay_steps))

    def _fall(self, u: float) -> float:
        """Return what is left of the height after a share of the fall."""
        if self.decay_type == "1-sqrt":
            return 1 - sqrt(u)
        return 1 - u if self.decay_type == "linear" else 0.5 * (1 + cos(pi * u))
