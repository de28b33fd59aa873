"""SWALR: the rate goes to a fixed one, at which weights are averaged."""

from __future__ import annotations

from math import cos, pi
from typing import Any, ClassVar

from optim_scratch.checks import NOT_NEGATIVE, Choice, Integer

from .group_access import HasGroups, check_entries, check_start, real_number
from .kinds import Limits
from .per_group import per_group
from .scheduler import LRScheduler
from .state import Plan

STRATEGIES = Choice(("cos", "linear"))
ANNEALED_BY = {"_cosine_anneal": "cos", "_linear_anneal": "linear"}
"""What torch's functions are called here, and in torch's states after 2.9."""


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

    Notes
    -----
    Source: Izmailov et al. (2018); `torch.optim.swa_utils.SWALR`, whose rates these are. It
    counts its own steps, not epochs, and so may begin late in a run.

    Examples
    --------
    >>> SWALR.curve(4, swa_lr=0.1, anneal_epochs=2, anneal_strategy="linear").round(3).tolist()
    [1.0, 0.55, 0.1, 0.1]
    """

    limits: ClassVar[Limits] = {"anneal_epochs": Integer(0), "_anneal_strategy": STRATEGIES}
    anneal_epochs: int

    def __init__(
        self,
        optimizer: HasGroups,
        swa_lr: float | list[float],
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:
        check_start(optimizer, last_epoch)
        self._take(anneal_epochs=anneal_epochs)
        self._anneal_strategy = STRATEGIES.check("anneal_strategy", anneal_strategy)
        ends = per_group("swa_lr", swa_lr, optimizer, NOT_NEGATIVE)
        for group, end in zip(optimizer.param_groups, ends, strict=True):
            group["swa_lr"] = end
        super().__init__(optimizer, last_epoch)

    def _plan(self, state_dict: Any, where: str) -> Plan:
        """Take a state of earlier torch too, which holds the function instead of its name."""
        function = state_dict.get("anneal_func") if isinstance(state_dict, dict) else None
        if name := ANNEALED_BY.get(getattr(function, "__name__", "")):
            state_dict = {key: state_dict[key] for key in state_dict if key != "anneal_func"}
            state_dict["_anneal_strategy"] = name
        return super()._plan(state_dict, where)

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
        check_entries(self.optimizer, "SWALR", ["swa_lr"])
        for i, (group, lr) in enumerate(
            zip(self.optimizer.param_groups, self._rates(), strict=True)
        ):
            end = real_number(f"'swa_lr' of group {i}", group["swa_lr"])
            # undo the last step: η = α₋ η_swa + (1 − α₋) η₀ for η₀
            start = end if before == 1 else (lr - before * end) / (1 - before)
            rates.append(end * now + start * (1 - now))
        return rates
