"""What the committed file holds, and what follows from it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from optim_scratch.checks import Integer
from optim_scratch.ladder.reading import interval
from optim_scratch.parameter import Array

FILE = "comparison.json"


@dataclass(frozen=True)
class Curve:
    """How well one method does on one ground, at each of many rates.

    Parameters
    ----------
    ground, method : str
        Names as in the file.
    rates : ndarray of shape (rates,)
        What was tried, each twice the one before.
    means, spreads : ndarray of shape (rates,)
        Mean and standard deviation of the score, less is better, over the starts by which the rate
        is chosen.
    best : int
        The rate of the lowest mean.
    fresh : ndarray of shape (starts,)
        The scores of other starts at the best rate.
    """

    ground: str
    method: str
    rates: Array
    means: Array
    spreads: Array
    best: int
    fresh: Array

    @property
    def rate(self) -> float:
        """The best rate."""
        return float(self.rates[self.best])

    @property
    def score(self) -> float:
        """The mean of the fresh starts at the best rate."""
        return float(self.fresh.mean())

    @property
    def at_end(self) -> bool:
        """Whether the best rate is at an end of those that were tried."""
        return self.best in (0, len(self.rates) - 1)

    def lead(self, other: Curve) -> tuple[float, float]:
        """Return how far its score is below another's, start by start, and half the interval.

        The interval holds the mean of many more starts in 95 of 100 such measurements.
        """
        return interval(other.fresh - self.fresh)

    @property
    def width(self) -> float:
        """The factor that those rates around the best span whose mean is at most twice its own.

        Of steps; of a loss it says little, since twice the best loss may be more than the first.
        """
        good = self.means <= 2 * self.means[self.best]
        first = last = self.best
        while first > 0 and good[first - 1]:
            first -= 1
        while last + 1 < len(good) and good[last + 1]:
            last += 1
        return float(self.rates[last] / self.rates[first])


def expected_best(scores: ArrayLike, tries: int) -> float:
    r"""Return the mean of the lowest of some scores drawn at random, each as likely as any other.

    .. math::

       E \min = \sum_{i=1}^n s_{(i)}
       \left[\left(\tfrac{n-i+1}{n}\right)^k - \left(\tfrac{n-i}{n}\right)^k\right],
       \qquad s_{(1)} \le \dots \le s_{(n)}

    Parameters
    ----------
    scores : array_like of shape (n,)
        One for each rate that can be drawn.
    tries : int, >= 1
        k, how many are drawn, with replacement.

    Examples
    --------
    >>> expected_best([1.0, 3.0], 1), expected_best([1.0, 3.0], 2)
    (2.0, 1.5)
    """
    tries = Integer(1).check("tries", tries)
    ordered = np.sort(np.asarray(scores, dtype=np.float64))
    left = (np.arange(len(ordered), -1, -1) / len(ordered)) ** tries
    return float(ordered @ (left[:-1] - left[1:]))


def prior(c: Curve, factor: float = 64.0) -> Array:
    """Return the mean scores of the rates within a factor of the middle one, both sides."""
    middle = c.rates[len(c.rates) // 2]
    near = np.abs(np.log(c.rates / middle)) <= np.log(factor) + 1e-3
    return np.asarray(c.means[near])


@cache
def read() -> dict[str, Any]:
    """Return the committed file: protocol, versions, who is left out and why, and all curves."""
    text = resources.files(__package__).joinpath(FILE).read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)
    return content


def curve(ground: str, method: str) -> Curve:
    """Return the curve of a method on a ground.

    Raises
    ------
    ValueError
        If there is none.
    """
    for each in curves(ground):
        if each.method == method:
            return each
    known = ", ".join(dict.fromkeys(each["method"] for each in read()["curves"]))
    raise ValueError(f"method must be one that is compared, got {method!r}; known: {known}")


def curves(ground: str) -> tuple[Curve, ...]:
    """Return the curves of every method on a ground, in the ladder's order.

    Raises
    ------
    ValueError
        If there is no such ground.
    """
    found = [each for each in read()["curves"] if each["ground"] == ground]
    if not found:
        known = ", ".join(dict.fromkeys(each["ground"] for each in read()["curves"]))
        raise ValueError(f"ground must be one of the file's, got {ground!r}; known: {known}")
    return tuple(_curve(each) for each in found)


def _curve(each: dict[str, Any]) -> Curve:
    rates, means, spreads, fresh = (
        np.array(each[key]) for key in ("rates", "means", "spreads", "fresh")
    )
    return Curve(each["ground"], each["method"], rates, means, spreads, each["best"], fresh)
