"""Handwritten digits: the one small network on which the whole book compares its methods."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from importlib import resources

import numpy as np

from optim_scratch.checks import Integer, Number
from optim_scratch.parameter import Array

from .batches import Part, part_of
from .classification import Classification
from .curvature import largest_eigenvalue
from .zipf import zipf_counts

PARTS: dict[Part, slice] = {
    "train": slice(0, 1024),
    "validation": slice(1024, 1397),
    "test": slice(1397, 1797),
}
"""Where each part stands: the file is shuffled once and for all."""

FEWER = 256
"""How many pictures are left to train on where some digits are to be rarer than others."""

IMBALANCE = Number(low=0, high=1, optional=True)


class Digits(Classification):
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
    imbalance : float in [0, 1], optional
        :math:`a`: only 256 pictures are left to train on, and the share of the digit k among them
        is proportional to :math:`(k + 1)^{-a}`. With 1, Zipf's law, there are 87 zeros and 9 nines;
        with 0 as many of each digit as of any other. Validation and test stay as they are. All
        1,024 if not given.

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
        imbalance: float | None = None,
    ) -> None:
        self.hidden = Integer(1, optional=True).check("hidden", hidden)
        self.imbalance = IMBALANCE.check("imbalance", imbalance)
        self.images, self.labels = load()
        self.chosen = np.arange(PARTS["train"].stop)
        if self.imbalance is not None:
            self.chosen = some_of_each(self.labels[self.chosen], FEWER, self.imbalance)
        widths = (64, *([self.hidden] if self.hidden else []), 10)
        super().__init__(widths, len(self.chosen), batch_size, seed)
        starts = [self.weights.draw(np.random.default_rng(each)) for each in self.seeds]
        self.start = np.array(starts)[:, None] if self.many else starts[0]

    def _epoch(self, epoch: int) -> Iterator[Array]:
        for batch in super()._epoch(epoch):
            yield self.chosen[batch]

    def part(self, part: Part) -> tuple[Array, Array]:
        """Return the pictures of a part, of shape (n, 64), and what they show, of shape (n,)."""
        where = part_of(part, PARTS)
        if part == "train" and self.imbalance is not None:
            return self._batch(self.chosen)
        return self.images[where], self.labels[where]

    def _batch(self, batch: Array) -> tuple[Array, Array]:
        return self.images[batch], self.labels[batch]

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


def some_of_each(labels: Array, total: int, imbalance: float) -> Array:
    """Return which of so many labelled examples are kept, the first ones of each class.

    Parameters
    ----------
    labels : ndarray of int, of shape (n,)
        The class of each, from 0.
    total : int, >= 1
        How many are kept.
    imbalance : float
        As of `zipf_counts`.
    """
    counts = zipf_counts(labels.max() + 1, total, imbalance)
    return np.sort(
        np.concatenate([np.flatnonzero(labels == k)[:count] for k, count in enumerate(counts)])
    )


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
