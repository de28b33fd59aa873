import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from optim_scratch import Parameter
from optim_scratch.problems import SpiralMLP
from optim_scratch.training import Accumulator

W = Parameter([1.0])


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


def accumulated(gradients, counts, dtype):
    """The mean of gradients, by the accumulator."""
    w = Parameter(np.zeros(np.shape(gradients[0]), dtype))
    total = Accumulator(w)
    for g, n in zip(gradients, counts, strict=True):
        w.grad = np.asarray(g, dtype)
        total.add(n)
    assert total.write() == sum(int(n) for n in counts)
    return w.grad


def test_counts_of_numpys_integers_do_not_overflow():
    found = accumulated([[1.0], [3.0]], [np.int16(20_000), np.int16(20_000)], np.float64)
    assert found.tolist() == [2.0]


@pytest.mark.parametrize("shape", [(), (1,), (2, 3)])
def test_sums_of_float16_do_not_overflow(shape):
    found = accumulated([np.full(shape, 512), np.full(shape, 1024)], [100, 100], np.float16)
    assert (found.dtype, found.tolist()) == (np.float16, np.full(shape, 768).tolist())


def test_sums_of_float32_are_rounded_once(rng):
    gradients = rng.normal(size=(500, 20)).astype(np.float32)
    counts = rng.integers(1, 512, size=500)
    exact = counts @ gradients.astype(np.longdouble) / counts.sum()
    found = accumulated(gradients, counts, np.float32)
    assert found.tolist() == exact.astype(np.float32).tolist()


def test_what_is_not_finite_flows():
    found = accumulated([[np.inf, np.inf, 1.0], [1.0, -np.inf, np.nan]], [1, 2], np.float32)
    np.testing.assert_array_equal(found, [np.inf, np.nan, np.nan])


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
        (lambda: Accumulator("ab"), TypeError, "parameters must hold parameters, got str"),
        (lambda: Accumulator([W, W]), ValueError, "parameters must not hold a parameter twice"),
        (
            lambda: Accumulator((2 * torch.ones(2, requires_grad=True)).sum()),
            TypeError,
            "parameters must hold parameters, got torch.Tensor",
        ),
        (lambda: Accumulator(W).add(2**53 + 1), ValueError, "examples must be <= 9007199254740992"),
        (lambda: Accumulator(W).add(np.array([2])), TypeError, "examples must be an integer, got"),
        (lambda: Accumulator(Parameter(1.0)).add(0), ValueError, "examples must be >= 1, got 0"),
        (lambda: Accumulator(Parameter(1.0)).add(1.5), TypeError, "examples must be an integer"),
        (lambda: Accumulator(Parameter(1.0)).write(), ValueError, "needs at least one add"),
    ],
)
def test_accumulator_refuses(call, error, message):
    with pytest.raises(error, match=message):
        call()
