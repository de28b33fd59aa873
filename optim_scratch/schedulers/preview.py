"""Looking ahead: the rates of a schedule before they are used, with nothing changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any

from optim_scratch.checks import check_integer
from optim_scratch.parameter import Array

from .group_access import HasGroups, entries_of, stacked, stand_in
from .state import Stateful


class Previewed(Stateful):
    """What can be asked for the rates to come."""

    def preview(self, steps: int, key: str = "lr") -> Array:
        """Return the rates of the next `steps` epochs, and change nothing.

        They are computed in float64; a tensor of float32 will hold them rounded. A callable is
        asked as well: a copy of it, which shares what is no data, such as a model.

        Parameters
        ----------
        steps : int, >= 1
            How many epochs, the present one included.
        key : str
            What to return, ``"lr"`` or another entry of the groups that the scheduler drives,
            such as ``"momentum"`` or ``"betas"``.

        Returns
        -------
        ndarray of shape (steps, groups)
            Row 0 holds the present rates. Where rates are arrays, their axes follow.

        Raises
        ------
        TypeError, ValueError
            If `steps` is not an integer of at least 1, or a group has no such `key`.
        """
        check_integer("steps", steps, low=1)
        return self._foreseen([{}] * (steps - 1), key)

    def _foreseen(self, signals: Iterable[dict[str, Any]], key: str) -> Array:
        """Return what a twin of this scheduler writes, now and after a step for each signal."""
        standin = stand_in(self.optimizer)
        for group in standin.param_groups:
            if key not in group:
                known = ", ".join(map(repr, group))
                raise ValueError(f"key must be an entry of every group, {known}, got {key!r}")
        twin = self._twin(standin, {})
        rows = [entries_of(standin, key)]
        for signal in signals:
            twin.step(**signal)
            rows.append(entries_of(standin, key))
        return stacked(rows)

    @classmethod
    def curve(cls, steps: int, *, lr: float = 1.0, key: str = "lr", **arguments: Any) -> Array:
        """Return the rates of the first `steps` epochs, to look at before there is an optimizer.

        Parameters
        ----------
        steps, lr, key
            As of `optim_scratch.schedulers.curve`, which does the same for composed ones too.
        **arguments
            The scheduler's own arguments, by name.

        Returns
        -------
        ndarray of shape (steps,)

        Examples
        --------
        >>> from optim_scratch.schedulers import StepLR
        >>> StepLR.curve(5, lr=0.1, step_size=2, gamma=0.5).tolist()
        [0.1, 0.1, 0.05, 0.05, 0.025]
        """
        kind: Any = cls
        return curve(lambda optimizer: kind(optimizer, **arguments), steps, lr=lr, key=key)


def curve(
    build: Callable[[HasGroups], Any], steps: int, *, lr: float = 1.0, key: str = "lr"
) -> Array:
    """Return the first `steps` rates of any scheduler, composed ones too, without an optimizer.

    Parameters
    ----------
    build : callable
        Makes the scheduler for the optimizer that it is given.
    steps : int, >= 1
        How many epochs.
    lr : float
        The base rate.
    key : str
        What to return; the groups hold ``"lr"`` and ``"momentum"``.

    Returns
    -------
    ndarray of shape (steps,)

    Raises
    ------
    TypeError, ValueError
        As the scheduler's constructor and `preview` do.

    Examples
    --------
    >>> from optim_scratch.schedulers import ChainedScheduler, ExponentialLR, StepLR, curve
    >>> def both(optimizer):
    ...     return ChainedScheduler([ExponentialLR(optimizer, 0.5), StepLR(optimizer, 2, 0.1)])
    >>> curve(both, 3).tolist()
    [1.0, 0.5, 0.025]
    """
    alone = SimpleNamespace(param_groups=[{"lr": lr, "momentum": 0.0}])
    scheduler = build(alone)
    if not isinstance(scheduler, Previewed):
        name = type(scheduler).__name__
        raise TypeError(f"build must return a scheduler of optim_scratch, got {name}")
    rates: Array = scheduler.preview(steps, key)[:, 0]
    return rates
