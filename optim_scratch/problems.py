"""Small learning problems with gradients by hand: between the 2-D picture and the real network.

A problem has a `start` of shape (d,), a `value` and a `gradient` that broadcast over points of
shape (..., d), and so can be handed to `optim_scratch.descent.descend`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from .checks import ANY, FRACTION, NOT_NEGATIVE, POSITIVE, SHARE, Integer, Number
from .parameter import Array


class NoisyQuadratic:
    r"""A quadratic bowl whose gradients carry noise: the simplest model of training with batches.

    .. math::

       \mathcal{L}(\theta) = \tfrac12 \sum_i h_i \theta_i^2, \qquad
       g_i = h_i \theta_i + \sigma_i \varepsilon_i, \quad \varepsilon_i \sim N(0, 1)

    Parameters
    ----------
    curvatures : array_like of shape (d,), > 0
        :math:`h`, the eigenvalues of the Hessian.
    noise : float or array_like of shape (d,), >= 0
        :math:`\sigma`, the standard deviation of each entry of the gradient. A batch of B
        examples has one :math:`\sqrt B` times smaller than a single example.
    start : array_like of shape (d,), optional
        Where descents begin; ones if not given.
    seed : int, >= 0
        Of the noise. Each call of `gradient` draws anew.

    Raises
    ------
    TypeError, ValueError
        If there is no curvature or one is not above 0, a noise is below 0, one of them or the start
        is not finite, the shapes differ, or `seed` is no integer of at least 0.

    Notes
    -----
    Source: the model of Schaul, Zhang & LeCun (2013) and Zhang et al. (2019).

    Examples
    --------
    >>> problem = NoisyQuadratic([1.0, 10.0], noise=1.0)
    >>> problem.stationary_loss(lr=0.1)
    0.07631578947368421
    """

    def __init__(
        self,
        curvatures: ArrayLike,
        noise: ArrayLike,
        *,
        start: ArrayLike | None = None,
        seed: int = 0,
    ) -> None:
        self.curvatures = _row("curvatures", curvatures, POSITIVE)
        if not self.curvatures.size:
            raise ValueError(f"curvatures must hold at least one number, got {curvatures!r}")
        self.noise = self._like_curvatures("noise", noise, NOT_NEGATIVE)
        self.start = self._like_curvatures("start", 1.0 if start is None else start, ANY)
        self._rng = np.random.default_rng(Integer(0).check("seed", seed))

    def _like_curvatures(self, name: str, values: ArrayLike, kind: Number) -> Array:
        array = np.asarray(kind.check_array(name, values), dtype=np.float64)
        if array.shape not in ((), self.curvatures.shape):
            raise ValueError(
                f"{name} must be one number or of shape {self.curvatures.shape}, got {array.shape}"
            )
        return np.broadcast_to(array, self.curvatures.shape)

    def value(self, theta: Array) -> Array:
        """Return the expected loss at `theta`, of shape (..., d): an array of shape (...)."""
        return np.asarray(0.5 * np.sum(self.curvatures * theta**2, axis=-1))

    def gradient(self, theta: Array) -> Array:
        """Return a noisy gradient at `theta`, of shape (..., d), with fresh noise in each entry."""
        noise = self.noise * self._rng.standard_normal(np.shape(theta))
        return np.asarray(self.curvatures * theta + noise)

    def stationary_loss(self, lr: float, momentum: float = 0.0) -> float:
        r"""Return the expected loss that SGD settles at with a constant rate.

        .. math:: \tfrac12 \sum_i
           \frac{\eta\,\sigma_i^2\,(1+\mu)}{(1-\mu)\,(2(1+\mu) - \eta h_i)}

        Parameters
        ----------
        lr : float, >= 0
            The rate :math:`\eta`.
        momentum : float in [0, 1)
            :math:`\mu`, in torch's form, without dampening or Nesterov's step.

        Returns
        -------
        float
            Infinite where :math:`\eta h_i \ge 2(1+\mu)` for some i: SGD does not settle there.

        Raises
        ------
        TypeError, ValueError
            If an argument is not a number or outside its range.

        Notes
        -----
        Source: derived in the chapter on step decay.
        """
        lr = NOT_NEGATIVE.check("lr", lr)
        momentum = SHARE.check("momentum", momentum)
        gap = 2 * (1 + momentum) - lr * self.curvatures
        if np.any(gap <= 0):
            return np.inf
        return float(0.5 * np.sum(lr * self.noise**2 * (1 + momentum) / ((1 - momentum) * gap)))

    def expected_losses(self, rates: ArrayLike, momentum: float = 0.0) -> Array:
        r"""Return the exact expected loss along a schedule, with no simulation.

        The second moments :math:`E\theta^2, E\theta b, E b^2` obey a linear recursion, since a step
        is linear in :math:`\theta`, the buffer b and noise independent of both.

        Parameters
        ----------
        rates : array_like of shape (steps,), >= 0
            The rate of each step.
        momentum : float in [0, 1]
            :math:`\mu`, in torch's form; 1 is a buffer that never forgets.

        Returns
        -------
        ndarray of shape (steps + 1,)
            Before the first step, and after each; without bound, and at last not finite, where
            the rates make it diverge.

        Raises
        ------
        TypeError, ValueError
            If an argument is not of numbers or outside its range.
        """
        etas = _row("rates", rates, NOT_NEGATIVE)
        h, s2, mu = self.curvatures, self.noise**2, FRACTION.check("momentum", momentum)
        tt, tb, bb = self.start**2, np.zeros_like(h), np.zeros_like(h)
        losses = [0.5 * np.sum(h * tt)]
        with np.errstate(over="ignore", invalid="ignore"):  # to diverge is a result
            for eta in etas:
                # b' = μ b + h θ + σ ε
                bb = mu**2 * bb + 2 * mu * h * tb + h**2 * tt + s2
                tb = mu * tb + h * tt
                # θ' = θ − η b'
                tt, tb = tt - 2 * eta * tb + eta**2 * bb, tb - eta * bb
                losses.append(0.5 * np.sum(h * tt))
        return np.array(losses)


def _row(name: str, values: ArrayLike, kind: Number) -> Array:
    """Return a list of numbers as an array of one axis."""
    row = np.asarray(kind.check_array(name, values), dtype=np.float64)
    if row.ndim != 1:
        raise ValueError(f"{name} must be a list of numbers, got {values!r}")
    return row


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
        self.shapes: list[tuple[int, ...]] = [
            (2, width), (width,), (width, width), (width,), (width, 1), (1,)
        ]  # fmt: skip
        self.start = np.concatenate([self._first(shape).ravel() for shape in self.shapes])

    def _first(self, shape: tuple[int, ...]) -> Array:
        """Weights of variance 1 / fan-in, biases of 0."""
        scale = shape[0] ** -0.5 if len(shape) == 2 else 0.0
        return scale * self._rng.standard_normal(shape)

    def split(self, theta: Array) -> list[Array]:
        """Return views of W₁, b₁, W₂, b₂, w₃, b₃ in `theta`, of shape (..., d).

        Each has the leading axes of `theta`; a bias has one axis of length 1 before its last, so
        that it adds to a batch.
        """
        ends = np.cumsum([np.prod(shape) for shape in self.shapes])
        pieces = np.split(theta, ends[:-1], axis=-1)
        lead = np.shape(theta)[:-1]
        rows = [shape if len(shape) == 2 else (1, *shape) for shape in self.shapes]
        return [piece.reshape(lead + row) for piece, row in zip(pieces, rows, strict=True)]

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
        lead = np.shape(theta)[:-1]
        return np.concatenate([slope.reshape(*lead, -1) for slope in slopes], axis=-1)

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
