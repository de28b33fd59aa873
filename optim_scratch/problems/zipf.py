"""Zipf's law: the k-th most frequent of many is 1/k as frequent as the first."""

from __future__ import annotations

import numpy as np

from optim_scratch.parameter import Array


def zipf(count: int, imbalance: float = 1.0) -> Array:
    r"""Return the shares of so many, the most frequent first: an array of shape (count,).

    .. math:: \pi_k = k^{-a} \Big/ \sum_{j=1}^{K} j^{-a}

    Parameters
    ----------
    count : int, >= 1
        :math:`K`.
    imbalance : float
        :math:`a`: 1 for Zipf's law, 0 if all are equally frequent.
    """
    weights = np.arange(1, count + 1) ** -float(imbalance)
    return np.asarray(weights / weights.sum())


def zipf_counts(count: int, total: int, imbalance: float = 1.0) -> Array:
    """Return how many of `total` each has: whole numbers of that sum nearest to the shares.

    Parameters
    ----------
    count : int, >= 1
        Of how many.
    total : int, >= 1
        What is shared out.
    imbalance : float
        As of `zipf`.
    """
    wanted = total * zipf(count, imbalance)
    counts = np.floor(wanted).astype(np.int64)
    # what is left goes to those that lost most by rounding down
    late = np.argsort(counts - wanted, kind="stable")[: total - counts.sum()]
    counts[late] += 1
    return counts
