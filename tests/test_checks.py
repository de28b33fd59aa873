import numpy as np
import pytest
import torch

from optim_scratch.checks import (
    ANY,
    FACTOR,
    FLAG,
    FRACTION,
    NOT_NEGATIVE,
    POSITIVE,
    SHARE,
    Choice,
    Integer,
    Number,
    as_list,
    plain,
    untorched,
)


@pytest.mark.parametrize(
    ("kind", "inside", "outside", "words"),
    [
        (ANY, [-1e300, 0, 2**70], [np.nan, np.inf, 10**400], "finite"),
        (POSITIVE, [1e-300, 5], [0, -1], "finite and > 0"),
        (NOT_NEGATIVE, [0, 1], [-1e-9], "finite and >= 0"),
        (SHARE, [0, 0.999], [1, -0.1], "finite and in [0, 1)"),
        (FRACTION, [0, 1], [1.1], "finite and in [0, 1]"),
        (FACTOR, [1e-9, 1], [0, 1.5], "finite and in (0, 1]"),
        (Number(high=0), [-1, 0], [0.1], "finite and <= 0"),
        (Number(high=0, below=True), [-1], [0], "finite and < 0"),
        (Number(low=1, infinite=True), [np.inf, 1], [0.5, np.nan], ">= 1"),
        (Number(infinite=True), [-np.inf], [np.nan], "a number"),
    ],
    ids=str,
)
def test_numbers(kind, inside, outside, words):
    assert str(kind) == words
    for value in inside:
        assert kind.check("x", value) == value
    for value in outside:
        with pytest.raises(ValueError, match=r"^x must be "):
            kind.check("x", value)


@pytest.mark.parametrize("value", ["1", None, True, 1j, [1.0], {}, np.bool_(True), np.ones(2)])
def test_what_is_no_number(value):
    with pytest.raises(TypeError, match=r"^x must be a real number, got"):
        ANY.check("x", value)


def test_none_where_it_is_admitted():
    for kind in (Number(optional=True), Integer(0, optional=True)):
        assert kind.check("x", None) is None
        assert str(kind).endswith(" or None")
        with pytest.raises(TypeError, match=r"or None, got 'a'"):
            kind.check("x", "a")
    assert Number(optional=True).check_array("x", None) is None


@pytest.mark.parametrize("number", [np.float32(0.5), np.array(0.5), torch.tensor(0.5), 0.5])
def test_a_number_becomes_pythons(number):
    assert type(ANY.check("x", number)) is float
    assert type(ANY.check_array("x", number)) is float


def test_arrays_are_copied_and_each_entry_is_checked():
    array = np.array([0.5, 0.9])
    checked = SHARE.check_array("x", array)
    array[:] = 9.0
    assert checked.tolist() == [0.5, 0.9]
    with pytest.raises(ValueError, match=r"^x must be finite and in \[0, 1\)"):
        SHARE.check_array("x", [0.5, 1.0])
    for value in ([1, [2]], ["a"], np.array([1j])):
        with pytest.raises(TypeError, match=r"^x must be a real number or an array of them"):
            SHARE.check_array("x", value)


def test_integers():
    kind = Integer(2, high=5)
    assert str(kind) == "an integer >= 2 and <= 5"
    assert [kind.check("n", value) for value in (2, np.int8(5))] == [2, 5]
    assert type(kind.check("n", np.int16(3))) is int
    for value in (1, 6):
        with pytest.raises(ValueError, match=r"^n must be [<>]= "):
            kind.check("n", value)
    for value in (2.0, True, "3", None):
        with pytest.raises(TypeError, match=r"^n must be an integer, got"):
            kind.check("n", value)


def test_flags_and_words():
    assert FLAG.check("f", False) is False
    for value in (0, 1, None, np.bool_(True)):
        with pytest.raises(TypeError, match=r"^f must be True or False, got"):
            FLAG.check("f", value)
    kind = Choice((None, "a"))
    assert [kind.check("w", word) for word in (None, "a")] == [None, "a"]
    for value in ("b", 3, ["a"], True):
        with pytest.raises(ValueError, match=r"^w must be one of None, 'a', got"):
            kind.check("w", value)
    with pytest.raises(ValueError, match=r"^w must be one of None, 'a', got"):
        kind.check("w", len)
    kind = Choice((None, "a"), function=True)
    assert [kind.check("w", each) for each in (None, "a", len)] == [None, "a", len]
    with pytest.raises(ValueError, match=r"^w must be one of None, 'a', or a function, got 'b'"):
        kind.check("w", "b")


def test_plain_takes_each_entry_of_a_tuple_and_leaves_the_rest():
    found = plain((np.float64(1), torch.tensor(2.0), "a", (np.int8(3),)))
    assert found == (1.0, 2.0, "a", (3,))
    assert [type(entry) for entry in found[:2]] == [float, float]
    several = plain(torch.tensor([1.0, 2.0], requires_grad=True))
    assert several.tolist() == [1.0, 2.0]
    marker = object()
    assert plain(marker) is untorched(marker) is marker


@pytest.mark.parametrize("values", [5, None, np.array(1.0)])
def test_a_list_is_an_iterable(values):
    with pytest.raises(TypeError, match=r"^xs must be an iterable, got"):
        as_list("xs", values, "an iterable")
    assert as_list("xs", np.arange(2), "an iterable") == [0, 1]
