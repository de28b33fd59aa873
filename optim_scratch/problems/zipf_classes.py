"""Classes as frequent as words are: the first often, the last hardly ever."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from optim_scratch.checks import NOT_NEGATIVE, Integer
from optim_scratch.parameter import Array

from .batches import Part, part_of
from .classification import Classification
from .zipf import zipf_counts


class ZipfClasses(Classification):
    r"""Softmax regression on classes whose frequencies follow Zipf's law.

    .. math::

       z(x) = x W + b, \qquad
       \mathcal{L}(\theta) = -\frac1n \sum_i \log \frac{e^{z_{y_i}(x_i)}}{\sum_k e^{z_k(x_i)}}

    Of the n examples a share :math:`\pi_k \propto 1/k` is of class k. The inputs of a class lie
    around its centre :math:`\mu_k`, and so far apart from each other that no weights tell all
    classes apart: :math:`x \sim N(\mu_{y}, 1)` and :math:`\mu_k \sim N(0, s^2)` in each entry. The
    loss is convex. All weights lie in one flat vector of d entries, W and then b.

    Once each class is about as likely as it is frequent, the slope and the curvature of the loss in
    the weights of class k are about proportional to :math:`\pi_k`: gradient descent learns the rare
    classes last, and a method that takes steps in units of the slope does not.

    Parameters
    ----------
    classes : int, >= 2
        K.
    inputs : int, >= 1
        Entries of an input.
    examples : int, >= 1
        n, how many there are to train on; as many are for validation, and for the test, with the
        same number of each class. With the default the rarest has 3.
    batch_size : int, >= 1, optional
        Examples in a mini-batch; None for all, as in the paper.
    imbalance : float, >= 0
        :math:`a` in :math:`\pi_k \propto k^{-a}`: 1 for Zipf's law, 0 for classes of one size.
    spread : float, >= 0
        s, of the centres around 0, in units of the inputs' spread around their centre.
    seed : int >= 0, or a sequence of them
        Of the centres, the inputs and the order of the batches. A sequence is a run for each seed
        at once: `start` then has the shape (seeds, 1, d), and points are of shape (seeds, ..., d).

    Attributes
    ----------
    inputs : ndarray
        Of all examples, those to train on first; of shape (3 n, inputs), or (seeds, 3 n, inputs).
    labels : ndarray
        Their classes, 0 for the most frequent one, for each seed the same; of shape (3 n,).
    counts : ndarray
        How many examples of each class there are in a part, of shape (K,).

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its type or outside its range.

    Notes
    -----
    Source: Kunstner et al. (2024), who train a linear model on all examples at once and draw the
    loss for groups of classes. Theirs has inputs that are uniform noise and say nothing of the
    class, more of their entries than examples, so that each example is learned by heart, and
    frequencies that halve as the number of classes doubles. Centres, overlap, held-out parts and
    the sizes are ours.

    Examples
    --------
    >>> from optim_scratch import descend
    >>> from optim_scratch.optimizers import SGD, Adam
    >>> problem = ZipfClasses()
    >>> for method, lr in ((SGD, 4.0), (Adam, 0.5)):
    ...     path = descend(problem, method, 100, lr=lr, every=100)
    ...     print(problem.loss_by_group(path.end).round(1).tolist())
    [0.7, 1.3, 1.9, 2.2]
    [0.7, 1.2, 1.8, 1.8]
    """

    def __init__(
        self,
        classes: int = 64,
        inputs: int = 16,
        examples: int = 1024,
        batch_size: int | None = None,
        *,
        imbalance: float = 1.0,
        spread: float = 0.5,
        seed: int | Sequence[int] = 0,
    ) -> None:
        widths = (Integer(1).check("inputs", inputs), Integer(2).check("classes", classes))
        super().__init__(widths, Integer(1).check("examples", examples), batch_size, seed)
        imbalance = NOT_NEGATIVE.check("imbalance", imbalance)
        spread = NOT_NEGATIVE.check("spread", spread)
        self.counts = zipf_counts(classes, examples, imbalance)
        self.labels = np.tile(np.repeat(np.arange(classes), self.counts), 3)
        drawn = [self._drawn(np.random.default_rng(each), inputs, spread) for each in self.seeds]
        self.inputs = np.array(drawn) if self.many else drawn[0]
        self.start = np.zeros((len(self.seeds), 1, self.size) if self.many else self.size)

    def _drawn(self, rng: np.random.Generator, inputs: int, spread: float) -> Array:
        centres = spread * rng.standard_normal((self.classes, inputs))
        return centres[self.labels] + rng.standard_normal((len(self.labels), inputs))

    def part(self, part: Part) -> tuple[Array, Array]:
        """Return the inputs of a part, of shape (n, inputs), and their classes, of shape (n,).

        With many seeds the inputs are of shape (seeds, n, inputs).
        """
        n = self.examples
        parts: dict[Part, slice] = {
            "train": slice(0, n), "validation": slice(n, 2 * n), "test": slice(2 * n, 3 * n)
        }  # fmt: skip
        where = part_of(part, parts)
        return self.inputs[..., where, :], self.labels[where]

    def _batch(self, batch: Array) -> tuple[Array, Array]:
        return self._each(self.inputs, batch), self.labels[batch]

    def groups(self, groups: int = 4) -> Array:
        """Return to which group each class belongs, 0 for the most frequent: of shape (K,).

        Classes are dealt out in their order, so that groups have about as many examples each.

        Parameters
        ----------
        groups : int, >= 1
            How many.
        """
        groups = Integer(1).check("groups", groups)
        middle = np.cumsum(self.counts) - self.counts / 2
        return np.asarray((groups * middle / self.examples).astype(np.int64))

    def loss_by_group(self, theta: Array, groups: int = 4, part: Part = "train") -> Array:
        """Return the mean loss of each group of `groups` at `theta` (..., d): (..., groups).

        Their mean, each by its number of examples, is the loss. A group without examples is NaN.
        """
        members = np.eye(groups)[self.groups(groups)[self.part(part)[1]]]
        with np.errstate(invalid="ignore"):
            return np.asarray(self.losses(theta, part) @ members / members.sum(axis=0))
