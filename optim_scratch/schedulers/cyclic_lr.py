"""CyclicLR: the rate goes up and down between two bounds."""

from __future__ import annotations

from collections.abc import Callable
from math import floor
from typing import Any, ClassVar

from optim_scratch.checks import FLAG, NOT_NEGATIVE, POSITIVE, SHARE, Choice, Integer, Number

from .cycled_momentum import check_bounds, check_order, momentum_bounds, set_momentum
from .group_access import HasGroups, check_start, real_number, set_rate
from .kinds import Limits, PerGroup
from .per_group import per_group
from .scheduler import LRScheduler


class CyclicLR(LRScheduler):
    r"""Lead the rate up and down between two bounds, and the momentum down and up.

    .. math::

       \eta_t = \eta_{\text{base}} + s\,(\eta_{\max} - \eta_{\text{base}})\,\Lambda_t, \qquad
       \mu_t = \mu_{\max} - s\,(\mu_{\max} - \mu_{\text{base}})\,\Lambda_t

    where :math:`\Lambda_t` rises in a straight line from 0 to 1 in `step_size_up` steps and falls
    back in `step_size_down`; the height :math:`s` is 1 in mode ``"triangular"``,
    :math:`2^{-i}` in cycle :math:`i = 0, 1, \dots` in mode ``"triangular2"``, and
    :math:`\gamma^t` in mode ``"exp_range"``. It overwrites the present rate and momentum.

    Parameters
    ----------
    optimizer, last_epoch
        As of every `LRScheduler`.
    base_lr, max_lr : float, or list of one per group
        The bounds, ``0 <= base_lr <= max_lr``. The groups' own rates are not used.
    step_size_up : int, >= 1
        Steps from the lower bound to the upper one: updates, if stepped once an update.
    step_size_down : int, >= 1, optional
        Steps back; as many as up if not given.
    mode : {"triangular", "triangular2", "exp_range"}
        How the height of cycles changes; without effect if `scale_fn` is given.
    gamma : float, > 0
        :math:`\gamma` of mode ``"exp_range"``.
    scale_fn : callable, optional
        The height :math:`s`, from what `scale_mode` says.
    scale_mode : {"cycle", "iterations"}
        Whether `scale_fn` is given the number of the cycle, from 1, or of the step, from 0.
    cycle_momentum : bool
        Whether the momentum goes against the rate; of an optimizer with betas, :math:`\beta_1`.
    base_momentum, max_momentum : float in [0, 1), or list of one per group
        The momentum's bounds, ``base_momentum <= max_momentum``.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its type or outside its range, if a lower bound is above its
        upper one, or if the optimizer has neither momentum nor betas and `cycle_momentum` is set.

    Notes
    -----
    Source: Smith (2017). Names and counting are those of `torch.optim.lr_scheduler.CyclicLR`,
    which admits bounds in any order, and momentum of 1 or more, with which SGD never settles.

    Examples
    --------
    >>> CyclicLR.curve(5, base_lr=0.1, max_lr=0.3, step_size_up=2).round(4).tolist()
    [0.1, 0.2, 0.3, 0.2, 0.1]
    """

    limits: ClassVar[Limits] = {
        "base_lrs": PerGroup(NOT_NEGATIVE),
        "max_lrs": PerGroup(NOT_NEGATIVE),
        "total_size": POSITIVE,
        "step_ratio": Number(0, 1, above=True, below=True),
        "mode": Choice(("triangular", "triangular2", "exp_range")),
        "gamma": POSITIVE,
        "scale_mode": Choice(("cycle", "iterations")),
        "cycle_momentum": FLAG,
        "use_beta1": FLAG,
        "base_momentums": PerGroup(SHARE),
        "max_momentums": PerGroup(SHARE),
    }
    parts = ("_scale_fn_custom",)
    optional = ("_last_lr", "use_beta1", "base_momentums", "max_momentums")
    max_lrs: list[float]
    mode: str
    gamma: float
    scale_mode: str
    cycle_momentum: bool
    base_momentums: list[float]
    max_momentums: list[float]

    def __init__(
        self,
        optimizer: HasGroups,
        base_lr: float | list[float],
        max_lr: float | list[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.8,
        max_momentum: float | list[float] = 0.9,
        last_epoch: int = -1,
    ) -> None:
        check_start(optimizer, last_epoch)
        if scale_fn is not None and not callable(scale_fn):
            raise TypeError(f"scale_fn must be callable, got {scale_fn!r}")
        lows = per_group("base_lr", base_lr, optimizer, NOT_NEGATIVE)
        tops = per_group("max_lr", max_lr, optimizer, NOT_NEGATIVE)
        bounds: dict[str, Any] = {}
        if FLAG.check("cycle_momentum", cycle_momentum):
            bounds = momentum_bounds(optimizer, base_momentum, max_momentum)
        self._count_cycles(step_size_up, step_size_down)
        self._scale_fn_custom = scale_fn
        self._take(base_lrs=lows, max_lrs=tops, mode=mode, gamma=gamma, scale_mode=scale_mode,
                   cycle_momentum=cycle_momentum, **bounds)  # fmt: skip
        if scale_fn is None:
            self.scale_mode = "iterations" if mode == "exp_range" else "cycle"
        self._leave_bounds(optimizer, fresh=last_epoch == -1)
        super().__init__(optimizer, last_epoch, base_lrs=lows)

    def _count_cycles(self, up: int, down: int | None) -> None:
        """Keep how long a cycle is, and which share of it is the way up."""
        up = Integer(1).check("step_size_up", up)
        down = Integer(1, optional=True).check("step_size_down", down)
        self.total_size = float(up) + float(up if down is None else down)
        self.step_ratio = up / self.total_size

    def _leave_bounds(self, optimizer: HasGroups, fresh: bool) -> None:
        """Write the bounds into the groups, as torch does."""
        for i, group in enumerate(optimizer.param_groups):
            if self.cycle_momentum:
                group["base_momentum"] = self.base_momentums[i]
                group["max_momentum"] = self.max_momentums[i]
            if fresh:  # other schedulers then take the lower bound for the base rate
                set_rate(group, self.base_lrs[i])

    def _check_together(self, values: dict[str, Any]) -> None:
        """Refuse bounds in the wrong order, and to cycle a momentum that is not there."""
        check_order("base_lr", values["base_lrs"], "max_lr", values["max_lrs"])
        if values["cycle_momentum"]:
            check_bounds(values)

    def scale_fn(self, x: float) -> float:
        """Return the height of a cycle, from its number or from that of the step."""
        if self._scale_fn_custom is not None:
            height = self._scale_fn_custom(x)
            return real_number(f"scale_fn({x})", height)
        if self.mode == "triangular":
            return 1.0
        return 0.5 ** (x - 1) if self.mode == "triangular2" else float(self.gamma**x)

    def _triangle(self) -> tuple[float, float]:
        """Return how far up its bounds this step is, and the height of the bounds."""
        t = self.last_epoch
        cycle = floor(1 + t / self.total_size)
        x = 1.0 + t / self.total_size - cycle
        top = self.step_ratio
        way = x / top if x <= top else (x - 1) / (top - 1)
        return way, self.scale_fn(cycle if self.scale_mode == "cycle" else t)

    def get_lr(self) -> list[float]:
        """Return the rates of this step."""
        names = ("base_momentums", "max_momentums") if self.cycle_momentum else ()
        self._check_one_each("base_lrs", "max_lrs", *names)
        way, height = self._triangle()
        pairs = zip(self.base_lrs, self.max_lrs, strict=True)
        return [low + (high - low) * way * height for low, high in pairs]

    def _write(self, rates: list[Any]) -> None:
        """Set the rate of each group, and its momentum against it."""
        super()._write(rates)
        if not self.cycle_momentum:
            return
        way, height = self._triangle()
        bounds = zip(self.base_momentums, self.max_momentums, strict=True)
        for group, (low, high) in zip(self.optimizer.param_groups, bounds, strict=True):
            set_momentum(group, high - (high - low) * way * height)
