"""What is Muon's own; what it shares with every optimizer is tested beside."""

import numpy as np
import pytest
import torch
from methods import distance, record

from optim_scratch import Parameter
from optim_scratch.optimizers import Muon
from optim_scratch.optimizers.muon import orthogonalized


def singular(matrix):
    return np.linalg.svd(matrix, compute_uv=False)


@pytest.mark.parametrize("shape", [(5, 5), (8, 3), (3, 8), (1, 4), (4, 1), (40, 30)])
def test_singular_values_come_near_1_and_singular_vectors_stay(shape, rng):
    matrix = rng.normal(size=shape)
    u, s, v = np.linalg.svd(matrix, full_matrices=False)
    # well conditioned, as the bounds ask
    matrix = u @ np.diag(np.linspace(0.3, 1.0, len(s))) @ v
    result = orthogonalized(matrix)
    assert 0.6 < singular(result).min() <= singular(result).max() < 1.3
    led = u.T @ result @ v.T
    np.testing.assert_allclose(led, np.diag(np.diag(led)), atol=1e-12)


@pytest.mark.parametrize("shape", [(6, 6), (8, 3), (3, 8)])
@pytest.mark.parametrize("nesterov", [True, False])
def test_an_update_of_well_conditioned_gradients_is_nearly_orthogonal(shape, nesterov, rng):
    u, s, v = np.linalg.svd(rng.normal(size=shape), full_matrices=False)
    p = Parameter(np.zeros(shape))
    muon = Muon([p], lr=1.0, weight_decay=0.0, nesterov=nesterov)
    for _ in range(10):
        before = p.data.copy()
        p.grad = u @ np.diag(rng.uniform(0.5, 1.0, len(s))) @ v
        muon.step()
        led = singular(p.data - before) / max(1.0, shape[0] / shape[1]) ** 0.5
        assert 0.6 < led.min() <= led.max() < 1.3


def test_the_iteration_does_to_a_matrix_what_its_polynomial_does_to_singular_values(rng):
    u, _, v = np.linalg.svd(rng.normal(size=(5, 5)))
    s = np.array([1.0, 0.6, 0.3, 0.1, 0.01])
    for a, b, c in [(3.4445, -4.7750, 2.0315), (1.5, -0.5, 0.0)]:
        result = orthogonalized(7.0 * u @ np.diag(s) @ v, (a, b, c), steps=3)
        led = s / np.linalg.norm(s)
        for _ in range(3):
            led = a * led + b * led**3 + c * led**5
        np.testing.assert_allclose(u.T @ result @ v.T, np.diag(led), atol=1e-12)


@pytest.mark.parametrize("nesterov", [True, False])
def test_a_buffer_that_is_the_sum_gives_the_same_steps(nesterov, rng):
    """Jordan's buffer, in which a gradient weighs 1: only the size of the matrix differs."""
    p, total = Parameter(np.zeros((4, 3))), 0.0
    muon = Muon([p], lr=1.0, weight_decay=0.0, momentum=0.9, nesterov=nesterov)
    for _ in range(5):
        before = p.data.copy()
        p.grad = rng.normal(size=(4, 3))
        muon.step()
        total = 0.9 * total + p.grad
        summed = p.grad + 0.9 * total if nesterov else total
        step = -((4 / 3) ** 0.5) * orthogonalized(summed)
        np.testing.assert_allclose(p.data - before, step, atol=1e-11)


def test_decay_is_of_the_rate_and_not_of_the_shape():
    p = Parameter(np.ones((9, 1)))
    p.grad = np.zeros((9, 1))
    Muon([p], lr=0.1, weight_decay=0.5).step()
    np.testing.assert_allclose(p.data, 1 - 0.1 * 0.5)


def test_small_singular_values_need_more_steps(rng):
    u, _, v = np.linalg.svd(rng.normal(size=(6, 6)))
    matrix = u @ np.diag(np.geomspace(1e-4, 1.0, 6)) @ v
    least = [singular(orthogonalized(matrix, steps=steps)).min() for steps in (0, 5, 10)]
    assert least[0] < 1e-4
    assert least[1] < 0.3
    assert least[2] > 0.6


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_the_size_of_the_gradient_does_not_matter(scale, rng):
    gradient = rng.normal(size=(4, 3))
    ends = []
    for factor in (1.0, scale):
        p = Parameter(np.zeros((4, 3)))
        p.grad = factor * gradient
        Muon([p], lr=0.1).step()
        ends.append(p.data)
    np.testing.assert_allclose(*ends, rtol=1e-9)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_gradient_of_0_is_no_step(dtype):
    p = Parameter(np.ones((2, 2), dtype))
    p.grad = np.zeros((2, 2))
    Muon([p], lr=0.1, weight_decay=0.0, eps=1e-12).step()
    assert np.array_equal(p.data, np.ones((2, 2)))


@pytest.mark.parametrize(("dtype", "size"), [(np.float16, 3e4), (np.float32, 1e30)])
def test_a_gradient_whose_square_is_too_large_a_number_is_a_step_like_another(dtype, size, rng):
    p = Parameter(np.zeros((4, 3), dtype))
    p.grad = size * np.clip(rng.normal(size=(4, 3)), -2, 2)
    Muon([p], lr=1.0).step()
    assert 0.5 < singular(p.data.astype(float)).min() <= singular(p.data.astype(float)).max() < 1.5


@pytest.mark.parametrize(
    ("shape", "adjust", "factor"),
    [
        ((9, 4), None, 1.5),
        ((4, 9), "original", 1.0),
        ((9, 4), "match_rms_adamw", 0.6),
        ((4, 9), "match_rms_adamw", 0.6),
    ],
)
def test_the_rate_goes_by_the_shape(shape, adjust, factor, rng):
    p = Parameter(np.zeros(shape))
    p.grad = rng.normal(size=shape)
    Muon([p], lr=1.0, adjust_lr_fn=adjust, momentum=0.0).step()
    np.testing.assert_allclose(p.data, -factor * orthogonalized(p.grad), rtol=1e-12)


@pytest.mark.parametrize(
    ("shape", "once", "together"),
    # a square matrix may have singular values near 0, which five steps lead up a steep slope
    [((64, 32), 0.05, 0.001), ((6, 4), 0.08, 0.003), ((5, 5), 0.3, 0.005)],
)
def test_torch_in_bfloat16_agrees_to_its_digits(shape, once, together):
    """It rounds to 8 bits in fifteen products: some hundredths of a step, which cancel in many."""
    starts, *rows = record(20, [shape])
    p, q = Parameter(starts[0]), torch.nn.Parameter(torch.tensor(starts[0]))
    ours, theirs = Muon([p], lr=0.02), torch.optim.Muon([q], lr=0.02)
    for (gradient,) in rows:
        before = p.data.copy(), q.detach().numpy().copy()
        p.grad, q.grad = gradient, torch.tensor(gradient)
        ours.step()
        theirs.step()
        steps = p.data - before[0], q.detach().numpy() - before[1]
        assert distance([steps[0]], [steps[1]]) < once
    assert distance([p.data], [q.detach().numpy()]) < together


@pytest.mark.parametrize("shape", [(), (3,), (2, 3, 4)])
def test_refuses_what_is_no_matrix(shape):
    with pytest.raises(ValueError, match=r"params of Muon must be matrices, got one of shape \("):
        Muon([Parameter(np.zeros(shape))])
    muon = Muon([Parameter(np.zeros((2, 2)))])
    with pytest.raises(ValueError, match="params of Muon must be matrices"):
        muon.add_param_group({"params": Parameter(np.zeros(shape))})
    assert len(muon.param_groups) == 1
