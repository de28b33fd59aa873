"""An optimizer's groups as schedulers read and write them: numbers, arrays and tensors alike."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, Protocol

import numpy as np

from optim_scratch.checks import ANY, Integer, Number, plain
from optim_scratch.parameter import Array

DRIVEN = ("lr", "momentum", "betas")
"""The entries of a group that a scheduler may write."""


class HasGroups(Protocol):
    """All that a scheduler asks of an optimizer, ours or torch's."""

    param_groups: list[dict[str, Any]]


def check_groups(optimizer: Any) -> None:
    """Refuse what has no parameter groups, or groups without a rate.

    Raises
    ------
    TypeError, ValueError
        Naming its type, or the rate.
    """
    groups = getattr(optimizer, "param_groups", None)
    if not isinstance(groups, list | tuple) or not all(isinstance(g, Mapping) for g in groups):
        raise TypeError(f"optimizer must have param_groups, got {type(optimizer).__name__}")
    values_of(optimizer, "lr")
    for i, group in enumerate(groups):
        real_number(f"'initial_lr' of group {i}", group.get("initial_lr", 0.0))


def check_start(optimizer: Any, last_epoch: Any) -> None:
    """Refuse an optimizer without groups, and to resume one that no scheduler ever drove.

    Raises
    ------
    TypeError, ValueError, KeyError
        Naming what is wrong.
    """
    check_groups(optimizer)
    if Integer(-1).check("last_epoch", last_epoch) == -1:
        return
    for i, group in enumerate(optimizer.param_groups):
        if "initial_lr" not in group:
            raise KeyError(
                f"last_epoch={last_epoch} resumes, but group {i} of the optimizer has no "
                f"'initial_lr': load the optimizer's state_dict first"
            )


def check_entries(optimizer: HasGroups, name: str, entries: Iterable[str]) -> None:
    """Refuse a group that lacks what a scheduler of that name reads there.

    Raises
    ------
    ValueError
        Naming the group, what it lacks, and what to do.
    """
    wanted = set(entries)
    for i, group in enumerate(optimizer.param_groups):
        if missing := sorted(wanted - group.keys()):
            raise ValueError(
                f"group {i} of the optimizer must have {', '.join(map(repr, missing))}, which "
                f"{name} reads there: set it in a group that came by add_param_group"
            )


def real_number(name: str, value: Any, kind: Number = ANY) -> Any:
    """Return one number as Python's, or an array of numbers in float64.

    Parameters
    ----------
    name : str
        What a message calls it.
    value : Any
        A number, an array, or a tensor.
    kind : Number
        Within which bounds.

    Raises
    ------
    TypeError, ValueError
        As `Number.check_array` does.
    """
    number = kind.check_array(name, value)
    return number.astype(float) if isinstance(number, np.ndarray) else number


def values_of(optimizer: HasGroups, key: str, kind: Number = ANY) -> list[Any]:
    """Return one number, or array of them, of each group.

    Raises
    ------
    TypeError, ValueError
        If one is there that is none, as a rate that was set by hand may be.
    """
    values = []
    for i, group in enumerate(optimizer.param_groups):
        if key not in group:
            raise ValueError(f"group {i} of the optimizer must have {key!r}")
        values.append(real_number(f"{key!r} of group {i}", group[key], kind))
    return values


def set_rate(group: dict[str, Any], lr: Any) -> None:
    """Set a group's rate; one that is held in a tensor is filled in place."""
    if hasattr(group["lr"], "fill_"):
        group["lr"].fill_(plain(lr))
    else:
        group["lr"] = copy.copy(plain(lr))  # an array edited in place must not be a base rate


@contextmanager
def restored_if_refused(optimizer: HasGroups) -> Iterator[None]:
    """Put back what the groups held of all that a scheduler writes, if an error ends the block."""
    before = [
        {key: copy.copy(plain(group[key])) for key in DRIVEN if key in group}
        for group in optimizer.param_groups
    ]
    try:
        yield
    except BaseException:
        for group, values in zip(optimizer.param_groups, before, strict=True):
            held: Any = group.get("lr")
            group.update(values)
            if hasattr(held, "fill_"):
                held.fill_(values["lr"])
                group["lr"] = held
        raise


def stand_in(optimizer: HasGroups) -> HasGroups:
    """Return groups like the optimizer's, with numbers for tensors, that move no parameter."""
    groups = [
        {key: copied(plain(value)) for key, value in group.items() if key != "params"}
        for group in optimizer.param_groups
    ]
    return SimpleNamespace(param_groups=groups)


def entries_of(optimizer: HasGroups, key: str) -> list[Any]:
    """Return copies of one entry of each group, with numbers for tensors."""
    return [copied(plain(group[key])) for group in optimizer.param_groups]


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


def is_data(value: Any) -> bool:
    """Return whether a value is of numbers, words and arrays, or lists and dictionaries of them."""
    if isinstance(value, dict):
        return all(is_data(entry) for pair in value.items() for entry in pair)
    if isinstance(value, list | tuple | set | frozenset):
        return all(map(is_data, value))
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "biufU"
    return value is None or isinstance(value, bool | int | float | str | np.generic)


def copied(value: Any) -> Any:
    """Return a copy of data; what is none, as a model or a lock, is shared."""
    return copy.deepcopy(value) if is_data(value) else value
