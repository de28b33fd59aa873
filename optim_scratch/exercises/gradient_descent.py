"""Exercises of the chapter on gradient descent."""

from __future__ import annotations

from .checking import add, number

add(
    "gradient-descent.limit",
    number(0.1, "Which curvature of the ravine sets the limit 2/L: the largest or the smallest?"),
    solution=2 / 20,
    wrong=(2.0, 0.05, 40.0, "0.1"),
)
