"""The one list of methods: tables, pages and parity tests are drawn from it."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal

Kind = Literal["optimizer", "scheduler"]


@dataclass(frozen=True)
class Method:
    """One method and what there is to know about it.

    Parameters
    ----------
    name : str
        The class's name, torch's where torch has it.
    kind : {"optimizer", "scheduler"}
        What it is.
    module : str
        Where the class is defined, below `optim_scratch`.
    chapter : str
        The chapter that derives it, below ``book/``.
    summary : str
        What it does, in a few words.
    source : str
        Who published it, and when.
    reference : str
        The key of that publication in the bibliography; empty if there is none.
    torch : str
        The same class in torch, by its full name; empty if torch has none.
    parent : str
        The method whose flaw it mends; empty for the first.
    elementwise : bool
        Whether each entry of a parameter moves by itself, so that arrays of hyper-parameters are
        many runs at once. Schedulers have no use for it.
    """

    name: str
    kind: Kind
    module: str
    chapter: str
    summary: str
    source: str
    reference: str = ""
    torch: str = ""
    parent: str = ""
    elementwise: bool = True

    def load(self) -> Any:
        """Return the class."""
        return getattr(importlib.import_module(f"optim_scratch.{self.module}"), self.name)


METHODS: tuple[Method, ...] = (
    Method(
        name="SGD",
        kind="optimizer",
        module="optimizers.sgd",
        chapter="optimizers/gradient-descent",
        summary="a step down the gradient of a mini-batch, with momentum on request",
        source="Robbins & Monro 1951; Polyak 1964; Nesterov 1983",
        reference="robbins1951",
        torch="torch.optim.SGD",
    ),
    Method(
        name="Adam",
        kind="optimizer",
        module="optimizers.adam",
        chapter="schedulers/warmup",
        summary="a step along the mean gradient, in units of its root mean square",
        source="Kingma & Ba 2015; Reddi et al. 2018",
        reference="kingma2015",
        torch="torch.optim.Adam",
        parent="SGD",
    ),
    Method(
        name="LambdaLR",
        kind="scheduler",
        module="schedulers.lambda_lr",
        chapter="schedulers/step-decay",
        summary="the base rate times any function of the epoch",
        source="PyTorch",
        torch="torch.optim.lr_scheduler.LambdaLR",
    ),
    Method(
        name="StepLR",
        kind="scheduler",
        module="schedulers.step_lr",
        chapter="schedulers/step-decay",
        summary="a factor every so many epochs",
        source="PyTorch",
        torch="torch.optim.lr_scheduler.StepLR",
    ),
    Method(
        name="MultiStepLR",
        kind="scheduler",
        module="schedulers.multi_step_lr",
        chapter="schedulers/step-decay",
        summary="a factor at chosen epochs",
        source="PyTorch",
        torch="torch.optim.lr_scheduler.MultiStepLR",
        parent="StepLR",
    ),
    Method(
        name="ExponentialLR",
        kind="scheduler",
        module="schedulers.exponential_lr",
        chapter="schedulers/step-decay",
        summary="a factor every epoch",
        source="PyTorch",
        torch="torch.optim.lr_scheduler.ExponentialLR",
        parent="StepLR",
    ),
)


def methods(kind: Kind | None = None) -> tuple[Method, ...]:
    """Return the methods of a kind, in the book's order; all if no kind is given."""
    return tuple(method for method in METHODS if kind in (None, method.kind))


def find(name: str) -> Method:
    """Return the method of that name.

    Raises
    ------
    ValueError
        If there is none; the message names the nearest.

    Examples
    --------
    >>> find("StepLR").chapter
    'schedulers/step-decay'
    """
    by_name = {method.name: method for method in METHODS}
    if name not in by_name:
        near = get_close_matches(name, by_name, n=3, cutoff=0.3) or sorted(by_name)
        raise ValueError(f"name must be of a known method, got {name!r}; near: {', '.join(near)}")
    return by_name[name]
