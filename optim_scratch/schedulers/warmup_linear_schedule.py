"""WarmupLinearSchedule: the rate rises in a straight line, then falls in one to 0."""

from __future__ import annotations

from .group_access import HasGroups
from .warmup_schedule import WarmupSchedule


class WarmupLinearSchedule(WarmupSchedule):
    r"""Raise the rate in a straight line from 0, then let it fall in one to 0.

    .. math::

       \eta_t = \eta_0 \begin{cases} t / W & t < W \\ \max(0, T - t) / (T - W) & t \ge W \end{cases}

    Parameters
    ----------
    optimizer, last_epoch
        As of every `LRScheduler`.
    warmup_steps : int, >= 0
        :math:`W`. With 1 or more, the first update has the rate 0.
    t_total : int, >= `warmup_steps`
        :math:`T`, the number of updates: see `optim_scratch.training.total_updates`.

    Notes
    -----
    Source: the package ``pytorch-transformers`` (2019), for the fine-tuning of Devlin et al.
    (2019); ``get_linear_schedule_with_warmup`` of ``transformers`` has the same rates.

    Examples
    --------
    >>> WarmupLinearSchedule.curve(7, warmup_steps=2, t_total=6).tolist()
    [0.0, 0.5, 1.0, 0.75, 0.5, 0.25, 0.0]
    """

    def __init__(
        self, optimizer: HasGroups, warmup_steps: int, t_total: int, last_epoch: int = -1
    ) -> None:
        self._take(warmup_steps=warmup_steps, t_total=t_total)
        super().__init__(optimizer, last_epoch)

    def multiple(self, t: int) -> float:
        """Return the height of the two lines."""
        W, T = self.warmup_steps, self.t_total
        return t / W if t < W else max(0, T - t) / max(1, T - W)
