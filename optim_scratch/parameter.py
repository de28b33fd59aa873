"""A parameter: an array and its gradient."""

from __future__ import annotations

from typing import Any, SupportsFloat

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
        self._grad: Array | None = None

    @property
    def grad(self) -> Array | None:
        """The gradient of the loss, an array of the parameter's shape and dtype, or None.

        An array of that dtype is kept as it is, not copied, unless it shares the parameter's
        memory.

        Raises
        ------
        TypeError
            If it is set to something else than floating-point numbers.
        ValueError
            If it is set to an array of another shape.
        """
        return self._grad

    @grad.setter
    def grad(self, values: ArrayLike | None) -> None:
        if values is None:
            self._grad = None
            return
        gradient = floating(values, "grad")
        if gradient.shape != self.data.shape:
            raise ValueError(
                f"grad must have the parameter's shape {self.data.shape}, got {gradient.shape}"
            )
        # a gradient that is the parameter itself, as that of ½‖θ‖² is, must not move with it
        shared = np.may_share_memory(gradient, self.data)
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
