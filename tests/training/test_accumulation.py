import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from optim_scratch import Parameter
from optim_scratch.problems import SpiralMLP
from optim_scratch.training import Accumulator


def layered(problem):
    """The problem's weights as six parameters, and a function that writes a batch's gradients."""
    weights = [Parameter(piece) for piece in problem.split(problem.start)]

    def backward(chosen):
        theta = np.concatenate([p.data.ravel() for p in weights])
        g = problem._gradient(theta, problem.inputs[chosen], problem.targets[chosen])
        for p, piece in zip(weights, problem.split(g), strict=True):
            p.grad = piece

    return weights, backward


@settings(deadline=None, max_examples=40)
@given(st.sets(st.integers(1, 60), max_size=8))
def test_accumulated_gradient_is_the_large_batchs_whatever_the_cuts(cuts):
    weights, backward = layered(SpiralMLP(points=61, seed=1))
    backward(slice(None))
    large = [p.grad.copy() for p in weights]
    gradients = Accumulator(weights)
    ends = [*sorted(cuts), 61]
    for first, end in zip([0, *ends[:-1]], ends, strict=True):
        backward(slice(first, end))
        gradients.add(end - first)
        assert all(p.grad is None for p in weights)
    assert gradients.write() == 61
    for p, g in zip(weights, large, strict=True):
        np.testing.assert_allclose(p.grad, g, rtol=0, atol=1e-12 * np.abs(g).max())


def test_accumulator_begins_anew_and_leaves_given_arrays():
    w = Parameter([0.0])
    gradients = Accumulator(w)
    given_array = np.array([2.0])
    for _ in range(2):
        w.grad = given_array
        gradients.add(3)
        assert gradients.write() == 3
        assert w.grad.tolist() == [2.0]
    assert given_array.tolist() == [2.0]


def test_accumulator_weighs_a_missing_gradient_as_zero_and_keeps_none():
    used, rare, never = Parameter([0.0]), Parameter([0.0]), Parameter([0.0])
    gradients = Accumulator([used, rare, never])
    for g in ([1.0], None):
        used.grad, rare.grad = [1.0], g
        gradients.add(2)
    gradients.write()
    assert (used.grad.tolist(), rare.grad.tolist(), never.grad) == ([1.0], [0.5], None)


def test_accumulator_keeps_the_dtype():
    w = Parameter(np.zeros(2, np.float32))
    gradients = Accumulator(w)
    w.grad = np.ones(2, np.float32)
    gradients.add(3)
    gradients.write()
    assert w.grad.dtype == np.float32


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: Accumulator([]), ValueError, "parameters must hold at least one Parameter"),
        (
            lambda: Accumulator([np.zeros(2)]),
            TypeError,
            "parameters must hold parameters, got numpy",
        ),
        (lambda: Accumulator(3), TypeError, "^parameters must be a parameter or an iter"),
        (
            lambda: Accumulator(torch.zeros(2)),
            TypeError,
            "must hold our Parameter objects, got torch.T",
        ),
        (lambda: Accumulator(Parameter(1.0)).add(0), ValueError, "examples must be >= 1, got 0"),
        (lambda: Accumulator(Parameter(1.0)).add(1.5), TypeError, "examples must be an integer"),
        (lambda: Accumulator(Parameter(1.0)).write(), ValueError, "needs at least one add"),
    ],
)
def test_accumulator_refuses(call, error, message):
    with pytest.raises(error, match=message):
        call()
