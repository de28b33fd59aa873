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
    Method(
        name="PolynomialLR",
        kind="scheduler",
        module="schedulers.polynomial_lr",
        chapter="schedulers/step-decay",
        summary="a power of the time that is left",
        source="PyTorch",
        torch="torch.optim.lr_scheduler.PolynomialLR",
        parent="ExponentialLR",
    ),
    Method(
        name="LinearLR",
        kind="scheduler",
        module="schedulers.linear_lr",
        chapter="schedulers/step-decay",
        summary="a straight line between two multiples",
        source="PyTorch",
        torch="torch.optim.lr_scheduler.LinearLR",
    ),
    Method(
        name="ConstantLR",
        kind="scheduler",
        module="schedulers.constant_lr",
        chapter="schedulers/step-decay",
        summary="a smaller rate for the first epochs",
        source="PyTorch",
        torch="torch.optim.lr_scheduler.ConstantLR",
        parent="LinearLR",
    ),
    Method(
        name="MultiplicativeLR",
        kind="scheduler",
        module="schedulers.multiplicative_lr",
        chapter="schedulers/step-decay",
        summary="the present rate times any function of the epoch",
        source="PyTorch",
        torch="torch.optim.lr_scheduler.MultiplicativeLR",
        parent="ExponentialLR",
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
        name="CosineAnnealingLR",
        kind="scheduler",
        module="schedulers.cosine_annealing_lr",
        chapter="schedulers/cosine-and-restarts",
        summary="half a cosine down, and back up after it",
        source="Loshchilov & Hutter 2017",
        reference="loshchilov2017",
        torch="torch.optim.lr_scheduler.CosineAnnealingLR",
        parent="PolynomialLR",
    ),
    Method(
        name="CosineAnnealingWarmRestarts",
        kind="scheduler",
        module="schedulers.cosine_annealing_warm_restarts",
        chapter="schedulers/cosine-and-restarts",
        summary="half a cosine down, again and again",
        source="Loshchilov & Hutter 2017",
        reference="loshchilov2017",
        torch="torch.optim.lr_scheduler.CosineAnnealingWarmRestarts",
        parent="CosineAnnealingLR",
    ),
    Method(
        name="REXLR",
        kind="scheduler",
        module="schedulers.rex_lr",
        chapter="schedulers/cosine-and-restarts",
        summary="a hyperbola to 0 that stays high for long",
        source="Chen, Wolfe & Kyrillidis 2022",
        reference="chen2022",
        parent="CosineAnnealingLR",
    ),
    Method(
        name="SWALR",
        kind="scheduler",
        module="schedulers.swa_lr",
        chapter="schedulers/cosine-and-restarts",
        summary="to a fixed rate, at which weights are averaged",
        source="Izmailov et al. 2018",
        reference="izmailov2018",
        torch="torch.optim.swa_utils.SWALR",
        parent="CosineAnnealingLR",
    ),
    Method(
        name="WarmupLinearSchedule",
        kind="scheduler",
        module="schedulers.warmup_linear_schedule",
        chapter="schedulers/warmup",
        summary="a straight line up, another down to 0",
        source="Devlin et al. 2019",
        reference="devlin2019",
        parent="LinearLR",
    ),
    Method(
        name="WarmupCosineSchedule",
        kind="scheduler",
        module="schedulers.warmup_cosine_schedule",
        chapter="schedulers/warmup",
        summary="a straight line up, half a cosine down",
        source="pytorch-transformers 2019",
        parent="CosineAnnealingLR",
    ),
    Method(
        name="WarmupCosineWithHardRestartsSchedule",
        kind="scheduler",
        module="schedulers.warmup_cosine_with_hard_restarts_schedule",
        chapter="schedulers/cosine-and-restarts",
        summary="a straight line up, then equal falls of a cosine",
        source="pytorch-transformers 2019",
        parent="WarmupCosineSchedule",
    ),
    Method(
        name="GradualWarmupScheduler",
        kind="scheduler",
        module="schedulers.gradual_warmup_scheduler",
        chapter="schedulers/warmup",
        summary="a straight line up before any other scheduler",
        source="Goyal et al. 2017",
        reference="goyal2017",
        parent="LinearLR",
    ),
    Method(
        name="NoamLR",
        kind="scheduler",
        module="schedulers.noam_lr",
        chapter="schedulers/warmup",
        summary="a straight line up, the inverse square root of time down",
        source="Vaswani et al. 2017",
        reference="vaswani2017",
        parent="WarmupLinearSchedule",
    ),
    Method(
        name="InverseSqrtSchedule",
        kind="scheduler",
        module="schedulers.inverse_sqrt_schedule",
        chapter="schedulers/warmup",
        summary="the same to a chosen peak, with a time scale",
        source="Zhai et al. 2022",
        reference="zhai2022",
        parent="NoamLR",
    ),
    Method(
        name="WarmupStableDecayLR",
        kind="scheduler",
        module="schedulers.warmup_stable_decay_lr",
        chapter="schedulers/warmup",
        summary="up, a plateau of any length, down",
        source="Hu et al. 2024",
        reference="hu2024",
        parent="WarmupLinearSchedule",
    ),
    Method(
        name="CyclicLR",
        kind="scheduler",
        module="schedulers.cyclic_lr",
        chapter="schedulers/cyclic-and-one-cycle",
        summary="up and down between two bounds",
        source="Smith 2017",
        reference="smith2017",
        torch="torch.optim.lr_scheduler.CyclicLR",
    ),
    Method(
        name="OneCycleLR",
        kind="scheduler",
        module="schedulers.one_cycle_lr",
        chapter="schedulers/cyclic-and-one-cycle",
        summary="up once, and down to almost nothing",
        source="Smith & Topin 2019",
        reference="smith2019",
        torch="torch.optim.lr_scheduler.OneCycleLR",
        parent="CyclicLR",
    ),
    Method(
        name="ReduceLROnPlateau",
        kind="scheduler",
        module="schedulers.reduce_lr_on_plateau",
        chapter="schedulers/plateau",
        summary="a factor when a metric has stopped getting better",
        source="PyTorch",
        torch="torch.optim.lr_scheduler.ReduceLROnPlateau",
        parent="StepLR",
    ),
    Method(
        name="SequentialLR",
        kind="scheduler",
        module="schedulers.sequential_lr",
        chapter="schedulers/composing-and-resuming",
        summary="one scheduler after another",
        source="PyTorch",
        torch="torch.optim.lr_scheduler.SequentialLR",
    ),
    Method(
        name="ChainedScheduler",
        kind="scheduler",
        module="schedulers.chained_scheduler",
        chapter="schedulers/composing-and-resuming",
        summary="several schedulers at once",
        source="PyTorch",
        torch="torch.optim.lr_scheduler.ChainedScheduler",
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
