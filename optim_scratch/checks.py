"""Refusals at the door: each names the argument, its value and what is allowed.

What an argument may be is data: a `Number` with bounds, an `Integer`, a `FLAG`, a `Choice`. Each
has one method, `check(name, value)`, that returns the value as Python's or refuses it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

PYTHON = frozenset({float, int, bool, type(None)})
"""What is a plain number already, or no number."""


def untorched(value: Any) -> Any:
    """Return a tensor of torch's as an array, whether it needs a gradient or not; else the value.

    Parameters
    ----------
    value : Any
        What to return. NumPy has no bfloat16: such a tensor becomes one of float32.
    """
    if not hasattr(value, "detach"):
        return value
    tensor = value.detach().cpu()
    return (tensor.float() if str(tensor.dtype) == "torch.bfloat16" else tensor).numpy().copy()


def plain(value: Any) -> Any:
    """Return a number that NumPy or torch holds as Python's, a tensor of several as an array.

    Parameters
    ----------
    value : Any
        What to return; the entries of a tuple are each taken so. Anything else stays as it is.

    Returns
    -------
    Any
        The same, without torch. Arrays are copies where they come from a tensor.
    """
    if type(value) in PYTHON:
        return value
    if isinstance(value, tuple):
        return tuple(plain(entry) for entry in value)
    if hasattr(value, "detach"):
        array = untorched(value)
        return array.item() if array.size == 1 else array
    if isinstance(value, np.generic) or (isinstance(value, np.ndarray) and not value.ndim):
        return value.item()
    return value


@dataclass(frozen=True)
class Number:
    """One real number within bounds.

    Parameters
    ----------
    low, high : float
        The bounds.
    above, below : bool
        Whether `low`, or `high`, is itself refused.
    infinite : bool
        Whether infinity is admitted; NaN never is.
    optional : bool
        Whether None is admitted.
    """

    low: float = -np.inf
    high: float = np.inf
    above: bool = False
    below: bool = False
    infinite: bool = False
    optional: bool = False

    def check(self, name: str, value: Any) -> Any:
        """Return one number as Python's.

        Parameters
        ----------
        name : str
            What the message calls it.
        value : Any
            What to check. A tensor or array of one number is that number.

        Raises
        ------
        TypeError
            If it is no real number, as True and "1" are not.
        ValueError
            If it is out of bounds, NaN, or infinite where that is not admitted.
        """
        number = plain(value)
        if number is None and self.optional:
            return None
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise TypeError(f"{name} must be a real number{self._or_none()}, got {value!r}")
        try:
            self._check_bounds(name, float(number), value)
        except OverflowError as error:  # an integer beyond all floats
            raise ValueError(f"{name} must be {self}, got {value!r}") from error
        return number

    def check_array(self, name: str, value: Any) -> Any:
        """Return one number as Python's, or an array of numbers as a copy.

        Raises
        ------
        TypeError, ValueError
            As `check` does, of any entry.
        """
        numbers = plain(value)
        if isinstance(numbers, str | bytes | bool | int | float) or numbers is None:
            return self.check(name, numbers)
        try:
            array = np.array(numbers)
        except ValueError:  # lists whose rows differ in length
            array = np.array(None)
        if array.dtype.kind not in "iuf":
            raise TypeError(f"{name} must be a real number or an array of them, got {value!r}")
        self._check_bounds(name, array, value)
        return array

    def _check_bounds(self, name: str, numbers: Any, value: Any) -> None:
        """Refuse a number, or an array with one, that is out of bounds."""
        inside = (numbers > self.low) if self.above else (numbers >= self.low)
        inside = inside & ((numbers < self.high) if self.below else (numbers <= self.high))
        if not np.all(inside & (self.infinite | np.isfinite(numbers))):
            raise ValueError(f"{name} must be {self}, got {value!r}")

    def _or_none(self) -> str:
        return " or None" if self.optional else ""

    def __str__(self) -> str:
        """Return the bounds in words, such as ``finite and in [0, 1)``."""
        words = [] if self.infinite else ["finite"]
        if self.low > -np.inf and self.high < np.inf:
            ends = "(" if self.above else "[", ")" if self.below else "]"
            words.append(f"in {ends[0]}{self.low:g}, {self.high:g}{ends[1]}")
        elif self.low > -np.inf:
            words.append(f"{'>' if self.above else '>='} {self.low:g}")
        elif self.high < np.inf:
            words.append(f"{'<' if self.below else '<='} {self.high:g}")
        return (" and ".join(words) or "a number") + self._or_none()


ANY = Number()
POSITIVE = Number(low=0, above=True)
NOT_NEGATIVE = Number(low=0)
SHARE = Number(low=0, high=1, below=True)
"""What survives of a running mean, in [0, 1)."""
FRACTION = Number(low=0, high=1)
"""In [0, 1]."""
FACTOR = Number(low=0, high=1, above=True)
"""In (0, 1]."""


@dataclass(frozen=True)
class Integer:
    """One integer of at least `low`.

    Parameters
    ----------
    low : int
        The least that is allowed.
    high : int or None
        The greatest, if there is one.
    optional : bool
        Whether None is admitted.
    """

    low: int
    high: int | None = None
    optional: bool = False

    def check(self, name: str, value: Any) -> Any:
        """Return one integer as Python's, which does not overflow.

        Raises
        ------
        TypeError
            If it is no integer, as 2.0 and True are not.
        ValueError
            If it is out of bounds.
        """
        number = plain(value)
        if number is None and self.optional:
            return None
        if isinstance(number, bool) or not isinstance(number, int):
            words = "an integer or None" if self.optional else "an integer"
            raise TypeError(f"{name} must be {words}, got {value!r}")
        if number < self.low:
            raise ValueError(f"{name} must be >= {self.low}, got {value}")
        if self.high is not None and number > self.high:
            raise ValueError(f"{name} must be <= {self.high}, got {value}")
        return number

    def __str__(self) -> str:
        """Return the bound in words."""
        top = f" and <= {self.high}" if self.high is not None else ""
        return f"an integer >= {self.low}{top}" + (" or None" if self.optional else "")


@dataclass(frozen=True)
class Flag:
    """True or False."""

    def check(self, name: str, value: Any) -> bool:
        """Return True or False.

        Raises
        ------
        TypeError
            If it is anything else, 0 and 1 included.
        """
        if not isinstance(value, bool):
            raise TypeError(f"{name} must be True or False, got {value!r}")
        return value

    def __str__(self) -> str:
        """Return both."""
        return "True or False"


FLAG = Flag()


@dataclass(frozen=True)
class Choice:
    """One of a few words; None may be among them.

    Parameters
    ----------
    words : tuple of str or None
        What is allowed.
    function : bool
        Whether a function is, too.
    """

    words: tuple[str | None, ...]
    function: bool = False

    def check(self, name: str, value: Any) -> Any:
        """Return the word, or the function.

        Raises
        ------
        ValueError
            If it is anything else.
        """
        if self.function and callable(value):
            return value
        if not (value is None or isinstance(value, str)) or value not in self.words:
            raise ValueError(f"{name} must be {self}, got {value!r}")
        return value

    def __str__(self) -> str:
        """Return the words."""
        words = f"one of {', '.join(map(repr, self.words))}"
        return f"{words}, or a function" if self.function else words


Kind = Number | Integer | Flag | Choice
"""What an argument may be."""


def check_integer(name: str, value: Any, low: int) -> int:
    """Return an integer of at least `low` as Python's: a short form of `Integer`.

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
    number: int = Integer(low).check(name, value)
    return number


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
        If it is no iterable; an array of one number, which has no members, is none.
    """
    if not isinstance(values, Iterable) or (isinstance(values, np.ndarray) and not values.ndim):
        raise TypeError(f"{name} must be {what}, got {values!r}")
    return [value.item() if isinstance(value, np.generic) else value for value in values]
