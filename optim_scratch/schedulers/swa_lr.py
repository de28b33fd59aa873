"""SWALR: the rate goes to a fixed one, at which weights are averaged."""

from __future__ import annotations

from functools import partial
from math import cos, pi
from typing import Any

from optim_scratch.checks import check_choice, check_integer, check_scalar

from .groups import HasGroups, check_start
from .per_group import per_group
from .scheduler import LRScheduler


class SWALR(LRScheduler):
    r"""Lead the rate to a fixed one and keep it there, while weights are averaged.

    .. math::

       \eta_t = (1 - \alpha_t)\,\eta_0 + \alpha_t\,\eta_{\text{swa}}, \qquad
       \alpha_t = \tfrac12 \left(1 - \cos\frac{\pi \min(t, T)}{T}\right)
       \;\text{ or }\; \frac{\min(t, T)}{T}

    computed from the present rate, so that an edit by hand lasts until :math:`T`.

    Parameters
    ----------
    optimizer : object with `param_groups`
        Ours or torch's.
    swa_lr : float, >= 0, or list of one per group
        :math:`\eta_{\text{swa}}`.
    anneal_epochs : int, >= 0
        :math:`T`; with 0 the rate is there at once.
    anneal_strategy : {"cos", "linear"}
        Which :math:`\alpha`.
    last_epoch : int, >= -1
        The last epoch that is done. The way to :math:`\eta_{\text{swa}}` begins anew all the
        same, as torch's does: resume by `state_dict`.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its type or outside its range.

    Notes
    -----
    Source: Izmailov et al. (2018); `torch.optim.swa_utils.SWALR`, whose rates these are. It
    counts its own steps, not epochs, and so may begin late in a run.

    Examples
    --------
    >>> SWALR.curve(4, swa_lr=0.1, anneal_epochs=2, anneal_strategy="linear").round(3).tolist()
    [1.0, 0.55, 0.1, 0.1]
    """

    def __init__(
        self,
        optimizer: HasGroups,
        swa_lr: float | list[float],
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:
        check_start(optimizer, last_epoch)
        check_integer("anneal_epochs", anneal_epochs, low=0)
        check_choice("anneal_strategy", anneal_strategy, ("cos", "linear"))
        ends = per_group("swa_lr", swa_lr, optimizer, partial(check_scalar, low=0))
        for group, end in zip(optimizer.param_groups, ends, strict=True):
            group["swa_lr"] = end
        self.anneal_epochs = anneal_epochs
        self._anneal_strategy = anneal_strategy
        super().__init__(optimizer, last_epoch)

    def _alpha(self, step: int) -> float:
        """Return the share of the fixed rate after so many steps."""
        way = max(0, min(1, step / max(1, self.anneal_epochs)))
        return way if self._anneal_strategy == "linear" else (1 - cos(pi * way)) / 2

    def get_lr(self) -> list[Any]:
        """Return the rates of this step, from those of the last one."""
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = self._alpha(step - 1), self._alpha(step)
        rates = []
        known = self.optimizer.param_groups[: len(self.base_lrs)]  # `step` refuses a late group
        for group, lr in zip(known, self._rates(), strict=False):
            end = group["swa_lr"]
            # undo the last step: η = α₋ η_swa + (1 − α₋) η₀ for η₀
            start = end if before == 1 else (lr - before * end) / (1 - before)
            rates.append(end * now + start * (1 - now))
        return rates
