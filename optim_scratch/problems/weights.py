"""All weights of a network in one flat vector, and back."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from optim_scratch.parameter import Array


@dataclass(frozen=True)
class Weights:
    """The layout of a flat vector of d numbers that holds the weights of every layer.

    Parameters
    ----------
    shapes : tuple of shapes
        Of the pieces, one after the other: a matrix (inputs, outputs), its biases (outputs,), ...
    """

    shapes: tuple[tuple[int, ...], ...]

    @property
    def size(self) -> int:
        """The number d of weights."""
        return sum(int(np.prod(shape)) for shape in self.shapes)

    def split(self, theta: Array) -> list[Array]:
        """Return views of the pieces of `theta`, of shape (..., d), with its leading axes.

        A bias has one axis of length 1 before its last, so that it adds to a batch.
        """
        ends = np.cumsum([np.prod(shape) for shape in self.shapes])
        pieces = np.split(theta, ends[:-1], axis=-1)
        lead = np.shape(theta)[:-1]
        rows = [shape if len(shape) == 2 else (1, *shape) for shape in self.shapes]
        return [piece.reshape(lead + row) for piece, row in zip(pieces, rows, strict=True)]

    def join(self, pieces: Sequence[Array], lead: tuple[int, ...]) -> Array:
        """Return pieces, each with the leading axes `lead`, as vectors of shape (*lead, d)."""
        return np.concatenate([piece.reshape(*lead, -1) for piece in pieces], axis=-1)

    def draw(self, rng: np.random.Generator) -> Array:
        """Return first weights: of variance 1 / fan-in in the matrices, biases of 0."""
        scales = [shape[0] ** -0.5 if len(shape) == 2 else 0.0 for shape in self.shapes]
        drawn = [
            scale * rng.standard_normal(shape)
            for scale, shape in zip(scales, self.shapes, strict=True)
        ]
        return np.concatenate([piece.ravel() for piece in drawn])


def layers(*widths: int) -> tuple[tuple[int, ...], ...]:
    """Return the shapes of a network's weights, from how many units each layer has."""
    return tuple(shape for pair in itertools.pairwise(widths) for shape in (pair, pair[1:]))
