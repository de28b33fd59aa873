"""Ask all questions at once, and say what came out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np

from optim_scratch import ladder
from optim_scratch.checks import NOT_NEGATIVE
from optim_scratch.optimizers import Optimizer

from .battery import CHECKS, MANY_RUNS, Verdict, verdicts
from .measuring import STEPS, Curve, curves, line
from .subject import Shape, Subject

SHAPES: tuple[Shape, ...] = ((3,), (4, 2), ())
RATE = 0.01
"""What a function that makes an optimizer is given where no other rate is asked for."""

BESIDE = ("SGD momentum 0.9", "Adam")
"""The ladder's lines that a report shows beside yours."""


@dataclass(frozen=True)
class Report:
    """What an examination has found; printed, it is a page of text.

    Parameters
    ----------
    name : str
        Of the optimizer.
    verdicts : tuple of Verdict
        One for each check.
    curves : tuple of Curve
        One for each surface; none if it refuses vectors.
    row : ladder.Row or None
        Its line of the ladder; None if it was not asked for.
    """

    name: str
    verdicts: tuple[Verdict, ...]
    curves: tuple[Curve, ...] = ()
    row: ladder.Row | None = None

    @property
    def passed(self) -> bool:
        """Whether no check has failed."""
        return not self.failed

    @property
    def failed(self) -> tuple[Verdict, ...]:
        """The checks that have failed."""
        return tuple(each for each in self.verdicts if each.passed is False)

    def __str__(self) -> str:
        """Return verdicts, surfaces and the ladder as text."""
        parts = ["\n".join([self.name, "", *map(str, self.verdicts)])]
        if self.curves:
            head = (
                f"{'to 1 % of the first loss':<26} {'best rate':>9} {'steps':>6} {'good rates':>11}"
            )
            parts.append("\n".join([head, *map(_curve_line, self.curves)]))
        if self.row is not None:
            parts.append(ladder.compare(*BESIDE, self.row))
        return "\n\n".join(parts)

    def figure(self) -> Any:
        """Return a figure of what was measured, from `optim_scratch.plot.examination`.

        Raises
        ------
        ValueError
            If nothing was measured.
        """
        from optim_scratch import plot

        return plot.examination(self)


def _curve_line(curve: Curve) -> str:
    rate, steps = curve.best
    if np.isnan(rate):
        return f"{curve.surface:<26} none arrives within {STEPS} steps"
    return f"{curve.surface:<26} {rate:9.2g} {steps:6.0f} {'×' + format(curve.width, '.0f'):>11}"


def check(
    optimizer: Callable[..., Optimizer],
    *,
    shapes: Sequence[Shape] = SHAPES,
    without: Collection[str] = (),
    **settings: Any,
) -> None:
    """Put an optimizer through every check, and raise if one fails. For a test of yours.

    Parameters
    ----------
    optimizer : class of Optimizer, or callable
        A class, or what makes one from a list of parameters and ``lr``, such as
        ``lambda params, lr: Lookahead(SGD(params, lr=lr))``. Of a class the arguments are
        checked too.
    shapes : sequence of shapes
        Of the parameters that it is given; ``[(4, 2)]`` for a method that wants matrices.
    without : collection of str
        Checks to leave out, by the names that a report prints: a method that draws noise of its
        own, say, makes many runs at once that are not the runs one by one.
    **settings
        Arguments that it is always given.

    Raises
    ------
    AssertionError
        If a check fails; the message has a line for each.
    TypeError
        If `optimizer` cannot be called, or makes no `Optimizer`.
    ValueError
        If `without` names no check; the message names the nearest.

    Examples
    --------
    >>> from optim_scratch.optimizers import SGD
    >>> check(SGD, momentum=0.9)
    """
    found = verdicts(_subject(optimizer, shapes, settings), _known(without))
    failed = [str(each) for each in found if each.passed is False]
    if failed:
        raise AssertionError("\n".join([f"{_name(optimizer)} fails:", *failed]))


def examine(
    optimizer: Callable[..., Optimizer],
    *,
    shapes: Sequence[Shape] = SHAPES,
    without: Collection[str] = (),
    middle: float | None = None,
    name: str = "",
    digits: bool = True,
    **settings: Any,
) -> Report:
    """Put an optimizer through every check, and measure it on surfaces and on the digits.

    Parameters
    ----------
    optimizer, shapes, without, **settings
        As for `check`.
    middle : float, > 0, optional
        The middle one of the rates that are tried, each twice the one before: 21 on the surfaces,
        11 on the digits. By default the optimizer's own.
    name : str
        What the report calls it; by default the class's name.
    digits : bool
        Whether to train the digits by the ladder's protocol. An elementwise method trains all its
        networks at once; one that is not trains 75 of them one after the other.

    Returns
    -------
    Report

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its kind.

    Examples
    --------
    >>> from optim_scratch.optimizers import SGD
    >>> report = examine(SGD, momentum=0.9, middle=0.01, digits=False)
    >>> report.passed, report.curves[0].surface, report.curves[0].best[1]
    (True, 'ravine, κ = 20', 11.0)
    """
    s = _subject(optimizer, shapes, settings)
    middle = s.started().optimizer.param_groups[0]["lr"] if middle is None else middle
    middle = float(NOT_NEGATIVE.check("middle", middle))
    if not middle:
        raise ValueError("middle must be > 0, got 0: rates are multiples of it")
    name = name or _name(optimizer)
    found = verdicts(s, _known(without))
    broken = any(each.check == MANY_RUNS and each.passed is False for each in found)
    at_once = s.started().optimizer.elementwise and not broken
    try:
        on_surfaces = curves(s, middle, at_once) if _takes_vectors(s) else ()
        row = line(s, name, middle, at_once) if digits else None
    except Exception as error:  # the examined code's own
        words = f"{type(error).__name__}: {error}"
        return Report(name, (*found, Verdict("it can be measured", False, words)))
    return Report(name, tuple(found), on_surfaces, row)


def _known(without: Collection[str]) -> Collection[str]:
    """Return the names of checks to leave out, or refuse one that is none."""
    for name in without:
        if name not in CHECKS:
            near = get_close_matches(str(name), CHECKS, n=1, cutoff=0) or list(CHECKS)
            raise ValueError(f"without names no check, got {name!r}: did you mean {near[0]!r}?")
    return without


def _name(optimizer: Any) -> str:
    name: str = getattr(optimizer, "__name__", type(optimizer).__name__)
    return "your optimizer" if name == "<lambda>" else name


def _takes_vectors(s: Subject) -> bool:
    try:
        s.started([(2,)])
    except (TypeError, ValueError):
        return False
    return True


def _subject(optimizer: Any, shapes: Sequence[Shape], settings: dict[str, Any]) -> Subject:
    if not callable(optimizer):
        raise TypeError(
            "optimizer must be a class, or a function that makes one from parameters, got "
            f"{type(optimizer).__name__}"
        )
    if not isinstance(optimizer, type):  # a class has a rate of its own
        settings = {"lr": RATE, **settings}
    s = Subject(optimizer, settings, tuple(tuple(shape) for shape in shapes))
    if not s.shapes:
        raise ValueError("shapes must hold at least one shape, got none")
    made = s.started().optimizer
    if not isinstance(made, Optimizer):
        raise TypeError(f"optimizer must make an Optimizer, got {type(made).__name__}")
    return s
