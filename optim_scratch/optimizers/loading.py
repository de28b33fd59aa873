"""Read a saved optimizer, ours or torch's, and refuse one that does not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from optim_scratch.checks import FLAG, plain, untorched
from optim_scratch.parameter import Array, Parameter

if TYPE_CHECKING:
    from .optimizer import Group, Optimizer, State

# What torch's engine keeps in a group; it says how to compute, not what.
ENGINE_FLAGS = frozenset({"foreach", "fused", "capturable", "differentiable"})

# What schedulers leave in a group.
SCHEDULER_KEYS = frozenset(
    {"initial_lr", "max_lr", "min_lr", "base_momentum", "max_momentum", "swa_lr"}
)


def read_groups(optimizer: Optimizer, saved: Any) -> list[Group]:
    """Return the saved groups, checked, around the optimizer's own parameters.

    Raises
    ------
    TypeError, ValueError
        If what was saved is no state_dict, or of another optimizer or other groups, or a
        hyper-parameter is not admitted.
    """
    name = type(optimizer).__name__
    keys = list(saved) if isinstance(saved, dict) else []
    if not {"state", "param_groups"} <= set(keys):
        found = f"keys {keys}" if keys else repr(saved)
        raise ValueError(f"state_dict must be a dict with state and param_groups, got {found}")
    if saved.get("optimizer", name) != name:
        raise ValueError(f"state_dict must be of {name}, got one of {saved['optimizer']}")
    check_layout(saved)
    sizes = [len(group["params"]) for group in optimizer.param_groups]
    saved_sizes = [len(group["params"]) for group in saved["param_groups"]]
    if saved_sizes != sizes:
        raise ValueError(f"state_dict must have groups of {sizes} parameters, got {saved_sizes}")
    return [
        read_group(optimizer, ours, theirs)
        for ours, theirs in zip(optimizer.param_groups, saved["param_groups"], strict=True)
    ]


def check_layout(saved: dict[str, Any]) -> None:
    """Refuse what has not torch's layout: a list of groups with params, and a dict of dicts.

    Raises
    ------
    ValueError
        Naming what is found instead.
    """
    groups, state = saved["param_groups"], saved["state"]
    if not isinstance(groups, list | tuple) or not all(
        isinstance(group, dict) and isinstance(group.get("params"), list | tuple)
        for group in groups
    ):
        raise ValueError(f"param_groups must be a list of dicts with lists params, got {groups!r}")
    members = [i for group in groups for i in group["params"]]
    if not all(type(i) is int for i in members) or len(set(members)) < len(members):
        raise ValueError(f"params of the groups must be indices, each once, got {members}")
    if not isinstance(state, dict) or not all(isinstance(s, dict) for s in state.values()):
        raise ValueError(f"state must be a dict of dicts, got {state!r}")


def read_group(optimizer: Optimizer, ours: Group, theirs: Group) -> Group:
    """Return one saved group, checked, around the parameters of ours.

    Raises
    ------
    TypeError, ValueError
        If it lacks a hyper-parameter, or has one that is not admitted.
    """
    name = type(optimizer).__name__
    # older versions of torch knew fewer flags, which are off by default
    absent = {k for k, kind in optimizer.limits.items() if kind is FLAG} - set(theirs)
    flags = {k: optimizer.fixed.get(k, False) for k in absent}
    if missing := sorted(set(optimizer.defaults) - set(theirs) - set(flags)):
        raise ValueError(f"state_dict lacks {', '.join(missing)}: it is not of {name}")
    group = {k: plain(v) for k, v in theirs.items() if k not in ENGINE_FLAGS}
    group |= flags | {"params": ours["params"]}
    optimizer._check_hyper(group)
    if first := optimizer._begin_group(group):
        group["shared"] = read_entries(optimizer, "a group", first, group.get("shared"), None)
    return group


def read_state(
    optimizer: Optimizer, groups: list[Group], saved: dict[str, Any]
) -> dict[Parameter, State]:
    """Return the saved state of each parameter, held against its first one.

    Raises
    ------
    ValueError
        If a state is of no parameter, or is not as the optimizer's.
    """
    order = [i for group in saved["param_groups"] for i in group["params"]]
    if foreign := [i for i in saved["state"] if i not in order]:
        raise ValueError(f"state_dict has a state for parameter {foreign[0]}, which is in no group")
    indices = iter(order)
    state = {}
    for group in groups:
        h = {name: group[name] for name in optimizer.defaults}
        for p in group["params"]:
            index = next(indices)
            if saved["state"].get(index):
                where = f"parameter {index}"
                first = optimizer._begin(p, h)
                entries = saved["state"][index]
                kept = {k: v for k, v in entries.items() if k not in optimizer.scratch}
                kept = optimizer._completed(kept, first)
                state[p] = read_entries(optimizer, where, first, kept, p)
                optimizer._check_state(p, state[p])
    return state


def read_entries(
    optimizer: Optimizer, where: str, first: State, saved: Any, p: Parameter | None
) -> State:
    """Return saved entries, each of the kind that it has in the first state.

    Raises
    ------
    ValueError
        If one is missing, unknown, or of another kind or shape.
    """
    name = type(optimizer).__name__
    if not isinstance(saved, dict):
        raise ValueError(f"state_dict must hold a dict for {where}, got {saved!r}")
    for entry in saved:
        if entry not in first:
            raise ValueError(
                f"state_dict holds {entry!r}, which {name} does not keep: "
                f"it keeps {', '.join(first) or 'nothing'}"
            )
    absent = [k for k, example in first.items() if example is not None and saved.get(k) is None]
    if absent:
        raise ValueError(f"state_dict lacks {', '.join(absent)} of {where}")
    state = {}
    for entry, example in first.items():
        value, kind = saved.get(entry), p.data if example is None and p else example
        dtype = p.dtype if p else None
        state[entry] = None if value is None else read_entry(entry, value, kind, dtype)
        squares = state[entry] if entry in optimizer.squares else None
        if squares is not None and np.any(squares < 0):
            raise ValueError(f"{entry} must hold squares, none below 0, got {value!r}")
    return state


def read_entry(name: str, value: Any, example: Any, dtype: Any) -> Any:
    """Return one saved entry: a whole number, a number, an array or a list, as the example is one.

    Raises
    ------
    ValueError
        If it is of another kind or shape.
    """
    if isinstance(example, np.ndarray):
        return read_array(name, value, example)
    if isinstance(example, list):
        return read_list(name, value, dtype)
    number = plain(value)
    whole = isinstance(example, int)
    kind = "a whole number >= 0" if whole else "a number"
    if isinstance(number, bool) or not isinstance(number, int | float) or np.ndim(value):
        raise ValueError(f"{name} must be {kind}, got {value!r}")
    if whole and not (0 <= number < np.inf and number % 1 == 0):
        raise ValueError(f"{name} must be {kind}, got {value!r}")
    return int(number) if whole else float(number)


def read_list(name: str, values: Any, dtype: Any) -> list[Any]:
    """Return a saved list of numbers, or arrays of that dtype, of which there may be any number.

    Raises
    ------
    ValueError
        If it is no list, or an entry is not of real numbers.
    """
    if not isinstance(values, list | tuple):
        raise ValueError(f"{name} must be a list, got {values!r}")
    entries = [np.array(untorched(value)) for value in values]
    if any(entry.dtype.kind not in "iuf" for entry in entries):
        raise ValueError(f"{name} must hold real numbers, got {values!r}")
    return [entry.astype(dtype) if entry.ndim else entry.item() for entry in entries]


def read_array(name: str, value: Any, example: Array) -> Array:
    """Return one saved array in the dtype of the example.

    Raises
    ------
    ValueError
        If it does not hold real numbers, or has another shape.
    """
    array = np.array(untorched(value))
    if array.dtype.kind not in "iuf":
        raise ValueError(f"{name} must hold real numbers, got {value!r}")
    if array.shape != example.shape:
        raise ValueError(
            f"{name} must have its parameter's shape {example.shape}, got {array.shape}"
        )
    like: Array = np.empty_like(example)  # with the parameter's order of axes in memory
    like[...] = array
    return like
