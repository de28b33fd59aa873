"""Tell a reader in words how an answer differs from the right one, and where it failed."""

from __future__ import annotations

import os
import sysconfig
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

TOLERANCE = 1e-9
ROUNDING = 1e-6
"""A relative difference that float32 or a misplaced ε makes; mistakes make larger ones."""

FOLDERS = (
    Path(__file__).parents[1],
    Path(np.__file__).parent,
    *(sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")),
)
LIBRARIES = (*(f"{folder}{os.sep}" for folder in FOLDERS), "<__array_function__")
"""How the names of files begin that are none of the reader's."""


def wrong_form(expected: Any, got: Any) -> str:
    """Return what a value is in place of what it should be; empty if only numbers can be wrong.

    Parameters
    ----------
    expected : number, array or tuple of them
        The right value.
    got : Any
        The reader's.
    """
    if isinstance(expected, tuple):
        if not isinstance(got, tuple | list):
            return f"expected {len(expected)} values, {show(expected)}, got one: {show(got)}."
        if len(got) != len(expected):
            given = f"{len(got)}: {show(tuple(got))}"
            return f"expected {len(expected)} values, {show(expected)}, got {given}."
        return _first(wrong_form(e, g) for e, g in zip(expected, got, strict=True))
    if _as_numbers(got) is None:
        return f"expected {show(expected)}, got {show(got)}, which is no number and no array."
    if np.shape(expected) != np.shape(got):
        return f"expected {_kind(expected)}, {show(expected)}, got {_kind(got)}: {show(got)}."
    return ""


def wrong_numbers(expected: Any, got: Any) -> str:
    """Return how numbers differ; empty if they agree to 1e-9, absolute or relative.

    Parameters
    ----------
    expected : number, array or tuple of them
        The right value.
    got : Any
        The reader's, of the same form.
    """
    if isinstance(expected, tuple):
        return _first(wrong_numbers(e, g) for e, g in zip(expected, got, strict=True))
    right, array = _as_numbers(expected), _as_numbers(got)
    close = np.isclose(array, right, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True)
    if close.all():
        return ""
    if right.size <= 8:
        e, g = _apart(expected, got)
        return f"expected {e}, got {g}.{_rounding(right, array)}"
    place = tuple(int(i) for i in np.argwhere(~close)[0])
    e, g = _apart(right[place], array[place])
    head = f"{np.sum(~close)} of {right.size} entries differ, the first at {list(place)}"
    return f"{head}: expected {e}, got {g}.{_rounding(right, array)}"


def _first(told: Iterable[str]) -> str:
    """Return the first of several values that has something wrong, by its place from 1."""
    return next((f"value {place}: {said}" for place, said in enumerate(told, 1) if said), "")


def _as_numbers(value: Any) -> Any:
    """Return a value as an array of float64, or None if it holds something else."""
    try:
        array = np.asarray(value)
        if array.dtype.kind == "O":  # such as fractions
            array = np.reshape([float(x) for x in array.flat], array.shape)
        return array.astype(np.float64) if array.dtype.kind in "biuf" else None
    except (TypeError, ValueError):
        return None


def _apart(expected: Any, got: Any) -> tuple[str, str]:
    """Return both values in as few digits, four or more, as show that they differ."""
    pairs: Iterator[tuple[str, str]] = (
        (show(expected, digits), show(got, digits)) for digits in range(4, 18)
    )
    return next((pair for pair in pairs if pair[0] != pair[1]), (repr(expected), repr(got)))


def _rounding(expected: Any, got: Any) -> str:
    """Return a sentence where the difference is one of rounding, else nothing."""
    for decimals in range(8, 1, -1):
        if np.allclose(got, np.round(expected, decimals), rtol=0, atol=1e-12, equal_nan=True):
            return f" That is rounding to {decimals} decimals: return all digits."
    if np.allclose(got, expected, rtol=ROUNDING, atol=0, equal_nan=True):
        return " That is rounding: float32, or a term as small as an ε in another place."
    return ""


def _kind(value: Any) -> str:
    """Return what a value is: one number, several, or an array of a shape."""
    if isinstance(value, tuple):
        return f"{len(value)} values"
    shape = np.shape(value)
    return f"an array of shape {shape}" if shape else "one number"


def show(value: Any, digits: int = 4) -> str:
    """Return a value in a few characters, its numbers with so many significant digits."""
    if isinstance(value, tuple):
        return "(" + ", ".join(show(v, digits) for v in value) + ")"
    if callable(value):
        return getattr(value, "__name__", "a function")
    try:
        array = np.asarray(value)
    except (TypeError, ValueError):
        return repr(value)
    if array.dtype.kind == "O" or not (array.ndim or array.dtype.kind == "f"):
        return repr(value if array.dtype.kind == "O" else array.item())
    text = np.array2string(
        array,
        separator=", ",
        threshold=8,
        formatter={"float_kind": lambda x: _shortly(float(x), digits)},
    )
    return " ".join(text.split())


def _shortly(x: float, digits: int) -> str:
    """Return a number with so many significant digits, but none of a whole part below 1e7 lost."""
    whole = len(str(int(abs(x)))) if abs(x) < 1e7 else 0
    return f"{x:.{max(digits, whole)}g}"


def failure(error: Exception) -> str:
    """Return what a function of the reader's raised, and on which of its lines.

    A function that could not be called at all has no such line.
    """
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith(LIBRARIES)
    ]
    what = f"{type(error).__name__}: {error}".rstrip(".:") + "."
    if not frames:
        return f"it could not be called: {what}"
    code = f", `{frames[-1].line}`," if frames[-1].line else ""
    return f"line {frames[-1].lineno}{code} raised {what}"
