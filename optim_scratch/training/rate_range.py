"""The learning-rate range test."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from optim_scratch.checks import NOT_NEGATIVE, POSITIVE, SHARE, Integer, Number, plain, type_name
from optim_scratch.parameter import Array


@dataclass(frozen=True)
class RangeTest:
    """What a learning-rate range test found.

    Parameters
    ----------
    rates : ndarray of shape (updates,)
        The rate of each update, of the group with the largest.
    losses : ndarray of shape (updates,)
        The loss before each update.
    smoothed : ndarray of shape (updates,)
        Their running mean.
    stopped : bool
        Whether the loss rose so far that the test ended before its last rate.
    first : int, >= 0
        Where the suggestion begins to look, unless the test ended before: till then the mean is one
        of few losses, and two batches that differ look like a fall.
    """

    rates: Array
    losses: Array
    smoothed: Array
    stopped: bool
    first: int = 0

    @property
    def suggestion(self) -> float | None:
        """The rate at which the smoothed loss falls steepest, per factor of the rate, or None.

        None is said of a loss that never falls. The fall from a peak counts as well, which a test
        that nothing stops may have. A test twice as long suggests about half the rate.
        """
        finite = np.isfinite(self.smoothed)
        if finite[self.first :].sum() > 1:
            finite[: self.first] = False
        rates, smoothed = self.rates[finite], self.smoothed[finite]
        if len(rates) < 2 or not smoothed.any():
            return None
        shares = smoothed / np.abs(smoothed).max()  # differences of which do not overflow
        slopes = np.gradient(shares, np.log(rates))
        i = int(slopes.argmin())
        return float(rates[i]) if slopes[i] < -1e-12 * abs(shares[i]) else None  # but for rounding


def lr_range_test(
    optimizer: Any,
    update: Callable[[], Any],
    *,
    low: float,
    high: float,
    steps: int = 100,
    smoothing: float = 0.9,
    stop_factor: float | None = 4.0,
) -> RangeTest:
    r"""Train for a moment with rates that rise from `low` to `high`, and watch the loss.

    .. math::

       \eta_i = \eta_{\text{low}}\,(\eta_{\text{high}}/\eta_{\text{low}})^{i/(n-1)},
       \qquad s_i = \frac{\beta s_{i-1}' + (1-\beta)\,\ell_i}{1-\beta^{i+1}}

    where :math:`s'` is the running mean before it is divided. The test ends where the smoothed loss
    is not finite, or has risen too far above its lowest so far:

    .. math:: s_i - s_{\min} > (k - 1)\,\max(|s_{\min}|, d)

    where d, the noise, is such a running mean of :math:`|\ell_i - s_i|` at the lowest. Where a loss
    is positive and above its noise, that is at *k times the lowest*. Below 0, and close to it,
    where k times the lowest means nothing, the rise is measured by size and noise. The first
    tenth of the updates does not end the test, and its rates are not suggested: till then the noise
    is not known.

    Afterwards the parameters, the optimizer's state and its groups are as before and gradients are
    cleared. What else `update` changes is not undone: random generators, the order of batches,
    BatchNorm's running means.

    Parameters
    ----------
    optimizer : Optimizer
        Ours or torch's. Groups keep the ratios of their rates.
    update : callable without arguments
        Computes gradients, calls ``optimizer.step()`` and returns the loss, a number, before it.
    low, high : float, > 0
        The first and the last rate, of the group whose rate is largest.
    steps : int, >= 2
        n, the number of rates.
    smoothing : float in [0, 1)
        :math:`\beta`; 0 does not smooth. The smoothed loss lags by some
        :math:`\beta/(1-\beta)` updates.
    stop_factor : float, > 1, or None
        k. With None, only a loss that is not finite ends the test early.

    Returns
    -------
    RangeTest

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its type or outside its range, if `high` is not above `low`, if no
        group has a rate above 0 or one has several, if a parameter can not be written into, or if
        `update` returns no number.

    Notes
    -----
    Source: Smith (2017), section 3.3, who raises the rate linearly and watches the accuracy; rates
    in geometric steps, the smoothing, the choice by the steepest fall and the end at 4 times the
    lowest are those of later libraries, which end at once where the loss is negative.

    Examples
    --------
    >>> from optim_scratch import Parameter
    >>> from optim_scratch.optimizers import SGD
    >>> w = Parameter([1.0])
    >>> sgd = SGD([w], lr=0.1)
    >>> def update():
    ...     loss, w.grad = 2 * w.data[0] ** 2, 4 * w.data  # curvature 4, stable below 0.5
    ...     sgd.step()
    ...     return loss
    >>> found = lr_range_test(sgd, update, low=1e-3, high=10.0, smoothing=0.0)
    >>> found.stopped, round(float(found.rates[found.losses.argmin()]), 2)
    (True, 0.51)
    >>> w.data.tolist(), sgd.param_groups[0]["lr"]
    ([1.0], 0.1)
    """
    first = POSITIVE.check("low", low)
    last = Number(low=first, above=True).check("high", high)
    steps = Integer(2).check("steps", steps)
    smoothing = SHARE.check("smoothing", smoothing)
    factor = Number(low=1, above=True, optional=True).check("stop_factor", stop_factor)
    if not callable(update):
        raise TypeError(f"update must be callable, got {update!r}")
    _check_drivable(optimizer)
    rates, stopped = np.geomspace(first, last, steps), False
    watch = _Watch(smoothing, factor, steps)
    undo = _remember(optimizer)
    try:
        for loss in _losses(optimizer, update, rates):
            watch.add(loss)
            if stopped := watch.stops():
                break
    finally:
        undo()
    losses, smoothed = np.array(watch.losses), np.array(watch.smoothed)
    return RangeTest(rates[: len(losses)], losses, smoothed, stopped, watch.wait)


def _check_drivable(optimizer: Any) -> None:
    """Refuse what is no optimizer, has no rate to raise, or can not be put back."""
    for name in ("param_groups", "state_dict", "load_state_dict", "zero_grad"):
        if not hasattr(optimizer, name):
            raise TypeError(f"optimizer must have {name}, got {type_name(optimizer)}")
    if not isinstance(optimizer.param_groups, list):
        raise TypeError(
            f"optimizer must have a list of param_groups, got {optimizer.param_groups!r}"
        )
    rates = [_rate(group) for group in optimizer.param_groups]
    if not max(rates, default=0) > 0:
        raise ValueError(f"optimizer must have a group with lr > 0, got {rates}")
    for p in _parameters(optimizer):
        if isinstance(p.data, np.ndarray) and not p.data.flags.writeable:
            raise ValueError("optimizer must hold parameters that can be written into")


def _rate(group: dict[str, Any]) -> float:
    """Return the rate of a group, refused if there is none or it is an array."""
    lr = plain(group.get("lr"))
    if isinstance(lr, np.ndarray):
        raise ValueError(f"optimizer must have one rate per group, got lr {group['lr']!r}")
    return float(NOT_NEGATIVE.check("optimizer's lr", lr))


def _parameters(optimizer: Any) -> list[Any]:
    return [p for group in optimizer.param_groups for p in group["params"]]


def _losses(optimizer: Any, update: Callable[[], Any], rates: Array) -> Iterator[float]:
    """Yield the loss of an update at each rate; groups keep the ratios of theirs."""
    present = [_rate(group) for group in optimizer.param_groups]
    for rate in rates:
        for group, lr in zip(optimizer.param_groups, present, strict=True):
            _set_rate(group, float(rate) * (lr / max(present)))
        loss = update()
        number = plain(loss)
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise TypeError(f"update must return the loss, a number, got {loss!r}")
        yield float(number)


def _set_rate(group: dict[str, Any], rate: float) -> None:
    """Set a group's rate; one that is held in a tensor is filled in place."""
    if hasattr(group["lr"], "fill_"):
        group["lr"].detach().fill_(rate)
    else:
        group["lr"] = rate


class _Watch:
    """The losses, their running mean, and how far they lie from it; says when to stop."""

    def __init__(self, smoothing: float, stop_factor: float | None, steps: int) -> None:
        self.smoothing, self.stop_factor = smoothing, stop_factor
        # till then the mean is one of few losses, and how far they scatter is not known
        self.wait = steps // 10
        self.losses: list[float] = []
        self.smoothed: list[float] = []
        self.scatter: list[float] = []
        self._sums = [0.0, 0.0]

    def add(self, loss: float) -> None:
        """Take in the next loss."""
        self.losses.append(loss)
        self.smoothed.append(self._mean(0, loss))
        self.scatter.append(self._mean(1, abs(loss - self.smoothed[-1])))

    def _mean(self, which: int, entry: float) -> float:
        # s' ← β s' + (1 − β) ℓ
        self._sums[which] = self.smoothing * self._sums[which] + (1 - self.smoothing) * entry
        return self._sums[which] / (1 - self.smoothing ** len(self.losses))

    def stops(self) -> bool:
        """Whether the loss has risen too far, or is not finite."""
        if not np.isfinite(self.smoothed[-1]):
            return True
        if self.stop_factor is None or len(self.losses) <= self.wait:
            return False
        i = int(np.argmin(self.smoothed))
        unit = max(abs(self.smoothed[i]), self.scatter[max(i, self.wait - 1)])
        # s − s_min > (k − 1) max(|s_min|, d)
        return self.smoothed[-1] - self.smoothed[i] > (self.stop_factor - 1) * unit


def _remember(optimizer: Any) -> Callable[[], None]:
    """Return a function that puts parameters, state and groups back."""
    state = copy.deepcopy(optimizer.state_dict())
    values = [(p, p.data, copy.deepcopy(p.data)) for p in _parameters(optimizer)]
    # loading would put copies in place of the rate and of tensors
    held = [
        {k: (v, copy.deepcopy(v)) for k, v in group.items() if k == "lr" or hasattr(v, "fill_")}
        for group in optimizer.param_groups
    ]

    def undo() -> None:
        for p, array, value in values:
            array[...] = value
            p.data = array  # an update may have bound another one
        optimizer.load_state_dict(state)
        for group, entries in zip(optimizer.param_groups, held, strict=True):
            for name, (entry, value) in entries.items():
                group[name] = entry
                if hasattr(entry, "fill_"):
                    entry.detach().copy_(value)
        optimizer.zero_grad()

    return undo
