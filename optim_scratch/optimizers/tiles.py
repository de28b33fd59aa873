"""A large array in pieces that stay in a core's cache."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from optim_scratch.parameter import Array, RowSparse

Hyper = dict[str, Any]

# Elements that an update touches at once: small enough that the few arrays it reads and writes
# stay in a core's second-level cache, large enough that NumPy's cost per call does not count.
TILE = 131_072

# On Linux a program gives freed memory back, and each step would fetch that of its intermediate
# results anew, page by page: half of its time and more. After one large piece it keeps as much.
np.empty(4 * TILE)


def tiles(h: Hyper, theta: Array, *arrays: Any) -> Iterator[tuple[Any, ...]]:
    """Yield hyper-parameters and arrays, all of them piece by piece where they are large.

    What is yielded are views: an update writes into them in place. The numbers are the same as
    without pieces; only the memory for intermediate results, and the time to fetch them, is not.

    If the gradient is a `RowSparse`, its rows are the one piece: those of the parameter and of the
    state, which are put back when the update is done with them.

    Parameters
    ----------
    h : dict
        Hyper-parameters. Arrays among them, and in tuples of them, broadcast to the shape of
        `theta`.
    theta : ndarray of any shape
        The parameter.
    *arrays : ndarray, RowSparse, number or None
        Its gradient and its state, of that shape, to be written into; what follows from
        hyper-parameters, of a shape that broadcasts. A number is for each piece, None stays None.

    Yields
    ------
    tuple
        ``(h, theta, *arrays)``.

    Examples
    --------
    >>> [t.shape for h, t in tiles({}, np.zeros((300, 1000)))]
    [(131, 1000), (131, 1000), (38, 1000)]
    """
    for gradient in arrays:
        if isinstance(gradient, RowSparse):
            yield from _rows(h, theta, gradient.coalesced(), arrays)
            return
    if theta.size <= TILE:
        yield (h, theta, *arrays)
        return
    for piece in _pieces(theta.shape):
        cut = {name: _cut(value, theta.shape, piece) for name, value in h.items()}
        yield (cut, theta[piece], *(_cut(a, theta.shape, piece) for a in arrays))


def _rows(
    h: Hyper, theta: Array, g: RowSparse, arrays: tuple[Any, ...]
) -> Iterator[tuple[Any, ...]]:
    """Yield the rows that a gradient has, and put back what an update made of them."""
    cut = {name: _cut(value, theta.shape, g.rows) for name, value in h.items()}
    parts = [
        g.values if isinstance(a, RowSparse) else _cut(a, theta.shape, g.rows)
        for a in (theta, *arrays)
    ]
    yield (cut, *parts)
    for whole, part in zip((theta, *arrays), parts, strict=True):
        if isinstance(whole, np.ndarray) and whole.shape == theta.shape:
            whole[g.rows] = part


def _pieces(shape: tuple[int, ...]) -> Iterator[tuple[Any, ...]]:
    """Yield the indices of pieces along the first axis, or within its rows if one is too large."""
    row = math.prod(shape[1:])
    if row > TILE:
        yield from ((i, *rest) for i in range(shape[0]) for rest in _pieces(shape[1:]))
    else:
        count = max(1, TILE // max(1, row))
        yield from ((slice(start, start + count),) for start in range(0, shape[0], count))


def _cut(value: Any, shape: tuple[int, ...], piece: Any) -> Any:
    """Return the part that belongs to a piece; a number belongs to each."""
    if isinstance(value, tuple):
        return tuple(_cut(entry, shape, piece) for entry in value)
    if not isinstance(value, np.ndarray):
        return value
    return (value if value.shape == shape else np.broadcast_to(value, shape))[piece]
