"""The largest eigenvalue of a matrix that is only known by its products."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from optim_scratch.parameter import Array


def largest_eigenvalue(product: Callable[[Array], Array], size: int, steps: int) -> float:
    """Return the largest eigenvalue of a symmetric matrix of shape (size, size).

    Each step adds the product with the last direction to a basis; on the space that it spans the
    matrix is small, and its largest eigenvalue there nears the whole one's from below.

    Parameters
    ----------
    product : callable
        From a vector of shape (size,) to its product with the matrix.
    size : int, >= 1
        Of the vectors.
    steps : int, >= 1
        How many products.

    Notes
    -----
    Source: Lanczos (1950), with every direction made orthogonal to all before it.
    """
    steps = min(steps, size)
    basis, products = np.zeros((steps, size)), np.zeros((steps, size))
    v = np.random.default_rng(0).standard_normal(size)
    for k in range(steps):
        for _ in range(2):  # rounding leaves a rest the first time
            v = v - basis[:k].T @ (basis[:k] @ v)
        basis[k] = v / np.linalg.norm(v)
        products[k] = v = product(basis[k])
    small = basis @ products.T
    return float(np.linalg.eigvalsh((small + small.T) / 2)[-1])
