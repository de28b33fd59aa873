"""What stands on the ladder: each method of the registry, with its settings and its rates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from optim_scratch import registry
from optim_scratch.optimizers import (
    ASGD,
    EMA,
    LAMB,
    LARS,
    LBFGS,
    SAM,
    SGD,
    SGDW,
    SOAP,
    SWA,
    SWATS,
    AdaBelief,
    AdaBound,
    Adadelta,
    Adafactor,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    AdamWScheduleFree,
    Adan,
    GradientNoise,
    Lion,
    Lookahead,
    Muon,
    NAdam,
    Optimizer,
    Prodigy,
    RAdam,
    RMSprop,
    Rprop,
    SGDScheduleFree,
    Shampoo,
    SignSGD,
    SparseAdam,
    Yogi,
)
from optim_scratch.parameter import Array, Parameter

HALF = 320  # of the 640 steps of 20 epochs: where averages begin

Make = Callable[[list[Parameter], Any], Optimizer | list[Optimizer]]


@dataclass(frozen=True)
class Entry:
    """A line of the ladder.

    Parameters
    ----------
    name : str
        On the ladder.
    method : str
        Its name in the registry.
    make : callable
        From parameters and a rate, or an array of rates if the method is elementwise, to the
        optimizer; to several if matrices and biases have one each.
    middle : float
        The middle one of the rates that are tried.
    settings : str
        What it is given beside the rate, to be shown; empty for its defaults.
    pieces : bool
        Whether it must see the matrices as matrices: it is given W₁, b₁, W₂, b₂ one by one, and
        else all weights in one vector.
    batch_size : int or None
        Pictures in a mini-batch; None for all.
    """

    name: str
    method: str
    make: Make
    middle: float
    settings: str = ""
    pieces: bool = False
    batch_size: int | None = 32

    def of(self) -> registry.Method:
        """Return the registry's entry of its method."""
        return registry.find(self.method)

    def optimizers(self, parameters: list[Parameter], rate: float | Array) -> list[Optimizer]:
        """Return what moves the parameters."""
        made = self.make(parameters, rate)
        return made if isinstance(made, list) else [made]


def heavy(p: list[Parameter], lr: Any) -> SGD:
    """Return SGD with momentum 0.9, what most wrappers are put around."""
    return SGD(p, lr=lr, momentum=0.9)


def muon(p: list[Parameter], lr: float) -> list[Optimizer]:
    """Return Muon for the matrices, and AdamW at the same rate for the biases."""
    matrices = [each for each in p if each.data.ndim == 2]
    biases = [each for each in p if each.data.ndim == 1]
    return [Muon(matrices, lr=lr, adjust_lr_fn="match_rms_adamw"), AdamW(biases, lr=lr)]


def searching(p: list[Parameter], lr: float) -> LBFGS:
    """Return L-BFGS with a line search, for a gradient without noise."""
    return LBFGS(p, lr=lr, history_size=10, line_search_fn="strong_wolfe")


ENTRIES = (
    Entry("SGD", "SGD", lambda p, lr: SGD(p, lr=lr), 0.4),
    Entry("SGD momentum 0.9", "SGD", heavy, 0.1, "momentum=0.9"),
    Entry(
        "SGD Nesterov 0.9", "SGD",
        lambda p, lr: SGD(p, lr=lr, momentum=0.9, nesterov=True), 0.1,
        "momentum=0.9, nesterov=True",
    ),
    Entry(
        "SGDW", "SGDW", lambda p, lr: SGDW(p, lr=lr, momentum=0.9, weight_decay=1e-3), 0.1,
        "momentum=0.9, weight_decay=1e-3",
    ),
    Entry("GradientNoise", "GradientNoise", lambda p, lr: GradientNoise(heavy(p, lr)), 0.1,
          "around SGD momentum 0.9"),
    Entry("Adagrad", "Adagrad", lambda p, lr: Adagrad(p, lr=lr), 0.064),
    Entry("RMSprop", "RMSprop", lambda p, lr: RMSprop(p, lr=lr), 0.004),
    Entry("Adadelta", "Adadelta", lambda p, lr: Adadelta(p, lr=lr), 4.0),
    Entry("Adam", "Adam", lambda p, lr: Adam(p, lr=lr), 0.008),
    Entry("SparseAdam", "SparseAdam", lambda p, lr: SparseAdam(p, lr=lr), 0.008,
          "pixels that a batch has", pieces=True),
    Entry("AdamW", "AdamW", lambda p, lr: AdamW(p, lr=lr), 0.008),
    Entry("Adamax", "Adamax", lambda p, lr: Adamax(p, lr=lr), 0.016),
    Entry("NAdam", "NAdam", lambda p, lr: NAdam(p, lr=lr), 0.008),
    Entry("RAdam", "RAdam", lambda p, lr: RAdam(p, lr=lr), 0.008),
    Entry("Yogi", "Yogi", lambda p, lr: Yogi(p, lr=lr), 0.016),
    Entry("AdaBelief", "AdaBelief", lambda p, lr: AdaBelief(p, lr=lr), 0.016),
    Entry("Adan", "Adan", lambda p, lr: Adan(p, lr=lr), 0.016),
    Entry("AdaBound", "AdaBound", lambda p, lr: AdaBound(p, lr=lr, final_lr=1.0), 0.008,
          "final_lr=1.0"),
    Entry("AMSBound", "AdaBound", lambda p, lr: AdaBound(p, lr=lr, final_lr=1.0, amsbound=True),
          0.008, "final_lr=1.0, amsbound=True"),
    Entry("SWATS", "SWATS", lambda p, lr: SWATS(p, lr=lr, eps=1e-3), 0.008, "eps=1e-3"),
    Entry("Adafactor", "Adafactor", lambda p, lr: Adafactor(p, lr=lr), 0.256, pieces=True),
    Entry("Rprop", "Rprop", lambda p, lr: Rprop(p, lr=lr), 0.01, "all pictures", batch_size=None),
    Entry("Rprop mini-batches", "Rprop", lambda p, lr: Rprop(p, lr=lr), 0.032),
    Entry("SignSGD", "SignSGD", lambda p, lr: SignSGD(p, lr=lr), 0.002),
    Entry("SignSGD momentum 0.9", "SignSGD", lambda p, lr: SignSGD(p, lr=lr, momentum=0.9), 0.002,
          "momentum=0.9"),
    Entry("Lion", "Lion", lambda p, lr: Lion(p, lr=lr), 0.002),
    Entry("ASGD", "ASGD", lambda p, lr: ASGD(p, lr=lr, t0=HALF), 0.4, "t0=320"),
    Entry(
        "SWA", "SWA", lambda p, lr: SWA(heavy(p, lr), start=HALF), 0.1,
        "of SGD momentum 0.9, start=320",
    ),
    Entry(
        "EMA", "EMA", lambda p, lr: EMA(heavy(p, lr), decay=0.99), 0.1,
        "of SGD momentum 0.9, decay=0.99",
    ),
    Entry("Lookahead", "Lookahead", lambda p, lr: Lookahead(heavy(p, lr)), 0.1,
          "around SGD momentum 0.9"),
    Entry("SGDScheduleFree", "SGDScheduleFree", lambda p, lr: SGDScheduleFree(p, lr=lr), 1.6),
    Entry(
        "AdamWScheduleFree", "AdamWScheduleFree", lambda p, lr: AdamWScheduleFree(p, lr=lr), 0.016
    ),
    Entry("LARS", "LARS", lambda p, lr: LARS(p, lr=lr, trust_coefficient=0.02), 0.1,
          "trust_coefficient=0.02", pieces=True),
    Entry("LAMB", "LAMB", lambda p, lr: LAMB(p, lr=lr), 0.016, pieces=True),
    Entry("Prodigy", "Prodigy", lambda p, lr: Prodigy(p, lr=lr), 0.25),
    Entry("Shampoo", "Shampoo", lambda p, lr: Shampoo(p, lr=lr), 0.8, pieces=True),
    Entry("SOAP", "SOAP", lambda p, lr: SOAP(p, lr=lr), 0.008, pieces=True),
    Entry("Muon", "Muon", muon, 0.016,
          'adjust_lr_fn="match_rms_adamw", biases by AdamW', pieces=True),
    Entry(
        "LBFGS", "LBFGS", searching, 1.0,
        'history_size=10, line_search_fn="strong_wolfe", all pictures', batch_size=None,
    ),
    Entry(
        "LBFGS mini-batches", "LBFGS",
        lambda p, lr: LBFGS(p, lr=lr, max_iter=4, history_size=10), 0.1,
        "max_iter=4, history_size=10",
    ),
    Entry("SAM", "SAM", lambda p, lr: SAM(heavy(p, lr)), 0.1, "around SGD momentum 0.9"),
)  # fmt: skip
"""Every optimizer of the registry, in its order."""
