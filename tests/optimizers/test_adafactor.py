"""What is Adafactor's own; what it shares with every optimizer is tested beside."""

import numpy as np
import pytest

from optim_scratch import Parameter
from optim_scratch.optimizers import Adafactor


def test_memory_grows_with_the_sides_of_a_matrix():
    p = Parameter(np.ones((50, 40)))
    adafactor = Adafactor([p])
    p.grad = np.ones((50, 40))
    adafactor.step()
    kept = {k: np.size(v) for k, v in adafactor.state[p].items()}
    assert kept == {"step": 1, "row_var": 50, "col_var": 40}


def test_mean_squares_of_rank_1_are_exact(rng):
    p = Parameter(np.ones((4, 3)))
    signs = rng.choice([-1.0, 1.0], size=(4, 3))
    p.grad = signs * np.outer(rng.uniform(1, 9, 4), rng.uniform(1, 9, 3))
    Adafactor([p], lr=0.1).step()
    # then each entry of the update is its sign; the parameter's rms is 1
    np.testing.assert_allclose(p.data, 1 - 0.1 * signs, rtol=1e-12)


def test_mean_squares_are_weighed_means_of_rows_and_columns(rng):
    """With 1 − t^−0.8 of the last, over five steps: V = R C / mean R."""
    p = Parameter(np.ones((4, 3)))
    adafactor = Adafactor([p], lr=1e-3, d=1e9)
    rows, columns = np.zeros((4, 1)), np.zeros((1, 3))
    for t in range(1, 6):
        before = p.data.copy()
        p.grad = rng.normal(size=(4, 3))
        adafactor.step()
        beta = 1 - t**-0.8
        rows = beta * rows + (1 - beta) * (p.grad**2).mean(axis=1, keepdims=True)
        columns = beta * columns + (1 - beta) * (p.grad**2).mean(axis=0, keepdims=True)
        alpha = np.sqrt(np.mean(before**2)) * 1e-3
        step = -alpha * p.grad / np.sqrt(rows * columns / rows.mean())
        np.testing.assert_allclose(p.data - before, step, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("d", [1.0, 2.5])
def test_a_sudden_gradient_is_clipped(d):
    p = Parameter(np.ones(4))
    adafactor = Adafactor([p], lr=0.01, d=d)
    for size in [1.0] * 20 + [1000.0]:
        before = p.data.copy()
        p.grad = size * np.array([1.0, -1.0, 1.0, -1.0])
        adafactor.step()
    size = np.sqrt(np.mean(before**2))
    np.testing.assert_allclose(np.abs(p.data - before), 0.01 * size * d, rtol=1e-9)


def test_decay_is_in_units_of_the_rate():
    p = Parameter(np.full(3, 2.0))
    p.grad = np.zeros(3)
    Adafactor([p], lr=0.1, weight_decay=0.5).step()
    np.testing.assert_allclose(p.data, 2.0 * (1 - 0.1 * 0.5))


def test_small_gradients_in_float32_make_long_steps(rng):
    """The mean of R is below ε₁ there, which is not squared; but for that, sizes do not matter."""
    gradient = rng.normal(size=(6, 5)).astype(np.float32)
    steps = []
    for size in (1.0, 1e-2, 1e-4):
        p = Parameter(np.ones((6, 5), np.float32))
        p.grad = size * gradient
        Adafactor([p], lr=0.01, d=1e9).step()
        steps.append(p.data - 1.0)
    np.testing.assert_allclose(steps[1], steps[0], rtol=1e-3, atol=1e-6)
    excess = np.sqrt(np.finfo(np.float32).eps / np.mean((1e-4 * gradient) ** 2))
    assert excess > 3
    np.testing.assert_allclose(steps[2], excess * steps[0], rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e4])
def test_a_step_is_a_share_of_the_parameter_whatever_the_gradient(scale, rng):
    p = Parameter(scale * np.ones((4, 3)))
    p.grad = rng.normal(size=(4, 3))
    before = p.data.copy()
    Adafactor([p], lr=0.01, eps=(None, 1e-12)).step()
    moved = np.sqrt(np.mean((p.data - before) ** 2))
    assert moved <= 0.01 * scale * (1 + 1e-12)
    assert moved > 0.005 * scale


def test_a_parameter_of_0_moves_by_the_least_size():
    p = Parameter(np.zeros(3))
    p.grad = np.array([1.0, -2.0, 3.0])
    Adafactor([p], lr=0.5, eps=(None, 1e-3)).step()
    np.testing.assert_allclose(p.data, [-5e-4, 5e-4, -5e-4], rtol=1e-12)


def test_the_relative_step_falls_with_time():
    p = Parameter(np.ones(2))
    adafactor = Adafactor([p], lr=0.2, beta2_decay=0.0)
    steps = []
    for _ in range(100):
        before = p.data.copy()
        p.grad = -np.ones(2)
        adafactor.step()
        steps.append(((p.data - before) / before)[0])
    np.testing.assert_allclose(steps, np.minimum(0.2, np.arange(1, 101) ** -0.5), rtol=1e-9)


def test_the_size_of_a_parameter_in_half_precision_is_measured_in_full():
    """The square of 1000 is infinite in float16."""
    p = Parameter(np.full(3, 1000.0, np.float16))
    p.grad = np.ones(3, np.float16)
    Adafactor([p], lr=0.1).step()
    np.testing.assert_allclose(p.data, 900.0, rtol=1e-3)
