"""The momentum that cyclical schedulers lead against the rate."""

from __future__ import annotations

from typing import Any

from optim_scratch.checks import check_scalar

from .groups import HasGroups, detached
from .per_group import per_group


def uses_beta1(optimizer: HasGroups) -> bool:
    """Return whether the optimizer's momentum is the first of its betas.

    Raises
    ------
    ValueError
        If it has neither momentum nor betas.
    """
    for group in optimizer.param_groups:
        if "betas" not in group and "momentum" not in group:
            raise ValueError(
                "cycle_momentum=True needs an optimizer with momentum or betas, got groups with "
                f"{', '.join(sorted(group.keys() - {'params'}))}: set cycle_momentum=False"
            )
    return "betas" in optimizer.param_groups[0]


def momentum_bounds(optimizer: HasGroups, base: Any, top: Any) -> tuple[list[float], list[float]]:
    """Return the checked bounds of the momentum, one pair of values for each group.

    Raises
    ------
    TypeError, ValueError
        If a bound is no number in [0, 1), or a lower one is above its upper one.
    """
    bases = per_group("base_momentum", base, optimizer, _check)
    tops = per_group("max_momentum", top, optimizer, _check)
    check_order("base_momentum", bases, "max_momentum", tops)
    return bases, tops


def check_order(low: str, lows: list[Any], high: str, highs: list[Any]) -> None:
    """Refuse a lower bound above its upper one.

    Raises
    ------
    ValueError
        Naming the first such pair.
    """
    for a, b in zip(lows, highs, strict=True):
        if a > b:
            raise ValueError(f"{low} must be <= {high}, got {a} and {b}")


def set_momentum(group: dict[str, Any], value: float) -> None:
    """Set a group's momentum, or the first of its betas."""
    value = detached(value)
    if "betas" in group:
        group["betas"] = (value, *group["betas"][1:])
    else:
        group["momentum"] = value


def _check(name: str, value: Any) -> None:
    check_scalar(name, value, low=0)
    if value >= 1:
        raise ValueError(f"{name} must be in [0, 1), got {value}")
