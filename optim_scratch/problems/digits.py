"""Handwritten digits: the one small network on which the whole book compares its methods."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import resources
from typing import Literal

import numpy as np

from optim_scratch.checks import Integer
from optim_scratch.parameter import Array

from .curvature import largest_eigenvalue
from .weights import Weights, layers

Part = Literal["train", "validation", "test"]
PARTS: dict[Part, slice] = {
    "train": slice(0, 1024),
    "validation": slice(1024, 1397),
    "test": slice(1397, 1797),
}
"""Where each part stands: the file is shuffled once and for all."""


class Digits:
    r"""A network with one hidden layer that learns to read handwritten digits.

    .. math::

       z(x) = \tanh(x W_1 + b_1)\,W_2 + b_2, \qquad
       \mathcal{L}(\theta) = -\frac1n \sum_i \log \frac{e^{z_{y_i}(x_i)}}{\sum_k e^{z_k(x_i)}}

    without a hidden layer, as softmax regression, :math:`z(x) = x W + b`. All weights lie in one
    flat vector of d entries: W₁, b₁, W₂, b₂, one after the other.

    The pictures are 1,797, of 8×8 pixels in [0, 1], each by one of 13 writers: 1,024 to train on,
    373 for validation, on which rates are chosen, and 400 for the test.

    Parameters
    ----------
    hidden : int, >= 1, optional
        Units in the hidden layer; None for softmax regression.
    batch_size : int, >= 1, optional
        Pictures in a mini-batch; None for all 1,024. If it does not divide them, the last batch of
        an epoch is smaller.
    seed : int >= 0, or a sequence of them
        Of the first weights and of the batches. A sequence is a run for each seed at once: `start`
        then has the shape (seeds, 1, d), and points are of shape (seeds, ..., d), so that all runs
        of one seed, such as those of many rates, see the same batches.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its type or outside its range.

    Notes
    -----
    Source: Alpaydin & Kaynak (1998), "Optical recognition of handwritten digits", UCI Machine
    Learning Repository, doi:10.24432/C50P49, CC BY 4.0; its test set, as scikit-learn ships it,
    in an order of our own.

    Examples
    --------
    >>> from optim_scratch import Parameter
    >>> from optim_scratch.optimizers import SGD
    >>> digits = Digits(seed=0)
    >>> w = Parameter(digits.start)
    >>> sgd = SGD([w], lr=0.5)
    >>> for batch in digits.batches(epochs=5):
    ...     w.grad = digits.gradient(w.data, batch)
    ...     sgd.step()
    >>> bool(digits.accuracy(digits.start, "test") < 0.2 < 0.9 < digits.accuracy(w.data, "test"))
    True
    """

    def __init__(
        self,
        hidden: int | None = 32,
        batch_size: int | None = 32,
        *,
        seed: int | Sequence[int] = 0,
    ) -> None:
        self.hidden = Integer(1, optional=True).check("hidden", hidden)
        self.batch_size = Integer(1, optional=True).check("batch_size", batch_size)
        self.many = isinstance(seed, Sequence | np.ndarray)
        seeds = list(seed) if isinstance(seed, Sequence | np.ndarray) else [seed]
        if not seeds:
            raise ValueError("seed must be an integer or hold at least one, got none")
        self.seeds: list[int] = [Integer(0).check("seed", each) for each in seeds]
        self.images, self.labels = load()
        self.weights = Weights(layers(64, *([self.hidden] if self.hidden else []), 10))
        starts = [self.weights.draw(np.random.default_rng(each)) for each in self.seeds]
        self.start = np.array(starts)[:, None] if self.many else starts[0]
        self._stream = self._endless()

    @property
    def size(self) -> int:
        """The number d of weights."""
        return self.weights.size

    def batches(self, epochs: int = 1, first: int = 0) -> Iterator[Array]:
        """Yield the mini-batches of some epochs, each epoch all training pictures in a new order.

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
            Which pictures, to be handed to `gradient`.
        """
        first, epochs = Integer(0).check("first", first), Integer(0).check("epochs", epochs)
        for epoch in range(first, first + epochs):
            yield from self._epoch(epoch)

    def _epoch(self, epoch: int) -> Iterator[Array]:
        n = PARTS["train"].stop
        size = self.batch_size or n
        orders = [np.random.default_rng((seed, epoch)).permutation(n) for seed in self.seeds]
        order = np.array(orders) if self.many else orders[0]
        for begin in range(0, n, size):
            yield order[..., begin : begin + size]

    def _endless(self) -> Iterator[Array]:
        for epoch in itertools.count():
            yield from self._epoch(epoch)

    def scores(self, theta: Array, images: Array) -> Array:
        """Return the scores z of the ten digits: shape (..., n, 10) for images of shape (n, 64)."""
        return self._forward(self.weights.split(theta), images)[-1]

    @staticmethod
    def _forward(weights: list[Array], images: Array) -> list[Array]:
        """Return what each layer is given, the pictures first, and the scores."""
        passed = [images]
        for w, b in zip(weights[:-2:2], weights[1:-2:2], strict=True):
            passed.append(np.tanh(passed[-1] @ w + b))
        return [*passed, passed[-1] @ weights[-2] + weights[-1]]

    def loss(self, theta: Array, part: Part = "train") -> Array:
        """Return the mean loss over a part of the pictures at `theta`, of shape (..., d)."""
        images, labels = self.part(part)
        with np.errstate(over="ignore", invalid="ignore"):  # to diverge is a result
            z = self.scores(theta, images)
            z -= z.max(axis=-1, keepdims=True)
            right = z[..., np.arange(len(labels)), labels]
            return np.asarray((np.log(np.exp(z).sum(axis=-1)) - right).mean(axis=-1))

    def value(self, theta: Array) -> Array:
        """Return the loss over all training pictures at `theta`, of shape (..., d): shape (...)."""
        return self.loss(theta)

    def accuracy(self, theta: Array, part: Part = "test") -> Array:
        """Return the share of a part's pictures that are read right at `theta`, (..., d)."""
        images, labels = self.part(part)
        with np.errstate(over="ignore", invalid="ignore"):
            z = self.scores(theta, images)
            found = np.where(np.isnan(z).any(axis=-1), -1, z.argmax(axis=-1))
        return np.asarray((found == labels).mean(axis=-1))

    def part(self, part: Part) -> tuple[Array, Array]:
        """Return the pictures of a part, of shape (n, 64), and what they show, of shape (n,)."""
        if part not in PARTS:
            raise ValueError(f"part must be one of {', '.join(PARTS)}, got {part!r}")
        return self.images[PARTS[part]], self.labels[PARTS[part]]

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
        batch = next(self._stream) if batch is None else batch
        images, targets = self.images[batch], np.eye(10)[self.labels[batch]]
        if self.many:
            if theta.ndim < 2 or len(theta) != len(self.seeds):
                raise ValueError(
                    f"theta must have {len(self.seeds)} seeds in its first axis, "
                    f"got the shape {theta.shape}"
                )
            images, targets = (_spread(array, theta.ndim) for array in (images, targets))
        with np.errstate(over="ignore", invalid="ignore"):
            return self._gradient(theta, images, targets)

    def _gradient(self, theta: Array, images: Array, targets: Array) -> Array:
        weights = self.weights.split(theta)
        *passed, z = self._forward(weights, images)
        p = np.exp(z - z.max(axis=-1, keepdims=True))
        p /= p.sum(axis=-1, keepdims=True)
        # backwards: δ is the slope of the loss in what enters each layer's nonlinearity
        delta = (p - targets) / targets.shape[-2]
        slopes: list[Array] = []
        for layer in reversed(range(len(passed))):
            below = passed[layer]
            slopes[:0] = [below.mT @ delta, delta.sum(axis=-2)]
            if layer:
                delta = (delta @ weights[2 * layer].mT) * (1 - below**2)
        return self.weights.join(slopes, theta.shape[:-1])

    def sharpness(self, theta: Array, steps: int = 30) -> float:
        """Return the largest eigenvalue of the training loss's Hessian at `theta`, of shape (d,).

        By `steps` products with the Hessian, each a central difference of two gradients; 30 give
        three digits here.
        """
        images, labels = self.part("train")
        targets, shift = np.eye(10)[labels], 1e-4 * np.array([[1.0], [-1.0]])

        def product(v: Array) -> Array:
            up, down = self._gradient(theta + shift * v, images, targets)
            return np.asarray((up - down) / 2e-4)

        return largest_eigenvalue(product, self.size, Integer(1).check("steps", steps))


def _spread(array: Array, ndim: int) -> Array:
    """Give an array of shape (seeds, ...) of one batch a seed axes of length 1 after the first."""
    missing = ndim + 1 - array.ndim
    return array.reshape(array.shape[:1] + (1,) * missing + array.shape[1:])


@cache
def load() -> tuple[Array, Array]:
    """Return all pictures, of shape (1797, 64) and in [0, 1], and what they show, 0 to 9.

    Both are for reading only.
    """
    source = resources.files(__package__) / "digits.npz"
    with source.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        images, labels = arrays["images"], arrays["labels"]
    both = images.reshape(len(images), 64) / 16.0, labels.astype(np.int64)
    for array in both:
        array.flags.writeable = False
    return both
