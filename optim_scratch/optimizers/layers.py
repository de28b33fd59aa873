"""What the methods share that give each layer a rate of its own: lengths, and whom they spare."""

from __future__ import annotations

import math

import numpy as np

from optim_scratch.checks import Choice
from optim_scratch.parameter import Array

SCALED = Choice(("all", "matrices", "none"))
"""Which parameters have a rate of their own."""

CHUNK = 65_536
"""Entries that are squared at once. A sum's last digit goes by it, so it is no `TILE`."""


def is_scaled(theta: Array, scaled: str) -> bool:
    """Return whether a parameter has a rate of its own: each, or those of two axes, or none."""
    return scaled == "all" or (scaled == "matrices" and theta.ndim > 1)


def length(array: Array) -> float:
    """Return the root of the sum of squares, of half precision's largest numbers too."""
    flat, total = array.ravel(), 0.0
    for start in range(0, flat.size, CHUNK):
        entries = flat[start : start + CHUNK].astype(np.float64, copy=False)
        total += float(entries @ entries)
    return math.sqrt(total)


def quotient(a: float, b: float) -> float:
    """Return a / b of two lengths; 1 if either is 0, so that nothing stands still nor leaps."""
    return a / b if a > 0 and b > 0 else 1.0
