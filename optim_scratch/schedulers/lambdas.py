"""What LambdaLR and MultiplicativeLR share: a function for each group."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from optim_scratch.checks import as_list

from .groups import HasGroups
from .scheduler import LRScheduler

Factor = Callable[[int], float]


class WithLambdas(LRScheduler):
    """A scheduler with a function of the epoch for each group.

    Parameters
    ----------
    optimizer : object with `param_groups`
        Ours or torch's.
    lr_lambda : callable, or sequence of callables
        From the epoch (int) to a factor; one for all groups, or one for each.
    last_epoch : int, >= -1
        The last epoch that is done, to resume by hand.

    Raises
    ------
    TypeError
        If `lr_lambda` is not callable.
    ValueError
        If there are not as many callables as groups.
    """

    transient: ClassVar[tuple[str, ...]] = ("optimizer", "_is_initial", "lr_lambdas")

    def __init__(
        self,
        optimizer: HasGroups,
        lr_lambda: Factor | Sequence[Factor],
        last_epoch: int = -1,
    ) -> None:
        groups = len(getattr(optimizer, "param_groups", []))
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

    def state_dict(self) -> dict[str, Any]:
        """Return the state; of each callable its attributes, or None for a plain function."""
        saved = [attributes_of(function) for function in self.lr_lambdas]
        return {**super().state_dict(), "lr_lambdas": saved}

    def _check_state(self, state_dict: dict[str, Any]) -> None:
        """Refuse what does not fit the scheduler or its callables."""
        super()._check_state(state_dict)
        here, saved = len(self.lr_lambdas), state_dict["lr_lambdas"]
        if not isinstance(saved, list | tuple) or len(saved) != here:
            raise ValueError(f"state_dict must have {here} lr_lambdas, got {saved!r}")
        for function, attributes in zip(self.lr_lambdas, saved, strict=True):
            check_attributes("lr_lambdas", function, attributes)

    def _load(self, state_dict: dict[str, Any]) -> None:
        """Take over what was saved; plain functions stay as they were given here."""
        super()._load(state_dict)
        for function, saved in zip(self.lr_lambdas, state_dict["lr_lambdas"], strict=True):
            if saved:
                vars(function).update(copy.deepcopy(saved))


def attributes_of(function: Callable[..., Any] | None) -> dict[str, Any] | None:
    """Return what a callable object remembers; None for a function, ours or built in."""
    if hasattr(function, "__code__") or not hasattr(function, "__dict__"):
        return None
    return copy.deepcopy(vars(function))


def check_attributes(name: str, function: Callable[..., Any] | None, saved: Any) -> None:
    """Refuse the saved attributes of a callable object where there is none to take them.

    Raises
    ------
    ValueError
        Naming both.
    """
    if saved and (attributes_of(function) is None or not isinstance(saved, dict)):
        raise ValueError(
            f"state_dict has attributes {saved!r} in {name}, which must be a callable object "
            f"to take them, got {function!r}"
        )
