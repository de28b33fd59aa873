"""What an attribute of a scheduler may be, beyond one number or word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from optim_scratch.checks import ANY, Integer, Number, plain

from .group_access import real_number


class Checks(Protocol):
    """Says what an attribute may be, to constructors and to saved states."""

    def check(self, name: str, value: Any) -> Any:
        """Return the value as plain data, or refuse it."""


Limits = Mapping[str, Checks]
"""What attributes may be, by their names."""


@dataclass(frozen=True)
class PerGroup:
    """A list with a number for each group.

    Parameters
    ----------
    kind : Number
        What each number may be.
    arrays : bool
        Whether there may be an array of numbers in place of one.
    """

    kind: Number = ANY
    arrays: bool = False

    def check(self, name: str, value: Any) -> list[Any]:
        """Return the list, its numbers as Python's and its arrays in float64.

        Raises
        ------
        TypeError, ValueError
            If it is no list, or one of its entries is not as `kind` says.
        """
        if not isinstance(value, list | tuple):
            raise TypeError(f"{name} must be a list with a number for each group, got {value!r}")
        entries = [(f"{name}[{i}]", entry) for i, entry in enumerate(value)]
        if self.arrays:
            return [real_number(entry_name, entry, self.kind) for entry_name, entry in entries]
        return [self.kind.check(entry_name, entry) for entry_name, entry in entries]


RATES = PerGroup(arrays=True)


@dataclass(frozen=True)
class Rising:
    """A list of integers in rising order.

    Parameters
    ----------
    low : int
        The least that is allowed.
    strictly : bool
        Whether no two may be the same.
    """

    low: int
    strictly: bool = False

    def check(self, name: str, value: Any) -> list[int]:
        """Return the list.

        Raises
        ------
        TypeError, ValueError
            If it is no list of integers, or one is too small or out of order.
        """
        message = f"{name} must be an iterable of integers, got {value!r}"
        if isinstance(value, str | bytes | Mapping):
            raise TypeError(message)
        try:
            entries = list(value)
        except TypeError as error:
            raise TypeError(message) from error
        epochs: list[int] = [Integer(self.low).check(f"each of {name}", e) for e in entries]
        if epochs != sorted(set(epochs) if self.strictly else epochs):
            words = "must rise" if self.strictly else "must be in rising order"
            raise ValueError(f"{name} {words}, got {epochs}")
        return epochs


@dataclass(frozen=True)
class Counts:
    """How often each epoch is a milestone; JSON, for one, turns the epochs into strings."""

    def check(self, name: str, value: Any) -> Counter[int]:
        """Return the count.

        Raises
        ------
        TypeError, ValueError
            If it is no dictionary from integers of at least 0 to integers of at least 0.
        """
        if not isinstance(value, Mapping):
            raise TypeError(f"{name} must be a dictionary of epochs, got {value!r}")
        counter: Counter[int] = Counter()
        for epoch, times in value.items():
            known = isinstance(epoch, str) and epoch.isascii() and epoch.isdigit()
            number = Integer(0).check(f"each of {name}", int(epoch) if known else epoch)
            counter[number] = Integer(0).check(f"{name}[{epoch!r}]", times)
        return counter


@dataclass(frozen=True)
class Phases:
    """The phases of one cycle: where each ends, and between which entries of a group it goes."""

    rates: tuple[str, ...] = ("initial_lr", "max_lr", "min_lr")
    momenta: tuple[str, ...] = ("base_momentum", "max_momentum")

    def check(self, name: str, value: Any) -> list[dict[str, Any]]:
        """Return the phases.

        Raises
        ------
        TypeError, ValueError
            If they are no list of two or three dictionaries with what a phase has.
        """
        if not isinstance(value, list | tuple) or len(value) not in (2, 3):
            raise TypeError(f"{name} must be a list of two or three phases, got {value!r}")
        return [self._phase(f"{name}[{i}]", phase) for i, phase in enumerate(value)]

    def _phase(self, name: str, phase: Any) -> dict[str, Any]:
        """Return one phase."""
        allowed = {
            "start_lr": self.rates, "end_lr": self.rates,
            "start_momentum": self.momenta, "end_momentum": self.momenta,
        }  # fmt: skip
        keys = ("end_step", *allowed)
        if not isinstance(phase, Mapping) or set(phase) != set(keys):
            raise ValueError(f"{name} must have {', '.join(keys)}, got {phase!r}")
        for key, words in allowed.items():
            if not isinstance(phase[key], str) or phase[key] not in words:
                known = ", ".join(map(repr, words))
                raise ValueError(f"{name}[{key!r}] must be one of {known}, got {phase[key]!r}")
        end = Number().check(f"{name}['end_step']", plain(phase["end_step"]))
        return {**phase, "end_step": end}
