"""What is ASGD's own; what it shares with every optimizer is tested beside."""

import numpy as np

from optim_scratch import Parameter, descend, surfaces
from optim_scratch.optimizers import ASGD


def test_from_t0_on_the_average_is_the_mean_of_the_points(rng):
    p = Parameter(np.zeros(3))
    asgd = ASGD([p], lr=0.1, t0=5)
    points = []
    for t in range(20):
        p.grad = rng.normal(size=3)
        asgd.step()
        points.append(p.data.copy())
        if t <= 6:
            assert np.array_equal(asgd.point(p), p.data)
    # μ is 1 up to step 7, and ½, ⅓, … from step 8 on: the mean of the points of step 7 and later
    np.testing.assert_allclose(asgd.point(p), np.mean(points[6:], axis=0), rtol=1e-12)


def test_the_rate_falls_as_a_power_of_the_step_before():
    p = Parameter([0.0])
    asgd = ASGD([p], lr=0.5, lambd=0.2, alpha=2.0)
    for t in range(1, 5):
        p.grad = np.zeros(1)
        asgd.step()
        np.testing.assert_allclose(asgd.state[p]["eta"], 0.5 / (1 + 0.2 * 0.5 * t) ** 2)


def test_descend_records_the_average():
    noisy = surfaces.noisy(surfaces.ravine(5), 1.0)
    path = descend(noisy, ASGD, 400, lr=0.05, lambd=0.0, t0=100)
    assert path.losses[-1] < 0.5 * np.median(path.losses[80:100])


def test_before_averaging_begins_the_average_is_the_point_even_of_a_run_that_diverged():
    p = Parameter([1.0])
    asgd = ASGD([p], lr=1.0)
    for gradient in (-np.inf, 1.0):
        p.grad = np.array([gradient])
        asgd.step()
    assert asgd.point(p) == p.data == np.inf


def test_decay_is_a_share_that_goes_by_the_rate():
    p = Parameter([2.0])
    asgd = ASGD([p], lr=0.5, lambd=0.2, alpha=1.0)
    for _ in range(2):
        p.grad = np.zeros(1)
        asgd.step()
    # η is 0.5 in the first step, 0.5 / 1.1 in the second
    np.testing.assert_allclose(p.data, 2.0 * (1 - 0.2 * 0.5) * (1 - 0.2 * 0.5 / 1.1), rtol=1e-14)
