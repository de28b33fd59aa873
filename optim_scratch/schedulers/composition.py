"""What schedulers that are made of others share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from optim_scratch.checks import as_list
from optim_scratch.parameter import Array

from .group_access import HasGroups, check_groups
from .scheduler import LRScheduler


class Composition(LRScheduler):
    """A scheduler made of others, which drive the same optimizer.

    Parameters
    ----------
    optimizer : object with `param_groups`
        Ours or torch's.
    schedulers : sequence of LRScheduler
        The members, at least one.

    Raises
    ------
    TypeError, ValueError
        If there is no member, or one is no scheduler, needs a metric, drives another optimizer,
        or is given twice.
    """

    parts = ("_schedulers",)

    def __init__(self, optimizer: HasGroups, schedulers: Sequence[LRScheduler]) -> None:
        members = as_list("schedulers", schedulers, "a sequence of schedulers")
        if not members:
            raise ValueError("schedulers must hold at least one scheduler, got none")
        for member in members:
            check_member(optimizer, member)
            if member._needs_metric():
                raise ValueError(
                    f"schedulers of {type(self).__name__} must need no metric, got a "
                    f"{type(member).__name__} that does: step it by itself"
                )
        leaves = [id(leaf) for member in members for leaf in member._leaves()]
        if len(set(leaves)) < len(leaves):
            raise ValueError("schedulers must not hold a scheduler twice")
        check_groups(optimizer)
        self.optimizer = optimizer
        self._schedulers: list[LRScheduler] = members
        self._first_step = members[0]._first_step

    @classmethod
    def curve(cls, steps: int, *, lr: float = 1.0, key: str = "lr", **arguments: Any) -> Array:
        """Refuse: the members are made for an optimizer; ask `optim_scratch.schedulers.curve`.

        Raises
        ------
        TypeError
            Always.
        """
        raise TypeError(
            f"{cls.__name__} has members made for an optimizer: use the function "
            f"optim_scratch.schedulers.curve(build, steps)"
        )

    def _leaves(self) -> list[LRScheduler]:
        """Return the members, and theirs."""
        return [leaf for member in self._schedulers for leaf in member._leaves()]

    def _begin_at_milestone(self) -> None:
        """Go to epoch 0, every member from its own base rates, in the midst of a run."""
        leaves = self._leaves()
        leaves[0]._check_one_each("base_lrs")
        for leaf in leaves:
            leaf.last_epoch = -1
        self._write(leaves[0].base_lrs)
        self._initial_step()


def check_member(optimizer: HasGroups, member: Any) -> None:
    """Refuse what is no scheduler, or one of another optimizer.

    Raises
    ------
    TypeError, ValueError
        Naming it.
    """
    name = type(member).__name__
    if not isinstance(member, LRScheduler):
        raise TypeError(f"a member must be a scheduler of optim_scratch, got {name}")
    if member.optimizer is not optimizer:
        raise ValueError(f"a member must drive the same optimizer, but {name} drives another")
