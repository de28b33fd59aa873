"""SWA: the plain mean of the points that an optimizer passes."""

from __future__ import annotations

from typing import Any, ClassVar

from optim_scratch.checks import Integer

from .averaging import Averaging
from .optimizer import Optimizer


class SWA(Averaging):
    r"""Stochastic weight averaging, around any optimizer.

    .. math:: a_n = a_{n-1} + \frac{1}{n}\,(\theta_n - a_{n-1})

    with :math:`\theta_n` the n-th point that is taken in: every so many steps after the start.

    Parameters
    ----------
    optimizer : Optimizer
        What is wrapped; usually with a rate that is constant or cyclical from the start of
        averaging on, see `optim_scratch.schedulers.SWALR`.
    start : int, >= 0
        After how many steps averaging begins.
    every : int, >= 1
        Each so many steps a point is taken in.

    Notes
    -----
    Source: Izmailov et al. (2018), Algorithm 1, with `every` for their cycle length :math:`c`. They
    count the weights with which averaging begins as the first point; torch does not, nor does this
    class. The averages are those of `torch.optim.swa_utils.AveragedModel` when it is updated at
    these steps; that averages a model, and leaves counting steps to its user.

    Examples
    --------
    >>> from optim_scratch import Parameter
    >>> from optim_scratch.optimizers import SGD
    >>> w = Parameter([0.0])
    >>> swa = SWA(SGD([w], lr=1.0))
    >>> for _ in range(3):
    ...     w.grad = [-1.0]
    ...     swa.step()
    >>> w.data.tolist(), swa.point(w).tolist()
    ([3.0], [2.0])
    """

    limits: ClassVar[dict[str, Any]] = {"start": Integer(0), "every": Integer(1)}

    def __init__(self, optimizer: Optimizer, start: int = 0, every: int = 1) -> None:
        super().__init__(optimizer, start=start, every=every)

    def _takes_in(self) -> bool:
        late: int = self.shared["step"] - self.own["start"]
        return late > 0 and late % self.own["every"] == 0

    def _share(self, n: int) -> float:
        return 1 / (n + 1)
