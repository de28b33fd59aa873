"""An optimizer's groups as schedulers read and write them: numbers, arrays and tensors alike."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any, Protocol

import numpy as np

from optim_scratch.checks import check_integer
from optim_scratch.parameter import Array


class HasGroups(Protocol):
    """All that a scheduler asks of an optimizer, ours or torch's."""

    param_groups: list[dict[str, Any]]


def check_groups(optimizer: Any) -> None:
    """Refuse what has no parameter groups.

    Raises
    ------
    TypeError
        Naming its type.
    """
    if not hasattr(optimizer, "param_groups"):
        raise TypeError(f"optimizer must have param_groups, got {type(optimizer).__name__}")


def check_start(optimizer: Any, last_epoch: Any) -> None:
    """Refuse an optimizer without groups, and to resume one that no scheduler ever drove.

    Raises
    ------
    TypeError, ValueError, KeyError
        Naming what is wrong.
    """
    check_groups(optimizer)
    check_integer("last_epoch", last_epoch, low=-1)
    for i, group in enumerate(optimizer.param_groups):
        if last_epoch >= 0 and "initial_lr" not in group:
            raise KeyError(
                f"last_epoch={last_epoch} resumes, but group {i} of the optimizer has no "
                f"'initial_lr': load the optimizer's state_dict first"
            )


def stand_in(optimizer: HasGroups) -> HasGroups:
    """Return groups like the optimizer's, with numbers for tensors, that move no parameter."""
    groups = [
        {k: copy.deepcopy(detached(v)) for k, v in group.items() if k != "params"}
        for group in optimizer.param_groups
    ]
    return SimpleNamespace(param_groups=groups)


def set_rate(group: dict[str, Any], lr: Any) -> None:
    """Set a group's rate; one that is held in a tensor is filled in place."""
    if hasattr(group["lr"], "fill_"):
        group["lr"].fill_(detached(lr))
    else:
        group["lr"] = copy.copy(detached(lr))  # an array edited in place must not be a base rate


def stacked(rows: list[list[Any]]) -> Array:
    """Return the values of the groups, row by row, as one array; smaller ones are repeated."""
    try:
        return np.array(rows)
    except ValueError:  # rows, groups, or the entries of a tuple, that differ in shape
        return level(map(level, rows))


def level(values: Iterable[Any]) -> Array:
    """Return numbers, arrays and tuples of them as one array with an axis for each nesting."""
    entries = [level(v) if isinstance(v, tuple) else np.asarray(v) for v in values]
    return np.stack(np.broadcast_arrays(*entries))


def values_of(optimizer: HasGroups, key: str) -> list[Any]:
    """Return one entry of each group; a tensor's as a number."""
    return [copy.deepcopy(detached(group[key])) for group in optimizer.param_groups]


def detached(value: Any) -> Any:
    """Return a tensor's number or numbers, as a float or an array, NumPy's number as Python's.

    Anything else is returned as it is.
    """
    if hasattr(value, "detach"):
        return value.item() if value.numel() == 1 else np.asarray(value.detach().cpu()).copy()
    return value.item() if isinstance(value, np.generic) else value
