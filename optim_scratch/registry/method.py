"""What there is to know of a method."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
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
        The chapter that derives it, below ``book/``; empty while it is still to come.
    summary : str
        What it does, in a few words.
    source : str
        Who published it, and when.
    reference : str
        The key of that publication in the bibliography; empty if there is none.
    torch : str
        The same class in torch, by its full name; empty if torch has none.
    parent : str
        The method, or the setting of one, whose flaw it mends; empty for the first.
    mends : str
        Of an optimizer, that flaw, in some words of which the parent is the subject ("never
        forgets"); empty for the first.
    also : str
        Of an optimizer, a second one from which it takes something; empty if there is none.
    family : str
        Of an optimizer, a key of `FAMILIES`: figures have one colour for each.
    dash : int
        Of an optimizer, which of the dashes of `optim_scratch.plot` tells it from the others of its
        family; 0 is a solid line. Given once: no figure changes when a method is added.
    year : int
        Of an optimizer, when it was published first; else 0.
    memory : str
        Of an optimizer, how many numbers it keeps for each entry of a parameter.
    work : str
        Of an optimizer, how often a step asks for a gradient.
    update : str
        Of an optimizer, its update in one line of LaTeX, in the book's symbols; empty while it has
        no chapter.
    when : str
        Of an optimizer, when to use it, in a sentence; empty while it has no chapter.
    elementwise : bool
        Whether each entry of a parameter moves by itself, so that arrays of hyper-parameters are
        many runs at once. Schedulers have no use for it.
    closure : bool
        Whether a step must have a closure, as it looks at the loss or the gradient again.
    wraps : bool
        Whether it is made from another optimizer.
    rows : bool
        Whether it wants gradients of which some rows are given, and no dense ones.
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
    mends: str = ""
    also: str = ""
    family: str = ""
    dash: int = 0
    year: int = 0
    memory: str = ""
    work: str = "1 gradient a step"
    update: str = ""
    when: str = ""
    elementwise: bool = True
    closure: bool = False
    wraps: bool = False
    rows: bool = False

    def load(self) -> Any:
        """Return the class."""
        return getattr(importlib.import_module(f"optim_scratch.{self.module}"), self.name)


@dataclass(frozen=True)
class Setting:
    """A method that is no class of its own but a setting of one, as momentum is of `SGD`.

    Parameters
    ----------
    name : str
        What the book calls it.
    call : str
        How it is had.
    chapter, summary, source, reference, parent, mends, also, family, year, memory
        As of a `Method`.
    """

    name: str
    call: str
    chapter: str
    summary: str
    source: str
    reference: str
    parent: str
    mends: str
    family: str
    year: int
    memory: str
    also: str = ""

    @property
    def kind(self) -> str:
        """The name of the class."""
        return self.call.partition("(")[0]

    @property
    def hyper(self) -> tuple[str, ...]:
        """The arguments by which it is had."""
        inside = self.call.partition("(")[2].rstrip(")")
        return tuple(part.partition("=")[0].strip() for part in inside.split(","))


FAMILIES = {
    "gradient": "along the gradient",
    "adaptive": "a rate for each entry",
    "sign": "the sign alone",
    "average": "an average of the points",
    "layer": "a rate for each layer",
    "matrix": "a matrix as a matrix",
    "curvature": "the curvature",
    "rate-free": "no rate to choose",
    "sharpness": "away from sharp minima",
}
"""The families of optimizers, and what the members of each go by."""
