"""Check a reader's answer: on cases drawn anew, against the package, with a hint when it fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from .telling import failure, show, wrong_form, wrong_numbers

Verdict = str
"""Empty if the answer is right; otherwise what is wrong, with the case that shows it."""


@dataclass(frozen=True)
class Exercise:
    """An exercise of the book.

    Parameters
    ----------
    name : str
        The chapter and the exercise, such as ``"momentum.update"``.
    number : int
        The exercise's number in the chapter; one exercise may have several checks.
    judge : callable
        From the answer to a verdict: an empty string if it is right, else what is wrong.
    solution : Any
        An answer that passes.
    wrong : tuple
        Answers that students give and that must not pass; the tests try each.
    """

    name: str
    number: int
    judge: Callable[[Any], Verdict]
    solution: Any
    wrong: tuple[Any, ...]


EXERCISES: dict[str, Exercise] = {}
"""The exercises of the chapters that are loaded, by name."""


def add(
    name: str,
    number: int,
    judge: Callable[[Any], Verdict],
    solution: Any,
    wrong: tuple[Any, ...],
) -> None:
    """Enter an exercise."""
    EXERCISES[name] = Exercise(name, number, judge, solution, wrong)


def load(chapter: str = "") -> None:
    """Enter the exercises of a chapter.

    Parameters
    ----------
    chapter : str
        As the names of its exercises begin, such as ``"gradient-descent"``; all chapters' if there
        is none of that name.
    """
    package = Path(__file__).parent
    chapters = {module.stem for module in package.glob("*.py")} - {
        "__init__",
        "checking",
        "telling",
    }
    wanted = {chapter.replace("-", "_")} & chapters
    for module in sorted(wanted or chapters):
        import_module(f"optim_scratch.exercises.{module}")


def check(name: str, answer: Any) -> None:
    """Say whether an answer to an exercise is right, and if not, where it goes wrong.

    Parameters
    ----------
    name : str
        The exercise, as the chapter gives it.
    answer : Any
        What the exercise asks for: a number, an array or a function.

    Raises
    ------
    ValueError
        If there is no such exercise; the message names the nearest.

    Examples
    --------
    >>> check("gradient-descent.limit", 0.1)
    Exercise 1 (gradient-descent.limit): correct
    """
    if name not in EXERCISES:
        load(str(name).partition(".")[0])
    if name not in EXERCISES:
        load()
        near = get_close_matches(name, EXERCISES, n=3, cutoff=0.3) or sorted(EXERCISES)
        raise ValueError(f"name must be of a known exercise, got {name!r}; near: {', '.join(near)}")
    exercise = EXERCISES[name]
    head = f"Exercise {exercise.number} ({name})"
    if answer is None or answer is ...:
        print(f"{head}: no answer yet")
        return
    verdict = exercise.judge(answer)
    print(f"{head}: {f'not yet. {verdict}' if verdict else 'correct'}")


def number(expected: float, hint: str = "", rtol: float = 1e-3) -> Callable[[Any], Verdict]:
    """Return a judge of one number. A wrong one gets the hint, not the number."""

    def judge(answer: Any) -> Verdict:
        value = float(answer) if isinstance(answer, Fraction) else answer
        several = isinstance(value, list | tuple) or np.ndim(value)
        if several or np.asarray(value).dtype.kind not in "iuf":
            return f"The answer must be one number, got {show(answer)}."
        if np.isclose(float(value), expected, rtol=rtol, atol=0):
            return ""
        if value and float(value) in {round(expected, decimals) for decimals in (2, 3, 4)}:
            return f"{answer} is rounded too far: give more digits."
        return f"{answer} is not it. {hint}".strip()

    return judge


def function(
    reference: Callable[..., Any],
    cases: Callable[[np.random.Generator], list[tuple[Any, ...]]],
    hint: str = "",
) -> Callable[[Any], Verdict]:
    """Return a judge of a function: it must agree with the reference on every case.

    Parameters
    ----------
    reference : callable
        Gives the right value, a number or an array or a tuple of them.
    cases : callable
        From a random generator to a list of argument tuples; array arguments must not be changed.
    hint : str
        Said after the case whose numbers are wrong; a mistake of form is told by itself.
    """

    def judge(answer: Any) -> Verdict:
        if not callable(answer):
            return f"The answer must be a function, got {show(answer)}."
        for arguments in cases(np.random.default_rng(0)):
            verdict = compare(reference, answer, arguments, hint)
            if verdict:
                return verdict
        return ""

    return judge


def compare(
    reference: Callable[..., Any], answer: Any, arguments: tuple[Any, ...], hint: str = ""
) -> Verdict:
    """Hold an answer against the reference on one case."""
    given = [np.array(a) if isinstance(a, np.ndarray) else a for a in arguments]
    case = ", ".join(show(a) for a in arguments)
    try:
        got = answer(*given)
    except Exception as error:  # a student's function may fail in any way
        return f"For ({case}) {failure(error)}"
    for before, after in zip(arguments, given, strict=True):
        if isinstance(before, np.ndarray) and not np.array_equal(before, after):
            return f"For ({case}) it changed its argument in place: return new values instead."
    if got is None:
        return f"For ({case}) it returned None: does every path end in a return?"
    expected = reference(*arguments)
    if said := wrong_form(expected, got):
        return f"For ({case}) {said}"
    said = wrong_numbers(expected, got)
    return f"For ({case}) {said} {hint}".strip() if said else ""
