"""What problems share that learn to tell classes apart by a softmax of scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from optim_scratch.parameter import Array

from .batches import Batches, Part, spread
from .weights import Weights, layers


class Classification(Batches):
    """The base of networks whose loss is the mean of -log softmax at the right class.

    A subclass defines `part` and `_batch`.

    Parameters
    ----------
    widths : sequence of int
        Entries of an input, units of each hidden layer, classes.
    examples, batch_size, seed
        As of `Batches`.
    """

    def __init__(
        self,
        widths: Sequence[int],
        examples: int,
        batch_size: int | None,
        seed: int | Sequence[int],
    ) -> None:
        super().__init__(examples, batch_size, seed)
        self.weights, self.classes = Weights(layers(*widths)), widths[-1]

    @property
    def size(self) -> int:
        """The number d of weights."""
        return self.weights.size

    def part(self, part: Part) -> tuple[Array, Array]:
        """Return the inputs of a part, of shape (n, inputs), and their classes, of shape (n,).

        Where each seed has its own inputs, they are of shape (seeds, n, inputs).
        """
        raise NotImplementedError("a problem with classes defines part(part)")

    def _batch(self, batch: Array) -> tuple[Array, Array]:
        """Return the inputs and the classes of a mini-batch."""
        raise NotImplementedError("a problem with classes defines _batch(batch)")

    def scores(self, theta: Array, inputs: Array) -> Array:
        """Return the scores z of the classes: shape (..., n, classes).

        Parameters
        ----------
        theta : ndarray of shape (..., d)
            Where.
        inputs : ndarray of shape (n, inputs), or (seeds, n, inputs)
            Of what.
        """
        inputs = spread(inputs, theta.ndim) if inputs.ndim == 3 else inputs
        return self._forward(self.weights.split(theta), inputs)[-1]

    @staticmethod
    def _forward(weights: list[Array], inputs: Array) -> list[Array]:
        """Return what each layer is given, the inputs first, and the scores."""
        passed = [inputs]
        for w, b in zip(weights[:-2:2], weights[1:-2:2], strict=True):
            passed.append(np.tanh(passed[-1] @ w + b))
        z = passed[-1] @ weights[-2]
        z += weights[-1]
        return [*passed, z]

    def losses(self, theta: Array, part: Part = "train") -> Array:
        """Return the loss of each example of a part at `theta`, of shape (..., d): (..., n)."""
        inputs, labels = self.part(part)
        with np.errstate(over="ignore", invalid="ignore"):  # to diverge is a result
            z = self.scores(theta, inputs)
            z -= z.max(axis=-1, keepdims=True)
            right = z[..., np.arange(len(labels)), labels]
            return np.asarray(np.log(np.exp(z).sum(axis=-1)) - right)

    def loss(self, theta: Array, part: Part = "train") -> Array:
        """Return the mean loss over a part of the examples at `theta`, of shape (..., d)."""
        return np.asarray(self.losses(theta, part).mean(axis=-1))

    def loss_by_class(self, theta: Array, part: Part = "train") -> Array:
        """Return the mean loss of each class at `theta`, of shape (..., d): (..., classes).

        A class of which the part has no example is NaN.
        """
        _, labels = self.part(part)
        members = np.eye(self.classes)[labels]
        with np.errstate(invalid="ignore"):
            return np.asarray(self.losses(theta, part) @ members / members.sum(axis=0))

    def value(self, theta: Array) -> Array:
        """Return the loss over all training examples at `theta`, of shape (..., d): shape (...)."""
        return self.loss(theta)

    def accuracy(self, theta: Array, part: Part = "test") -> Array:
        """Return the share of a part's examples that are read right at `theta`, (..., d)."""
        inputs, labels = self.part(part)
        with np.errstate(over="ignore", invalid="ignore"):
            z = self.scores(theta, inputs)
            found = np.where(np.isnan(z).any(axis=-1), -1, z.argmax(axis=-1))
        return np.asarray((found == labels).mean(axis=-1))

    def gradient(self, theta: Array, batch: Array | None = None) -> Array:
        """Return the gradient of a mini-batch's mean loss at `theta`, of shape (..., d).

        Parameters
        ----------
        theta : ndarray of shape (..., d), or (seeds, ..., d)
            Where.
        batch : ndarray, optional
            One of `batches`; the next of an endless row of them if not given.

        Raises
        ------
        ValueError
            If there are many seeds and the first axis of `theta` is not theirs.
        """
        inputs, labels = self._batch(next(self._stream) if batch is None else batch)
        targets = np.eye(self.classes)[labels]
        self._check_seeds(theta)
        if self.many:
            inputs, targets = (spread(array, theta.ndim) for array in (inputs, targets))
        with np.errstate(over="ignore", invalid="ignore"):
            return self._gradient(theta, inputs, targets)

    def _gradient(self, theta: Array, inputs: Array, targets: Array) -> Array:
        weights = self.weights.split(theta)
        *passed, z = self._forward(weights, inputs)
        # p = softmax z; in place, as with many runs at once these are the large arrays
        z -= z.max(axis=-1, keepdims=True)
        p = np.exp(z, out=z)
        p /= p.sum(axis=-1, keepdims=True)
        # backwards: δ is the slope of the loss in what enters each layer's nonlinearity
        delta = p
        delta -= targets
        delta /= targets.shape[-2]
        slopes: list[Array] = []
        for layer in reversed(range(len(passed))):
            below = passed[layer]
            slopes[:0] = [below.mT @ delta, delta.sum(axis=-2)]
            if layer:
                delta = (delta @ weights[2 * layer].mT) * (1 - below**2)
        return self.weights.join(slopes, theta.shape[:-1])
