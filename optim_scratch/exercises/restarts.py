"""Exercises of the page on warm restarts."""

from __future__ import annotations

from math import log

from .checking import add, function, number

add(
    "restarts.first",
    1,
    number(10.0, "In units of the first cycle, the five are 1, 2, 4, 8 and 16 long."),
    solution=10.0,
    wrong=(62.0, 310 / 32, 310 / 16, 310 / 15, 20.0),
)


def cycle(epoch: float, T_0: int, T_mult: int) -> tuple[int, float, int]:
    """Return the number of the cycle, the epochs since it began, and its length."""
    count, length = 0, T_0
    while epoch >= length:
        epoch, length, count = epoch - length, length * T_mult, count + 1
    return count, epoch, length


def by_logarithm(epoch: float, T_0: int, T_mult: int) -> tuple[int, float, int]:
    """Find the cycle as torch does, by a rounded logarithm."""
    if T_mult == 1:
        return int(epoch // T_0), epoch % T_0, T_0
    count = int(log(epoch / T_0 * (T_mult - 1) + 1, T_mult))
    begin = T_0 * (T_mult**count - 1) // (T_mult - 1)
    return count, epoch - begin, T_0 * T_mult**count


add(
    "restarts.cycle",
    2,
    function(
        cycle,
        lambda rng: [
            (0, 10, 2),
            (9.5, 10, 2),
            (10, 10, 2),
            (29.75, 10, 2),
            (30, 10, 2),
            (25, 10, 1),
            (1209, 10, 3),
            (1210, 10, 3),
        ],
        "The first cycles end after T_0, T_0 + T_0 T_mult, and so on; count in integers.",
    ),
    solution=cycle,
    wrong=(
        by_logarithm,
        lambda epoch, T_0, T_mult: (int(epoch // T_0), epoch % T_0, T_0),
        lambda epoch, T_0, T_mult: (*cycle(epoch, T_0, T_mult)[:2], T_0),
        lambda epoch, T_0, T_mult: cycle(int(epoch), T_0, T_mult),
    ),
)
