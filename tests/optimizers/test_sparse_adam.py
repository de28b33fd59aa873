"""What is SparseAdam's own; row-sparse gradients in general are tested in test_row_sparse.py."""

import numpy as np
import pytest

from optim_scratch import Parameter, RowSparse
from optim_scratch.optimizers import Adam, SparseAdam


def path(gradients, kind=SparseAdam, **hyper):
    p = Parameter(np.zeros(gradients[0].shape))
    optimizer, points = kind([p], **hyper), []
    for g in gradients:
        p.grad = g
        optimizer.step()
        points.append(p.data.copy())
    return np.array(points), optimizer.state[p]


def row(r, value, shape=(3, 2)):
    return RowSparse([r], np.full((1, *shape[1:]), float(value)), shape)


def test_with_all_rows_given_it_is_adam_but_for_the_place_of_eps():
    gradients = np.random.default_rng(0).normal(size=(30, 4, 2))
    rows = [RowSparse(np.arange(4), g, g.shape) for g in gradients]
    ours, _ = path(rows, lr=0.1, eps=0.0)
    adam, _ = path(gradients, Adam, lr=0.1, eps=0.0)
    np.testing.assert_allclose(ours, adam, rtol=1e-12)
    # 0.1 on a root that is still √(1 − β₂) |g|, and not |g|
    first = path([row(0, 1.0, (1,))], lr=1.0, eps=0.1)[0].item()
    assert first == pytest.approx(-(0.001**0.5) / (0.001**0.5 + 0.1), rel=1e-12)
    adams = path([np.ones(1)], Adam, lr=1.0, eps=0.1)[0].item()
    assert adams == pytest.approx(-1 / 1.1, rel=1e-12)


def test_rows_without_a_gradient_and_their_means_stand_still():
    points, state = path([row(0, 1.0), row(1, 1.0), row(1, 1.0)], lr=0.1)
    assert (points[:, 0] == points[0, 0]).all()
    assert (points[0, 0] != 0).all()
    np.testing.assert_allclose(state["exp_avg"][0], 0.1, rtol=1e-12)
    np.testing.assert_allclose(state["exp_avg_sq"][0], 0.001, rtol=1e-12)
    assert state["step"] == 3


def test_adam_with_the_dense_gradient_moves_them_on():
    gradients = [row(0, 1.0), row(1, 1.0), row(1, 1.0)]
    points, state = path([g.dense() for g in gradients], Adam, lr=0.1)
    assert (points[2, 0] < points[1, 0]).all()
    assert (points[1, 0] < points[0, 0]).all()
    np.testing.assert_allclose(state["exp_avg"][0], 0.1 * 0.9**2, rtol=1e-12)


def test_a_row_that_is_new_late_takes_a_long_first_step():
    gradients = [row(0, 1.0)] * 5000 + [row(1, -7.0)]
    points, _ = path(gradients, lr=0.01)
    first, late = np.abs(points[0, 0, 0]), points[-1, 1, 0]
    assert first == pytest.approx(0.01, rel=1e-6)
    assert late == pytest.approx(0.01 * 0.1 / 0.001**0.5, rel=0.01)


def test_a_row_that_is_there_twice_is_one_gradient():
    twice = RowSparse([1, 1], np.array([[1.0, 0.0], [2.0, 4.0]]), (3, 2))
    assert np.array_equal(path([twice] * 3)[0], path([twice.coalesced()] * 3)[0])


def test_a_row_of_zeros_that_is_given_is_moved_by_what_it_remembers():
    points, _ = path([row(0, 1.0), row(0, 0.0)], lr=0.1)
    assert (points[1, 0] < points[0, 0]).all()


def test_steps_are_counted_without_rows_too():
    none = RowSparse([], np.zeros((0, 2)), (3, 2))
    points, state = path([row(0, 1.0), none], lr=0.1)
    assert np.array_equal(points[0], points[1])
    assert state["step"] == 2


def test_refuses_the_whole_gradient():
    p, q = Parameter(np.zeros((3, 2))), Parameter(np.zeros((3, 2)))
    sparse_adam = SparseAdam([p, q])
    p.grad, q.grad = row(0, 1.0), np.ones((3, 2))
    with pytest.raises(TypeError, match="SparseAdam takes row-sparse gradients alone: take Adam"):
        sparse_adam.step()
    assert not p.data.any()
