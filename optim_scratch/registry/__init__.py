"""The one list of methods: tables, pages and parity tests are drawn from it."""

from __future__ import annotations

from difflib import get_close_matches

from .method import FAMILIES, Kind, Method, Setting
from .optimizers import OPTIMIZERS
from .schedulers import SCHEDULERS
from .settings import SETTINGS

__all__ = ["FAMILIES", "METHODS", "SETTINGS", "Kind", "Method", "Setting", "find", "methods"]

METHODS: tuple[Method, ...] = OPTIMIZERS + SCHEDULERS


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
