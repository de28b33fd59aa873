"""Values that a hyper-parameter must refuse, drawn from its own limits."""

from __future__ import annotations

from typing import Any

import numpy as np

from optim_scratch.checks import Choice, Flag, Integer, Kind, Number

Refused = list[tuple[Any, type[Exception]]]


def refused(kind: Kind) -> Refused:
    """Return values that a kind of hyper-parameter refuses, each with the error that it raises."""
    if isinstance(kind, Flag):
        return [(1, TypeError), (None, TypeError), (np.array([True, False]), TypeError)]
    if isinstance(kind, Choice):
        return [("no such word", ValueError), (3, ValueError), (True, ValueError)]
    values: Refused = [
        ("0.1", TypeError), (0.1j, TypeError), (True, TypeError), (np.nan, ValueError),
    ]  # fmt: skip
    if not kind.optional:
        values.append((None, TypeError))
    if isinstance(kind, Integer):
        return [*values[:3], *values[4:], (1.5, TypeError), (kind.low - 1, ValueError)]
    return values + _outside(kind)


def _outside(kind: Number) -> Refused:
    """Return numbers that are a little out of bounds."""
    outside: list[float] = [] if kind.infinite else [np.inf]
    if kind.low > -np.inf:
        outside.append(kind.low if kind.above else kind.low - 0.1)
    if kind.high < np.inf:
        outside.append(kind.high if kind.below else kind.high + 0.1)
    return [(value, ValueError) for value in outside]
