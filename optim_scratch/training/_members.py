"""Parameters as an argument: one or an iterable of them, ours or torch's."""

from __future__ import annotations

from typing import Any

from optim_scratch.checks import as_list, type_name
from optim_scratch.parameter import Parameter


def is_parameter(value: Any) -> bool:
    """Whether a value is a parameter: ours, or a tensor of torch's that nothing computed.

    Parameters
    ----------
    value : Any
        What to look at.
    """
    return isinstance(value, Parameter) or getattr(value, "is_leaf", False) is True


def parameters_in(name: str, value: Any) -> list[Any]:
    """Return one parameter, or those of an iterable, as a list; it may be empty.

    Parameters
    ----------
    name : str
        What the message calls it.
    value : parameter, or iterable of them
        What to list.

    Raises
    ------
    TypeError
        If it is neither.
    """
    if is_parameter(value):
        return [value]
    # the rows of a tensor that was computed are no parameters
    computed = hasattr(value, "is_leaf")
    listed = [value] if computed else as_list(name, value, "a parameter or an iterable of them")
    for p in listed:
        if not is_parameter(p):
            raise TypeError(f"{name} must hold parameters, got {type_name(p)}")
    return listed


def own_parameters(name: str, value: Any) -> list[Parameter]:
    """Return one `Parameter`, or those of an iterable, as a list: at least one, and each once.

    Parameters
    ----------
    name : str
        What the message calls it.
    value : Parameter, or iterable of them
        What to list.

    Raises
    ------
    TypeError, ValueError
        If it is neither, is empty, or holds one twice.
    """
    listed = parameters_in(name, value)
    if not listed:
        raise ValueError(f"{name} must hold at least one Parameter, got none")
    for p in listed:
        if not isinstance(p, Parameter):
            raise TypeError(f"{name} must hold our Parameter objects, got {type_name(p)}")
    if len(set(listed)) < len(listed):
        raise ValueError(f"{name} must not hold a parameter twice")
    return listed
