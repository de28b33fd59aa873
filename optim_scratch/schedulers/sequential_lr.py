"""SequentialLR: one scheduler after another."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any, ClassVar

from optim_scratch.checks import Integer

from .composition import Composition
from .group_access import HasGroups, values_of
from .kinds import Limits, Rising
from .scheduler import LRScheduler

EPOCHS = Rising(low=1, strictly=True)


class SequentialLR(Composition):
    r"""Let one scheduler follow another.

    Member :math:`i` is in charge from the milestone :math:`m_i` (:math:`m_0 = 0`), where it
    counts 0, up to the next. It begins from the base rates, wherever its predecessor left the
    rate; `MultiplicativeLR` and `SWALR` alone begin from the present ones.

    Parameters
    ----------
    optimizer : object with `param_groups`
        Ours or torch's.
    schedulers : sequence of LRScheduler
        The members, made for this optimizer. Their own first steps are undone.
    milestones : iterable of int, >= 1
        The epochs at which the second, third, … member begins, strictly rising. torch takes them
        in any order; we refuse a list out of order.
    last_epoch : int
        Only -1: torch starts over from the first member whatever it is; resume by `state_dict`.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its type or outside its range, if there is not one milestone
        between two members, or if a member drives another optimizer or needs a metric.

    Notes
    -----
    Source: `torch.optim.lr_scheduler.SequentialLR`, whose rates these are. Where a member is
    itself composed, torch's are not: a later one raises NotImplementedError, and a chain that
    comes first begins one factor too far. A `CyclicLR` or `OneCycleLR` sets the groups' base rates
    when it is made, and so where the other members begin, here as there.

    Examples
    --------
    >>> from optim_scratch.schedulers import ExponentialLR, LinearLR, curve
    >>> def build(optimizer):
    ...     members = [LinearLR(optimizer, 0.5, total_iters=2), ExponentialLR(optimizer, 0.1)]
    ...     return SequentialLR(optimizer, members, milestones=[2])
    >>> curve(build, 5).round(3).tolist()
    [0.5, 0.75, 1.0, 0.1, 0.01]
    """

    limits: ClassVar[Limits] = {"_milestones": EPOCHS}

    def __init__(
        self,
        optimizer: HasGroups,
        schedulers: Sequence[LRScheduler],
        milestones: Sequence[int],
        last_epoch: int = -1,
    ) -> None:
        super().__init__(optimizer, schedulers)
        self._milestones = EPOCHS.check("milestones", milestones)
        self._check_together(vars(self))
        if Integer(-1).check("last_epoch", last_epoch) != -1:
            raise ValueError(f"last_epoch must be -1, got {last_epoch}: resume by state_dict")
        for leaf in self._leaves():
            leaf.last_epoch = -1
        self._write(values_of(optimizer, "initial_lr"))
        self._initial_step()

    def _initial_step(self) -> None:
        """Let the first member take its first step."""
        self.last_epoch = 0
        self._schedulers[0]._initial_step()
        self._last_lr = self._rates()

    def _check_together(self, values: dict[str, Any]) -> None:
        """Refuse too few or too many milestones."""
        members, found = len(self._schedulers), len(values["_milestones"])
        if found != members - 1:
            raise ValueError(
                f"milestones must be one fewer than the {members} schedulers, got {found}"
            )

    def _advance(self, *signal: Any) -> None:
        """Go to the next epoch: step the member in charge, which begins at its milestone."""
        self.last_epoch += 1
        i = bisect_right(self._milestones, self.last_epoch)
        member = self._schedulers[i]
        if i > 0 and self._milestones[i - 1] == self.last_epoch:
            member._begin_at_milestone()
        else:
            member.step()
        self._last_lr = self._rates()
