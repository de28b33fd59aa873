import weakref

import numpy as np
import pytest
import torch

from optim_scratch import Parameter


@pytest.mark.parametrize("data", [1.0, 2, [1, 2], [[1.0, 2.0]], np.float32(3), np.zeros((2, 3))])
def test_takes_numbers_lists_and_floating_arrays(data):
    p = Parameter(data)
    assert np.array_equal(p.data, data)
    assert p.shape == np.shape(data)
    assert p.dtype == (data.dtype if isinstance(data, np.generic | np.ndarray) else np.float64)
    assert p.grad is None


def test_owns_its_array():
    start = np.zeros(3)
    Parameter(start).data += 1
    assert not start.any()


@pytest.mark.parametrize(
    "data", [np.arange(3), "one", [True], np.array([1j]), None, np.array(["a"])], ids=repr
)
def test_refuses_what_is_not_floating(data):
    with pytest.raises(TypeError, match="data must hold floating-point numbers, got dtype"):
        Parameter(data)


@pytest.mark.parametrize("gradient", [np.zeros(2), np.zeros((3, 1)), 0.0, np.zeros((1, 3))])
def test_refuses_a_gradient_of_another_shape(gradient):
    p = Parameter(np.zeros(3))
    with pytest.raises(ValueError, match=r"grad must have the parameter's shape \(3,\), got"):
        p.grad = gradient


@pytest.mark.parametrize("gradient", [np.arange(3), np.zeros(3, bool), np.zeros(3, complex)])
def test_refuses_a_gradient_that_is_not_floating(gradient):
    p = Parameter(np.zeros(3))
    with pytest.raises(TypeError, match="grad must hold floating-point numbers"):
        p.grad = gradient


def test_a_gradient_that_is_the_parameter_itself_does_not_move_with_it():
    p = Parameter([1.0, 2.0])
    for gradient in (p.data, p.data[::-1]):
        p.grad = gradient
        p.data -= 0.5
        assert not np.shares_memory(p.grad, p.data)
    other = np.ones(2)
    p.grad = other
    assert p.grad is other


def test_a_gradient_takes_the_parameters_dtype():
    p = Parameter(np.zeros(3, np.float32))
    p.grad = np.ones(3)
    assert p.grad.dtype == np.float32
    p.grad = None
    assert p.grad is None


def test_can_be_referred_to_weakly():
    p = Parameter(1.0)
    assert weakref.ref(p)() is p


def test_shares_the_memory_of_an_array_on_request():
    array = np.ones((2, 3), np.float32)
    p = Parameter(array, copy=False)
    p.data -= 1
    assert not array.any()
    turned = Parameter(array.T, copy=False)
    assert turned.shape == (3, 2)
    assert np.shares_memory(turned.data, array)


def read_only() -> np.ndarray:
    array = np.ones(2)
    array.flags.writeable = False
    return array


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        ([1.0], TypeError, "data must be an array to be shared, got list"),
        (1.0, TypeError, "data must be an array to be shared, got float"),
        (torch.ones(2), TypeError, "data must be an array to be shared, got torch.Tensor"),
        (np.ones(2, int), TypeError, "data must hold floating-point numbers, got dtype int64"),
        (read_only(), ValueError, "data must be writable to be shared, got a read-only array"),
    ],
)
def test_refuses_to_share(data, error, message):
    with pytest.raises(error, match=message):
        Parameter(data, copy=False)


def test_copies_what_is_read_only():
    p = Parameter(read_only())
    p.data += 1
    assert p.data.tolist() == [2.0, 2.0]


@pytest.mark.parametrize("gradient", [False, True])
def test_takes_tensors(gradient):
    tensor = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=gradient)
    p = Parameter(tensor)
    p.grad = tensor
    p.data += 1
    assert (p.data.tolist(), p.grad.tolist(), tensor.tolist()) == ([2, 3], [1, 2], [1, 2])


def test_a_tensor_of_bfloat16_becomes_float32():
    p = Parameter(torch.tensor([0.5, 3.0], dtype=torch.bfloat16))
    assert (p.dtype, p.data.tolist()) == (np.float32, [0.5, 3.0])


@pytest.mark.parametrize(
    "data", ["a", None, [1, [2]], [1j], {}, object(), ["0.1"], torch.ones(2, dtype=torch.int64)]
)
def test_names_what_is_no_numbers(data):
    with pytest.raises(TypeError, match="data must hold floating-point numbers, got"):
        Parameter(data)
    if data is not None:
        with pytest.raises(TypeError, match="grad must hold floating-point numbers, got"):
            Parameter(1.0).grad = data
