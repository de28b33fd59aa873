"""What schedulers that are made of others share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from optim_scratch.checks import as_list

from .reduce_lr_on_plateau import ReduceLROnPlateau
from .scheduler import HasGroups, LRScheduler, check_groups


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
        If there is no member, or one is no scheduler, a `ReduceLROnPlateau`, of another
        optimizer, or given twice.
    """

    transient: ClassVar[tuple[str, ...]] = ("optimizer", "_is_initial", "_schedulers")

    def __init__(self, optimizer: HasGroups, schedulers: Sequence[LRScheduler]) -> None:
        members = as_list("schedulers", schedulers, "a sequence of schedulers")
        if not members:
            raise ValueError("schedulers must hold at least one scheduler, got none")
        for member in members:
            check_member(optimizer, member)
            if isinstance(member, ReduceLROnPlateau):
                raise ValueError(
                    f"schedulers of {type(self).__name__} must need no metric, got a "
                    f"ReduceLROnPlateau: step it by itself"
                )
        if len({id(member) for member in members}) < len(members):
            raise ValueError("schedulers must not hold a scheduler twice")
        check_groups(optimizer)
        self.optimizer = optimizer
        self._schedulers: list[LRScheduler] = members

    def _leaves(self) -> list[LRScheduler]:
        """Return the members, and theirs."""
        return [leaf for member in self._schedulers for leaf in member._leaves()]

    def _restart(self) -> None:
        """Go to epoch 0 from the base rates, in the midst of a run."""
        self._begin(self._leaves()[0].base_lrs)

    def state_dict(self) -> dict[str, Any]:
        """Return the state, the members' included."""
        return {**super().state_dict(), "_schedulers": [s.state_dict() for s in self._schedulers]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a saved state, ours or torch's; the groups' rates are the optimizer's to load.

        Parameters
        ----------
        state_dict : dict
            As `state_dict` returns it.

        Raises
        ------
        ValueError
            If it is of another scheduler, or a member's state is of another than the member.
        """
        self._check_state(state_dict, "_schedulers")
        for member, saved in zip(self._schedulers, state_dict["_schedulers"], strict=True):
            member.load_state_dict(saved)
        self._load(state_dict)


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
