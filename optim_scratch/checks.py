"""Refusals at the door: each names the argument, its value and what is allowed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike


def check_number(
    name: str, value: ArrayLike, low: float, high: float = np.inf, *, below: bool = False
) -> None:
    """Refuse a number outside [low, high], or outside [low, high) if `below`.

    Parameters
    ----------
    name : str
        What the message calls it.
    value : float or array
        What to check, each entry of an array.
    low, high : float
        The bounds.
    below : bool
        Whether `high` itself is refused too.

    Raises
    ------
    TypeError
        If `value` is not a real number or an array of them.
    ValueError
        If any entry is NaN, infinite or out of range.
    """
    numbers = np.asarray(value)
    if numbers.dtype.kind not in "iuf":
        raise TypeError(f"{name} must be a real number or an array of them, got {value!r}")
    inside = (numbers >= low) & ((numbers < high) if below else (numbers <= high))
    if not np.all(inside & np.isfinite(numbers)):
        bounds = f" and >= {low}" if low > -np.inf else ""
        if high < np.inf:
            bounds = f" and in [{low}, {high}{')' if below else ']'}"
        raise ValueError(f"{name} must be finite{bounds}, got {value!r}")


def check_flag(name: str, value: Any) -> None:
    """Refuse what is neither True nor False.

    Parameters
    ----------
    name : str
        What the message calls it.
    value : Any
        What to check.

    Raises
    ------
    TypeError
        If it is anything else, 0 and 1 included.
    """
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False, got {value!r}")


def check_integer(name: str, value: Any, low: int) -> None:
    """Refuse what is not an integer of at least `low`.

    Parameters
    ----------
    name : str
        What the message calls it.
    value : Any
        What to check.
    low : int
        The least that is allowed.

    Raises
    ------
    TypeError
        If it is no integer, as 2.0 and True are not.
    ValueError
        If it is below `low`.
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name} must be an integer, got {value!r}")
    if value < low:
        raise ValueError(f"{name} must be >= {low}, got {value}")


def check_factor(name: str, value: Any, high: float = np.inf) -> None:
    """Refuse what is not one finite number above 0 and at most `high`.

    Parameters
    ----------
    name : str
        What the message calls it.
    value : Any
        What to check.
    high : float
        The greatest that is allowed.

    Raises
    ------
    TypeError
        If it is no number.
    ValueError
        If it is 0 or below, above `high`, NaN or infinite.
    """
    _check_real(name, value)
    if not (0 < value <= high and value < np.inf):
        bounds = "finite and > 0" if high == np.inf else f"in (0, {high}]"
        raise ValueError(f"{name} must be {bounds}, got {value}")


def check_scalar(name: str, value: Any, low: float, high: float = np.inf) -> None:
    """Refuse what is not one finite number in [low, high].

    Parameters
    ----------
    name : str
        What the message calls it.
    value : Any
        What to check.
    low, high : float
        The bounds.

    Raises
    ------
    TypeError
        If it is no number.
    ValueError
        If it is out of range, NaN or infinite.
    """
    _check_real(name, value)
    check_number(name, value, low, high)


def _check_real(name: str, value: Any) -> None:
    """Refuse what is not one number."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise TypeError(f"{name} must be a number, got {value!r}")


def check_choice(name: str, value: Any, choices: tuple[str, ...]) -> None:
    """Refuse what is none of a few words.

    Parameters
    ----------
    name : str
        What the message calls it.
    value : Any
        What to check.
    choices : tuple of str
        What is allowed.

    Raises
    ------
    ValueError
        If it is anything else.
    """
    if value not in choices:
        allowed = ", ".join(map(repr, choices))
        raise ValueError(f"{name} must be one of {allowed}, got {value!r}")


def type_name(value: Any) -> str:
    """Return the type of a value with its module: torch has a `Parameter` as well.

    Parameters
    ----------
    value : Any
        What a message is about.

    Returns
    -------
    str
        Such as ``"int"`` or ``"torch.nn.parameter.Parameter"``.
    """
    kind = type(value)
    return f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")


def as_list(name: str, values: Any, what: str) -> list[Any]:
    """Return the members of an iterable; numbers that NumPy holds as Python's.

    Parameters
    ----------
    name : str
        What the message calls it.
    values : Any
        The iterable.
    what : str
        What the message says is allowed.

    Raises
    ------
    TypeError
        If it is no iterable.
    """
    if not isinstance(values, Iterable):
        raise TypeError(f"{name} must be {what}, got {values!r}")
    return [value.item() if isinstance(value, np.generic) else value for value in values]
