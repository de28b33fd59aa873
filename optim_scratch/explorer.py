"""A grid of settings of one optimizer on one surface, for a reader to slide through.

In a notebook an `Explorer` is shown as an ordinary figure of its default setting. The site runs the
whole grid when the page is built, packs it into the page, and shows sliders.
"""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from . import optimizers, surfaces
from .checks import POSITIVE, Number, check_integer, plain, type_name
from .descent import LIMIT, Landscape, Trajectory, descend
from .optimizers import Optimizer
from .parameter import Array, floating
from .surfaces import Surface

MIME = "application/vnd.optim-scratch.explorer+json"
"""The type of the output that carries an explorer's specification from a notebook to the site."""

GOAL = 0.01
"""A reading counts the steps to this share of the first loss."""

MOST = 300_000
"""How many bytes a packed explorer may take in a page."""

SPAN = 8
"""Points are packed where they lie within so many windows, the one shown in their middle."""

STEPS = 65_534
"""Into so many parts 16 bits divide that span; the next number says that a point is beyond it."""

DECADES = (-9.0, 4.0)
"""Losses are packed between these powers of ten of the first one, beyond what is drawn."""

LABELS = {
    "lr": "rate η", "momentum": "momentum μ", "dampening": "dampening τ",
    "weight_decay": "weight decay λ", "nesterov": "Nesterov", "betas[0]": "β₁", "betas[1]": "β₂",
    "alpha": "memory α", "eps": "ε",
}  # fmt: skip
"""What a slider is called, by its hyper-parameter, unless its `Knob` says otherwise."""

Setting = Mapping[str, Any]
"""From the names of knobs to values; a knob that is left out stands at its default."""


@dataclass(frozen=True)
class Knob:
    """The values that a slider goes through.

    Parameters
    ----------
    values : sequence of float, or of bool
        At least two; numbers in ascending order.
    at : float or bool
        The default, one of the values.
    label : str
        What the slider is called; by default what the book calls the hyper-parameter.

    Raises
    ------
    TypeError, ValueError
        If the values are not of one kind, not finite or not in order, or `at` is none of them.

    Examples
    --------
    >>> Knob([0, 0.5, 0.9], at=0.9).values
    (0, 0.5, 0.9)
    >>> Knob.log(0.001, 0.1, 5, at=0.01).values
    (0.001, 0.00316, 0.01, 0.0316, 0.1)
    """

    values: tuple[Any, ...]
    at: Any
    label: str

    def __init__(self, values: Sequence[Any] | Array, *, at: Any, label: str = "") -> None:
        members = tuple(plain(value) for value in values)
        if len(members) < 2:
            raise ValueError(f"values must be two or more, got {members}")
        if not all(isinstance(value, bool) for value in members):
            members = tuple(Number().check("each of values", value) for value in members)
            if any(a >= b for a, b in itertools.pairwise(members)):
                raise ValueError(f"values must ascend, got {members}")
        at = plain(at)
        if at not in members:
            raise ValueError(f"at must be one of the values, got {at!r}; {_nearest(members, at)}")
        object.__setattr__(self, "values", members)
        object.__setattr__(self, "at", members[members.index(at)])
        object.__setattr__(self, "label", label)

    @classmethod
    def log(cls, low: float, high: float, count: int, *, at: float, label: str = "") -> Knob:
        """Return values evenly spaced on a logarithmic scale, rounded to three digits.

        The one nearest to `at` becomes `at`.

        Parameters
        ----------
        low, high : float, > 0
            The first and the last value.
        count : int, >= 2
            How many.
        at : float
            The default, between them.
        label : str
            What the slider is called.
        """
        for name, value in (("low", low), ("high", high), ("at", at)):
            POSITIVE.check(name, value)
        spaced = np.geomspace(low, high, check_integer("count", count, low=2))
        gaps = np.abs(np.log(spaced / at))
        return cls(_through(spaced, gaps, low, high, at), at=at, label=label)

    @classmethod
    def linear(cls, low: float, high: float, count: int, *, at: float, label: str = "") -> Knob:
        """Return evenly spaced values, rounded to three digits.

        The one nearest to `at` becomes `at`. The arguments are those of `log`, of any sign.
        """
        for name, value in (("low", low), ("high", high), ("at", at)):
            Number().check(name, value)
        spaced = np.linspace(low, high, check_integer("count", count, low=2))
        return cls(_through(spaced, np.abs(spaced - at), low, high, at), at=at, label=label)

    @property
    def texts(self) -> list[str]:
        """The values as a slider shows them."""
        return [_shown(value) for value in self.values]


def _through(spaced: Array, gaps: Array, low: float, high: float, at: float) -> list[float]:
    """Return spaced values in three digits, the ends as they are, the nearest one moved to `at`."""
    if not low <= at <= high:
        raise ValueError(f"at must lie between {low!r} and {high!r}, got {at!r}")
    values = [low, *(float(f"{value:.3g}") for value in spaced[1:-1]), high]
    values[int(gaps.argmin())] = at
    return values


def _nearest(values: tuple[Any, ...], at: Any) -> str:
    """Return the end of a message: which value is nearest, or all of them."""
    if isinstance(at, int | float) and not isinstance(values[0], bool):
        return f"the nearest is {min(values, key=lambda value: abs(value - at))!r}"
    return f"they are {values}"


@dataclass(frozen=True)
class Reading:
    """What a setting came to.

    Parameters
    ----------
    budget : int
        How many steps were made.
    reached_at : int or None
        After how many the loss first lay within 1 % of the first; None if never.
    diverged_at : int or None
        The first step whose loss is not finite, or beyond 1e12; None if there is none.
    first, last : float
        The loss before the first step and after the last.
    """

    budget: int
    reached_at: int | None
    diverged_at: int | None
    first: float
    last: float

    @property
    def code(self) -> int:
        """The steps to 1 %, or -1 if there are not enough of them, or -2 if it diverges."""
        if self.diverged_at is not None:
            return -2
        return -1 if self.reached_at is None else self.reached_at

    def __str__(self) -> str:
        """Return it in words."""
        if self.diverged_at is not None:
            return f"diverges at step {self.diverged_at}"
        if self.reached_at is not None:
            return f"{self.reached_at} steps to 1 % of the first loss"
        grown = ": the loss has grown" if self.last > self.first else ""
        return f"1 % not reached within {self.budget} steps{grown}"


class Explorer:
    """One optimizer on one surface, for each setting of one to three hyper-parameters.

    All settings run at once, so that the optimizer must be elementwise. As the last expression of a
    notebook's cell it shows the default setting as a figure, and hands the site its specification.

    Parameters
    ----------
    surface : Surface
        As a function of `optim_scratch.surfaces` makes it. If it is a noisy one, every setting
        meets the same noise.
    optimizer : class of Optimizer
        From `optim_scratch.optimizers`.
    steps : int, >= 1
        How many updates.
    start : array_like of shape (2,), optional
        Where to begin, instead of the surface's start.
    window : pair of (low, high), optional
        What to draw along x and along y, instead of the surface's bounds.
    **hyper
        The optimizer's hyper-parameters: one to three are a `Knob`, an entry of a tuple may be one,
        as in ``betas=(Knob([0, 0.9], at=0.9), 0.999)``; the rest is fixed.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its type or outside its range, if the optimizer refuses a
        hyper-parameter, or if the grid takes more than 300 kB.

    Notes
    -----
    Points are packed in 16 bits within eight windows, the one that is shown in the middle: each is
    known to `precision`, a 16,000th of the window. Losses are packed as logarithms, to 0.02 %, from
    1e-9 to 1e4 times the first. A loss is counted from the lowest of the surface's minima.

    Examples
    --------
    >>> explorer = Explorer(
    ...     surfaces.ravine(20), optimizers.SGD, steps=120,
    ...     lr=Knob([0.02, 0.05, 0.11], at=0.05), momentum=Knob([0, 0.9], at=0.9),
    ... )
    >>> print(explorer.reading({"lr": 0.11, "momentum": 0}))
    diverges at step 66
    """

    def __init__(
        self,
        surface: Surface,
        optimizer: type[Optimizer],
        steps: int,
        *,
        start: ArrayLike | None = None,
        window: Sequence[Sequence[float]] | None = None,
        **hyper: Any,
    ) -> None:
        self.surface = _known(surface)
        self.optimizer = _elementwise(optimizer)
        self.steps = check_integer("steps", steps, low=1)
        self.start = _point(surface.start if start is None else start)
        self.window = surface.bounds if window is None else _window(window)
        self.hyper = hyper
        self.knobs = _knobs(hyper)
        self.lowest = float(np.min(surface.value(np.array(surface.minima))))
        self._points, self._losses, self._rates = self._run()
        if not self._losses[0].flat[0] > self.lowest:
            raise ValueError(f"start must lie above the minima, got {self.start}")
        self.packed = self._pack()

    @property
    def precision(self) -> tuple[float, float]:
        """How far a packed point lies from the exact one at most, along x and along y."""
        x, y = ((high - low) * SPAN / STEPS / 2 for low, high in self.window)
        return x, y

    @property
    def name(self) -> str:
        """What figures call the method: of SGD by the default setting."""
        defaults = self.setting()
        if self.optimizer is not optimizers.SGD:
            return self.optimizer.__name__
        if not defaults.get("momentum", self.hyper.get("momentum", 0)):
            return "gradient descent"
        nesterov = defaults.get("nesterov", self.hyper.get("nesterov", False))
        return "Nesterov" if nesterov else "momentum"

    @property
    def decades(self) -> tuple[float, float]:
        """Where the axis of losses ends, in powers of ten of the first loss; one for all settings.

        It reaches down to the lowest loss of any setting, and further up if any loss rises.
        """
        above = (self._losses - self.lowest) / (self._losses[0] - self.lowest)
        positive = above[np.isfinite(above) & (above > 0)]
        low = float(np.floor(np.log10(positive.min())))
        rises = bool(np.any(~(above <= 10)))
        return min(max(low, DECADES[0] + 1), -2.0), 2.0 if rises else 0.5

    def labels(self) -> list[str]:
        """Return what each slider is called."""
        return [knob.label or LABELS.get(name, name) for name, knob in self.knobs.items()]

    def setting(self, setting: Setting | None = None) -> dict[str, Any]:
        """Return a complete setting.

        Parameters
        ----------
        setting : mapping, optional
            Knobs by name, an entry of a tuple as ``"betas[0]"``.

        Raises
        ------
        ValueError
            If there is no such knob, or the value is none of its values.
        """
        given = dict(setting or {})
        if unknown := set(given) - set(self.knobs):
            raise ValueError(f"there is no knob {min(unknown)!r}; there are {list(self.knobs)}")
        return {
            name: replaced(knob, given.get(name, knob.at)).at for name, knob in self.knobs.items()
        }

    def words(self, setting: Setting | None = None) -> str:
        """Return a setting in words, such as ``rate η 0.05, momentum μ 0.9``."""
        values = self.setting(setting).values()
        pairs = zip(self.labels(), values, strict=True)
        return ", ".join(f"{label} {_shown(value)}" for label, value in pairs)

    def trajectory(self, setting: Setting | None = None) -> Trajectory:
        """Return the path of one setting, of the default one if none is given."""
        at: tuple[Any, ...] = (slice(None), *self._index(setting))
        steps = np.arange(self.steps + 1)
        return Trajectory(steps, self._points[at], self._losses[at], self._rates[at])

    def reading(self, setting: Setting | None = None) -> Reading:
        """Return what one setting came to, the default one if none is given."""
        path = self.trajectory(setting)
        above = path.losses - self.lowest
        there = np.flatnonzero(above <= GOAL * above[0])
        reached = int(there[0]) if len(there) else None
        return Reading(self.steps, reached, path.diverged_at, path.losses[0], path.losses[-1])

    def specification(self) -> dict[str, Any]:
        """Return what makes this explorer again, of lists, numbers and words alone."""
        told = {
            "surface": self.surface.recipe,
            "optimizer": self.optimizer.__name__,
            "steps": self.steps,
            "start": self.start,
            "window": self.window,
            "hyper": list(self.hyper.items()),  # a notebook would put a mapping in another order
        }
        plainly: dict[str, Any] = json.loads(json.dumps(told, default=_plainly))
        return plainly

    @classmethod
    def of(cls, specification: Mapping[str, Any]) -> Explorer:
        """Return the explorer of a specification.

        Parameters
        ----------
        specification : mapping
            As `specification` returns it; ``start`` and ``window`` may be left out. A knob is a
            mapping of `Knob`'s arguments, or of ``log`` or ``linear`` to low, high and count.

        Raises
        ------
        TypeError, ValueError
            As the constructor does, or if there is no such surface or optimizer.
        """
        told = dict(specification)
        recipe, name = told.pop("surface"), told.pop("optimizer")
        surface = surfaces.make([recipe] if isinstance(recipe, str) else recipe)
        if name not in optimizers.__all__:
            raise ValueError(f"optimizer must be one of optim_scratch.optimizers, got {name!r}")
        hyper = {key: _revived(value) for key, value in dict(told.pop("hyper")).items()}
        return cls(surface, getattr(optimizers, name), told.pop("steps"), **told, **hyper)

    def __repr__(self) -> str:
        """Return the default setting and what it came to."""
        reading = self.reading()
        return (
            f"{self.optimizer.__name__} on {self.surface.name}, {self.words()}: {reading}; "
            f"loss after {self.steps} steps: {_shown(reading.last, 2)}"
        )

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """Return the figure, what it comes to in words, and the specification for the site."""
        from . import plot

        png = base64.b64encode(plot.as_png(plot.exploration(self))).decode()
        return {"image/png": png, "text/plain": repr(self), MIME: self.specification()}

    def _index(self, setting: Setting | None) -> tuple[int, ...]:
        """Return where a setting stands in the grid."""
        chosen = self.setting(setting)
        return tuple(knob.values.index(chosen[name]) for name, knob in self.knobs.items())

    def _run(self) -> tuple[Array, Array, Array]:
        """Run all settings: one call, or one for each combination of what cannot be an array."""
        shape = tuple(len(knob.values) for knob in self.knobs.values())
        points = np.empty((self.steps + 1, *shape, 2))
        losses, rates = np.empty((2, self.steps + 1, *shape))
        whole = [_broadcasts(self.optimizer, name) for name in self.knobs]
        choices: list[Any] = [
            [slice(None)] if inside else range(n) for n, inside in zip(shape, whole, strict=True)
        ]
        for at in itertools.product(*choices):
            hyper = self._filled(at)
            landscape = _fresh(self.surface.recipe)
            path = descend(landscape, self.optimizer, self.steps, start=self.start, **hyper)
            where = (slice(None), *at)
            points[where], losses[where], rates[where] = path.points, path.losses, path.rates
        return points, losses, rates

    def _filled(self, at: tuple[Any, ...]) -> dict[str, Any]:
        """Return the hyper-parameters of one call, an array in place of a knob that it runs."""
        after = sum(isinstance(i, slice) for i in at)
        values = {}
        for (name, knob), i in zip(self.knobs.items(), at, strict=True):
            values[name] = knob.values[i]
            if isinstance(i, slice):
                values[name] = np.array(knob.values, dtype=float).reshape(-1, *[1] * after)
                after -= 1
        return {
            name: tuple(values.get(f"{name}[{i}]", entry) for i, entry in enumerate(value))
            if isinstance(value, tuple)
            else values.get(name, value)
            for name, value in self.hyper.items()
        }

    def _pack(self) -> dict[str, Any]:
        """Return the grid as the page holds it: words, and all paths and curves in one string."""
        settings = [
            dict(zip(self.knobs, values, strict=True))
            for values in itertools.product(*(knob.values for knob in self.knobs.values()))
        ]
        readings = [self.reading(setting) for setting in settings]
        packed = {
            "steps": self.steps,
            "span": SPAN,
            "decades": DECADES,
            "counts": [len(knob.values) for knob in self.knobs.values()],
            "at": list(self._index(None)),
            "values": [knob.texts for knob in self.knobs.values()],
            "readings": [str(reading) for reading in readings],
            "reached": [reading.code for reading in readings],
            "last": [_shown(reading.last, 2) for reading in readings],
            "data": base64.b64encode(self._encoded()).decode(),
        }
        size = len(json.dumps(packed, ensure_ascii=False).encode())
        if size > MOST:
            grid = " × ".join(str(len(knob.values)) for knob in self.knobs.values())
            raise ValueError(
                f"{grid} settings of {self.steps} steps take {size / 1000:.0f} kB, more than "
                f"{MOST / 1000:.0f} kB: take fewer values, or fewer steps"
            )
        return packed

    def _encoded(self) -> bytes:
        """Return how many records each run has, then each run's x, y and losses, in 16 bits.

        What repeats the last record to the end is left out: a run that has arrived, or left.
        """
        points = self._points.reshape(self.steps + 1, -1, 2)
        losses = self._losses.reshape(self.steps + 1, -1, 1)
        above = (losses - self.lowest) / (losses[0] - self.lowest)
        codes = np.concatenate([_point_codes(points, self.window), _loss_codes(above)], axis=-1)
        moving = np.any(codes != codes[-1], axis=-1)
        kept = np.where(moving.any(axis=0), len(codes) + 1 - moving[::-1].argmax(axis=0), 1)
        runs = [codes[:n, i].T.ravel() for i, n in enumerate(kept)]
        return np.concatenate([kept, *runs]).astype("<u2").tobytes()


def replaced(knob: Knob, at: Any) -> Knob:
    """Return the knob with another default."""
    return Knob(knob.values, at=at, label=knob.label)


def _known(surface: Surface) -> Surface:
    """Return the surface if its recipe makes it again."""
    if not isinstance(surface, Surface):
        raise TypeError(f"surface must be a Surface, got {type_name(surface)}")
    if surface.recipe:
        again = surfaces.make(surface.recipe)
        places = np.array([surface.start, *surface.bounds, *surface.minima])
        if np.array_equal(again.value(places), surface.value(places)):
            return surface
    raise ValueError(
        f"surface must be as a function of optim_scratch.surfaces makes it, got {surface.name!r}"
    )


def _elementwise(optimizer: Any) -> type[Optimizer]:
    """Return the class if all its settings can run at once."""
    name = getattr(optimizer, "__name__", "")
    if name not in optimizers.__all__ or getattr(optimizers, name) is not optimizer:
        raise TypeError(f"optimizer must be a class of optim_scratch.optimizers, got {optimizer!r}")
    if optimizer.elementwise is not True:
        raise ValueError(f"optimizer must be elementwise, {name} is not")
    kind: type[Optimizer] = optimizer
    return kind


def _point(start: ArrayLike) -> tuple[float, float]:
    """Return a start as a pair of floats."""
    point = floating(start, "start")
    if point.shape != (2,) or not np.isfinite(point).all():
        raise ValueError(f"start must be one point of two finite numbers, got {start!r}")
    return float(point[0]), float(point[1])


def _window(window: Sequence[Sequence[float]]) -> tuple[surfaces.Point, surfaces.Point]:
    """Return a window as two pairs of floats, each ascending."""
    try:
        (left, right), (low, high) = ((float(a), float(b)) for a, b in window)
    except (TypeError, ValueError) as error:
        raise ValueError(f"window must be two pairs of (low, high), got {window!r}") from error
    if not (np.isfinite([left, right, low, high]).all() and left < right and low < high):
        raise ValueError(f"window must be two ascending pairs, got {window!r}")
    return (left, right), (low, high)


def _knobs(hyper: Mapping[str, Any]) -> dict[str, Knob]:
    """Return the knobs among hyper-parameters, entries of tuples as ``name[i]``."""
    knobs = {}
    for name, value in hyper.items():
        entries = enumerate(value) if isinstance(value, tuple) else [("", value)]
        for i, entry in entries:
            if isinstance(entry, Knob):
                knobs[name if i == "" else f"{name}[{i}]"] = entry
    if not 1 <= len(knobs) <= 3:
        raise ValueError(f"one to three hyper-parameters must be a Knob, got {len(knobs)}")
    return knobs


def _broadcasts(optimizer: type[Optimizer], name: str) -> bool:
    """Tell whether a hyper-parameter may be an array: a real number, and no flag or count."""
    limits: Any = getattr(optimizer, "limits", {})
    name, _, entry = name.partition("[")
    kind = limits.get(name)
    return isinstance(kind[int(entry[:-1])] if entry and kind else kind, Number)


def _fresh(recipe: Sequence[Any]) -> Landscape:
    """Return the surface anew; if it is noisy, with one noise for all runs at once."""
    if recipe[0] != "noisy":
        return surfaces.make(recipe)
    _, below, sigma, seed = recipe
    surface: Any = _fresh(below)
    rng = np.random.default_rng(seed)
    return replace(
        surface,
        gradient=lambda theta: surface.gradient(theta) + sigma * rng.standard_normal(2),
    )


def _point_codes(points: Array, window: tuple[surfaces.Point, surfaces.Point]) -> Array:
    """Return points of shape (records, runs, 2) as whole numbers.

    Where a path leaves the span, it ends at the span's border, so that its last line has the right
    direction; what comes then is marked as beyond.
    """
    (left, right), (low, high) = window
    share = (points - [left, low]) / [right - left, high - low]
    share = 0.5 + (share - 0.5) / SPAN
    with np.errstate(all="ignore"):
        inside = np.all(np.abs(share - 0.5) <= 0.5, axis=-1, keepdims=True)
        before, after = share[:-1], share[1:]
        room = np.where(after > before, 1 - before, -before) / (after - before)
        border = before + np.fmin.reduce(room, axis=-1, keepdims=True) * (after - before)
    leaves = inside[:-1] & ~inside[1:] & np.isfinite(border).all(axis=-1, keepdims=True)
    share[1:] = np.where(leaves, border, share[1:])
    inside[1:] |= leaves
    return np.where(inside, np.rint(np.where(inside, share, 0) * STEPS), STEPS + 1).astype(int)


def _loss_codes(above: Array) -> Array:
    """Return losses, in units of the first, as whole numbers on a logarithmic scale."""
    low, high = DECADES
    with np.errstate(all="ignore"):
        powers = np.log10(np.maximum(above, 10.0**low))
    powers = np.clip(np.where(np.isnan(powers), high, powers), low, high)
    return np.rint((powers - low) / (high - low) * STEPS).astype(int)


def _shown(value: Any, digits: int = 6) -> str:
    """Return a value as it stands beside a slider: a number in few digits, or on and off."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if not abs(value) <= LIMIT:
        return "beyond 10¹²"
    mantissa, _, power = f"{value:.{digits}g}".replace("-", "−").partition("e")
    if not power:
        return mantissa
    raised = str(int(power.replace("−", "-"))).translate(
        str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
    )
    return f"{mantissa}·10{raised}"


def _plainly(value: Any) -> Any:
    """Return as JSON knows it: a knob as a mapping, an array as a list."""
    return asdict(value) if isinstance(value, Knob) else plain(np.asarray(value)).tolist()


def _revived(value: Any) -> Any:
    """Return a hyper-parameter of a specification: a knob of a mapping, a tuple of a list."""
    if isinstance(value, list):
        return tuple(_revived(entry) for entry in value)
    if not isinstance(value, Mapping):
        return value
    told = dict(value)
    for spacing in ("log", "linear"):
        if spacing in told:
            return getattr(Knob, spacing)(*told.pop(spacing), **told)
    return Knob(told.pop("values"), **told)
