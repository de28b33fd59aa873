"""What a reader is told of a wrong answer says where it is wrong."""

import linecache
from fractions import Fraction

import numpy as np
import pytest

from optim_scratch.exercises.telling import failure, show, wrong_form, wrong_numbers

TEN = np.arange(10.0)
SMALL = " That is rounding: float32, or a term as small as an ε in another place."


@pytest.mark.parametrize(
    ("expected", "got", "said"),
    [
        (2.0, 2, ""),
        (0.25, Fraction(1, 4), ""),
        (2.0, 2.5, "expected 2, got 2.5."),
        (0.5, 0.0, "expected 0.5, got 0."),
        (10_000.0, 12_345.0, "expected 10000, got 12345."),
        (19.7858, 19.7862, "expected 19.7858, got 19.7862."),
        (19.7858, 19.7858123, f"expected 19.7858, got 19.78581.{SMALL}"),
        (1e-4, 2e-4, "expected 0.0001, got 0.0002."),
        (1e12, 2e12, "expected 1e+12, got 2e+12."),
        (True, False, "expected True, got False."),
        (1, np.nan, "expected 1, got nan."),
        (np.array([1.0, 2.0]), np.array([1.0, 3.0]), "expected [1, 2], got [1, 3]."),
        ((1.0, 2.0), (1.0, 3.0), "value 2: expected 2, got 3."),
        ((1.0, np.array([1.0, 2.0])), [1.0, [1.0, 5.0]], "value 2: expected [1, 2], got [1, 5]."),
        (TEN, TEN + (TEN > 7), "2 of 10 entries differ, the first at [8]: expected 8, got 9."),
        (
            TEN.reshape(5, 2),
            TEN.reshape(5, 2) * (TEN.reshape(5, 2) != 3),
            "1 of 10 entries differ, the first at [1, 1]: expected 3, got 0.",
        ),
    ],
)  # fmt: skip
def test_numbers_are_shown_as_far_as_they_differ(expected, got, said):
    assert wrong_form(expected, got) == ""
    assert wrong_numbers(expected, got) == said


@pytest.mark.parametrize("expected", [19.7858123456789, 1 / 3, 1e9 / 7, np.full(3, 2 / 3)])
def test_a_difference_of_rounding_is_called_so(expected):
    single = np.asarray(expected, np.float32)
    said = wrong_numbers(expected, single)
    assert said.endswith(SMALL)
    shown = said.removeprefix("expected ").partition(". That")[0].split(", got ")
    assert shown[0] != shown[1], "both in as many digits as tell them apart"


@pytest.mark.parametrize("decimals", [2, 4, 6])
def test_rounded_answers_are_told_to_how_many_decimals(decimals):
    said = wrong_numbers(2 / 3, round(2 / 3, decimals))
    assert said.endswith(f" That is rounding to {decimals} decimals: return all digits.")


@pytest.mark.parametrize(("expected", "got"), [(2 / 3, 0.7), (2 / 3, 0.6667001), (0.0, 1e-3)])
def test_other_differences_are_not_rounding(expected, got):
    assert "rounding" not in wrong_numbers(expected, got)


def test_a_difference_from_nought_is_told_without_a_warning():
    assert wrong_numbers(np.array([0.0, 1.0]), np.array([1e-8, 1.0])).startswith("expected [0, 1]")


@pytest.mark.parametrize(
    ("expected", "got", "said"),
    [
        ((1.0, 2.0), 1.0, "expected 2 values, (1, 2), got one: 1."),
        ((1.0, 2.0), (1.0, 2.0, 3.0), "expected 2 values, (1, 2), got 3: (1, 2, 3)."),
        (
            (1.0, 2.0),
            (1.0, np.zeros(2)),
            "value 2: expected one number, 2, got an array of shape (2,): [0, 0].",
        ),
        (1.0, (1.0, 2.0), "expected one number, 1, got 2 values: (1, 2)."),
        (1.0, [1.0], "expected one number, 1, got an array of shape (1,): [1]."),
        (
            np.zeros(2),
            np.zeros((1, 2)),
            "expected an array of shape (2,), [0, 0], got an array of shape (1, 2): [[0, 0]].",
        ),
        (1.0, "1.0", "expected 1, got '1.0', which is no number and no array."),
        (1.0, 1j, "expected 1, got 1j, which is no number and no array."),
        ((2.0,), (None,), "value 1: expected 2, got None, which is no number and no array."),
        (1.0, [[1.0], [1.0, 2.0]], "expected 1, got [[1.0], [1.0, 2.0]], which is no number "
         "and no array."),
    ],
)  # fmt: skip
def test_forms_are_named(expected, got, said):
    assert wrong_form(expected, got) == said


def raised(function, *arguments) -> str:
    """Return what is told of a function's failure."""
    try:
        function(*arguments)
    except Exception as error:
        return failure(error)
    raise AssertionError


def a_cell(source: str, name: str) -> dict:
    """Run source as a notebook runs a cell, whose lines Python can look up."""
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    names: dict = {"np": np}
    exec(compile(source, name, "exec"), names)
    return names


def test_the_readers_own_line_is_named():
    update = a_cell("def update(b, g):\n    b = 0.9 * b\n    return b + gg\n", "cell-1")["update"]
    assert raised(update, 1, 2) == (
        "line 3, `return b + gg`, raised NameError: name 'gg' is not defined."
    )


def test_the_line_that_called_numpy_is_named_and_none_of_numpys():
    code = "def norm(x):\n    return np.linalg.norm(x, axis=5)\n"
    said = raised(a_cell(code, "cell-2")["norm"], TEN)
    assert said.startswith("line 2, `return np.linalg.norm(x, axis=5)`, raised AxisError: ")


def test_the_innermost_of_the_readers_lines_is_named():
    code = "def inner(x):\n    return x['a']\n\ndef outer(x):\n    return inner(x)\n"
    assert raised(a_cell(code, "cell-3")["outer"], {}) == (
        "line 2, `return x['a']`, raised KeyError: 'a'."
    )


def test_a_line_that_cannot_be_looked_up_is_numbered():
    names: dict = {}
    exec("def f():\n    return 1 / 0\n", names)
    assert raised(names["f"]) == "line 2 raised ZeroDivisionError: division by zero."


def test_a_function_that_takes_other_arguments_could_not_be_called():
    from optim_scratch.exercises.checking import compare

    said = compare(lambda x: x, lambda: 1, (2.0,))
    assert said.startswith("For (2) it could not be called: TypeError: ")
    assert said.endswith("takes 0 positional arguments but 1 was given.")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (688_224, "688224"), (True, "True"), ("word", "'word'"), (1 / 3, "0.3333"), (np.inf, "inf"),
        (np.float64(0), "0"), (np.arange(3), "[0, 1, 2]"), ((1.0, np.zeros(1)), "(1, [0])"),
        (len, "len"), (np.eye(2), "[[1, 0], [0, 1]]"), (np.float32(0.1), "0.1"), ([], "[]"),
    ],
)  # fmt: skip
def test_values_are_shown_shortly(value, shown):
    assert show(value) == shown
