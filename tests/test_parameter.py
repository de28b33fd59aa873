import numpy as np
import pytest

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
