"""States of optimizers and schedulers as JSON, to the last digit."""

from __future__ import annotations

import json
from typing import Any

import numpy as np


def to_json(state: Any) -> str:
    """Return a state as JSON.

    Arrays become lists with their dtype, so that `from_json` gives back the same digits. Infinity
    and NaN are written as Python's `json` does, which not every other reader takes.

    Parameters
    ----------
    state : Any
        What a `state_dict` of this package returned: dicts, lists, tuples, arrays and numbers.

    Returns
    -------
    str

    Raises
    ------
    TypeError
        If it holds anything else.

    Examples
    --------
    >>> from optim_scratch import Parameter
    >>> from optim_scratch.optimizers import SGD
    >>> sgd = SGD([Parameter([1.0, 2.0])], lr=0.1, momentum=0.9)
    >>> sgd.load_state_dict(from_json(to_json(sgd.state_dict())))
    """
    return json.dumps(_packed(state))


def from_json(text: str) -> Any:
    """Return the state that `to_json` wrote.

    Parameters
    ----------
    text : str
        What it returned.

    Raises
    ------
    ValueError
        If it is no JSON.
    """
    return _unpacked(json.loads(text))


def _packed(value: Any) -> Any:
    """Return a value in terms of JSON: what it has no form for becomes a dict with one key."""
    if isinstance(value, np.ndarray):
        return {"array": value.tolist(), "dtype": value.dtype.str, "shape": list(value.shape)}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, tuple):
        return {"tuple": [_packed(entry) for entry in value]}
    if isinstance(value, list):
        return [_packed(entry) for entry in value]
    if isinstance(value, dict):
        return {"dict": [[_packed(k), _packed(v)] for k, v in value.items()]}
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise TypeError(f"state must hold numbers, arrays and containers of them, got {value!r}")


def _unpacked(value: Any) -> Any:
    """Return what was packed."""
    if isinstance(value, list):
        return [_unpacked(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    if "array" in value:
        return np.array(value["array"], value["dtype"]).reshape(value["shape"])
    if "tuple" in value:
        return tuple(_unpacked(entry) for entry in value["tuple"])
    return {_unpacked(k): _unpacked(v) for k, v in value["dict"]}
