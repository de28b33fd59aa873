"""What the committed file holds, and what follows from it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib import resources
from typing import Any, Literal

import numpy as np

from optim_scratch.parameter import Array

from .entries import ENTRIES, Entry
from .running import MARKS, POINT, best, line

FILE = "ladder.json"
STUDENT = 2.093  # of 20 runs: the 97.5 % quantile of Student's t with 19 degrees of freedom
PartOfLadder = Literal["optimizers", "schedules"]


@dataclass(frozen=True)
class Row:
    """A line of the ladder.

    Parameters
    ----------
    name, settings : str
        Of the method, and what it was given beside the rate.
    family : str
        Of an optimizer, a key of `registry.FAMILIES`; ``"schedule"`` of a schedule.
    rates : ndarray of shape (rates,)
        What was tried; of schedules, peak rates.
    validation : ndarray of shape (tuning seeds, rates)
        The accuracy on validation after 20 epochs.
    best : int
        Which rate is best.
    losses, accuracies : ndarray of shape (3, 20)
        Loss on the training pictures and accuracy on the test pictures after 1, 5 and 20 epochs, of
        20 fresh seeds at the best rate.
    state : float
        How many numbers the optimizer keeps for each weight.
    passes : float
        How often it looks at each training picture, in an epoch.
    time : float
        How long an epoch takes, in units of SGD's, on the one machine on which it was measured.
        The last three are NaN of a schedule.
    """

    name: str
    settings: str
    family: str
    rates: Array
    validation: Array
    best: int
    losses: Array
    accuracies: Array
    state: float
    passes: float
    time: float

    @property
    def rate(self) -> float:
        """The best rate."""
        return float(self.rates[self.best])

    @property
    def good(self) -> slice:
        """The rates around the best that lose at most one point of accuracy on validation."""
        means = self.validation.mean(axis=0)
        fine = means >= means[self.best] - POINT - 1e-9
        first = last = self.best
        while first > 0 and fine[first - 1]:
            first -= 1
        while last + 1 < len(fine) and fine[last + 1]:
            last += 1
        return slice(first, last + 1)

    @property
    def width(self) -> float:
        """The largest of these rates over the smallest: 1 if there is but one."""
        good = self.rates[self.good]
        return float(good[-1] / good[0])

    @property
    def open(self) -> bool:
        """Whether these rates reach an end of those that were tried, so that there may be more."""
        return self.good.start == 0 or self.good.stop == len(self.rates)

    def accuracy(self, epochs: int = 20) -> tuple[float, float]:
        """Return mean accuracy on the test pictures after 1, 5 or 20 epochs, and half its interval.

        The interval holds the mean of many more seeds in 95 of 100 such measurements.
        """
        return interval(self.accuracies[MARKS.index(epochs)])

    def loss(self, epochs: int = 20) -> tuple[float, float]:
        """Return the same of the loss on the training pictures."""
        return interval(self.losses[MARKS.index(epochs)])

    def lead(self, other: Row, epochs: int = 20) -> tuple[float, float]:
        """Return how far its accuracy is above another's, seed by seed, and half the interval.

        Both see the same first weights and batches, which narrows the interval.
        """
        mark = MARKS.index(epochs)
        return interval(self.accuracies[mark] - other.accuracies[mark])


def interval(values: Array) -> tuple[float, float]:
    """Return the mean of 20 values and half its 95 % interval."""
    return float(values.mean()), float(STUDENT * values.std(ddof=1) / len(values) ** 0.5)


@cache
def read() -> dict[str, Any]:
    """Return the committed file: protocol, versions, and what was measured of each line."""
    text = resources.files(__package__).joinpath(FILE).read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)
    return content


def rows(part: PartOfLadder = "optimizers") -> list[Row]:
    """Return the lines of a part of the ladder.

    Parameters
    ----------
    part : {"optimizers", "schedules"}
        Every optimizer of the registry at a constant rate, or every schedule on SGD with momentum.

    Returns
    -------
    list of Row

    Examples
    --------
    >>> [row.name for row in rows()][:2]
    ['SGD', 'SGD momentum 0.9']
    """
    if part not in ("optimizers", "schedules"):
        raise ValueError(f"part must be 'optimizers' or 'schedules', got {part!r}")
    families = {entry.name: entry.of().family for entry in ENTRIES}
    return [_row(each, families.get(each["name"], "schedule")) for each in read()[part]]


def _row(raw: dict[str, Any], family: str) -> Row:
    validation = np.array(raw["validation_accuracy"])
    return Row(
        name=raw["name"],
        settings=raw["settings"],
        family=family,
        rates=np.array(raw["rates"]),
        validation=validation,
        best=best(validation, np.array(raw["validation_loss"])),
        losses=np.array(raw["train_loss"]),
        accuracies=np.array(raw["test_accuracy"]),
        **{name: raw.get(name, np.nan) for name in ("state", "passes", "time")},
    )


def row(name: str) -> Row:
    """Return the line of that name.

    Raises
    ------
    ValueError
        If there is none; the message names the nearest.
    """
    by_name = {each.name: each for each in rows() + rows("schedules")}
    if name not in by_name:
        near = get_close_matches(str(name), by_name, n=3, cutoff=0.3) or sorted(by_name)
        raise ValueError(f"name must be of a line of the ladder, got {name!r}; near: "
                         + ", ".join(near))  # fmt: skip
    return by_name[name]


def measure(entry: Entry) -> Row:
    """Measure a line by the ladder's protocol, and return it; nothing is written.

    Parameters
    ----------
    entry : Entry
        Of the ladder, or one of your own.

    Returns
    -------
    Row
    """
    return _row(line(entry), entry.of().family)


def compare(*names: str | Row) -> str:
    """Return lines of the ladder as a table, to be printed.

    Parameters
    ----------
    *names : str or Row
        Of optimizers, such as ``"SGD momentum 0.9"``, or schedules, such as ``"StepLR"``; or a
        line of your own, from `measure`.

    Returns
    -------
    str
        Best rate; the factor that the good rates span; accuracy on the test pictures in per cent
        after 1, 5 and 20 epochs, with half its 95 % interval after 20; loss on the training
        pictures; numbers kept for each weight; time of an epoch in units of SGD's.

    Raises
    ------
    ValueError
        If there is no such line, or no name is given.

    Examples
    --------
    >>> print(compare("SGD").splitlines()[0].rstrip())
                        best  good  % of test pictures right      loss
    """
    if not names:
        raise ValueError("names must hold at least one line of the ladder, got none")
    chosen = [name if isinstance(name, Row) else row(name) for name in names]
    first = max(18, *(len(each.name) for each in chosen))
    template = f"{{:<{first}}} {{:>5}} {{:>5}}  {{:<24}}  {{:>8}} {{:>5}} {{:>4}}"
    table = [template.format(*cells).rstrip() for cells in _heads()]
    return "\n".join(table + [template.format(*_cells(each)).rstrip() for each in chosen])


def _heads() -> list[tuple[str, ...]]:
    return [
        ("", "best", "good", "% of test pictures right", "loss", "", ""),
        ("", "rate", "rates", "after 1    5  20 epochs", "after 20", "state", "time"),
    ]


def _cells(shown: Row) -> tuple[str, ...]:
    (one, _), (five, _), (twenty, half) = (100 * np.array(shown.accuracy(n)) for n in MARKS)
    known = not np.isnan(shown.time)
    return (
        shown.name,
        f"{shown.rate:.2g}",
        f"×{shown.width:.0f}" + "+" * shown.open,
        f"{one:7.1f} {five:4.1f} {twenty:4.1f} ±{half:.1f}",
        f"{shown.loss()[0]:.2g}",
        f"{shown.state:.2g}" if known else "",
        f"{shown.time:.1f}" if known else "",
    )
