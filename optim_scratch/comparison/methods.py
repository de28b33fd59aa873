"""Who is compared: the lines of the ladder, but for those that see here what others see."""

from __future__ import annotations

from dataclasses import replace

from optim_scratch import ladder, registry
from optim_scratch.ladder import Entry
from optim_scratch.optimizers import LARS, SOAP

SAME = {"Rprop": "Rprop mini-batches", "LBFGS mini-batches": "LBFGS"}
"""Lines of the ladder that stand for another of the same method.

Of L-BFGS it is the one without a line search that is compared: each iteration looks at one
gradient, so that gradients can be counted, and what is tried is a rate and not a first guess.
"""

LOOKS = {"SAM": 2, "LBFGS mini-batches": 4}
"""Gradients that a step looks at, of those that look at more than one."""

ACROSS = {"SWATS", "Prodigy"}
"""The methods that take all parameters of an optimizer together, and not each by itself."""

ON_VECTORS = {
    "LARS": {
        "make": lambda p, lr: LARS(p, lr=lr, trust_coefficient=0.02, scaled="all"),
        "settings": 'trust_coefficient=0.02, scaled="all"',
    },
    "SOAP": {
        "make": lambda p, lr: SOAP(p, lr=lr, precondition_1d=True),
        "settings": "precondition_1d=True",
    },
}
"""What differs from the ladder's settings, which spare vectors what is the method's own."""


def _reason(method: registry.Method) -> str:
    """Return why a method is left out; empty if it is not."""
    if method.rows:
        return "is Adam where every entry of the gradient is there"
    if method.name == "Muon":
        return "takes matrices alone, and every parameter here is a vector"
    return ""


LEFT_OUT = {
    method.name: reason for method in registry.methods("optimizer") if (reason := _reason(method))
}
"""Why the other optimizers of the registry are not compared, by name."""

ENTRIES = tuple(
    replace(entry, **ON_VECTORS.get(entry.name, {}))  # type: ignore[arg-type]
    for entry in ladder.ENTRIES
    if entry.method not in LEFT_OUT and entry.name not in SAME.values()
)
"""The lines of the ladder that are compared, with its settings, in its order."""


def find(name: str) -> Entry:
    """Return the entry of that name."""
    [entry] = [entry for entry in ENTRIES if entry.name == name]
    return entry
