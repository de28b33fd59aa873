"""Who is compared: the lines of the ladder whose runs can be made all at once."""

from __future__ import annotations

from optim_scratch import ladder, registry
from optim_scratch.ladder import Entry

SAME = {"Rprop": "Rprop mini-batches", "LBFGS": "LBFGS mini-batches"}
"""Lines of the ladder that differ from another by the batch alone."""


def _reason(method: registry.Method) -> str:
    """Return why a method is left out; empty if it is not."""
    if method.rows:
        return "is Adam where every entry of the gradient is there"
    if not method.elementwise:
        return "couples the entries of a parameter, so runs cannot share one array"
    return ""


LEFT_OUT = {
    method.name: reason for method in registry.methods("optimizer") if (reason := _reason(method))
}
"""Why the other optimizers of the registry are not compared, by name."""

ENTRIES = tuple(
    entry
    for entry in ladder.ENTRIES
    if entry.method not in LEFT_OUT and not entry.pieces and entry.name not in SAME.values()
)
"""The lines of the ladder that are compared, with the ladder's settings, in its order."""


def find(name: str) -> Entry:
    """Return the entry of that name."""
    [entry] = [entry for entry in ENTRIES if entry.name == name]
    return entry
