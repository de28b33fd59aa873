"""What is the schedule-free methods' own; what they share with all is tested beside."""

import numpy as np
import pytest

from optim_scratch import Parameter, descend, surfaces
from optim_scratch.optimizers import AdamWScheduleFree, SGDScheduleFree

both = pytest.mark.parametrize("kind", [SGDScheduleFree, AdamWScheduleFree])


def test_with_gradients_that_do_not_depend_on_the_point_x_is_the_mean_of_sgds_points(rng):
    p = Parameter(np.zeros(3))
    free = SGDScheduleFree([p], lr=0.1, momentum=0.7)
    gradients = rng.normal(size=(20, 3))
    for gradient in gradients:
        p.grad = gradient
        free.step()
    z = -0.1 * np.cumsum(gradients, axis=0)
    np.testing.assert_allclose(free.state[p]["z"], z[-1], rtol=1e-12)
    np.testing.assert_allclose(free.point(p), z.mean(axis=0), rtol=1e-10)
    np.testing.assert_allclose(p.data, 0.3 * z[-1] + 0.7 * z.mean(axis=0), rtol=1e-10)


@both
def test_points_of_a_warmup_weigh_as_the_square_of_their_rates(kind):
    p = Parameter(np.zeros(1))
    free = kind([p], lr=1.0, warmup_steps=4)
    zs = []
    for _ in range(6):
        p.grad = np.ones(1)
        free.step()
        zs.append(free.state[p]["z"][0])
    rates = np.array([0.25, 0.5, 0.75, 1.0, 1.0, 1.0])
    np.testing.assert_allclose(zs, -np.cumsum(rates), rtol=1e-7)
    np.testing.assert_allclose(free.point(p), np.average(zs, weights=rates**2), rtol=1e-7)


@both
def test_a_rate_that_falls_weighs_as_the_greatest_so_far(kind):
    p = Parameter(np.zeros(1))
    free = kind([p], lr=1.0)
    zs = []
    for rate in (0.5, 1.0, 0.25, 0.0):
        free.param_groups[0]["lr"] = rate
        p.grad = np.ones(1)
        free.step()
        zs.append(free.state[p]["z"][0])
    np.testing.assert_allclose(zs, -np.cumsum([0.5, 1.0, 0.25, 0.0]), rtol=1e-7)
    np.testing.assert_allclose(free.point(p), np.average(zs, weights=[0.25, 1, 1, 1]), rtol=1e-7)


@both
def test_decay_is_taken_at_y_where_the_gradient_is(kind):
    p = Parameter(np.ones(1))
    free = kind([p], lr=0.1, weight_decay=0.5)
    for _ in range(3):
        y, z = p.data[0], free.state[p]["z"][0] if p in free.state else 1.0
        p.grad = np.zeros(1)
        free.step()
        np.testing.assert_allclose(free.state[p]["z"], z - 0.1 * 0.5 * y, rtol=1e-12)


@both
def test_later_points_weigh_more_with_a_power_of_time(kind):
    p = Parameter(np.zeros(1))
    free = kind([p], lr=1.0, r=2.0)
    for _ in range(3):
        p.grad = np.ones(1)
        free.step()
    np.testing.assert_allclose(free.point(p), -(1 + 4 * 2 + 9 * 3) / 14, rtol=1e-7)


@both
def test_before_the_first_step_the_point_is_the_parameter(kind):
    p = Parameter([1.0, 2.0])
    assert np.array_equal(kind([p]).point(p), p.data)


@both
def test_a_rate_of_0_leaves_everything_where_it_is(kind):
    p = Parameter([1.0])
    free = kind([p], lr=0.0)
    for _ in range(3):
        p.grad = np.ones(1)
        free.step()
    np.testing.assert_allclose([p.data[0], free.point(p)[0]], 1.0, rtol=1e-14)


def test_descend_records_the_average():
    surface = surfaces.ravine(10)
    path = descend(surface, SGDScheduleFree, 300, lr=0.15)
    assert np.array_equal(path.losses, surface.value(path.points))
    assert path.final_loss < 1e-3 * path.losses[0]


@both
@pytest.mark.parametrize("beta", [0.0, 1.0])
def test_refuses_to_mix_nothing(kind, beta):
    options = {"betas": (beta, 0.9)} if kind is AdamWScheduleFree else {"momentum": beta}
    with pytest.raises(ValueError, match=r"must be finite and in \(0, 1\)"):
        kind([Parameter(0.0)], **options)
