"""A parameter: an array and its gradient, all of it or only some rows."""

from __future__ import annotations

import math
from typing import Any, SupportsFloat, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .checks import type_name, untorched

Array = NDArray[Any]

Real = SupportsFloat | Array
"""A hyper-parameter: a number, NumPy's or torch's among them, or an array of numbers."""


def floating(values: ArrayLike, name: str) -> Array:
    """Return `values` as a floating array, or say which argument is not one.

    Python numbers and lists become float64; a NumPy array keeps its floating dtype.

    Parameters
    ----------
    values : array_like of any shape
        What to return. A tensor of torch's counts as an array, a bfloat16 one as float32.
    name : str
        What the message calls it.

    Raises
    ------
    TypeError
        If `values` are of another kind, as those of an integer array are.
    """
    given = values
    try:
        array = np.asarray(untorched(values))
    except ValueError as error:  # lists whose rows differ in length
        raise TypeError(f"{name} must hold floating-point numbers, got {given!r}") from error
    if isinstance(values, int | float | list | tuple | np.integer) and array.dtype.kind in "iu":
        array = array.astype(np.float64)
    if array.dtype.kind != "f":
        raise TypeError(f"{name} must hold floating-point numbers, got dtype {array.dtype}")
    return array


class RowSparse:
    """A gradient of which only some rows are given; all others are 0.

    A row is what one index of the first axis leads to: of a table of words, the vector of a word.
    The work of a step then depends on how many words a batch has, not on how many there are.

    Parameters
    ----------
    rows : array_like of int, of shape (n,)
        Which rows, from 0, in any order. One that is there several times stands for the sum.
    values : array_like of shape (n, *shape[1:])
        Those rows.
    shape : tuple of int, at least one
        Of the whole gradient.

    Attributes
    ----------
    rows, values : ndarray
        As given.
    shape : tuple of int
        As given.

    Raises
    ------
    TypeError
        If `rows` are no whole numbers, or `values` no floating-point numbers.
    ValueError
        If there is no first axis, shapes do not fit, or a row is outside.

    Notes
    -----
    What torch's ``Embedding(sparse=True)`` gives: a sparse tensor with one sparse axis.

    Examples
    --------
    >>> g = RowSparse([2, 0, 2], [[1.0, 1.0], [5.0, 0.0], [0.0, 3.0]], shape=(4, 2))
    >>> g.coalesced()
    RowSparse([0, 2], [[5.0, 0.0], [1.0, 4.0]], shape=(4, 2))
    >>> g.dense().tolist()
    [[5.0, 0.0], [0.0, 0.0], [1.0, 4.0], [0.0, 0.0]]
    """

    __slots__ = ("rows", "shape", "values")

    def __init__(self, rows: ArrayLike, values: ArrayLike, shape: tuple[int, ...]) -> None:
        self.rows: Array = np.asarray(untorched(rows))
        if not self.rows.size:
            self.rows = self.rows.astype(np.intp)
        self.values, self.shape = floating(values, "values"), tuple(shape)
        if self.rows.dtype.kind not in "iu" or self.rows.ndim != 1:
            raise TypeError(f"rows must be a list of whole numbers, got {rows!r}")
        if not self.shape:
            raise ValueError("shape must have a first axis, whose rows are given, got ()")
        whole = (len(self.rows), *self.shape[1:])
        if self.values.shape != whole:
            raise ValueError(f"values must be of shape {whole}, got {self.values.shape}")
        if self.rows.size and not (self.rows.min() >= 0 and self.rows.max() < self.shape[0]):
            raise ValueError(f"rows must be in [0, {self.shape[0]}), got {rows!r}")

    @classmethod
    def of(cls, dense: Array) -> RowSparse:
        """Return those rows of an array, of at least one axis, that are not all 0."""
        rows = np.flatnonzero(dense.reshape(len(dense), math.prod(dense.shape[1:])).any(axis=1))
        return cls(rows, dense[rows], dense.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the values."""
        return self.values.dtype

    def coalesced(self) -> RowSparse:
        """Return the same with each row once, in their order, the values of the same row added."""
        if np.all(np.diff(self.rows) > 0):
            return self
        order = np.argsort(self.rows, kind="stable")
        rows, firsts = np.unique(self.rows[order], return_index=True)
        values = self.values[order]
        if len(rows) < len(values):
            values = np.add.reduceat(values, firsts)
        return RowSparse(rows, values, self.shape)

    def dense(self) -> Array:
        """Return the whole as an array, with zeros."""
        whole, once = np.zeros(self.shape, self.dtype), self.coalesced()
        whole[once.rows] = once.values
        return whole

    def astype(self, dtype: Any, copy: bool = True) -> RowSparse:
        """Return the same with values of another dtype; itself, if it has that and may not copy."""
        if not copy and self.dtype == dtype:
            return self
        return RowSparse(self.rows, self.values.astype(dtype), self.shape)

    def __neg__(self) -> RowSparse:
        return RowSparse(self.rows, -self.values, self.shape)

    def __mul__(self, factor: Any) -> RowSparse:
        return RowSparse(self.rows, self.values * factor, self.shape)

    __rmul__ = __mul__

    def __truediv__(self, divisor: Any) -> RowSparse:
        return RowSparse(self.rows, self.values / divisor, self.shape)

    @overload
    def __add__(self, other: RowSparse) -> RowSparse: ...
    @overload
    def __add__(self, other: Array) -> Array: ...
    def __add__(self, other: RowSparse | Array) -> RowSparse | Array:
        if not isinstance(other, RowSparse):
            return self.dense() + other
        rows = np.concatenate([self.rows, other.rows])
        return RowSparse(rows, np.concatenate([self.values, other.values]), self.shape)

    __array_ufunc__ = None  # NumPy's arrays and numbers leave the arithmetic to this class

    def __radd__(self, other: Array) -> Array:
        return self.dense() + other

    def __repr__(self) -> str:
        return f"RowSparse({self.rows.tolist()}, {self.values.tolist()}, shape={self.shape})"


class Parameter:
    """An array that an optimizer moves, and the gradient that tells it where.

    Parameters
    ----------
    data : array_like of any shape
        The start. Python numbers become float64; a floating NumPy array keeps its dtype.
    copy : bool
        Whether to copy it. If not, it must be a floating NumPy array that can be written into, and
        optimizers write into its memory.

    Raises
    ------
    TypeError
        If `data` does not hold floating-point numbers, as an integer array does not, or is no
        array although it is not to be copied.
    ValueError
        If it is read-only although it is not to be copied.

    Notes
    -----
    Unlike `torch.nn.Parameter`, which shares the memory of the tensor it is given, a
    `Parameter` owns its array, unless told otherwise: optimizers write into it.

    Examples
    --------
    >>> w = Parameter([1.0, 2.0])
    >>> w.grad = 2 * w.data
    >>> w
    Parameter([1., 2.])
    """

    __slots__ = ("__weakref__", "_grad", "data")

    def __init__(self, data: ArrayLike, *, copy: bool = True) -> None:
        if not copy and not isinstance(data, np.ndarray):
            raise TypeError(f"data must be an array to be shared, got {type_name(data)}")
        array = floating(data, "data")
        if not copy and not array.flags.writeable:
            raise ValueError("data must be writable to be shared, got a read-only array")
        self.data: Array = array.copy() if copy else array
        self._grad: Array | RowSparse | None = None

    @property
    def grad(self) -> Any:
        """The gradient of the loss, an array of the parameter's shape and dtype, or None.

        It may be a `RowSparse` too, for methods that take one. What has that dtype is kept as it
        is, not copied, unless it shares the parameter's memory.

        Raises
        ------
        TypeError
            If it is set to something else than floating-point numbers.
        ValueError
            If it is set to an array of another shape.
        """
        return self._grad

    @grad.setter
    def grad(self, values: ArrayLike | RowSparse | None) -> None:
        if values is None:
            self._grad = None
            return
        sparse = isinstance(values, RowSparse)
        gradient: Any = values if sparse else floating(values, "grad")  # type: ignore[arg-type]
        if gradient.shape != self.data.shape:
            raise ValueError(
                f"grad must have the parameter's shape {self.data.shape}, got {gradient.shape}"
            )
        # a gradient that is the parameter itself, as that of ½‖θ‖² is, must not move with it
        shared = np.may_share_memory(gradient.values if sparse else gradient, self.data)
        self._grad = gradient.astype(self.data.dtype, copy=shared)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the array."""
        return self.data.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the array, which rules over those of gradients and hyper-parameters."""
        return self.data.dtype

    def __repr__(self) -> str:
        return repr(self.data).replace("array(", "Parameter(", 1)
