"""A network so small that its whole Hessian is at hand: two interleaved spirals."""

from __future__ import annotations

import numpy as np

from optim_scratch.checks import POSITIVE, Integer
from optim_scratch.parameter import Array

from .weights import Weights, layers


class SpiralMLP:
    r"""A network with two hidden layers that learns to tell two interleaved spirals apart.

    .. math::

       f(x) = w_3^\top \tanh(W_2 \tanh(W_1 x + b_1) + b_2) + b_3, \qquad
       \mathcal{L}(\theta) = \frac{1}{2n} \sum_i (f(x_i) - y_i)^2, \quad y_i = \pm 1

    All weights lie in one flat vector of d entries: W₁, b₁, W₂, b₂, w₃, b₃, one after the other.

    Parameters
    ----------
    points : int, >= 2
        n, the number of examples, half on each spiral. If n is even, the two spirals are each
        other's mirror images and the biases, which start at 0, have no slope but for rounding: take
        an odd n where that must not decide anything.
    width : int, >= 1
        Units in each hidden layer.
    batch_size : int, >= 1, optional
        Each gradient is that of so many examples, drawn with replacement; all n if not given.
    turns : float, > 0
        How often each spiral winds around the origin.
    seed : int, >= 0
        Of the first weights and of the batches.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its type or outside its range.

    Notes
    -----
    Source: the architecture and loss, small, of the full-batch experiments of Cohen et al. (2021).
    """

    def __init__(
        self,
        points: int = 60,
        width: int = 16,
        batch_size: int | None = None,
        *,
        turns: float = 0.75,
        seed: int = 0,
    ) -> None:
        width = Integer(1).check("width", width)
        self.batch_size = Integer(1, optional=True).check("batch_size", batch_size)
        self._rng = np.random.default_rng(Integer(0).check("seed", seed))
        self.inputs, self.targets = spirals(points, turns)
        self.weights = Weights(layers(2, width, width, 1))
        self.shapes = self.weights.shapes
        self.start = self.weights.draw(self._rng)

    def split(self, theta: Array) -> list[Array]:
        """Return views of W₁, b₁, W₂, b₂, w₃, b₃ in `theta`, of shape (..., d).

        Each has the leading axes of `theta`; a bias has one axis of length 1 before its last, so
        that it adds to a batch.
        """
        return self.weights.split(theta)

    def predict(self, theta: Array, inputs: Array) -> Array:
        """Return outputs of shape (..., n) for `inputs` of shape (n, 2), at `theta` (..., d)."""
        return np.asarray(self._forward(self.split(theta), inputs)[-1][..., 0])

    @staticmethod
    def _forward(weights: list[Array], inputs: Array) -> tuple[Array, Array, Array]:
        w1, b1, w2, b2, w3, b3 = weights
        first = np.tanh(inputs @ w1 + b1)
        second = np.tanh(first @ w2 + b2)
        return first, second, second @ w3 + b3

    def value(self, theta: Array) -> Array:
        """Return the loss over all examples at `theta`, of shape (..., d): shape (...)."""
        errors = self.predict(theta, self.inputs) - self.targets
        return np.asarray(0.5 * np.mean(errors**2, axis=-1))

    def gradient(self, theta: Array) -> Array:
        """Return the gradient at `theta`, of shape (..., d), over all examples or a fresh batch.

        With many runs at once, each draws its own batch.
        """
        if self.batch_size is None:
            return self._gradient(theta, self.inputs, self.targets)
        size = (*np.shape(theta)[:-1], self.batch_size)
        batch = self._rng.integers(len(self.targets), size=size)
        return self._gradient(theta, self.inputs[batch], self.targets[batch])

    def _gradient(self, theta: Array, inputs: Array, targets: Array) -> Array:
        weights = self.split(theta)
        first, second, outputs = self._forward(weights, inputs)
        # backwards: δ is the slope of the loss in what enters each layer's nonlinearity
        delta3 = (outputs - targets[..., None]) / targets.shape[-1]
        delta2 = (delta3 @ weights[4].mT) * (1 - second**2)
        delta1 = (delta2 @ weights[2].mT) * (1 - first**2)
        slopes = []
        for below, delta in ((inputs, delta1), (first, delta2), (second, delta3)):
            slopes += [below.mT @ delta, delta.sum(axis=-2)]
        return self.weights.join(slopes, np.shape(theta)[:-1])

    def hessian(self, theta: Array, width: float = 1e-4) -> Array:
        """Return the Hessian over all examples at `theta`, of shape (d,): an array (d, d).

        By central differences, of half-width `width` > 0, of the gradient, all in one call.
        """
        width = POSITIVE.check("width", width)
        shifts = width * np.eye(theta.size)
        up = self._gradient(theta + shifts, self.inputs, self.targets)
        down = self._gradient(theta - shifts, self.inputs, self.targets)
        rows = (up - down) / (2 * width)
        return np.asarray((rows + rows.T) / 2)

    def sharpness(self, theta: Array) -> float:
        """Return the largest eigenvalue of the Hessian over all examples at `theta`, of shape (d,).

        Source: the quantity whose rise to 2/η Cohen et al. (2021) found.
        """
        return float(np.linalg.eigvalsh(self.hessian(theta))[-1])


def spirals(points: int, turns: float) -> tuple[Array, Array]:
    """Return points on two interleaved spirals, of shape (points, 2), and their classes, -1 or 1.

    Parameters
    ----------
    points : int, >= 2
        How many; the first half lies on the spiral of class 1, with the odd one.
    turns : float, > 0
        How often each spiral winds around the origin, at distances up to 1.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its type or outside its range.
    """
    points = Integer(2).check("points", points)
    turns = POSITIVE.check("turns", turns)
    along = np.linspace(0.15, 1.0, (points + 1) // 2)
    angle = 2 * np.pi * turns * along
    arm = along[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    inputs = np.concatenate([arm, -arm])[:points]
    targets = np.concatenate([np.ones(len(arm)), -np.ones(len(arm))])[:points]
    return inputs, targets
