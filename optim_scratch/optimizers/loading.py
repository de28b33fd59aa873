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
    sizes = [len(group["params"]) for group in optimizer.param_groups]
    saved_sizes = [len(group["params"]) for group in saved["param_groups"]]
    if saved_sizes != sizes:
        raise ValueError(f"state_dict must have groups of {sizes} parameters, got {saved_sizes}")
    groups = []
    for ours, theirs in zip(optimizer.param_groups, saved["param_groups"], strict=True):
        missing = sorted(set(optimizer.defaults) - set(theirs))
        if missing:
            raise ValueError(f"state_dict lacks {', '.join(missing)}: it is not of {name}")
        plain = {k: number(v) for k, v in theirs.items() if k not in ENGINE_FLAGS}
        groups.append({**plain, "params": ours["params"]})
    return groups


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
        state[p] = {k: read_array(optimizer, p, k, v) for k, v in entries.items()}
    return state


def read_array(optimizer: Optimizer, p: Parameter, name: str, value: Any) -> Array | None:
    """Return one saved array in the parameter's dtype; None, as torch's SGD saves, stays.

    Raises
    ------
    ValueError
        If the optimizer keeps no such array, or it has not the parameter's shape.
    """
    if name not in optimizer.state_names:
        raise ValueError(
            f"state_dict holds {name!r}, which {type(optimizer).__name__} does not keep: "
            f"it keeps {', '.join(optimizer.state_names) or 'nothing'}"
        )
    if value is None:
        return None
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
