"""Read a saved optimizer, ours or torch's, and refuse one that does not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from optim_scratch.parameter import Array, Parameter

if TYPE_CHECKING:
    from .optimizer import Group, Optimizer

# What torch's engine keeps in a group; it says how to compute, not what.
ENGINE_FLAGS = frozenset(
    {"foreach", "fused", "capturable", "differentiable", "decoupled_weight_decay"}
)


def read_groups(optimizer: Optimizer, saved: Any) -> list[Group]:
    """Return the saved groups around the optimizer's own parameters.

    Raises
    ------
    ValueError
        If what was saved is no state_dict, or of another optimizer or other groups.
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
    groups = []
    for ours, theirs in zip(optimizer.param_groups, saved["param_groups"], strict=True):
        if theirs.get("decoupled_weight_decay", False):
            raise ValueError(f"state_dict must be of {name}, got one with decoupled weight decay")
        missing = sorted(set(optimizer.defaults) - set(theirs))
        if missing:
            raise ValueError(f"state_dict lacks {', '.join(missing)}: it is not of {name}")
        plain = {k: number(v) for k, v in theirs.items() if k not in ENGINE_FLAGS}
        groups.append({**plain, "params": ours["params"]})
    return groups


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
    if not isinstance(state, dict) or not all(isinstance(s, dict) for s in state.values()):
        raise ValueError(f"state must be a dict of dicts, got {state!r}")


def read_state(optimizer: Optimizer, saved: dict[str, Any]) -> dict[Parameter, dict[str, Any]]:
    """Return the saved state of each of the optimizer's parameters.

    Raises
    ------
    ValueError
        If a state is of no parameter, or holds what the optimizer does not keep.
    """
    members = [p for group in optimizer.param_groups for p in group["params"]]
    order = [i for group in saved["param_groups"] for i in group["params"]]
    by_index = dict(zip(order, members, strict=True))
    state = {}
    for index, entries in saved["state"].items():
        if index not in by_index:
            raise ValueError(f"state_dict has a state for parameter {index}, which is in no group")
        p = by_index[index]
        state[p] = {k: read_entry(optimizer, p, k, v) for k, v in entries.items()}
        missing = [name for name in optimizer.required_names if state[p].get(name) is None]
        if state[p] and missing:
            raise ValueError(f"state_dict lacks {', '.join(missing)} of parameter {index}")
    return state


def read_entry(optimizer: Optimizer, p: Parameter, name: str, value: Any) -> Array | int | None:
    """Return one saved entry of a parameter's state; None, as torch's SGD saves, stays.

    Raises
    ------
    ValueError
        If the optimizer keeps no such thing, or it does not fit.
    """
    known = (*optimizer.count_names, *optimizer.state_names)
    if name not in known:
        raise ValueError(
            f"state_dict holds {name!r}, which {type(optimizer).__name__} does not keep: "
            f"it keeps {', '.join(known) or 'nothing'}"
        )
    if value is None:
        return None
    return read_count(name, value) if name in optimizer.count_names else read_array(p, name, value)


def read_count(name: str, value: Any) -> int:
    """Return a saved count, which torch keeps as a tensor of a floating dtype.

    Raises
    ------
    ValueError
        If it is no whole number of at least 0.
    """
    count = number(value)
    if isinstance(count, bool) or not isinstance(count, int | float) or count < 0 or count % 1:
        raise ValueError(f"{name} must be a whole number >= 0, got {value!r}")
    return int(count)


def read_array(p: Parameter, name: str, value: Any) -> Array:
    """Return one saved array in the parameter's dtype.

    Raises
    ------
    ValueError
        If it has not the parameter's shape.
    """
    array = np.asarray(value).astype(p.dtype)
    if array.shape != p.shape:
        raise ValueError(f"{name} must have its parameter's shape {p.shape}, got {array.shape}")
    return array


def number(value: Any) -> Any:
    """Return a tensor as an array, a tensor of one number as a float, all else as it is."""
    if not hasattr(value, "__array__"):
        return value
    array = np.asarray(value)
    return array.copy() if array.ndim else array.item()
