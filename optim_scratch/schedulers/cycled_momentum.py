"""The momentum that cyclical schedulers lead against the rate."""

from __future__ import annotations

from typing import Any

from optim_scratch.checks import SHARE, plain

from .group_access import HasGroups
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


def momentum_bounds(optimizer: HasGroups, base: Any, top: Any) -> dict[str, Any]:
    """Return what a scheduler keeps of the momentum: its bounds, one pair for each group.

    Raises
    ------
    TypeError, ValueError
        If a bound is no number in [0, 1), or a lower one is above its upper one, or the optimizer
        has no momentum.
    """
    bounds = {
        "use_beta1": uses_beta1(optimizer),
        "base_momentums": per_group("base_momentum", base, optimizer, SHARE),
        "max_momentums": per_group("max_momentum", top, optimizer, SHARE),
    }
    check_bounds(bounds)
    return bounds


def check_bounds(values: dict[str, Any]) -> None:
    """Refuse to cycle the momentum of an optimizer without any, or between no bounds.

    Parameters
    ----------
    values : dict
        The attributes of a scheduler; the optimizer is among them once it has one.

    Raises
    ------
    ValueError
        Naming what is wrong.
    """
    if "optimizer" in values:
        uses_beta1(values["optimizer"])
    bounds = ("base_momentums", "max_momentums")
    if missing := [name for name in bounds if name not in values]:
        raise ValueError(f"cycle_momentum=True needs {' and '.join(missing)}")
    lows, highs = (values[name] for name in bounds)
    check_order("base_momentum", lows, "max_momentum", highs)


def check_order(low: str, lows: list[Any], high: str, highs: list[Any]) -> None:
    """Refuse a lower bound above its upper one.

    Raises
    ------
    ValueError
        Naming the first such pair.
    """
    for a, b in zip(lows, highs, strict=False):  # a group that came later may lack one
        if a > b:
            raise ValueError(f"{low} must be <= {high}, got {a} and {b}")


def set_momentum(group: dict[str, Any], value: float) -> None:
    """Set a group's momentum, or the first of its betas."""
    value = plain(value)
    if "betas" in group:
        group["betas"] = (value, *group["betas"][1:])
    else:
        group["momentum"] = value
