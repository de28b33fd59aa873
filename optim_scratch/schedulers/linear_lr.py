"""LinearLR: the rate goes in a straight line from one multiple of the base rate to another."""

from __future__ import annotations

from optim_scratch.checks import check_factor, check_integer, check_scalar

from .groups import HasGroups
from .scheduler import Rescaling


class LinearLR(Rescaling):
    r"""Lead the rate in a straight line from one multiple of the base rate to another.

    .. math:: \eta_t = \eta_0 \left(f_0 + (f_1 - f_0)\,\frac{\min(t, T)}{T}\right)

    Parameters
    ----------
    optimizer : object with `param_groups`
        Ours or torch's.
    start_factor : float in (0, 1]
        :math:`f_0`.
    end_factor : float in [0, 1]
        :math:`f_1`.
    total_iters : int, >= 1
        :math:`T`, in how many steps. torch admits 0, with which the rate never leaves its
        start; we refuse it.
    last_epoch : int, >= -1
        The last epoch that is done, to resume by hand.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its type or outside its range.

    Notes
    -----
    Source: `torch.optim.lr_scheduler.LinearLR`, whose rates these are.

    Examples
    --------
    >>> LinearLR.curve(5, start_factor=0.25, total_iters=3).tolist()
    [0.25, 0.5, 0.75, 1.0, 1.0]
    """

    def __init__(
        self,
        optimizer: HasGroups,
        start_factor: float = 1 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        check_factor("start_factor", start_factor, high=1)
        check_scalar("end_factor", end_factor, low=0, high=1)
        check_integer("total_iters", total_iters, low=1)
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def ratio(self) -> float:
        """Return the line's height at this epoch over that at the last one."""
        t, start = self.last_epoch, self.start_factor
        rise = self.end_factor - start
        if t == 0:
            return start
        if self._is_initial or t > self.total_iters:
            return 1.0
        # (f₀ + d t/T) / (f₀ + d (t−1)/T) = 1 + d / (T f₀ + (t−1) d)
        ratio = 1.0 + rise / (self.total_iters * start + (t - 1) * rise)
        return max(0.0, ratio)  # rounding may take it below
