"""ChainedScheduler: several schedulers at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from optim_scratch.checks import as_list

from .composition import Composition
from .group_access import HasGroups
from .scheduler import LRScheduler


class ChainedScheduler(Composition):
    r"""Step several schedulers, one after the other, every epoch.

    The factors of rescaling members multiply, in any order. An overwriting member wipes out what
    those before it in the list did.

    Parameters
    ----------
    schedulers : sequence of LRScheduler
        The members, made for one optimizer.
    optimizer : object with `param_groups`, optional
        Ours or torch's; the members' if not given.

    Raises
    ------
    TypeError, ValueError
        If there is no member, or one is no scheduler, drives another optimizer, is given twice
        or needs a metric.

    Notes
    -----
    Source: `torch.optim.lr_scheduler.ChainedScheduler`, whose rates these are.

    Examples
    --------
    >>> from optim_scratch.schedulers import ConstantLR, ExponentialLR, curve
    >>> def build(optimizer):
    ...     halved = ConstantLR(optimizer, factor=0.5, total_iters=2)
    ...     return ChainedScheduler([halved, ExponentialLR(optimizer, gamma=0.1)])
    >>> curve(build, 4).round(4).tolist()
    [0.5, 0.05, 0.01, 0.001]
    """

    def __init__(
        self, schedulers: Sequence[LRScheduler], optimizer: HasGroups | None = None
    ) -> None:
        members = as_list("schedulers", schedulers, "a sequence of schedulers")
        if optimizer is None and members:
            optimizer = getattr(members[0], "optimizer", None)
        super().__init__(optimizer, members)  # type: ignore[arg-type]
        self._last_lr = self._rates()

    def _initial_step(self) -> None:
        """Let every member take its first step."""
        for member in self._schedulers:
            member._initial_step()
        self._last_lr = self._rates()

    def _advance(self, *signal: Any) -> None:
        """Go to the next epoch: step every member, in the order of the list."""
        for member in self._schedulers:
            member.step()
        self._last_lr = self._rates()
