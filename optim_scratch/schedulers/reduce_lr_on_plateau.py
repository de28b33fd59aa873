"""ReduceLROnPlateau: the rate falls when a metric has stopped getting better."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np

from optim_scratch.checks import NOT_NEGATIVE, Choice, Integer, Number, as_list, plain
from optim_scratch.parameter import Array

from .group_access import HasGroups, check_groups
from .kinds import Limits, PerGroup
from .per_group import per_group
from .scheduler import LRScheduler, refuse_epoch


class ReduceLROnPlateau(LRScheduler):
    r"""Multiply the rate by `factor` when a metric has stopped getting better.

    An epoch is bad if its metric :math:`x` does not beat the best one so far, :math:`x^\star`, by
    the threshold :math:`\delta`:

    ==========  ==================================  ==================================
    beats       ``threshold_mode="rel"``            ``threshold_mode="abs"``
    ==========  ==================================  ==================================
    mode "min"  :math:`x < x^\star\,(1 - \delta)`   :math:`x < x^\star - \delta`
    mode "max"  :math:`x > x^\star\,(1 + \delta)`   :math:`x > x^\star + \delta`
    ==========  ==================================  ==================================

    When *more than* `patience` epochs in a row were bad, the rate falls. It rescales: an edit by
    hand lasts.

    Parameters
    ----------
    optimizer : object with `param_groups`
        Ours or torch's.
    mode : {"min", "max"}
        Whether a smaller or a greater metric is better.
    factor : float in (0, 1)
        What the rate is multiplied by.
    patience : int, >= 0
        How many bad epochs in a row are borne; the next one fires.
    threshold : float, >= 0
        :math:`\delta`.
    threshold_mode : {"rel", "abs"}
        Whether it is a share of the best metric or a difference. A share of a negative metric
        counts backwards: with the mode "min" even a slightly worse one then beats the best.
    cooldown : int, >= 0
        For how many epochs after a fall none counts as bad.
    min_lr : float, >= 0, or list of one per group
        Below which the rate does not fall.
    eps : float, >= 0
        The rate is left alone if it would fall by no more than this.

    Attributes
    ----------
    best : float
        The best metric so far.
    num_bad_epochs : int
        Bad epochs in a row.
    cooldown_counter : int
        Epochs of cooldown that are left.

    Notes
    -----
    Source: `torch.optim.lr_scheduler.ReduceLROnPlateau`, whose rates these are; it admits
    negative factors, thresholds, patience and cooldown.

    Examples
    --------
    >>> from optim_scratch import Parameter
    >>> from optim_scratch.optimizers import SGD
    >>> scheduler = ReduceLROnPlateau(SGD([Parameter(0.0)], lr=1.0), factor=0.5, patience=1)
    >>> scheduler.preview([0.3, 0.3, 0.3, 0.2])[:, 0].tolist()
    [1.0, 1.0, 1.0, 0.5, 0.5]
    """

    limits: ClassVar[Limits] = {
        "mode": Choice(("min", "max")),
        "factor": Number(0, 1, above=True, below=True),
        "patience": Integer(0),
        "threshold": NOT_NEGATIVE,
        "threshold_mode": Choice(("rel", "abs")),
        "cooldown": Integer(0),
        "eps": NOT_NEGATIVE,
        "min_lrs": PerGroup(NOT_NEGATIVE),
        "default_min_lr": Number(low=0, optional=True),
        "mode_worse": Number(infinite=True),
        "best": Number(infinite=True),
        "cooldown_counter": Integer(0),
        "num_bad_epochs": Integer(0),
    }
    optional = ("_last_lr", "default_min_lr")
    mode: str
    factor: float
    patience: int
    threshold: float
    threshold_mode: str
    cooldown: int
    eps: float
    min_lrs: list[float]
    default_min_lr: float | None
    mode_worse: float
    best: float

    def __init__(
        self,
        optimizer: HasGroups,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | list[float] = 0,
        eps: float = 1e-8,
    ) -> None:
        check_groups(optimizer)
        several = isinstance(min_lr, list | tuple)
        self._take(mode=mode, factor=factor, patience=patience, threshold=threshold,
                   threshold_mode=threshold_mode, cooldown=cooldown, eps=eps)  # fmt: skip
        self.min_lrs = per_group("min_lr", min_lr, optimizer, NOT_NEGATIVE)
        self.default_min_lr = None if several else NOT_NEGATIVE.check("min_lr", min_lr)
        self.mode_worse = worst(self.mode)
        self.optimizer = optimizer
        self._reset()

    def _check_together(self, values: dict[str, Any]) -> None:
        """Refuse a first metric to beat that does not go with the mode."""
        if values.get("mode_worse", worst(values["mode"])) != worst(values["mode"]):
            raise ValueError(
                f"mode_worse must be {worst(values['mode'])} with the mode {values['mode']!r}, got "
                f"{values['mode_worse']}"
            )

    def _reset(self) -> None:
        """Forget every metric."""
        self.best = self.mode_worse
        self.last_epoch = self.cooldown_counter = self.num_bad_epochs = 0
        self._last_lr = self._rates()

    def _start_over_from(self, rates: list[Any]) -> None:
        """Start over from other rates, with no metric seen."""
        self._write(rates)
        self._reset()

    def step(self, metrics: Any = None, epoch: None = None) -> None:  # type: ignore[override]
        """Take in the metric of the epoch that is done, and set the rates of the next.

        Parameters
        ----------
        metrics : float
            The metric, as a number or a tensor of one. NaN beats nothing.
        epoch : None
            Not to be given: torch has deprecated it.

        Raises
        ------
        TypeError
            If there is no metric, or it is no number, or there is an epoch.
        """
        refuse_epoch(epoch)
        current = plain(metrics)
        if isinstance(current, bool) or not isinstance(current, int | float):
            raise TypeError(f"metrics must be a number, got {metrics!r}")
        with self._unchanged_if_refused():
            self._advance(float(current))

    def _advance(self, *signal: Any) -> None:
        """Count a metric, and let the rates fall if it is one too many."""
        (metric,) = signal
        self.last_epoch += 1
        if self._beats(metric):
            self.best = metric
            self.num_bad_epochs = 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce()
            self.cooldown_counter = self.cooldown
            self.num_bad_epochs = 0
        self._last_lr = self._rates()

    def _beats(self, metric: float) -> bool:
        """Return whether a metric beats the best one by the threshold."""
        best, eps, relative = self.best, self.threshold, self.threshold_mode == "rel"
        if self.mode == "min":
            return metric < (best * (1.0 - eps) if relative else best - eps)
        return metric > (best * (1.0 + eps) if relative else best + eps)

    def _reduce(self) -> None:
        """Multiply the rates by the factor, as far as `min_lr` and `eps` allow."""
        groups = len(self.optimizer.param_groups)
        if len(self.min_lrs) != groups:
            if self.default_min_lr is None:
                self._check_one_each("min_lrs")
            else:
                self.min_lrs = [self.default_min_lr] * groups
        rates = []
        for old, low in zip(self._rates(), self.min_lrs, strict=True):
            new = np.maximum(old * self.factor, low)
            rates.append(np.where(old - new > self.eps, new, old)[()])
        self._write(rates)

    def preview(self, metrics: Iterable[float], key: str = "lr") -> Array:  # type: ignore[override]
        """Return the rates that a sequence of metrics would lead to, and change nothing.

        Parameters
        ----------
        metrics : iterable of float
            The metrics of the next epochs.
        key : str
            What to return, ``"lr"`` or another entry of the groups.

        Returns
        -------
        ndarray of shape (len(metrics) + 1, groups)
            Row i holds the rates of the epoch whose metric is ``metrics[i]``; the last row,
            those of the epoch after.

        Raises
        ------
        TypeError
            If `metrics` is no iterable of numbers.
        ValueError
            If a group has no such `key`.
        """
        known = as_list("metrics", metrics, "an iterable of numbers")
        return self._foreseen([{"metrics": metric} for metric in known], key)

    def _needs_metric(self) -> bool:
        """Return True."""
        return True


def worst(mode: str) -> float:
    """Return the metric that every other beats."""
    return math.inf if mode == "min" else -math.inf
