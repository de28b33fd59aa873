"""What is Yogi's, AdaBelief's and Adan's own; what they share is tested beside."""

import numpy as np
import pytest
import pytorch_optimizer
import torch

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


@pytest.mark.usefixtures("float64")
def test_without_a_gradient_yogi_stays_and_the_reference_does_not():
    q = torch.nn.Parameter(torch.zeros(1))
    q.grad = torch.zeros(1)
    pytorch_optimizer.Yogi([q], lr=1.0).step()
    assert q.item() == pytest.approx(-0.000276, rel=1e-2)
    assert (path(Yogi, [[0.0]], lr=1.0)[0] == 0).all()


def test_yogis_eps_stands_beside_the_root_after_the_bias_is_corrected():
    points, _ = path(Yogi, [[0.5]], lr=1.0, eps=0.5, initial_accumulator=0.0)
    np.testing.assert_allclose(points[1], [-0.5], rtol=1e-14)  # m̂ = g, √v̂ = g
    hyper = {"betas": (0.0, 0.75), "eps": 0.0, "initial_accumulator": 0.75}
    points, _ = path(Yogi, [[1.0]], lr=1.0, **hyper)
    np.testing.assert_allclose(points[1], [-0.5], rtol=1e-14)  # v̂ = (0.75 + 0.25) / 0.25


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


def test_adabeliefs_first_step_is_the_rate_over_beta1_whatever_the_gradient():
    """m = (1 − β₁) g, so that g deviates from it by β₁ g."""
    points, _ = path(AdaBelief, [[1e-3, -7.0, 1e8]], lr=0.1, betas=(0.8, 0.99), eps=0.0)
    np.testing.assert_allclose(points[1], [-0.125, 0.125, -0.125], rtol=1e-14)


def test_adabeliefs_eps_stands_beside_the_root_too():
    """Without momentum nothing deviates: s = ε (1, 3/2, 7/4), over (1/2, 3/4, 7/8) 2 ε."""
    points, _ = path(AdaBelief, [[1.0]] * 3, lr=1.0, betas=(0.0, 0.5), eps=0.25)
    np.testing.assert_allclose(np.diff(points[:, 0]), -1 / (np.sqrt(0.5) + 0.25), rtol=1e-13)


def test_of_gradients_that_scatter_about_0_adabelief_thinks_as_adam():
    gradients = np.random.default_rng(0).choice([-2.0, 2.0], (300, 1))
    adabelief, adam = (np.diff(path(kind, gradients)[0], axis=0) for kind in (AdaBelief, Adam))
    assert 0.9 < np.mean(adabelief[100:] / adam[100:]) < 1.2


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


def test_without_a_memory_of_changes_adan_is_adam():
    """β₂ = 0: the change enters neither the step nor the square."""
    adan, _ = path(Adan, GRADIENTS, lr=0.1, betas=(0.9, 0.0, 0.99))
    adam, _ = path(Adam, GRADIENTS, lr=0.1, betas=(0.9, 0.99))
    np.testing.assert_allclose(adan, adam, rtol=1e-12)


def test_under_a_gradient_that_falls_adan_turns_one_step_before_adam():
    """The mean of the gradients lags by β₁ / (1 − β₁) = 9 steps; the change makes up for β₂."""
    falling = np.linspace(1.0, -1.0, 60)[:, None]
    adan, _ = path(Adan, falling, lr=0.1, betas=(0.9, 0.9, 0.99))
    adam, _ = path(Adam, falling, lr=0.1, betas=(0.9, 0.99))
    assert adan[:, 0].argmin() == adam[:, 0].argmin() - 1


def test_an_adan_that_restarts_forgets_all_but_the_point():
    p, q = Parameter(np.ones(5)), Parameter(np.ones(5))
    adan = Adan([p], lr=0.1)
    for g in GRADIENTS[:20]:
        p.grad = g
        adan.step()
    adan.state.clear()
    q.data[...] = p.data
    fresh = Adan([q], lr=0.1)
    for g in GRADIENTS[20:]:
        p.grad = q.grad = g
        adan.step()
        fresh.step()
    assert np.array_equal(p.data, q.data)


@pytest.mark.usefixtures("float64")
def test_uphill_adans_first_change_is_0_and_the_references_twice_the_gradient():
    q = torch.nn.Parameter(torch.zeros(1))
    q.grad = torch.ones(1)
    theirs = pytorch_optimizer.Adan([q], maximize=True)
    theirs.step()
    assert theirs.state[q]["exp_avg_diff"].item() == pytest.approx(-2 * 0.08)
    assert path(Adan, [[1.0]], maximize=True)[1]["exp_avg_diff"] == 0


def test_decay():
    for kind in (Yogi, AdaBelief):
        points, _ = path(kind, [[0.0]] * 3, start=2.0, lr=0.1, weight_decay=0.5, eps=1e-8)
        np.testing.assert_allclose(points[:, 0], 2 * 0.95 ** np.arange(4), rtol=1e-12)
        still, _ = path(kind, GRADIENTS, start=2.0, lr=0.0, weight_decay=0.5)
        assert (still == 2).all(), "at rate 0 decay does nothing"
    points, _ = path(Adan, [[0.0]] * 3, start=2.0, lr=0.1, weight_decay=0.5)
    np.testing.assert_allclose(points[:, 0], 2 / 1.05 ** np.arange(4), rtol=1e-12)
    assert (path(Adan, GRADIENTS, start=2.0, lr=0.0, weight_decay=0.5)[0] == 2).all()
