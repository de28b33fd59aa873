"""CyclicLR: the rate goes up and down between two bounds."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial
from math import floor
from typing import Any, ClassVar

from optim_scratch.checks import check_choice, check_factor, check_flag, check_integer, check_scalar

from .groups import HasGroups, check_start, set_rate
from .lambdas import attributes_of, check_attributes
from .momentum import check_order, momentum_bounds, set_momentum, uses_beta1
from .per_group import per_group
from .scheduler import LRScheduler

MODES = ("triangular", "triangular2", "exp_range")


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
    optimizer : object with `param_groups`
        Ours or torch's.
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
    last_epoch : int, >= -1
        The last step that is done, to resume by hand.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its type or outside its range, if a lower bound is above its
        upper one, or if the optimizer has neither momentum nor betas and `cycle_momentum` is set.

    Notes
    -----
    Source: Smith (2017). Names and counting are those of `torch.optim.lr_scheduler.CyclicLR`,
    which admits bounds in any order.

    Examples
    --------
    >>> CyclicLR.curve(5, base_lr=0.1, max_lr=0.3, step_size_up=2).round(4).tolist()
    [0.1, 0.2, 0.3, 0.2, 0.1]
    """

    transient: ClassVar[tuple[str, ...]] = ("optimizer", "_is_initial", "_scale_fn_custom")

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
        lows = per_group("base_lr", base_lr, optimizer, partial(check_scalar, low=0))
        self.max_lrs = per_group("max_lr", max_lr, optimizer, partial(check_scalar, low=0))
        check_order("base_lr", lows, "max_lr", self.max_lrs)
        check_choice("mode", mode, MODES)
        check_choice("scale_mode", scale_mode, ("cycle", "iterations"))
        check_factor("gamma", gamma)
        check_flag("cycle_momentum", cycle_momentum)
        if scale_fn is not None and not callable(scale_fn):
            raise TypeError(f"scale_fn must be callable, got {scale_fn!r}")
        self._count_cycles(step_size_up, step_size_down)
        self.mode, self.gamma, self._scale_fn_custom = mode, gamma, scale_fn
        self.scale_mode = scale_mode
        if scale_fn is None:
            self.scale_mode = "iterations" if mode == "exp_range" else "cycle"
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self._bound_momentum(optimizer, base_momentum, max_momentum)
        if last_epoch == -1:  # other schedulers then take the lower bound for the base rate
            for group, low in zip(optimizer.param_groups, lows, strict=True):
                set_rate(group, low)
        super().__init__(optimizer, last_epoch, base_lrs=lows)

    def _count_cycles(self, up: int, down: int | None) -> None:
        """Keep how long a cycle is, and which share of it is the way up."""
        check_integer("step_size_up", up, low=1)
        if down is not None:
            check_integer("step_size_down", down, low=1)
        self.total_size = float(up) + float(up if down is None else down)
        self.step_ratio = up / self.total_size

    def _bound_momentum(self, optimizer: HasGroups, base: Any, top: Any) -> None:
        """Keep the bounds of the momentum, here and, as torch does, in the groups."""
        self.use_beta1 = uses_beta1(optimizer)
        self.base_momentums, self.max_momentums = momentum_bounds(optimizer, base, top)
        bounds = zip(optimizer.param_groups, self.base_momentums, self.max_momentums, strict=True)
        for group, low, high in bounds:
            group["base_momentum"], group["max_momentum"] = low, high

    def scale_fn(self, x: float) -> float:
        """Return the height of a cycle, from its number or from that of the step."""
        if self._scale_fn_custom is not None:
            return self._scale_fn_custom(x)
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

    def state_dict(self) -> dict[str, Any]:
        """Return the state; of a callable `scale_fn` its attributes, or None for a function."""
        return {**super().state_dict(), "_scale_fn_custom": attributes_of(self._scale_fn_custom)}

    def _check_state(self, state_dict: dict[str, Any]) -> None:
        """Refuse what does not fit the scheduler or its `scale_fn`."""
        super()._check_state(state_dict)
        check_attributes("_scale_fn_custom", self._scale_fn_custom, state_dict["_scale_fn_custom"])

    def _load(self, state_dict: dict[str, Any]) -> None:
        """Take over what was saved; a plain function stays as it was given here."""
        super()._load(state_dict)
        if saved := state_dict["_scale_fn_custom"]:
            vars(self._scale_fn_custom).update(copy.deepcopy(saved))
