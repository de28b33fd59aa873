"""A tensor along one of its axes: what Shampoo and SOAP multiply by."""

from __future__ import annotations

from typing import Any

import numpy as np

from optim_scratch.parameter import Array


def unfolded(tensor: Array, axis: int) -> Array:
    """Return a tensor as a matrix that has a row for each index of one axis.

    Parameters
    ----------
    tensor : ndarray of one axis or more
        What to unfold.
    axis : int
        The axis.

    Examples
    --------
    >>> unfolded(np.zeros((2, 3, 4)), 1).shape
    (3, 8)
    """
    return np.moveaxis(tensor, axis, 0).reshape(tensor.shape[axis], -1)


def gram(tensor: Array, axis: int) -> Array:
    """Return the products of each two slices of a tensor along one axis, a square matrix.

    Parameters
    ----------
    tensor : ndarray of one axis or more
        Of a matrix G and its first axis, the product G Gᵀ; of its second, Gᵀ G.
    axis : int
        The axis.
    """
    rows = unfolded(tensor, axis)
    products: Array = rows @ rows.T
    return products


def along(factor: Array, tensor: Array, axis: int) -> Array:
    """Return a tensor multiplied along one axis.

    Parameters
    ----------
    factor : ndarray of shape (n, n) or (n,)
        A matrix, by which each column along the axis is multiplied from the left, or the diagonal
        of one.
    tensor : ndarray with n entries along that axis
        What to multiply.
    axis : int
        The axis.
    """
    if factor.ndim == 1:
        return tensor * np.expand_dims(factor, tuple(range(1, tensor.ndim - axis)))
    return np.moveaxis(np.tensordot(factor, tensor, (1, axis)), 0, axis)


def check_squares(state: dict[str, Any], prefix: str) -> None:
    """Refuse a saved state with a square below 0 on the diagonal of one of its matrices.

    Raises
    ------
    ValueError
        Naming the matrix.
    """
    for name, array in state.items():
        squares = array.diagonal() if np.ndim(array) == 2 and name.startswith(prefix) else 0.0
        if np.any(squares < 0):
            raise ValueError(
                f"{name} must hold squares, none below 0, on its diagonal, got {array!r}"
            )
