"""Arguments that may be given once for all groups, or once for each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .groups import HasGroups, check_groups, detached


def per_group(
    name: str, value: Any, optimizer: HasGroups, check: Callable[[str, Any], None]
) -> list[Any]:
    """Return one checked value for each group.

    Parameters
    ----------
    name : str
        What a message calls it.
    value : number, or list or tuple of numbers
        One for all groups, or one for each.
    optimizer : object with `param_groups`
        Has the groups.
    check : callable
        Refuses a value, given the name and it.

    Raises
    ------
    TypeError, ValueError
        As `check` does, or if a list has not as many values as there are groups, or the
        optimizer has none.
    """
    check_groups(optimizer)
    groups = len(optimizer.param_groups)
    values = list(value) if isinstance(value, list | tuple) else [value] * groups
    if len(values) != groups:
        raise ValueError(f"{name} must hold one value per group, {groups}, got {len(values)}")
    for one in values:
        check(name, one)
    return [detached(one) for one in values]
