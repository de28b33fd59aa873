"""The base of every scheduler: it reads and writes an optimizer's groups, and nothing else."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any, ClassVar

from optim_scratch.checks import check_integer
from optim_scratch.parameter import Array

from .groups import HasGroups, check_start, detached, set_rate, stacked, stand_in, values_of


class LRScheduler:
    """What all schedulers share; a subclass says what the next rates are.

    A scheduler takes its first step when it is made: that sets the rates of epoch 0. Each later
    `step` sets those of the next epoch, or of the next update where it is called once an update:
    a scheduler counts its own steps and knows no other unit.

    Parameters
    ----------
    optimizer : object with `param_groups`
        One of ours or one of torch's. A rate held in a tensor is filled in place.
    last_epoch : int, >= -1
        The last epoch that is done, to resume by hand; -1 to start.
    base_lrs : list of float, optional
        What a subclass with rates of its own goes by, in place of the groups' first rates.

    Attributes
    ----------
    base_lrs : list of float
        The rate that each group started from.
    last_epoch : int
        The epoch whose rates the groups hold now.

    Raises
    ------
    TypeError
        If `optimizer` has no parameter groups.
    ValueError
        If `last_epoch` is below -1.
    KeyError
        If `last_epoch` is 0 or more and a group lacks ``"initial_lr"``, which a scheduler
        leaves there when it starts.
    """

    transient: ClassVar[tuple[str, ...]] = ("optimizer", "_is_initial")
    """Attributes that are not part of the saved state."""

    counted: ClassVar[str] = "base_lrs"
    """The attribute whose length a saved state must have."""

    def __init__(
        self, optimizer: HasGroups, last_epoch: int = -1, *, base_lrs: list[Any] | None = None
    ) -> None:
        check_start(optimizer, last_epoch)
        self.optimizer = optimizer
        for group in optimizer.param_groups:
            group.setdefault("initial_lr", copy.deepcopy(detached(group["lr"])))
        self.base_lrs = base_lrs or [detached(g["initial_lr"]) for g in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._keep_plain_numbers()
        self._initial_step()

    def _keep_plain_numbers(self) -> None:
        """Keep Python's numbers in place of NumPy's, which may overflow and need care to load."""
        vars(self).update({name: detached(value) for name, value in vars(self).items()})

    def _initial_step(self) -> None:
        """Take the step that sets the rates of the first epoch."""
        self._step_count = 0
        self._is_initial = True
        self.step()
        self._is_initial = False

    def _leaves(self) -> list[LRScheduler]:
        """Return the schedulers that this one is composed of, itself if it is simple."""
        return [self]

    def _begin(self, rates: list[Any]) -> None:
        """Start over from other base rates, which become those of its members too."""
        for leaf in self._leaves():
            leaf.base_lrs, leaf.last_epoch = list(rates), -1
        self._write(rates)
        self._initial_step()

    def _restart(self) -> None:
        """Go to epoch 0 in the midst of a run, as at a milestone of SequentialLR."""
        self.last_epoch = 0
        self._write(self.get_lr())

    def _needs_metric(self) -> bool:
        """Return whether `step` must be given a metric, now or later."""
        return False

    def get_lr(self) -> list[Any]:
        """Return the rate of each group for the epoch `last_epoch`, given the present ones."""
        raise NotImplementedError("a scheduler defines get_lr()")

    def get_last_lr(self) -> list[Any]:
        """Return the rate of each group, as the last step set them."""
        return self._last_lr

    def step(self) -> None:
        """Go to the next epoch: set the rate of each group.

        Raises
        ------
        ValueError
            If the optimizer got more groups and this scheduler does not know their base rates.
        """
        self._step_count += 1
        self.last_epoch += 1
        self._write(self.get_lr())

    def _write(self, rates: list[Any]) -> None:
        """Set the rate of each group."""
        groups = self.optimizer.param_groups
        if len(rates) != len(groups):
            raise ValueError(
                f"optimizer must have the {len(rates)} groups that this {type(self).__name__} was "
                f"made for, got {len(groups)}: make a new scheduler after add_param_group"
            )
        for group, lr in zip(groups, rates, strict=True):
            set_rate(group, lr)
        self._last_lr = self._rates()

    def _rates(self) -> list[Any]:
        """Return the present rate of each group; a tensor's as a number."""
        return values_of(self.optimizer, "lr")

    def preview(self, steps: int, key: str = "lr") -> Array:
        """Return the rates of the next `steps` epochs, and change nothing.

        They are computed in float64; a tensor of float32 will hold them rounded.

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
        return self._foreseen([()] * (steps - 1), key)

    def _foreseen(self, signals: Iterable[tuple[Any, ...]], key: str) -> Array:
        """Return what a twin of this scheduler writes, now and after a step for each signal."""
        standin = stand_in(self.optimizer)
        for group in standin.param_groups:
            if key not in group:
                known = ", ".join(map(repr, group))
                raise ValueError(f"key must be an entry of every group, {known}, got {key!r}")
        twin = copy.deepcopy(self, {id(self.optimizer): standin})
        rows = [values_of(standin, key)]
        for signal in signals:
            twin.step(*signal)
            rows.append(values_of(standin, key))
        return stacked(rows)

    @classmethod
    def curve(cls, steps: int, *, lr: float = 1.0, key: str = "lr", **arguments: Any) -> Array:
        """Return the rates of the first `steps` epochs, to look at before there is an optimizer.

        Parameters
        ----------
        steps : int, >= 1
            How many epochs.
        lr : float
            The base rate.
        key : str
            What to return, as in `preview`; the groups hold ``"lr"`` and ``"momentum"``.
        **arguments
            The scheduler's own arguments, by name.

        Returns
        -------
        ndarray of shape (steps,)

        Raises
        ------
        TypeError, ValueError
            As the scheduler's constructor and `preview` do.

        Examples
        --------
        >>> from optim_scratch.schedulers import StepLR
        >>> StepLR.curve(5, lr=0.1, step_size=2, gamma=0.5).tolist()
        [0.1, 0.1, 0.05, 0.05, 0.025]
        """
        return curve(lambda optimizer: cls(optimizer, **arguments), steps, lr=lr, key=key)

    def state_dict(self) -> dict[str, Any]:
        """Return all that a resumed schedule needs, by torch's names, and the class's name."""
        state = {k: copy.deepcopy(v) for k, v in vars(self).items() if k not in self.transient}
        return {**state, "scheduler": type(self).__name__}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a saved state, ours or torch's; the groups' rates are the optimizer's to load.

        Nothing changes unless everything fits, of the schedulers that this one is made of too.

        Parameters
        ----------
        state_dict : dict
            As `state_dict` returns it. What torch keeps for itself is ignored: names with an
            underscore, and ``"verbose"`` of earlier versions.

        Raises
        ------
        ValueError
            If it is of another scheduler or for another number of groups, or has the attributes of
            a callable where this scheduler has a plain function.
        """
        self._check_state(state_dict)
        self._load(state_dict)

    def _check_state(self, state_dict: dict[str, Any]) -> None:
        """Refuse a state of another scheduler, or one for other groups, before anything changes."""
        name = type(self).__name__
        if not isinstance(state_dict, dict):
            raise ValueError(f"state_dict must be a dict, got {state_dict!r}")
        if state_dict.get("scheduler", name) != name:
            raise ValueError(f"state_dict must be of {name}, got one of {state_dict['scheduler']}")
        own = self.state_dict().keys() - {"scheduler"}
        if missing := sorted(own - state_dict.keys()):
            raise ValueError(f"state_dict lacks {', '.join(missing)}: it is not of {name}")
        public = {k for k in state_dict if not k.startswith("_")} - {"scheduler", "verbose"}
        if foreign := sorted(public - own):
            raise ValueError(f"state_dict holds {', '.join(foreign)}: it is not of {name}")
        here, there = len(getattr(self, self.counted)), state_dict[self.counted]
        if not isinstance(there, list | tuple) or len(there) != here:
            found = len(there) if isinstance(there, list | tuple) else repr(there)
            raise ValueError(f"state_dict must have {here} {self.counted.strip('_')}, got {found}")

    def _load(self, state_dict: dict[str, Any]) -> None:
        """Take over what was saved."""
        for attribute in self.state_dict().keys() - {"scheduler", *self.transient}:
            setattr(self, attribute, copy.deepcopy(state_dict[attribute]))


class Overwriting(LRScheduler):
    """A scheduler that sets the rate anew from the base rate: what others wrote is gone.

    A subclass defines `multiple`: the rate of an epoch in units of the base rate.
    """

    def multiple(self, epoch: int) -> float:
        """Return the rate of an epoch, in units of the base rate."""
        raise NotImplementedError("an overwriting scheduler defines multiple(epoch)")

    def get_lr(self) -> list[Any]:
        """Return the base rates times the multiple of this epoch."""
        return [base * self.multiple(self.last_epoch) for base in self.base_lrs]


class Rescaling(LRScheduler):
    """A scheduler that multiplies the present rate, so that hand edits and other schedulers last.

    A subclass defines `ratio`: the rate of this epoch in units of the last one's.
    """

    def ratio(self) -> float:
        """Return what this epoch multiplies the last one's rates with."""
        raise NotImplementedError("a rescaling scheduler defines ratio()")

    def get_lr(self) -> list[Any]:
        """Return the present rates times the ratio of this epoch."""
        return [lr * self.ratio() for lr in self._rates()]

    def _restart(self) -> None:
        """Go to epoch 0 from the base rates, whatever the present ones are."""
        self.last_epoch = 0
        self._is_initial = True
        self._write(self.base_lrs)
        self._write(self.get_lr())
        self._is_initial = False


def curve(
    build: Callable[[HasGroups], LRScheduler], steps: int, *, lr: float = 1.0, key: str = "lr"
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
    if not isinstance(scheduler, LRScheduler):
        name = type(scheduler).__name__
        raise TypeError(f"build must return a scheduler of optim_scratch, got {name}")
    rates: Array = scheduler.preview(steps, key)[:, 0]
    return rates
