"""What problems with examples share: seeds, and the mini-batches of their epochs."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np

from optim_scratch.checks import Integer
from optim_scratch.parameter import Array

Part = Literal["train", "validation", "test"]


class Batches:
    """The base of problems whose loss is a mean over training examples.

    Parameters
    ----------
    examples : int, >= 1
        How many there are to train on.
    batch_size : int, >= 1, optional
        Examples in a mini-batch; None for all.
    seed : int >= 0, or a sequence of them
        One run, or a run for each seed at once.

    Attributes
    ----------
    seeds : list of int
        All of them.
    many : bool
        Whether `seed` was a sequence, so that arrays have an axis for the seeds first.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its type or outside its range.
    """

    def __init__(self, examples: int, batch_size: int | None, seed: int | Sequence[int]) -> None:
        self.examples = examples
        self.batch_size = Integer(1, optional=True).check("batch_size", batch_size)
        self.many = isinstance(seed, Sequence | np.ndarray)
        seeds = list(seed) if isinstance(seed, Sequence | np.ndarray) else [seed]
        if not seeds:
            raise ValueError("seed must be an integer or hold at least one, got none")
        self.seeds: list[int] = [Integer(0).check("seed", each) for each in seeds]
        self._stream = self._endless()

    def batches(self, epochs: int = 1, first: int = 0) -> Iterator[Array]:
        """Yield the mini-batches of some epochs, each epoch all training examples in a new order.

        The same epochs of the same seed always hold the same batches.

        Parameters
        ----------
        epochs : int, >= 0
            How many.
        first : int, >= 0
            The epoch to begin with.

        Yields
        ------
        ndarray of shape (batch_size,) or (seeds, batch_size)
            Which examples, to be handed to `gradient`.
        """
        first, epochs = Integer(0).check("first", first), Integer(0).check("epochs", epochs)
        for epoch in range(first, first + epochs):
            yield from self._epoch(epoch)

    def _epoch(self, epoch: int) -> Iterator[Array]:
        n = self.examples
        orders = [np.random.default_rng((seed, epoch)).permutation(n) for seed in self.seeds]
        order = np.array(orders) if self.many else orders[0]
        for begin in range(0, n, self.batch_size or n):
            yield order[..., begin : begin + (self.batch_size or n)]

    def _endless(self) -> Iterator[Array]:
        for epoch in itertools.count():
            yield from self._epoch(epoch)

    def _check_seeds(self, theta: Array) -> None:
        """Refuse points without an axis for the seeds, if there are many."""
        if self.many and (theta.ndim < 2 or len(theta) != len(self.seeds)):
            raise ValueError(
                f"theta must have {len(self.seeds)} seeds in its first axis, "
                f"got the shape {theta.shape}"
            )

    def _each(self, array: Array, batch: Array) -> Array:
        """Return the examples of a batch; each seed's from its own, where each has its own."""
        return array[np.arange(len(batch))[:, None], batch] if self.many else array[batch]


def spread(array: Array, ndim: int) -> Array:
    """Give an array of shape (seeds, ...) of one batch a seed axes of length 1 after the first.

    Parameters
    ----------
    array : ndarray of shape (seeds, n) or (seeds, n, k)
        What belongs to the examples of each seed.
    ndim : int
        Axes of the points; the result has one more.
    """
    missing = ndim + 1 - array.ndim
    return array.reshape(array.shape[:1] + (1,) * missing + array.shape[1:])


def part_of(part: str, parts: dict[Part, slice]) -> slice:
    """Return where a part stands.

    Raises
    ------
    ValueError
        If there is no such part.
    """
    if part not in parts:
        raise ValueError(f"part must be one of {', '.join(parts)}, got {part!r}")
    return parts[part]
