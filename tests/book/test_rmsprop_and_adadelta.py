"""What the chapter on RMSprop and Adadelta claims."""

import numpy as np
import pytest

from optim_scratch import Parameter, descend, surfaces
from optim_scratch.optimizers import SGD, Adadelta, Adagrad, Adam, RMSprop
from optim_scratch.problems import Digits


@pytest.mark.parametrize("alpha", [0.9, 0.99])
def test_a_drop_by_a_hundred_is_forgotten_in_nine_memories(alpha) -> None:
    v, late = 1e4, 0
    while np.sqrt(v) >= 2:
        v, late = alpha * v + (1 - alpha), late + 1
    assert late * (1 - alpha) == pytest.approx(8, abs=1)


@pytest.mark.parametrize(("eta", "curvature"), [(0.01, 1.0), (0.003, 20.0), (0.1, 0.2)])
def test_rmsprop_ends_in_a_hop_of_its_rate(eta, curvature) -> None:
    p = Parameter([1.0])
    rmsprop, path = RMSprop([p], lr=eta), []
    for _ in range(6000):
        p.grad = curvature * p.data
        rmsprop.step()
        path.append(p.data[0])
    assert np.abs(path[-10:]) == pytest.approx(eta / 2, rel=1e-3)
    assert np.all(np.diff(np.sign(path[-10:])) != 0)


def test_both_are_thrown_out_of_the_minimum_adam_later() -> None:
    far = {}
    for method in (Adagrad, RMSprop, Adam):
        p, distances = Parameter([1.0]), []
        optimizer = method([p], lr=0.01)
        for _ in range(20_000):
            p.grad = p.data.copy()
            optimizer.step()
            distances.append(abs(p.data[0]))
        bounds = (300, 1000), (1000, 4000), (4000, 20_000)
        far[method] = [max(distances[first:last]) for first, last in bounds]
    assert far[RMSprop][0] < 1e-6
    assert far[RMSprop][1] > 0.01
    assert far[Adam][1] < 1e-6
    assert far[Adam][2] > 1e-3
    assert far[Adagrad][0] > far[Adagrad][1] > far[Adagrad][2] > 0.01


def path(make, unit, steps=400):
    p = Parameter([1.0 / unit])
    optimizer, points = make([p]), []
    for _ in range(steps):
        p.grad = p.data * unit**2
        optimizer.step()
        points.append(p.data[0] * unit)
    return np.array(points)


def test_adadelta_knows_units_by_its_eps_alone() -> None:
    metres = path(Adadelta, 1.0)
    kilometres = path(lambda p: Adadelta(p, eps=1e-6 / 1000.0**2), 1000.0)
    np.testing.assert_allclose(kilometres, metres, atol=1e-3)
    assert not np.allclose(path(Adadelta, 1000.0), metres, rtol=0.1)


def test_one_eps_cannot_have_both_units() -> None:
    """Where lengths are large numbers gradients are small, and ε swamps their squares."""
    metres = path(Adadelta, 1.0)
    millimetres = path(lambda p: Adadelta(p, eps=1e-6 / 0.001**2), 0.001)
    assert millimetres[-1] > 0.9 > metres[-1]
    theta, v, a, found = 1000.0, 0.0, 0.0, []
    for _ in range(400):
        g = theta * 1e-6
        v = 0.9 * v + 0.1 * g * g
        d = np.sqrt(a + 1.0) / np.sqrt(v + 1e-12) * g  # each ε in its own unit
        a = 0.9 * a + 0.1 * d * d
        theta -= d
        found.append(theta * 0.001)
    np.testing.assert_allclose(found, metres, rtol=1e-6)


def test_the_first_steps() -> None:
    for method, length in (
        (lambda p: RMSprop(p, lr=0.01), 0.1),
        (Adadelta, (1e-6 / 0.1) ** 0.5),
    ):
        p = Parameter([0.0])
        p.grad = [7.0]
        method([p]).step()
        assert -p.data[0] == pytest.approx(length, rel=1e-5)


def fewest(method, angle):
    rates = np.geomspace(1e-3, 1e3, 40)
    losses = descend(surfaces.ravine(20, angle), method, 600, lr=rates[:, None]).losses
    below = losses <= 0.01 * losses[0]
    return below.argmax(axis=0)[below.any(axis=0)].min()


def test_a_ravine_along_the_axes_flatters() -> None:
    assert fewest(RMSprop, 45) > 5 * fewest(RMSprop, 0)
    assert fewest(RMSprop, 45) == pytest.approx(fewest(SGD, 45), rel=0.2)
    assert fewest(Adagrad, 45) > 5 * fewest(Adagrad, 0)
    assert fewest(SGD, 45) == fewest(SGD, 0)


def test_on_the_digits_a_falling_rate_makes_every_seed_good() -> None:
    worst = {}
    for falls in (False, True):
        digits = Digits(seed=range(40, 60))
        w = Parameter(digits.start)
        rmsprop = RMSprop([w], lr=0.016)
        for t, batch in enumerate(digits.batches(20)):
            if falls:
                rmsprop.param_groups[0]["lr"] = 0.016 * (1 - t / 640)
            w.grad = digits.gradient(w.data, batch)
            rmsprop.step()
        worst[falls] = digits.accuracy(w.data, "test").min()
    assert worst[True] > 0.96
    assert worst[False] < worst[True] - 0.01


def test_a_burst() -> None:
    p = Parameter([0.0])
    rmsprop, steps = RMSprop([p], lr=0.01, alpha=0.99), []
    for t in range(1500):
        before = p.data[0]
        p.grad = [-1000.0 if t == 500 else -1.0]
        rmsprop.step()
        steps.append(p.data[0] - before)
    assert steps[499] == pytest.approx(0.01, rel=0.01)
    assert steps[500] == pytest.approx(0.1, rel=0.01)
    assert steps[501] < 2e-3 * steps[500]
