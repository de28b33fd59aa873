"""Arguments that may be given once for all groups, or once for each."""

from __future__ import annotations

from typing import Any

from optim_scratch.checks import Number

from .group_access import HasGroups, check_groups


def per_group(name: str, value: Any, optimizer: HasGroups, kind: Number) -> list[Any]:
    """Return one checked value for each group.

    Parameters
    ----------
    name : str
        What a message calls it.
    value : number, or list or tuple of numbers
        One for all groups, or one for each.
    optimizer : object with `param_groups`
        Has the groups.
    kind : Number
        What each may be.

    Raises
    ------
    TypeError, ValueError
        As `Number.check` does, or if a list has not as many values as there are groups, or the
        optimizer has none.
    """
    check_groups(optimizer)
    groups = len(optimizer.param_groups)
    values = list(value) if isinstance(value, list | tuple) else [value] * groups
    if len(values) != groups:
        raise ValueError(f"{name} must hold one value per group, {groups}, got {len(values)}")
    return [kind.check(name, one) for one in values]
