"""Carrying the state of optimizers and schedulers between this package and torch."""

from typing import Any

import numpy as np
import torch

from optim_scratch.checks import untorched


def to_torch(state_dict: dict[str, Any]) -> dict[str, Any]:
    """Turn the `state_dict` of one of our optimizers into one that torch's loads.

    Parameters
    ----------
    state_dict : dict
        What ``Optimizer.state_dict()`` returned.

    Returns
    -------
    dict
        Arrays and numbers of the state as tensors, without the optimizer's name. Counts are of
        torch's default dtype, as its own are; other numbers of float64, so that no digit is lost.

    Raises
    ------
    ValueError
        When a hyper-parameter is an array or a function, or the optimizer wraps another: torch has
        no such thing.
    """
    if "wrapped" in state_dict:
        raise ValueError(f"state_dict must be no wrapper's, got one of {state_dict['optimizer']}")
    state = {
        index: {name: _tensor(value) for name, value in entry.items()}
        for index, entry in state_dict["state"].items()
    }
    groups = [
        {name: _hyper(name, value) for name, value in group.items()}
        for group in state_dict["param_groups"]
    ]
    return {"state": state, "param_groups": groups}


def from_torch(state_dict: dict[str, Any]) -> dict[str, Any]:
    """Turn the `state_dict` of one of torch's optimizers into plain arrays and numbers.

    Our optimizers load torch's as it is; this makes a copy that outlives torch, for instance to
    be saved and read where torch is not installed. It names no optimizer, so it may be loaded by
    any whose state it fits.

    Parameters
    ----------
    state_dict : dict
        What ``torch.optim.Optimizer.state_dict()`` returned.

    Returns
    -------
    dict
        The same, its tensors as arrays; those of bfloat16, which NumPy lacks, of float32.
    """
    state = {
        index: {name: _array(value) for name, value in entry.items()}
        for index, entry in state_dict["state"].items()
    }
    groups = [
        {name: _array(value) for name, value in group.items()}
        for group in state_dict["param_groups"]
    ]
    return {"state": state, "param_groups": groups}


def scheduler_to_torch(state_dict: dict[str, Any]) -> dict[str, Any]:
    """Turn the `state_dict` of one of our schedulers into one that torch's loads.

    Parameters
    ----------
    state_dict : dict
        What ``LRScheduler.state_dict()`` returned.

    Returns
    -------
    dict
        The same without the scheduler's name, and so for the schedulers it is made of.
    """
    return _without(state_dict, ("scheduler",))


def scheduler_from_torch(state_dict: dict[str, Any]) -> dict[str, Any]:
    """Turn the `state_dict` of one of torch's schedulers into plain numbers and arrays.

    Our schedulers load torch's as it is; this makes a copy that outlives torch.

    Parameters
    ----------
    state_dict : dict
        What the ``state_dict()`` of torch's scheduler returned.

    Returns
    -------
    dict
        The same, tensors as numbers, without what torch keeps for its own checks.
    """
    return _without(state_dict, ("_is_initial", "_get_lr_called_within_step"))


def with_tensors(state: Any) -> Any:
    """Return a state of ours that torch saves and, with its default, loads again.

    ``torch.load`` admits tensors and plain Python values alone; our states hold arrays.

    Parameters
    ----------
    state : Any
        What the `state_dict` of an optimizer, a scheduler or a wrapper of ours returned.

    Returns
    -------
    Any
        The same with tensors for arrays, at every depth. Our `load_state_dict` takes it as it is.

    Examples
    --------
    >>> import io
    >>> from optim_scratch import Parameter
    >>> from optim_scratch.optimizers import Adam
    >>> adam, file = Adam([Parameter([1.0])], lr=0.1), io.BytesIO()
    >>> torch.save(with_tensors(adam.state_dict()), file)
    >>> _ = file.seek(0)
    >>> adam.load_state_dict(torch.load(file))
    """
    if isinstance(state, np.ndarray):
        return torch.from_numpy(state.copy())
    if isinstance(state, np.generic):
        return state.item()
    if isinstance(state, dict):
        return {name: with_tensors(value) for name, value in state.items()}
    if isinstance(state, list):
        return [with_tensors(value) for value in state]
    if isinstance(state, tuple):
        return tuple(with_tensors(value) for value in state)
    return state


def _without(state: Any, names: tuple[str, ...]) -> Any:
    """Return a scheduler's state without some entries, at every depth, tensors as numbers."""
    if isinstance(state, torch.Tensor):
        return _array(state) if state.ndim else state.item()
    if type(state) is dict:
        return {k: _without(v, names) for k, v in state.items() if k not in names}
    return [_without(v, names) for v in state] if isinstance(state, list) else state


def _tensor(value: Any) -> Any:
    """Return a state's entry as torch keeps it; None, for no buffer yet, stays."""
    if isinstance(value, list):
        return [_tensor(entry) for entry in value]
    if isinstance(value, np.ndarray):
        return torch.from_numpy(value.copy())
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        return value
    whole = isinstance(value, int | np.integer)
    dtype = torch.get_default_dtype() if whole else torch.float64
    return torch.tensor(float(value), dtype=dtype)


def _hyper(name: str, value: Any) -> Any:
    """Return a group's entry as torch takes it."""
    if isinstance(value, tuple):
        return tuple(_hyper(f"{name}[{i}]", entry) for i, entry in enumerate(value))
    if isinstance(value, np.ndarray):
        raise ValueError(f"{name} must be one number for torch, got an array of {value.shape}")
    if callable(value):
        raise ValueError(f"{name} must be a word or None for torch, got a function: {value!r}")
    return value.item() if isinstance(value, np.generic) else value


def _array(value: Any) -> Any:
    """Return a tensor as an array, also in a tuple; anything else as it is."""
    if isinstance(value, tuple | list):
        return type(value)(_array(entry) for entry in value)
    return untorched(value)
