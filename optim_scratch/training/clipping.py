"""Gradient clipping: by the norm of all entries together, or entry by entry."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from optim_scratch.checks import FLAG, Number
from optim_scratch.parameter import Array, Parameter, RowSparse

from ._members import own_parameters

EPSILON = 1e-6
"""Added to the norm before `clip_grad_norm_` divides by it, as torch does."""

ABOVE_ZERO = Number(low=0, above=True, infinite=True)


def clip_grad_norm_(
    parameters: Parameter | Iterable[Parameter],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> float:
    r"""Shorten the gradient of all parameters together to a norm of at most `max_norm`.

    .. math:: g \leftarrow g \cdot \min\Bigl(1, \frac{c}{\|g\|_p + 10^{-6}}\Bigr)

    Its direction stays. A norm beyond `max_norm` becomes a little less than it.

    Parameters
    ----------
    parameters : Parameter or iterable of Parameter
        Whose gradients are shortened; those without one are passed over.
    max_norm : float, > 0
        :math:`c`; infinity only measures, if the norm is finite. torch takes 0, which sets every
        gradient to 0, and numbers below, which turn them around.
    norm_type : float, > 0
        :math:`p`; infinity is the largest entry. torch takes other numbers too, which give no norm.
    error_if_nonfinite : bool
        Whether to refuse an infinite or NaN norm. If not, NaN flows into every gradient, and an
        infinite norm makes the finite entries 0 and the infinite ones NaN.

    Returns
    -------
    float
        The norm before, computed in float64; 0 if there is no gradient.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its type or outside its range, or there is no parameter or one is
        given twice.
    FloatingPointError
        If the norm is not finite and `error_if_nonfinite`; torch raises a RuntimeError. Gradients
        stay as they are.

    Notes
    -----
    Gradients are replaced, not written into: an array that two parameters share is shortened once.
    Powers are taken of the entries over the largest, so that no norm overflows, as torch's does
    where a square exceeds what the dtype holds.
    Source: Pascanu, Mikolov & Bengio (2013), Algorithm 1; `torch.nn.utils.clip_grad_norm_`.

    Examples
    --------
    >>> w = Parameter([1.0, 1.0])
    >>> w.grad = [30.0, 40.0]
    >>> clip_grad_norm_(w, max_norm=1.0)
    50.0
    >>> w.grad.round(3).tolist()
    [0.6, 0.8]
    """
    members = own_parameters("parameters", parameters)
    max_norm = ABOVE_ZERO.check("max_norm", max_norm)
    norm_type = ABOVE_ZERO.check("norm_type", norm_type)
    FLAG.check("error_if_nonfinite", error_if_nonfinite)
    with np.errstate(all="ignore"):  # infinities and NaN flow, as in torch
        norm = _norm([_entries(p.grad) for p in members if p.grad is not None], norm_type)
        if error_if_nonfinite and not np.isfinite(norm):
            raise FloatingPointError(f"the gradient's norm of type {norm_type} is {norm}")
        # min(1, c / (‖g‖ + 1e-6)), in float64: a float16 would lose a small one
        coefficient = np.minimum(1.0, np.float64(max_norm) / (norm + EPSILON))
        for p in members:
            if p.grad is not None:
                p.grad = p.grad * coefficient
    return norm


def clip_grad_value_(parameters: Parameter | Iterable[Parameter], clip_value: float) -> None:
    r"""Limit each entry of the gradient to ``[-clip_value, clip_value]``; the direction bends.

    .. math:: g \leftarrow \min(\max(g, -c), c)

    Parameters
    ----------
    parameters : Parameter or iterable of Parameter
        Whose gradients are limited; those without one are passed over.
    clip_value : float, > 0
        :math:`c`, in units of the gradient. NaN entries stay NaN.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its type or outside its range, or there is no parameter or one is
        given twice.

    Notes
    -----
    Gradients are replaced, not written into. Source: `torch.nn.utils.clip_grad_value_`.

    Examples
    --------
    >>> w = Parameter([1.0, 1.0])
    >>> w.grad = [30.0, -0.4]
    >>> clip_grad_value_(w, clip_value=1.0)
    >>> w.grad.tolist()
    [1.0, -0.4]
    """
    members = own_parameters("parameters", parameters)
    limit = np.float64(ABOVE_ZERO.check("clip_value", clip_value))
    with np.errstate(over="ignore"):  # a limit beyond float16 bounds nothing in it
        for p in members:
            if p.grad is not None:
                clipped = np.clip(_entries(p.grad), -limit, limit)
                rows = isinstance(p.grad, RowSparse)
                p.grad = RowSparse(p.grad.coalesced().rows, clipped, p.shape) if rows else clipped


def _entries(g: Array | RowSparse) -> Array:
    """Return a gradient's entries; where only some rows are given, theirs, each row once."""
    return g.coalesced().values if isinstance(g, RowSparse) else g


def _norm(gradients: list[Array], norm_type: float) -> float:
    """Return the p-norm of all gradients as one vector; infinity is the largest entry."""
    sizes = [np.abs(g.astype(np.float64)).ravel() for g in gradients]
    entries = np.concatenate([np.zeros(1), *sizes])
    largest = entries.max()
    if norm_type == np.inf or not 0 < largest < np.inf:
        return float(largest)
    # powers of shares of the largest neither overflow nor vanish
    return float(largest * np.sum((entries / largest) ** norm_type) ** (1 / norm_type))
