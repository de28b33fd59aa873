"""OneCycleLR: the rate goes up once and down to almost nothing."""

from __future__ import annotations

from math import cos, pi
from typing import Any, ClassVar

from optim_scratch.checks import FLAG, POSITIVE, Choice, Integer, Number

from .cycled_momentum import momentum_bounds, set_momentum, uses_beta1
from .group_access import HasGroups, check_entries, check_groups, values_of
from .kinds import Limits, Phases
from .per_group import per_group
from .scheduler import LRScheduler

ANNEALS = Choice(("cos", "linear"))
MOMENTA = ("base_momentum", "max_momentum")


class OneCycleLR(LRScheduler):
    r"""Lead the rate up once and down to almost nothing, and the momentum down and up.

    With :math:`N` = `total_steps`, :math:`p` = `pct_start` and the rates
    :math:`\eta_0 = \eta_{\max}` / `div_factor` and
    :math:`\eta_{\min} = \eta_0` / `final_div_factor`, the phases are

    - up to step :math:`pN - 1`: the rate from :math:`\eta_0` to :math:`\eta_{\max}`, the
      momentum from its highest value to its lowest;
    - up to step :math:`N - 1`: the rate from :math:`\eta_{\max}` to :math:`\eta_{\min}`, the
      momentum back;

    or, in three phases, up to :math:`pN - 1`, back to :math:`\eta_0` up to :math:`2pN - 2`, and
    from there to :math:`\eta_{\min}` with the momentum at rest. It overwrites the present rate
    and momentum.

    Parameters
    ----------
    optimizer, last_epoch
        As of every `LRScheduler`.
    max_lr : float, > 0, or list of one per group
        :math:`\eta_{\max}`. The groups' own rates are not used.
    total_steps : int, >= 1, optional
        :math:`N`, the number of updates; if not given, `epochs` times `steps_per_epoch`.
    epochs, steps_per_epoch : int, >= 1, optional
        Together, another way to say it.
    pct_start : float in [0, 1]
        :math:`p`, the share of the way up; at most 1/2 in three phases.
    anneal_strategy : {"cos", "linear"}
        Whether a phase is half a cosine or a straight line.
    cycle_momentum : bool
        Whether the momentum goes against the rate; of an optimizer with betas, :math:`\beta_1`.
    base_momentum, max_momentum : float in [0, 1), or list of one per group
        The lowest and the highest momentum.
    div_factor, final_div_factor : float, > 0
        What the first rate is smaller than the highest by, and the last than the first.
    three_phase : bool
        Whether the way down is in two phases.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its type or outside its range, if the number of steps is
        missing, or if the optimizer has neither momentum nor betas and `cycle_momentum` is set.
    KeyError
        If `last_epoch` is 0 or more and the groups lack the rates that a first scheduler leaves.

    Notes
    -----
    Source: Smith & Topin (2019); phases as in `torch.optim.lr_scheduler.OneCycleLR`. The rates
    live in the groups, as torch's do: load the optimizer's state to resume. A loop that steps
    after every update calls `step` once more than there are rates to set: torch then raises the
    rate again, and we leave it at its last value. A phase without length, with which torch
    divides by 0, is skipped. torch admits momentum of 1 or more, with which SGD never settles.

    Examples
    --------
    >>> OneCycleLR.curve(5, max_lr=1.0, total_steps=5, pct_start=0.6).round(4).tolist()
    [0.04, 0.52, 1.0, 0.5, 0.0]
    """

    limits: ClassVar[Limits] = {
        "total_steps": Integer(1),
        "_schedule_phases": Phases(("initial_lr", "max_lr", "min_lr"), MOMENTA),
        "_anneal_func_type": ANNEALS,
        "cycle_momentum": FLAG,
        "use_beta1": FLAG,
    }
    optional = ("_last_lr", "_anneal_func_type", "use_beta1")
    total_steps: int
    cycle_momentum: bool
    _schedule_phases: list[dict[str, Any]]

    def __init__(
        self,
        optimizer: HasGroups,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        check_groups(optimizer)
        steps = count_steps(total_steps, epochs, steps_per_epoch)
        three_phase = FLAG.check("three_phase", three_phase)
        share = Number(0, 0.5 if three_phase else 1).check("pct_start", pct_start)
        last_epoch = Integer(-1).check("last_epoch", last_epoch)
        div_factor = POSITIVE.check("div_factor", div_factor)
        final_div_factor = POSITIVE.check("final_div_factor", final_div_factor)
        self._anneal_func_type = ANNEALS.check("anneal_strategy", anneal_strategy)
        tops = per_group("max_lr", max_lr, optimizer, POSITIVE)
        firsts = [top / float(div_factor) for top in tops]
        lasts = [first / float(final_div_factor) for first in firsts]
        bounds = {"initial_lr": firsts, "max_lr": tops, "min_lr": lasts}
        if FLAG.check("cycle_momentum", cycle_momentum):
            momenta = momentum_bounds(optimizer, base_momentum, max_momentum)
            self._take(use_beta1=momenta["use_beta1"])
            bounds |= {key: momenta[f"{key}s"] for key in MOMENTA}
        rows = phases(steps, share, three_phase)
        self._take(total_steps=steps, _schedule_phases=rows, cycle_momentum=cycle_momentum)
        leave_bounds(optimizer, last_epoch, bounds)
        super().__init__(optimizer, last_epoch)

    def _check_together(self, values: dict[str, Any]) -> None:
        """Refuse to cycle a momentum that is not there."""
        if "optimizer" in values and values["cycle_momentum"]:
            uses_beta1(values["optimizer"])
            check_entries(values["optimizer"], "OneCycleLR", MOMENTA)

    def _position(self) -> tuple[dict[str, Any], float]:
        """Return the phase that this step lies in, and how far through it is, in [0, 1]."""
        t, start = min(self.last_epoch, self.total_steps - 1), 0.0
        for phase in self._schedule_phases:
            end = phase["end_step"]
            if t <= end:
                break
            start = end
        return phase, (t - start) / (end - start) if end > start else 1.0

    def _between(self, start: Any, end: Any, way: float) -> Any:
        if self._anneal_func_type == "linear":
            return (end - start) * way + start
        return end + (start - end) / 2.0 * (cos(pi * way) + 1)

    def get_lr(self) -> list[Any]:
        """Return the rates of this step."""
        phase, way = self._position()
        start, end = phase["start_lr"], phase["end_lr"]
        momenta = MOMENTA if self.cycle_momentum else ()
        check_entries(self.optimizer, "OneCycleLR", {start, end, *momenta})
        starts, ends = values_of(self.optimizer, start), values_of(self.optimizer, end)
        return [self._between(a, b, way) for a, b in zip(starts, ends, strict=True)]

    def _write(self, rates: list[Any]) -> None:
        """Set the rate of each group, and its momentum against it."""
        super()._write(rates)
        if self.cycle_momentum:
            phase, way = self._position()
            start, end = phase["start_momentum"], phase["end_momentum"]
            for group in self.optimizer.param_groups:
                set_momentum(group, self._between(group[start], group[end], way))

    def _advance(self, *signal: Any) -> None:
        """Go to the next step, unless all steps are done, and one more."""
        if self.last_epoch >= self.total_steps:
            raise ValueError(
                f"total_steps must be the number of updates, got {self.total_steps}, "
                f"and this is step {self.last_epoch + 1}"
            )
        super()._advance()


def leave_bounds(optimizer: HasGroups, last_epoch: int, bounds: dict[str, list[float]]) -> None:
    """Write each group's bounds into it, or see that they are there if a cycle is resumed.

    Raises
    ------
    KeyError
        If it is resumed and a group lacks one.
    """
    for i, group in enumerate(optimizer.param_groups):
        if last_epoch == -1:
            group |= {key: values[i] for key, values in bounds.items()}
        elif missing := sorted(bounds.keys() - group.keys()):
            raise KeyError(
                f"last_epoch={last_epoch} resumes, but group {i} of the optimizer has no "
                f"{', '.join(map(repr, missing))}: load the optimizer's state_dict first"
            )


def count_steps(total_steps: Any, epochs: Any, steps_per_epoch: Any) -> int:
    """Return how many steps there are, from whichever arguments say it.

    Raises
    ------
    TypeError, ValueError
        If none do, or one is no integer of at least 1.
    """
    steps: int
    if total_steps is not None:
        steps = Integer(1).check("total_steps", total_steps)
        return steps
    if epochs is None or steps_per_epoch is None:
        raise ValueError(
            "total_steps must be given, or both epochs and steps_per_epoch, got "
            f"total_steps=None, epochs={epochs}, steps_per_epoch={steps_per_epoch}"
        )
    steps = Integer(1).check("epochs", epochs)
    steps *= Integer(1).check("steps_per_epoch", steps_per_epoch)
    return steps


def phases(steps: int, share: float, three: bool) -> list[dict[str, Any]]:
    """Return the phases, with torch's keys: where each ends, and between which rates it goes."""
    low, high = "base_momentum", "max_momentum"
    up = float(share * steps) - 1
    if not three:
        rows = [(up, "initial_lr", "max_lr", high, low), (steps - 1, "max_lr", "min_lr", low, high)]
    else:
        rows = [
            (up, "initial_lr", "max_lr", high, low),
            (float(2 * share * steps) - 2, "max_lr", "initial_lr", low, high),
            (steps - 1, "initial_lr", "min_lr", high, high),
        ]
    keys = ("end_step", "start_lr", "end_lr", "start_momentum", "end_momentum")
    return [dict(zip(keys, row, strict=True)) for row in rows]
