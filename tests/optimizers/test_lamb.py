"""What is LAMB's own; what it shares with every optimizer is tested beside."""

from itertools import pairwise

import numpy as np
import pytest

from optim_scratch import Parameter
from optim_scratch.optimizers import LAMB, Adam, AdamW

norm = np.linalg.norm


def path(start, gradients, dtype=np.float64, kind=LAMB, **options):
    """The points after each step."""
    p = Parameter(np.array(start, dtype))
    optimizer, points = kind([p], **options), []
    for g in gradients:
        p.grad = np.array(g, dtype)
        optimizer.step()
        points.append(p.data.astype(float))
    return points


def moved(start, gradient, dtype=np.float64, **options):
    """How far one step goes, and where."""
    return path(start, [gradient], dtype, **options)[0] - np.array(start, dtype).astype(float)


@pytest.mark.parametrize("decay", [0.0, 0.3])
@pytest.mark.parametrize("correct", [True, False])
@pytest.mark.parametrize("shape", [(), (5,), (4, 3), (2, 3, 2, 2), (400, 300)])
def test_every_step_is_a_share_of_the_weights_decay_included(shape, correct, decay, rng):
    points = [rng.normal(size=shape)]
    gradients = rng.normal(size=(10, *shape))
    points += path(points[0], gradients, lr=0.02, weight_decay=decay, bias_correction=correct)
    for before, after in pairwise(points):
        assert norm(after - before) == pytest.approx(0.02 * norm(before), rel=1e-9)


@pytest.mark.parametrize("decay", [0.0, 0.3])
def test_the_ratio_is_that_of_the_paper(decay, rng):
    """The direction is AdamW's: Adam's step with the decay beside it."""
    w, gradients = rng.normal(size=(4, 3)), rng.normal(size=(10, 4, 3))
    p, lengths = Parameter(w), []
    lamb = LAMB([p], lr=0.02, weight_decay=decay)
    for t in range(1, 11):
        before = p.data.copy()
        p.grad = gradients[t - 1]
        lamb.step()
        # a twin of Adam, which has seen the same gradients, from where LAMB was
        q = Parameter(before)
        twin = AdamW([q], lr=1.0, eps=1e-6, weight_decay=decay)
        for g in gradients[:t]:
            q.data[...] = before
            q.grad = g
            twin.step()
        u = before - q.data
        lengths.append(norm(before) / norm(u))
        np.testing.assert_allclose(p.data, before - 0.02 * lengths[-1] * u, rtol=1e-12)
    assert np.ptp(lengths) > 0.1


def test_the_loss_in_other_units_is_the_same_path(rng):
    w, gradients = rng.normal(size=(4, 3)), rng.normal(size=(20, 4, 3))
    once = path(w, gradients, lr=0.02, eps=0.0)
    again = path(w, 1e5 * gradients, lr=0.02, eps=0.0)
    np.testing.assert_allclose(once, again, rtol=1e-9)


@pytest.mark.parametrize("c", [1e-3, 1e3])
def test_weights_c_times_as_long_take_steps_c_times_as_long(c, rng):
    """As weights before a normalisation do, whose gradient is 1 / c of what it was."""
    w, gradients = rng.normal(size=(4, 3)), rng.normal(size=(20, 4, 3))
    once = path(w, gradients, lr=0.02, eps=0.0, weight_decay=0.0)
    again = path(c * w, gradients / c, lr=0.02, eps=0.0, weight_decay=0.0)
    np.testing.assert_allclose(np.array(again), c * np.array(once), rtol=1e-9)


@pytest.mark.parametrize(("size", "taken"), [(0.1, 2.0), (2.5, 2.5), (100.0, 3.0), (0.0, 2.0)])
def test_lengths_out_of_bounds_are_taken_for_the_bounds(size, taken):
    step = moved([[size]], [[7.0]], lr=0.1, clamp=(2.0, 3.0), weight_decay=0.0)
    np.testing.assert_allclose(step, [[-0.1 * taken]], rtol=1e-6)


def test_bias_correction_is_undone_by_the_ratio_but_for_decay(rng):
    w, gradients = rng.normal(size=(4, 3)), rng.normal(size=(10, 4, 3))
    for decay, same in ((0.0, True), (0.3, False)):
        with_it, without = (
            path(w, gradients, lr=0.02, eps=0.0, weight_decay=decay, bias_correction=correct)
            for correct in (True, False)
        )
        assert np.allclose(with_it, without, rtol=1e-9) is same


def test_zero_weights_take_adams_step():
    g = np.array([[1.0, -2.0], [0.0, 3.0]])
    np.testing.assert_allclose(moved(0 * g, g, lr=0.1), -0.1 * np.sign(g), rtol=1e-5)


def test_a_gradient_of_0_is_no_step_and_beside_decay_a_share():
    w, g = np.array([[3.0, 4.0]]), np.zeros((1, 2))
    assert np.array_equal(moved(w, g, weight_decay=0.0), g)
    assert np.array_equal(moved(g, g), g)
    np.testing.assert_allclose(moved(w, g, lr=0.1, weight_decay=0.3), -0.1 * w, rtol=1e-12)


@pytest.mark.parametrize(
    ("scaled", "matrix", "vector"),
    [("all", True, True), ("matrices", True, False), ("none", False, False)],
)
def test_those_that_are_spared_take_adams_steps_without_decay(scaled, matrix, vector, rng):
    for shape, has_ratio in (((3, 2), matrix), ((3,), vector), ((), vector)):
        w, gradients = 3 * rng.normal(size=shape), rng.normal(size=(5, *shape))
        ours = path(w, gradients, lr=0.1, eps=1e-8, weight_decay=0.3, scaled=scaled)
        adams = path(w, gradients, kind=Adam, lr=0.1)
        assert np.allclose(ours, adams, rtol=1e-12) is not has_ratio


@pytest.mark.parametrize(("dtype", "size"), [(np.float16, 3e4), (np.float32, 1e30)])
def test_lengths_whose_square_is_too_large_a_number_are_lengths_like_others(dtype, size):
    step = moved([[size, size]], [[1.0, 0.0]], dtype, lr=0.1, weight_decay=0.0)
    np.testing.assert_allclose(step, [[-0.1 * 2**0.5 * size, 0.0]], rtol=1e-2)


def test_refuses_bounds_the_wrong_way_round():
    with pytest.raises(ValueError, match=r"clamp must be a lower and an upper bound, got \(3.0, 1"):
        LAMB([Parameter([1.0])], clamp=(3.0, 1.0))
    lamb = LAMB([Parameter([1.0])])
    with pytest.raises(ValueError, match="clamp must be a lower and an upper bound"):
        lamb.add_param_group({"params": Parameter([1.0]), "clamp": (2.0, 1.0)})
    assert len(lamb.param_groups) == 1
