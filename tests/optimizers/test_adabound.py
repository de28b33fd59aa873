"""What is AdaBound's own; what it shares with every optimizer is tested beside."""

import numpy as np
import pytest

from optim_scratch import Parameter
from optim_scratch.optimizers import AdaBound, Adam
from optim_scratch.optimizers.adabound import bounds
from optim_scratch.schedulers import StepLR


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
