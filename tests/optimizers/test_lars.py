"""What is LARS' own; what it shares with every optimizer is tested beside."""

import numpy as np
import pytest

from optim_scratch import Parameter
from optim_scratch.optimizers import LARS, SGD

norm = np.linalg.norm


def moved(start, gradient, dtype=np.float64, **options):
    """How far one step goes, and where."""
    p = Parameter(np.array(start, dtype))
    p.grad = np.array(gradient, dtype)
    LARS([p], **options).step()
    return p.data.astype(float) - np.array(start, dtype).astype(float)


@pytest.mark.parametrize("shape", [(4, 3), (2, 3, 2, 2), (400, 300)])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_a_step_is_a_share_of_the_weights_whatever_the_gradient(shape, scale, rng):
    w, g = rng.normal(size=shape), rng.normal(size=shape)
    step = moved(w, scale * g, lr=0.5, trust_coefficient=0.02)
    assert norm(step) == pytest.approx(0.5 * 0.02 * norm(w), rel=1e-12)
    np.testing.assert_allclose(step / norm(step), -g / norm(g), atol=1e-12)


@pytest.mark.parametrize("c", [1e-3, 1e3])
def test_weights_c_times_as_long_take_steps_c_times_as_long(c, rng):
    """As weights before a normalisation do, whose gradient is 1 / c of what it was."""
    w, g = rng.normal(size=(4, 3)), rng.normal(size=(4, 3))
    once, again = moved(w, g, lr=0.5), moved(c * w, g / c, lr=0.5)
    np.testing.assert_allclose(again, c * once, rtol=1e-9)


def test_the_loss_in_other_units_is_the_same_path_with_momentum(rng):
    starts, gradients = rng.normal(size=(4, 3)), rng.normal(size=(20, 4, 3))
    ends = []
    for scale in (1.0, 1e5):
        p = Parameter(starts)
        lars = LARS([p], lr=1.0, momentum=0.9, trust_coefficient=0.02)
        for g in gradients:
            p.grad = scale * g
            lars.step()
        ends.append(p.data)
    np.testing.assert_allclose(*ends, rtol=1e-9)


def test_decay_is_in_the_ratio_and_in_the_step():
    # ‖w‖ = 5, ‖g‖ = 2, so r = 0.1 · 5 / (2 + 0.2 · 5)
    w, g = np.array([[3.0, 0.0], [0.0, 4.0]]), np.array([[0.0, 2.0], [0.0, 0.0]])
    step = moved(w, g, lr=0.5, weight_decay=0.2, trust_coefficient=0.1)
    np.testing.assert_allclose(step, -0.5 * 0.5 / 3 * (g + 0.2 * w), rtol=1e-12)


def test_the_buffer_keeps_the_rate_it_began_with():
    p = Parameter([[3.0], [4.0]])
    lars = LARS([p], lr=1.0, momentum=0.5, trust_coefficient=0.1)
    p.grad = [[1.0], [0.0]]
    lars.step()
    np.testing.assert_allclose(p.data, [[2.5], [4.0]])
    lars.param_groups[0]["lr"] = 0.0
    lars.step()
    np.testing.assert_allclose(p.data, [[2.25], [4.0]])


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_zero_weights_take_the_gradients_own_step(decay):
    g = np.array([[1.0, -2.0]])
    np.testing.assert_array_equal(moved(0 * g, g, lr=0.1, weight_decay=decay), -0.1 * g)


def test_a_gradient_of_0_is_no_step_and_beside_decay_a_share():
    w, g = np.array([[3.0, 4.0]]), np.zeros((1, 2))
    assert np.array_equal(moved(w, g), g)
    assert np.array_equal(moved(g, g), g)
    step = moved(w, g, lr=0.5, weight_decay=0.2, trust_coefficient=0.1)
    np.testing.assert_allclose(step, -0.05 * w, rtol=1e-12)


@pytest.mark.parametrize(
    ("scaled", "matrix", "vector"),
    [("all", True, True), ("matrices", True, False), ("none", False, False)],
)
def test_those_that_are_spared_take_sgds_steps_without_decay(scaled, matrix, vector, rng):
    for shape, has_ratio in (((3, 2), matrix), ((3,), vector), ((), vector)):
        w, gradients = rng.normal(size=shape), rng.normal(size=(5, *shape))
        p, q = Parameter(w), Parameter(w)
        lars = LARS([p], lr=0.1, momentum=0.5, weight_decay=0.3, scaled=scaled)
        sgd = SGD([q], lr=0.1, momentum=0.5)
        for g in gradients:
            p.grad, q.grad = g, g
            lars.step()
            sgd.step()
        assert np.allclose(p.data, q.data, rtol=1e-12) is not has_ratio


def test_a_group_spares_its_own():
    p, q = Parameter([[3.0, 4.0]]), Parameter([[3.0, 4.0]])
    lars = LARS([{"params": p}, {"params": q, "scaled": "none"}], lr=0.1, trust_coefficient=0.1)
    p.grad, q.grad = [[1.0, 0.0]], [[1.0, 0.0]]
    lars.step()
    np.testing.assert_allclose([p.data, q.data], [[[2.95, 4.0]], [[2.9, 4.0]]])


def test_each_parameter_has_a_ratio_of_its_own():
    p, q = Parameter([[3.0, 4.0]]), Parameter([[30.0, 40.0]])
    lars = LARS([p, q], lr=1.0, trust_coefficient=0.1)
    p.grad, q.grad = [[1.0, 0.0]], [[1e-3, 0.0]]
    lars.step()
    np.testing.assert_allclose([p.data, q.data], [[[2.5, 4.0]], [[25.0, 40.0]]])


@pytest.mark.parametrize(("dtype", "size"), [(np.float16, 3e4), (np.float32, 1e30)])
def test_lengths_whose_square_is_too_large_a_number_are_lengths_like_others(dtype, size):
    step = moved([[size, size]], [[size, 0.0]], dtype, lr=1.0, trust_coefficient=0.1)
    np.testing.assert_allclose(step, [[-0.1 * 2**0.5 * size, 0.0]], rtol=1e-2)
