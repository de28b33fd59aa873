"""The base of every scheduler: it reads and writes an optimizer's groups, and nothing else."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from optim_scratch.checks import Integer, Number

from .first_step import WARNING, FirstStep
from .group_access import (
    HasGroups,
    check_start,
    real_number,
    restored_if_refused,
    set_rate,
    values_of,
)
from .kinds import RATES, Limits
from .preview import Previewed

COMPUTED = Number(infinite=True)
"""A rate that a scheduler computes; one that grows for ever overflows, as torch's does."""


class LRScheduler(Previewed):
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
        If `optimizer` has no parameter groups, or any argument of any scheduler is not of its type.
        Numbers may be NumPy's, or tensors of one number; they are kept as Python's.
    ValueError
        If an argument is outside its range; all are finite.
    KeyError
        If `last_epoch` is 0 or more and a group lacks ``"initial_lr"``, which a scheduler
        leaves there when it starts.
    """

    limits: ClassVar[Limits] = {
        "last_epoch": Integer(-1),
        "_step_count": Integer(0),
        "base_lrs": RATES,
        "_last_lr": RATES,
    }

    _first_step: FirstStep | None = None
    _is_initial: bool = False
    _step_count: int
    base_lrs: list[Any]
    last_epoch: int

    def __init__(
        self, optimizer: HasGroups, last_epoch: int = -1, *, base_lrs: list[Any] | None = None
    ) -> None:
        check_start(optimizer, last_epoch)
        self.optimizer = optimizer
        for group, lr in zip(optimizer.param_groups, values_of(optimizer, "lr"), strict=True):
            group.setdefault("initial_lr", lr)
        self.base_lrs = values_of(optimizer, "initial_lr") if base_lrs is None else base_lrs
        self._take(last_epoch=last_epoch)
        self._first_step = FirstStep(optimizer)
        self._initial_step()

    def _initial_step(self) -> None:
        """Take the step that sets the rates of the first epoch; torch's SequentialLR calls it."""
        self._step_count = 0
        self._is_initial = True
        self._advance()
        self._is_initial = False

    def _start_over_from(self, rates: list[Any]) -> None:
        """Take the first step anew, with other base rates, its members' too."""
        for leaf in self._leaves():
            leaf.base_lrs, leaf.last_epoch = list(rates), -1
        self._write(rates)
        self._initial_step()

    def _begin_at_milestone(self) -> None:
        """Go to epoch 0 in the midst of a run, from the own base rates."""
        self.last_epoch = 0
        self._write(self.get_lr())

    def _leaves(self) -> list[LRScheduler]:
        """Return the schedulers that this one is composed of, itself if it is simple."""
        return [self]

    def _tree(self) -> list[LRScheduler]:
        """Return this scheduler and all that it holds, at every depth."""
        held = [vars(self)[name] for name in self.parts]
        members = [m for part in held for m in (part if isinstance(part, list) else [part])]
        within = [m._tree() for m in members if isinstance(m, LRScheduler)]
        return [self, *(scheduler for tree in within for scheduler in tree)]

    def _needs_metric(self) -> bool:
        """Return whether `step` must be given a metric, now or later."""
        return False

    def get_lr(self) -> list[Any]:
        """Return the rate of each group for the epoch `last_epoch`, given those of the last one.

        It is for `step` to ask, and not the present rate: asked after a step, a scheduler that
        rescales returns what a second rescaling would give. The present rates are `get_last_lr`'s.
        """
        raise NotImplementedError("a scheduler defines get_lr()")

    def get_last_lr(self) -> list[float]:
        """Return the rate of each group, as the last step set them; an array where it is one."""
        return self._last_lr

    def step(self, epoch: None = None) -> None:
        """Go to the next epoch: set the rate of each group.

        A step that is refused changes nothing, neither here nor in the groups.

        Parameters
        ----------
        epoch : None
            Not to be given: torch has deprecated it.

        Raises
        ------
        TypeError
            If an epoch is given, or a rate was set by hand to what is no number.
        ValueError
            If the optimizer got more groups and this scheduler does not know their base rates.

        Warns
        -----
        UserWarning
            At the first call, if the optimizer has not stepped by then: the rate of epoch 0 is
            skipped. Of torch's optimizers, if it has not since the scheduler was made.
        """
        refuse_epoch(epoch)
        self._step_whole()

    def _step_whole(self, *signal: Any) -> None:
        """Step, or change nothing if the step is refused; warn if the optimizer has yet to."""
        if not self._optimizer_stepped():
            warnings.warn(WARNING, UserWarning, stacklevel=3)
        with self._unchanged_if_refused():
            self._advance(*signal)

    def _optimizer_stepped(self) -> bool:
        """Return whether the optimizer has stepped by the first call, and ask no more."""
        came = self._first_step is None or self._first_step.came()
        for scheduler in self._tree():
            if scheduler._first_step is not None:
                scheduler._first_step.forget()
                scheduler._first_step = None
        return came

    @contextmanager
    def _unchanged_if_refused(self) -> Iterator[None]:
        """Put back all attributes, here and in members, and the groups, if an error is raised."""
        before = [(scheduler, dict(vars(scheduler))) for scheduler in self._tree()]
        try:
            with restored_if_refused(self.optimizer):
                yield
        except BaseException:
            for scheduler, attributes in before:
                vars(scheduler).clear()
                vars(scheduler).update(attributes)
            raise

    def _advance(self, *signal: Any) -> None:
        """Go to the next epoch; what is wrong may be found on the way."""
        self._step_count += 1
        self.last_epoch += 1
        self._write(self.get_lr())

    def _write(self, rates: list[Any]) -> None:
        """Set the rate of each group."""
        groups = self.optimizer.param_groups
        if len(rates) != len(groups):
            raise ValueError(f"get_lr() must return one rate per group, {len(groups)}, got {rates}")
        for i, lr in enumerate(rates):
            set_rate(groups[i], real_number(f"get_lr()[{i}]", lr, COMPUTED))
        self._last_lr = values_of(self.optimizer, "lr", COMPUTED)

    def _check_one_each(self, *names: str) -> None:
        """Refuse to go on where a list lacks the value of a group that came later."""
        groups = len(self.optimizer.param_groups)
        short = [name for name in names if len(getattr(self, name)) != groups]
        if short:
            raise ValueError(
                f"{' and '.join(short)} of this {type(self).__name__} must hold one value per "
                f"group, {groups}, got {len(getattr(self, short[0]))}: append those of the groups "
                f"that came by add_param_group"
            )

    def _rates(self) -> list[Any]:
        """Return the present rate of each group; a tensor's as a number."""
        return values_of(self.optimizer, "lr")


class Overwriting(LRScheduler):
    """A scheduler that sets the rate anew from the base rate: what others wrote is gone.

    A subclass defines `multiple`: the rate of an epoch in units of the base rate.
    """

    def multiple(self, epoch: int) -> float:
        """Return the rate of an epoch, in units of the base rate."""
        raise NotImplementedError("an overwriting scheduler defines multiple(epoch)")

    def get_lr(self) -> list[Any]:
        """Return the base rates times the multiple of this epoch."""
        self._check_one_each("base_lrs")
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

    def _begin_at_milestone(self) -> None:
        """Go to epoch 0 from the base rates, whatever the present ones are."""
        self._check_one_each("base_lrs")
        self.last_epoch = 0
        self._is_initial = True
        self._write(self.base_lrs)
        self._write(self.get_lr())
        self._is_initial = False


def refuse_epoch(epoch: Any) -> None:
    """Refuse what torch's `step` once took.

    Raises
    ------
    TypeError
        If there is an epoch.
    """
    if epoch is not None:
        raise TypeError(
            f"step() takes no epoch, got {epoch!r}: torch has deprecated it; call step() once an "
            f"epoch, and resume by state_dict or last_epoch"
        )
