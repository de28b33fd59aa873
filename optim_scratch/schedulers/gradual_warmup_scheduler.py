"""GradualWarmupScheduler: a linear rise of the rate before any other scheduler."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from optim_scratch.checks import Integer, Number, plain
from optim_scratch.parameter import Array

from .composition import check_member
from .cyclic_lr import CyclicLR
from .group_access import HasGroups, check_groups
from .kinds import Limits
from .one_cycle_lr import OneCycleLR
from .reduce_lr_on_plateau import ReduceLROnPlateau
from .scheduler import LRScheduler, refuse_epoch


class GradualWarmupScheduler(LRScheduler):
    r"""Raise the rate in a straight line, then let another scheduler begin from the top.

    .. math::

       \eta_t = \eta_0 \begin{cases}
           1 + (M - 1)\,t/W & t \le W,\; M > 1 \\
           t/W & t \le W,\; M = 1
       \end{cases}
       \qquad
       \eta_t = \eta^{\text{after}}_{t - W - 1} \quad t > W

    The rates of the other scheduler are those it has from the base rate :math:`M\,\eta_0`. The
    peak is thus the rate of two epochs: :math:`t = W`, where the rise ends, and
    :math:`t = W + 1`, where the other scheduler counts 0.

    Parameters
    ----------
    optimizer : object with `param_groups`
        Ours or torch's.
    multiplier : float, >= 1
        :math:`M`, the peak in units of the base rate. With 1 the rise starts from 0, so that
        the rate of :math:`t = 0` is 0: step the scheduler before the first update, not after.
    total_epoch : int, >= 1
        :math:`W`, over how many steps the rate rises.
    after_scheduler : LRScheduler, optional
        What follows, made for the same optimizer: a `ReduceLROnPlateau`, or any that goes by the
        group's base rate. Without one the rate stays at the peak.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its type or outside its range, or if `after_scheduler` drives
        another optimizer or, as CyclicLR and OneCycleLR, has rates of its own.

    Notes
    -----
    Source: Goyal et al. (2017), section 2.2, for the rise; the package ``warmup-scheduler`` for
    names and counting. Its own code returns the other scheduler's stale rates and so falls back
    to :math:`\eta_0` after the rise; this is the schedule it means. Its `step` takes the epoch
    first and the metric second; ours counts by itself and takes the metric alone.

    Examples
    --------
    >>> GradualWarmupScheduler.curve(6, lr=0.001, multiplier=40, total_epoch=4).round(5).tolist()
    [0.001, 0.01075, 0.0205, 0.03025, 0.04, 0.04]
    """

    limits: ClassVar[Limits] = {"multiplier": Number(low=1), "total_epoch": Integer(1)}
    parts = ("after_scheduler",)
    multiplier: float
    total_epoch: int

    def __init__(
        self,
        optimizer: HasGroups,
        multiplier: float,
        total_epoch: int,
        after_scheduler: LRScheduler | None = None,
    ) -> None:
        self._take(multiplier=multiplier, total_epoch=total_epoch)
        check_groups(optimizer)
        if after_scheduler is not None:
            check_member(optimizer, after_scheduler)
            for leaf in after_scheduler._leaves():
                if isinstance(leaf, CyclicLR | OneCycleLR):
                    name = type(leaf).__name__
                    raise ValueError(f"after_scheduler must go by the base rate, got a {name}")
        self.after_scheduler = after_scheduler
        super().__init__(optimizer)

    def get_lr(self) -> list[Any]:
        """Return the rates of the rise, and the peak after it."""
        self._check_one_each("base_lrs")
        t, k = min(self.last_epoch, self.total_epoch), self.multiplier
        if k == 1:
            return [base * t / self.total_epoch for base in self.base_lrs]
        return [base * ((k - 1) * t / self.total_epoch + 1) for base in self.base_lrs]

    def step(self, *unnamed: Any, metrics: Any = None) -> None:
        """Go to the next epoch.

        Parameters
        ----------
        *unnamed
            The metric, without its name, as Lightning gives it. A whole number is refused: it may
            be the epoch, which the package's `step` takes first.
        metrics : float, optional
            What a plateau scheduler watches; it is passed on once the rise is over.

        Raises
        ------
        TypeError
            If an epoch is given or what may be one, or if the rise is over and a plateau
            scheduler, which needs `metrics`, gets none.
        """
        if unnamed and not self._needs_metric():
            refuse_epoch(unnamed[0] if len(unnamed) == 1 else unnamed)
        if len(unnamed) > 1 or (unnamed and metrics is not None):
            raise TypeError(f"step() takes one metric and no epoch, got {unnamed} and {metrics!r}")
        if unnamed:
            metrics = plain(unnamed[0])
            if isinstance(metrics, int):
                raise TypeError(
                    f"step() takes no epoch, got {metrics!r}: if it is a metric, say "
                    f"step(metrics={metrics!r})"
                )
        self._step_whole(metrics)

    def _advance(self, *signal: Any) -> None:
        """Rise, or let the other scheduler step."""
        after = self.after_scheduler
        if after is None or self.last_epoch < self.total_epoch:
            super()._advance()
            return
        self._step_count += 1
        self.last_epoch += 1
        first = self.last_epoch == self.total_epoch + 1
        if first:
            after._start_over_from(self.get_lr())
        # a plateau scheduler has no first step of its own: it takes in a metric at once
        if not first or isinstance(after, ReduceLROnPlateau):
            after.step(**({"metrics": signal[0]} if after._needs_metric() else {}))
        self._last_lr = self._rates()

    def preview(self, steps: int | Iterable[float], key: str = "lr") -> Array:
        """Return the rates of the next epochs, and change nothing.

        Parameters
        ----------
        steps : int, >= 1, or iterable of float
            How many epochs, the present one included; or, where a plateau scheduler follows, the
            metrics that it is to be given.
        key : str
            What to return, ``"lr"`` or another entry of the groups.

        Returns
        -------
        ndarray of shape (steps, groups), or (len(metrics) + 1, groups)
            Row 0 holds the present rates.

        Raises
        ------
        TypeError, ValueError
            If `steps` is neither, the metrics are missing, or a group has no such `key`.
        """
        if isinstance(steps, Iterable):
            return self._foreseen([{"metrics": metric} for metric in steps], key)
        return super().preview(steps, key)

    def _needs_metric(self) -> bool:
        """Return whether a plateau follows."""
        return self.after_scheduler is not None and self.after_scheduler._needs_metric()
