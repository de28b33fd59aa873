"""Features as frequent as words are: what a rare one says is learned from few examples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from optim_scratch.checks import FRACTION, Integer
from optim_scratch.parameter import Array, RowSparse

from .batches import Batches, Part, part_of
from .zipf import zipf


class SparseLogistic(Batches):
    r"""Logistic regression on features that are present or not, most of them rarely.

    .. math::

       P(y = 1 \mid x) = \sigma(x \cdot \theta), \qquad
       \mathcal{L}(\theta) = \frac1n \sum_i \log(1 + e^{x_i \cdot \theta}) - y_i\,x_i \cdot \theta

    Feature j is 1 with the probability :math:`f_j = 1 / (2 j)` and else 0, each for itself; so a
    word is in a text or not. The labels are drawn from the model itself, at planted weights
    :math:`\theta^\star \sim N(0, 2^2)`, of which one can see how well they are found. The loss is
    convex. The slope of a mini-batch's loss in the weight of a feature that none of its examples
    has is exactly 0.

    Parameters
    ----------
    features : int, >= 1
        d, as many as weights.
    examples : int, >= 1
        n, how many there are to train on, and as many for validation and for the test each.
    batch_size : int, >= 1, optional
        Examples in a mini-batch; None for all.
    imbalance : float in [0, 1]
        :math:`a`: frequencies are proportional to :math:`j^{-a}`, and an example has as many
        features on average as with 1. With 0 all are equally rare.
    seed : int >= 0, or a sequence of them
        Of weights, examples and the order of the batches. A sequence is a run for each seed at
        once: `start` then has the shape (seeds, 1, d), and points are of shape (seeds, ..., d).

    Attributes
    ----------
    frequencies : ndarray
        :math:`f`, of shape (d,), the most frequent feature first.
    truth : ndarray
        :math:`\theta^\star`, of shape (d,), or (seeds, 1, d).
    inputs : ndarray
        The features of all examples, those to train on first; of shape (3 n, d), or
        (seeds, 3 n, d).
    labels : ndarray
        0 or 1, of shape (3 n,), or (seeds, 3 n).

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its type or outside its range.

    Notes
    -----
    The problem is ours; that rare features may tell much, and deserve a rate of their own, is the
    reason that Duchi, Hazan & Singer (2011) give for Adagrad.

    Examples
    --------
    >>> from optim_scratch import Parameter
    >>> from optim_scratch.optimizers import SGD, Adagrad
    >>> problem = SparseLogistic(seed=0)
    >>> for method, lr in ((SGD, 4.0), (Adagrad, 1.0)):
    ...     w = Parameter(problem.start)
    ...     optimizer = method([w], lr=lr)
    ...     for batch in problem.batches():
    ...         w.grad = problem.gradient(w.data, batch)
    ...         optimizer.step()
    ...     error = (w.data - problem.truth) ** 2
    ...     print(f"rare features: {error[64:].mean():.1f}")
    rare features: 1.4
    rare features: 0.6
    """

    def __init__(
        self,
        features: int = 128,
        examples: int = 4096,
        batch_size: int | None = 16,
        *,
        imbalance: float = 1.0,
        seed: int | Sequence[int] = 0,
    ) -> None:
        features = Integer(1).check("features", features)
        super().__init__(Integer(1).check("examples", examples), batch_size, seed)
        imbalance = FRACTION.check("imbalance", imbalance)
        present = np.sum(0.5 / np.arange(1, features + 1))
        self.frequencies = present * zipf(features, imbalance)
        drawn = [self._drawn(np.random.default_rng(each)) for each in self.seeds]
        self.truth, self.inputs, self.labels = (
            np.array(arrays) if self.many else arrays[0] for arrays in zip(*drawn, strict=True)
        )
        self.truth = self.truth[:, None] if self.many else self.truth
        self.start = np.zeros_like(self.truth)

    def _drawn(self, rng: np.random.Generator) -> tuple[Array, Array, Array]:
        """Return planted weights, features and labels."""
        truth = 2 * rng.standard_normal(len(self.frequencies))
        inputs = rng.random((3 * self.examples, len(truth))) < self.frequencies
        labels = rng.random(len(inputs)) < chance(inputs @ truth)
        return truth, inputs.astype(np.float64), labels.astype(np.float64)

    def part(self, part: Part) -> tuple[Array, Array]:
        """Return the features of a part, of shape (n, d), and its labels, of shape (n,).

        With many seeds both have an axis for them first.
        """
        n = self.examples
        parts: dict[Part, slice] = {
            "train": slice(0, n), "validation": slice(n, 2 * n), "test": slice(2 * n, 3 * n)
        }  # fmt: skip
        where = part_of(part, parts)
        return self.inputs[..., where, :], self.labels[..., where]

    def scores(self, theta: Array, inputs: Array) -> Array:
        """Return x·θ: shape (..., n).

        Parameters
        ----------
        theta : ndarray of shape (..., d), or (seeds, ..., d)
            Where.
        inputs : ndarray of shape (n, d), or (seeds, n, d)
            Of what.
        """
        self._check_seeds(theta)
        flat = theta.reshape(len(self.seeds), -1, theta.shape[-1]) if self.many else theta
        return np.asarray(flat @ inputs.mT).reshape(*theta.shape[:-1], inputs.shape[-2])

    def loss(self, theta: Array, part: Part = "train") -> Array:
        """Return the mean loss over a part of the examples at `theta`, of shape (..., d)."""
        inputs, labels = self.part(part)
        with np.errstate(over="ignore", invalid="ignore"):  # to diverge is a result
            z = self.scores(theta, inputs)
            return np.asarray((np.logaddexp(0, z) - self._spread(labels, z) * z).mean(axis=-1))

    def value(self, theta: Array) -> Array:
        """Return the loss over all training examples at `theta`, of shape (..., d): shape (...)."""
        return self.loss(theta)

    def accuracy(self, theta: Array, part: Part = "test") -> Array:
        """Return the share of a part's examples whose label is the likelier one, (..., d)."""
        inputs, labels = self.part(part)
        with np.errstate(over="ignore", invalid="ignore"):
            z = self.scores(theta, inputs)
        right = ((z > 0) == self._spread(labels, z)) & ~np.isnan(z)
        return np.asarray(right.mean(axis=-1))

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
        inputs = self._each(self.inputs, batch)
        with np.errstate(over="ignore", invalid="ignore"):
            delta = self._slopes(theta, batch, inputs)
            flat = delta.reshape(len(self.seeds), -1, delta.shape[-1]) if self.many else delta
            return np.asarray(flat @ inputs).reshape(theta.shape)

    def row_sparse_gradient(self, theta: Array, batch: Array | None = None) -> RowSparse:
        """Return the same gradient, of the features alone that an example of the batch has.

        Parameters
        ----------
        theta : ndarray of shape (d,)
            Where.
        batch : ndarray, optional
            As of `gradient`.

        Raises
        ------
        ValueError
            If there are many seeds, whose runs have different rows.
        """
        if self.many:
            raise ValueError(f"seed must be one for a row-sparse gradient, got {self.seeds}")
        batch = next(self._stream) if batch is None else batch
        inputs = self.inputs[batch]
        # an entry for each feature of each example: a feature of several is there several times
        examples, features = np.nonzero(inputs)
        delta = self._slopes(theta, batch, inputs)
        return RowSparse(features, delta[examples], theta.shape)

    def _slopes(self, theta: Array, batch: Array, inputs: Array) -> Array:
        """Return the slope of a batch's loss in the score of each of its examples."""
        z = self.scores(theta, inputs)
        labels = self._spread(self._each(self.labels, batch), z)
        return np.asarray((chance(z) - labels) / inputs.shape[-2])

    def _spread(self, labels: Array, z: Array) -> Array:
        """Return the labels of each seed with an axis for each that its scores have."""
        return labels.reshape(len(labels), *(1,) * (z.ndim - 2), -1) if self.many else labels


def chance(z: Array) -> Array:
    """Return σ(z), the probability of the label 1 at a score."""
    with np.errstate(over="ignore"):
        return np.asarray(1 / (1 + np.exp(-z)))
