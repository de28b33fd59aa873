"""What is AdaBound's own; what it shares with every optimizer is tested beside."""

import numpy as np
import pytest
from methods import Ours, Theirs, assert_equal_paths, record

from optim_scratch import Parameter, registry
from optim_scratch.optimizers import AdaBound, Adam
from optim_scratch.optimizers.adabound import bounds
from optim_scratch.schedulers import OneCycleLR, StepLR


def steps(kind, gradients, **hyper):
    p = Parameter(np.zeros(np.shape(gradients[0])))
    optimizer, points = kind([p], **hyper), [p.data.copy()]
    for g in gradients:
        p.grad = np.asarray(g, dtype=float)
        optimizer.step()
        points.append(p.data.copy())
    return np.diff(points, axis=0)


def test_the_band_closes_on_the_final_rate():
    h = {"final_lr": 0.1, "gamma": 1e-3}
    for t, width in ((1, 1000), (1000, 1.5), (1_000_000, 2e-3)):
        low, high = bounds(t, h)
        assert low < 0.1 < high
        assert (high - low) / 0.1 == pytest.approx(width, rel=0.01)
    low, high = bounds(1000, h)
    assert (low, high) == pytest.approx((0.05, 0.2))


def test_while_the_band_is_wide_it_is_adam():
    gradients = np.random.default_rng(0).standard_normal((30, 4))
    ours = steps(AdaBound, gradients, lr=0.01, gamma=1e-9, eps=1e-12)
    adams = steps(Adam, gradients, lr=0.01, eps=1e-12)
    np.testing.assert_allclose(ours, adams, rtol=1e-6)


def test_in_the_end_it_is_sgd_with_a_mean_gradient():
    gradients = np.random.default_rng(0).standard_normal((30, 4))
    m, found = 0.0, steps(AdaBound, gradients, final_lr=0.5, gamma=1e9)
    for g, step in zip(gradients, found, strict=True):
        m = 0.9 * m + 0.1 * g
        np.testing.assert_allclose(step, -0.5 * m, rtol=1e-6)


def test_rates_are_held_in_the_band():
    # gradients of 1e-6 ask Adam for a rate of 1e4, those of 1e6 for one of 1e-8
    found = steps(AdaBound, [[1e-6, 1e6]], lr=0.01, final_lr=0.1, gamma=1.0)
    np.testing.assert_allclose(found, [[-0.2 * 1e-7, -0.05 * 1e5]], rtol=1e-12)


def test_amsbound_does_not_forget_a_large_gradient():
    gradients = [[10.0]] + [[0.1]] * 50
    hyper = {"lr": 0.01, "betas": (0.0, 0.5), "gamma": 1e-9}
    free, bound = (steps(AdaBound, gradients, amsbound=ams, **hyper)[-1] for ams in (False, True))
    assert abs(bound) < abs(free) / 20


def test_a_schedule_scales_the_final_rate_too():
    p = Parameter([0.0])
    adabound = AdaBound([p], lr=0.01, final_lr=0.5, gamma=1e9, betas=(0.0, 0.9))
    schedule = StepLR(adabound, step_size=1, gamma=0.1)
    found = []
    for _ in range(3):
        before = p.data.copy()
        p.grad = [1.0]
        adabound.step()
        schedule.step()
        found.append((before - p.data).item())
    np.testing.assert_allclose(found, [0.5, 0.05, 0.005], rtol=1e-6)


def test_at_rate_zero_nothing_moves():
    assert (steps(AdaBound, [[1.0]], lr=0.0) == 0).all()


def test_eps_is_added_before_the_bias_is_corrected():
    hyper = {"lr": 1.0, "betas": (0.0, 0.75), "eps": 0.5, "gamma": 1e-9}
    (step,) = steps(AdaBound, [[1.0]], **hyper)
    assert step == pytest.approx(-np.sqrt(0.25) / (np.sqrt(0.25) + 0.5))


def test_among_many_runs_that_at_rate_zero_stays():
    p = Parameter(np.zeros((2, 1)))
    adabound = AdaBound([p], lr=np.array([[0.0], [0.1]]), gamma=1e9)
    for _ in range(2):
        p.grad = np.ones((2, 1))
        adabound.step()
    np.testing.assert_allclose(p.data, [[0.0], [-0.1 * (0.1 + 0.19)]], rtol=1e-8)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("first", [0.01, 0.0])
def test_equals_the_reference_under_rates_that_are_set_by_hand(first):
    """A group that began with rate 0 begins with its first other one, there and here."""
    method, (starts, *rows) = registry.find("AdaBound"), record(60)
    ours, theirs = (
        kind(method, starts, [{}], {"lr": first, "gamma": 0.1}) for kind in (Ours, Theirs)
    )
    for t, row in enumerate(rows):
        for side in (ours, theirs):
            side.optimizer.param_groups[0]["lr"] = first if t < 3 else 0.02 * 0.9**t
        assert_equal_paths(ours, theirs, [row], 1e-12)


def test_the_beginning_is_the_optimizers_and_not_the_schedules():
    """One cycle notes its own first rate, a 25th of the largest."""
    p = Parameter([0.0])
    adabound = AdaBound([p], lr=0.1, final_lr=0.5, gamma=1e9, betas=(0.0, 0.9))
    schedule, found = OneCycleLR(adabound, max_lr=0.1, total_steps=10, cycle_momentum=False), []
    for _ in range(9):
        before = p.data.copy()
        p.grad = [1.0]
        adabound.step()
        schedule.step()
        found.append((before - p.data).item())
    assert found[0] == pytest.approx(0.5 / 25, rel=1e-6)
    assert max(found) == pytest.approx(0.5, rel=1e-6)


def test_the_rate_of_the_beginning_is_saved():
    p, q = Parameter([0.0]), Parameter([0.0])
    first, resumed = AdaBound([p], lr=0.001, gamma=1e9), AdaBound([q], lr=0.5)
    first.param_groups[0]["lr"] = 0.0001
    resumed.load_state_dict(first.state_dict())
    for each, optimizer in ((p, first), (q, resumed)):
        each.grad = np.ones(1)
        optimizer.step()
    assert p.data == q.data == pytest.approx(-0.1 * 0.1 * 0.1, rel=1e-8)


def test_a_group_that_joins_later_has_a_beginning_of_its_own():
    p, q = Parameter([0.0]), Parameter([0.0])
    adabound = AdaBound([p], lr=0.001, gamma=1e9, betas=(0.0, 0.9))
    adabound.param_groups[0]["lr"] = 0.0001
    adabound.add_param_group({"params": q, "lr": 0.01})
    p.grad = q.grad = np.ones(1)
    adabound.step()
    assert (p.data, q.data) == (pytest.approx(-0.01), pytest.approx(-0.1))
