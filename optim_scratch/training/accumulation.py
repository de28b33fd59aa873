"""Gradient accumulation: a large batch's gradient from those of its micro-batches."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from optim_scratch.checks import Integer
from optim_scratch.parameter import Parameter

from ._members import own_parameters


class Accumulator:
    r"""Make the gradient of a large batch from those of its micro-batches.

    .. math:: g = \frac{\sum_j n_j\, g_j}{\sum_j n_j}

    where :math:`g_j` is the gradient of the mean loss of micro-batch j, of :math:`n_j` examples.
    That is the gradient of the mean loss of all examples, whatever the sizes: exactly, but for
    rounding, as long as no example's loss depends on the others in its batch.

    Parameters
    ----------
    parameters : Parameter or iterable of Parameter
        Whose gradients are accumulated.

    Raises
    ------
    TypeError, ValueError
        If they are not `Parameter` objects, there is none, or one is given twice.

    Notes
    -----
    Sums are kept in float64 and the mean is rounded to the parameter's dtype once. Sums of float16
    overflow beyond 65504, and those of float32 lose their last digits with each micro-batch.

    Examples
    --------
    >>> w = Parameter([0.0])
    >>> gradients = Accumulator(w)
    >>> for examples in ([1.0, 2.0, 3.0], [10.0]):
    ...     w.grad = [sum(examples) / len(examples)]
    ...     gradients.add(len(examples))
    >>> gradients.write()
    4
    >>> w.grad.tolist()
    [4.0]
    """

    def __init__(self, parameters: Parameter | Iterable[Parameter]) -> None:
        self.parameters = own_parameters("parameters", parameters)
        self._restart()

    def _restart(self) -> None:
        self._sums: list[Any] = [None] * len(self.parameters)
        self.examples = 0

    def add(self, examples: int) -> None:
        """Take over the present gradients, those of one micro-batch, and clear them.

        Parameters
        ----------
        examples : int, in [1, 2**53]
            How many examples the gradients are the mean of.

        Raises
        ------
        TypeError, ValueError
            If `examples` is not an integer in that range.
        """
        count = Integer(1, high=2**53).check("examples", examples)
        self.examples += count
        with np.errstate(all="ignore"):  # infinities and NaN flow, as in torch
            for i, p in enumerate(self.parameters):
                if p.grad is not None:
                    weighted, before = count * _wide(p.grad), self._sums[i]
                    self._sums[i] = weighted if before is None else before + weighted
                    p.grad = None

    def write(self) -> int:
        """Write the mean gradient into the parameters, and begin anew.

        Returns
        -------
        int
            How many examples it is the mean of. A parameter that no micro-batch gave a gradient
            has none, so that an optimizer passes over it.

        Raises
        ------
        ValueError
            If nothing was added since the last time.
        """
        if not self.examples:
            raise ValueError("write() needs at least one add() before it, got none")
        for p, total in zip(self.parameters, self._sums, strict=True):
            p.grad = None if total is None else total / self.examples
        examples = self.examples
        self._restart()
        return examples


def _wide(g: Any) -> Any:
    """Return a gradient in float64, if its dtype is no wider."""
    return g.astype(np.result_type(g.dtype, np.float64))
