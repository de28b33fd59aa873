"""What the chapter on momentum's conventions claims."""

import numpy as np
import pytest

from optim_scratch import Parameter, surfaces
from optim_scratch.optimizers import SGD

CONSTANT, DROPPED = np.full(60, 0.02), np.repeat([0.02, 0.002], 30)


def torchs(rates, gradient, start, **hyper) -> np.ndarray:
    """Return the points of the package's SGD, whose form is torch's, at given rates."""
    w, points = Parameter(start), []
    sgd = SGD([w], lr=0.1, momentum=0.9, **hyper)
    for eta in rates:
        sgd.param_groups[0]["lr"] = eta
        w.grad = gradient(w.data)
        sgd.step()
        points.append(w.data.copy())
    return np.array(points)


def inside(rates, gradient, start, mu=0.9, correct=False) -> np.ndarray:
    """Return the points of the form with the rate inside, with or without momentum correction."""
    theta, v, before, points = np.array(start, dtype=float), 0.0, rates[0], []
    for eta in rates:
        v = (eta / before if correct else 1) * mu * v - eta * gradient(theta)
        theta, before = theta + v, eta
        points.append(theta)
    return np.array(points)


def same(a, b) -> bool:
    return np.allclose(a, b, rtol=0, atol=1e-12)


ravine = surfaces.ravine(20)


@pytest.mark.parametrize(("rates", "equal"), [(CONSTANT, True), (DROPPED, False)])
def test_inside_and_outside_part_when_the_rate_changes(rates, equal) -> None:
    ours = torchs(rates, ravine.gradient, ravine.start)
    assert same(ours, inside(rates, ravine.gradient, ravine.start)) == equal
    assert same(ours, inside(rates, ravine.gradient, ravine.start, correct=True))


def test_a_drop_of_the_rate_acts_at_once() -> None:
    places = torchs([0.1, 0.1, 0.1, 0.01], lambda theta: np.ones(1), [0.0])[:, 0]
    np.testing.assert_allclose(-np.diff([0, *places]), [0.1, 0.19, 0.271, 0.03439])


@pytest.mark.parametrize("mu", [0.5, 0.9, 0.99])
def test_the_lag_and_the_coasting(mu) -> None:
    ramp = np.arange(1.0, 4001)
    made = -np.diff(inside(ramp, lambda theta: np.ones(1), [0.0], mu)[:, 0], prepend=0)
    assert ramp[-1] - made[-1] * (1 - mu) == pytest.approx(mu / (1 - mu))
    drop = np.repeat([0.1, 0.01], 4000)
    made = -np.diff(inside(drop, lambda theta: np.ones(1), [0.0], mu)[:, 0], prepend=0)
    extra = np.sum(made[4000:] - 0.01 / (1 - mu))
    assert extra == pytest.approx(mu / (1 - mu) * 0.09 / (1 - mu))


def test_an_average_is_a_sum_at_a_smaller_rate_and_dampening_is_not(rng) -> None:
    grads = rng.standard_normal((50, 3))
    m, theta, points = np.zeros(3), np.zeros(3), []
    for g in grads:
        m = 0.9 * m + 0.1 * g
        theta = theta - 0.5 * m
        points.append(theta)

    def walk(rate, **hyper):
        row = iter(grads)
        return torchs([rate] * 50, lambda theta: next(row), np.zeros(3), **hyper)

    assert same(walk(0.05), points)
    assert not same(walk(0.5, dampening=0.9), points)


@pytest.mark.parametrize(("dampening", "first"), [(0.0, 1.0), (0.9, 10.0)])
def test_with_dampening_the_first_gradient_counts_ten_times(dampening, first) -> None:
    reach = []
    for when in (0, 1):
        kicks = iter(np.arange(500) == when)
        gradient = lambda theta, kicks=kicks: np.array([float(next(kicks))])  # noqa: E731
        reach.append(torchs([0.1] * 500, gradient, [0.0], dampening=dampening)[-1, 0])
    assert reach[0] / reach[1] == pytest.approx(first)


def test_decay_through_the_buffer_is_as_strong_as_ten_times_the_decay_past_it() -> None:
    path = torchs([0.1] * 300, np.zeros_like, [1.0], weight_decay=0.001)[:, 0]
    assert 1 - path[-1] / path[-2] == pytest.approx(0.1 * 0.01, rel=0.02)


@pytest.mark.parametrize(("rates", "equal"), [(CONSTANT, True), (DROPPED, False)])
def test_keras_flag_keeps_to_the_papers_path_and_torchs_leaves_it(rates, equal) -> None:
    """The paper's: the gradient is taken at θ + μ v. Both store that place."""
    theta, v, looks = np.array(ravine.start), 0.0, []
    for eta in rates:
        v = 0.9 * v - eta * ravine.gradient(theta + 0.9 * v)
        theta = theta + v
        looks.append(theta + 0.9 * v)
    phi, v, keras = np.array(ravine.start), 0.0, []
    for eta in rates:
        g = ravine.gradient(phi)
        v = 0.9 * v - eta * g
        phi = phi + 0.9 * v - eta * g
        keras.append(phi)
    assert same(keras, looks)
    assert same(torchs(rates, ravine.gradient, ravine.start, nesterov=True), looks) == equal
