"""What is Yogi's, AdaBelief's and Adan's own; what they share is tested beside."""

import numpy as np
import pytest

from optim_scratch import Parameter
from optim_scratch.optimizers import AdaBelief, Adam, Adan, Yogi


def path(kind, gradients, start=0.0, **hyper):
    p = Parameter(np.full(np.shape(gradients[0]), start))
    optimizer, points = kind([p], **hyper), [p.data.copy()]
    for g in gradients:
        p.grad = np.asarray(g, dtype=float)
        optimizer.step()
        points.append(p.data.copy())
    return np.array(points), optimizer.state[p]


GRADIENTS = np.random.default_rng(0).standard_normal((40, 5))


@pytest.mark.parametrize("kind", [Yogi, AdaBelief, Adan])
def test_up_the_gradient_is_down_the_other_way(kind):
    up, down = path(kind, GRADIENTS, lr=0.1, maximize=True)[0], path(kind, -GRADIENTS, lr=0.1)[0]
    assert np.array_equal(up, down)


def test_yogis_square_rises_and_falls_by_no_more_than_the_new_one():
    hyper = {"betas": (0.0, 0.9), "initial_accumulator": 4.0}
    assert path(Yogi, [[1.0]], **hyper)[1]["exp_avg_sq"] == pytest.approx(4 - 0.1)
    assert path(Yogi, [[3.0]], **hyper)[1]["exp_avg_sq"] == pytest.approx(4 + 0.9)
    assert path(Yogi, [[2.0]], **hyper)[1]["exp_avg_sq"] == 4, "a square of v changes nothing"


def test_after_large_gradients_yogis_rate_rises_slower_than_adams():
    gradients = [[10.0]] * 20 + [[0.1]] * 300
    betas = {"betas": (0.0, 0.99)}
    yogi = path(Yogi, gradients, **betas)[1]["exp_avg_sq"].item()
    adam = path(Adam, gradients, **betas)[1]["exp_avg_sq"].item()
    assert yogi > 15
    assert adam < 1


def test_yogis_mean_gradient_begins_at_zero_and_its_square_where_told():
    _, state = path(Yogi, [[0.0]], betas=(0.5, 0.9), initial_accumulator=0.25)
    assert (state["exp_avg"], state["exp_avg_sq"]) == (0, 0.25)


def test_adabelief_divides_by_the_deviation():
    hyper = {"betas": (0.5, 0.5), "eps": 0.0}
    _, state = path(AdaBelief, [[4.0]], **hyper)
    assert (state["exp_avg"], state["exp_avg_var"]) == (2.0, 0.5 * 4.0)


def test_where_gradients_agree_adabelief_runs_and_adam_walks():
    gradients = np.ones((50, 1))
    adabelief = -np.diff(path(AdaBelief, gradients, lr=0.1)[0], axis=0)[-1]
    adam = -np.diff(path(Adam, gradients, lr=0.1)[0], axis=0)[-1]
    assert adam == pytest.approx(0.1, rel=1e-6)
    assert adabelief > 0.3


def test_adabeliefs_eps_gathers():
    _, state = path(AdaBelief, [[0.0]] * 300, betas=(0.0, 0.9), eps=1e-3)
    assert state["exp_avg_var"] == pytest.approx(1e-2)


def test_adans_first_step_has_one_length_for_gradients_of_any_size():
    points, _ = path(Adan, [[1e-3, -7.0, 1e8]], lr=0.1, eps=0.0)
    np.testing.assert_allclose(points[1], [-0.1, 0.1, -0.1], rtol=1e-12)


def test_adan_looks_ahead_along_the_change_of_the_gradient():
    betas = {"betas": (0.0, 0.5, 0.0), "eps": 0.0, "lr": 1.0}
    points, state = path(Adan, [[4.0], [2.0]], **betas)
    # c = −2, d = −1, d̂ = −1 / 0.75; divided by |2 − 1|
    assert points[2] - points[1] == pytest.approx(-(2 + 0.5 * (-1 / 0.75)) / 1)
    assert state["previous_grad"] == 2
    assert state["exp_avg_diff"] == -1


def test_decay():
    for kind in (Yogi, AdaBelief):
        points, _ = path(kind, [[0.0]] * 3, start=2.0, lr=0.1, weight_decay=0.5, eps=1e-8)
        np.testing.assert_allclose(points[:, 0], 2 * 0.95 ** np.arange(4), rtol=1e-12)
        still, _ = path(kind, GRADIENTS, start=2.0, lr=0.0, weight_decay=0.5)
        assert (still == 2).all(), "at rate 0 decay does nothing"
    points, _ = path(Adan, [[0.0]] * 3, start=2.0, lr=0.1, weight_decay=0.5)
    np.testing.assert_allclose(points[:, 0], 2 / 1.05 ** np.arange(4), rtol=1e-12)
    assert (path(Adan, GRADIENTS, start=2.0, lr=0.0, weight_decay=0.5)[0] == 2).all()
