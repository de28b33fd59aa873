"""A line search by the strong Wolfe conditions: far enough, low enough, flat enough."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from optim_scratch.parameter import Array

SUFFICIENT, FLAT = 1e-4, 0.9
"""c₁ and c₂ of the conditions."""

NARROW = 1e-9
"""The search ends when the bracket, in units of the parameter, is narrower than this."""


@dataclass(frozen=True)
class Point:
    """A place on the line.

    Parameters
    ----------
    t : float
        How far along the direction.
    loss : float
        The loss there.
    gradient : ndarray of shape (n,)
        Its gradient.
    slope : float
        Its derivative along the direction.
    """

    t: float
    loss: float
    gradient: Array
    slope: float


Look = Callable[[float], Point]
Search = Callable[[Look, Point, float], Point]
"""From how to look, where the line begins and the first step to try, to the point to go to."""


@dataclass
class StrongWolfe:
    r"""A search for a step :math:`t` along a direction that goes downhill.

    .. math::

       f(t) \le f(0) + c_1\,t\,f'(0), \qquad |f'(t)| \le c_2\,|f'(0)|

    Parameters
    ----------
    look : callable
        From a step to the `Point` there.
    start : Point
        Where the line begins.
    size : float
        The direction's greatest entry, by which the width of a bracket is measured.
    limit : int
        The most steps of the search.

    Attributes
    ----------
    evaluations : int
        How often it looked.

    Notes
    -----
    Source: Nocedal & Wright (2006), Algorithms 3.5 and 3.6, with the bounds and safeguards of
    torch's, which are those of ``minFunc``.
    """

    look: Look
    start: Point
    size: float
    limit: int
    evaluations: int = 0

    def search(self, t: float) -> Point:
        """Return a point that meets the conditions, or the best that was found.

        Parameters
        ----------
        t : float
            The first step to try. If it is 0, as at the start of a warmup, there is no line.
        """
        before, now = self.start, self._looked(t)
        for i in range(self.limit if t else 0):
            if self._too_high(now) or (i > 1 and now.loss >= before.loss):
                return self._zoom([before, now], i)
            if self._flat(now):
                return now
            if now.slope >= 0:
                return self._zoom([before, now], i)
            # farther, by the cubic through both points, at most ten times as far
            t = cubic_minimum(before, now, now.t + 0.01 * (now.t - before.t), 10 * now.t)
            before, now = now, self._looked(t)
        return self.start if self.start.loss <= now.loss else now

    def _looked(self, t: float) -> Point:
        self.evaluations += 1
        return self.look(t)

    def _too_high(self, point: Point) -> bool:
        """Whether a point is not low enough for how far it is."""
        return point.loss > self.start.loss + SUFFICIENT * point.t * self.start.slope

    def _flat(self, point: Point) -> bool:
        """Whether a point is flat enough."""
        return abs(point.slope) <= -FLAT * self.start.slope

    def _zoom(self, pair: list[Point], used: int) -> Point:
        """Narrow a bracket that holds a point which meets the conditions."""
        low = 0 if pair[0].loss <= pair[1].loss else 1
        stuck = False
        for _ in range(used, self.limit):
            if abs(pair[1].t - pair[0].t) * self.size < NARROW:
                break
            t, stuck = _kept_inside(cubic_minimum(pair[0], pair[1]), pair, stuck)
            now = self._looked(t)
            if self._too_high(now) or now.loss >= pair[low].loss:
                pair[1 - low] = now
                low = 0 if pair[0].loss <= pair[1].loss else 1
                continue
            done = self._flat(now)
            if not done and now.slope * (pair[1 - low].t - pair[low].t) >= 0:
                pair[1 - low] = pair[low]
            pair[low] = now
            if done:
                break
        return pair[low]


def cubic_minimum(
    one: Point, other: Point, low: float | None = None, high: float | None = None
) -> float:
    """Return where the cubic through two points, with their slopes, is lowest, within bounds.

    Parameters
    ----------
    one, other : Point
        Two points of a line.
    low, high : float, optional
        The bounds; by default the points themselves. Their middle, where the cubic has no minimum.

    Notes
    -----
    Source: Nocedal & Wright (2006), equation 3.59.
    """
    left, right = (one, other) if one.t <= other.t else (other, one)
    low = left.t if low is None else low
    high = right.t if high is None else high
    d1 = left.slope + right.slope - 3 * (left.loss - right.loss) / (left.t - right.t)
    square = d1 * d1 - left.slope * right.slope
    if not square >= 0:
        return (low + high) / 2
    d2 = square**0.5
    # a line has its minimum at infinity, and is searched up to the bound
    share = float(np.divide(right.slope + d2 - d1, right.slope - left.slope + 2 * d2))
    return min(max(right.t - (right.t - left.t) * share, low), high)


def _kept_inside(t: float, pair: list[Point], stuck: bool) -> tuple[float, bool]:
    """Keep a step a tenth off the bracket's ends, if it was near one the last time too."""
    low, high = sorted(point.t for point in pair)
    margin = 0.1 * (high - low)
    if not min(high - t, t - low) < margin:
        return t, False
    if not (stuck or t >= high or t <= low):
        return t, True
    return (high - margin if abs(t - high) < abs(t - low) else low + margin), False
