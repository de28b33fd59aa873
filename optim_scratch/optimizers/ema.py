"""EMA: a mean of the weights that forgets."""

from __future__ import annotations

from typing import Any, ClassVar

from optim_scratch.checks import FRACTION

from .averaging import Averaging
from .optimizer import Optimizer


class EMA(Averaging):
    r"""Exponential moving average of the weights, around any optimizer.

    .. math:: a_t = \beta\,a_{t-1} + (1 - \beta)\,\theta_t, \qquad a_1 = \theta_1

    Parameters
    ----------
    optimizer : Optimizer
        What is wrapped.
    decay : float in [0, 1]
        :math:`\beta`, the share of the average that survives a step: it reaches back about
        :math:`1 / (1 - \beta)` steps.

    Notes
    -----
    Source: Kingma & Ba (2015), section 7.2, without their correction of the bias. The averages are
    those of `torch.optim.swa_utils.AveragedModel` with `get_ema_multi_avg_fn(decay)`, updated
    after each step. No bias is corrected: the first point weighs more than its share until
    :math:`\beta^t` has died away.

    Examples
    --------
    >>> from optim_scratch import Parameter
    >>> from optim_scratch.optimizers import SGD
    >>> w = Parameter([0.0])
    >>> ema = EMA(SGD([w], lr=1.0), decay=0.5)
    >>> for _ in range(3):
    ...     w.grad = [-1.0]
    ...     ema.step()
    >>> w.data.tolist(), ema.point(w).tolist()
    ([3.0], [2.25])
    """

    limits: ClassVar[dict[str, Any]] = {"decay": FRACTION}

    def __init__(self, optimizer: Optimizer, decay: float = 0.999) -> None:
        super().__init__(optimizer, decay=decay)

    def _share(self, n: int) -> float:
        return float(1 - self.own["decay"]) if n else 1.0
