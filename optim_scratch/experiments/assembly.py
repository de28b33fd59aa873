"""From a recipe to the optimizer and the scheduler that it describes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from optim_scratch import optimizers, schedulers
from optim_scratch.experiments.driver import Driver
from optim_scratch.experiments.recipes import Recipe


def optimizer_for(recipe: Recipe, model: torch.nn.Module) -> torch.optim.Optimizer | Driver:
    """Return the optimizer that a recipe names: torch's, or ours if it asks or torch has none.

    Parameters
    ----------
    recipe : Recipe
        Names it and holds its arguments. Those of a wrapper hold what it wraps under
        ``"optimizer"``: a mapping with its class under that key, and its arguments.
    model : torch.nn.Module
        Whose parameters it moves.

    Raises
    ------
    TypeError, ValueError
        As the optimizer does, or if there is none of that name.
    """
    name, arguments = recipe.optimizer, dict(recipe.optimizer_arguments)
    theirs = getattr(torch.optim, name, None)
    if recipe.library == "torch" and theirs is not None:
        made: torch.optim.Optimizer = theirs(model.parameters(), **arguments)
        return made
    described = {"optimizer": name, "arguments": arguments}
    return Driver(
        model.parameters(), lambda groups: _ours(described, groups), flattened=recipe.flattened
    )


def _ours(described: Mapping[str, Any], groups: Any) -> optimizers.Optimizer:
    """Return one of our optimizers, and within it the one that it wraps."""
    name, arguments = described["optimizer"], dict(described["arguments"])
    if name not in optimizers.__all__:
        raise ValueError(f"optimizer must be torch's or ours, got {name!r}")
    wrapped = arguments.pop("optimizer", None)
    if wrapped is not None:
        inside = {k: v for k, v in wrapped.items() if k != "optimizer"}
        groups = _ours({"optimizer": wrapped["optimizer"], "arguments": inside}, groups)
    made: optimizers.Optimizer = getattr(optimizers, name)(groups, **arguments)
    return made


def scheduler_for(
    optimizer: torch.optim.Optimizer | Driver, described: Mapping[str, Any]
) -> schedulers.LRScheduler:
    """Return the scheduler that a recipe describes, and within it those that it is made of.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer or Driver
        What it drives.
    described : mapping
        The class under ``"scheduler"``; all else are its arguments.

    Raises
    ------
    TypeError, ValueError
        As the scheduler does, or if there is none of that name.
    """
    if described["scheduler"] not in schedulers.__all__:
        raise ValueError(f"scheduler must be one of ours, got {described['scheduler']!r}")
    arguments = {
        name: scheduler_for(optimizer, value) if isinstance(value, Mapping) else value
        for name, value in described.items()
        if name != "scheduler"
    }
    scheduler: schedulers.LRScheduler = getattr(schedulers, described["scheduler"])(
        optimizer, **arguments
    )
    return scheduler
