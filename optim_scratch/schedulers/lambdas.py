"""What LambdaLR and MultiplicativeLR share: a function for each group."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from optim_scratch.checks import as_list

from .group_access import HasGroups, check_groups, real_number
from .scheduler import LRScheduler

Factor = Callable[[int], float]


class WithLambdas(LRScheduler):
    """A scheduler with a function of the epoch for each group.

    Parameters
    ----------
    optimizer, last_epoch
        As of every `LRScheduler`.
    lr_lambda : callable, or sequence of callables
        From the epoch (int) to a factor; one for all groups, or one for each. A function is not
        saved in `state_dict`; of a callable object, the attributes that are data are.

    Raises
    ------
    TypeError
        If `lr_lambda` is not callable; in a step, if what it returns is no number.
    ValueError
        If there are not as many callables as groups.
    """

    parts = ("lr_lambdas",)

    def __init__(
        self,
        optimizer: HasGroups,
        lr_lambda: Factor | Sequence[Factor],
        last_epoch: int = -1,
    ) -> None:
        check_groups(optimizer)
        groups = len(optimizer.param_groups)
        given = [lr_lambda] * groups if callable(lr_lambda) else lr_lambda
        self.lr_lambdas = as_list("lr_lambda", given, "callable, or a sequence of callables")
        for function in self.lr_lambdas:
            if not callable(function):
                raise TypeError(f"lr_lambda must be callable, got {function!r}")
        if len(self.lr_lambdas) != groups:
            raise ValueError(
                f"lr_lambda must hold one callable per group, {groups}, got {len(self.lr_lambdas)}"
            )
        super().__init__(optimizer, last_epoch)

    def _times_factors(self, rates: list[Any]) -> list[Any]:
        """Return each rate times its function of the epoch."""
        t = self.last_epoch
        factors = [real_number(f"lr_lambda({t})", function(t)) for function in self.lr_lambdas]
        return [rate * factor for rate, factor in zip(rates, factors, strict=True)]
