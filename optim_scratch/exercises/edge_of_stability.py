"""Exercises of the page on the edge of stability."""

from __future__ import annotations

from .checking import add, number

add(
    "edge-of-stability.order",
    1,
    number(0.25, "The sharpness settles at 2/η: which η puts that at 8?", rtol=0.02),
    solution=2 / 8,
    wrong=(4.0, 0.125, 0.5, 16.0, "1/4"),
)

add(
    "edge-of-stability.factor",
    2,
    number(-1.5, "One step multiplies the displacement by 1 − ηS."),
    solution=1 - 0.05 * 50,
    wrong=(1.5, -2.5, 2.5, 0.5, "-1.5"),
)

add(
    "edge-of-stability.rise",
    3,
    number(20.0, "Half the rate moves the edge; training goes on until the sharpness meets it."),
    solution=2 / 0.1,
    wrong=(10.0, 5.0, 40.0, 0.1, "20"),
)

add(
    "edge-of-stability.width",
    4,
    number(0.001**0.5, "Set what the swing takes from S in a step equal to 0.01.", rtol=0.02),
    solution=(2 * 0.01 / (0.2 * 100)) ** 0.5,
    wrong=(0.001, (0.01 / (0.2 * 100)) ** 0.5, (2 * 0.01 / 100) ** 0.5, 0.1, "0.032"),
)
