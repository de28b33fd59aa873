"""What the chapter on layers claims."""

import math
from functools import partial

import numpy as np
import pytest

from optim_scratch import Parameter
from optim_scratch.optimizers import LAMB, LARS, SGD, Adam
from optim_scratch.problems import Digits

SEEDS = range(200, 206)


def cut(digits, theta):
    pieces = digits.weights.split(theta)
    return [p.reshape(s) for p, s in zip(pieces, digits.weights.shapes, strict=True)]


def whole(digits, theta):
    return [theta.reshape(1, -1)]


def lars(p, lr):
    return LARS(p, lr=lr, trust_coefficient=0.02)


def lamb(p, lr, eps=1e-6):
    return LAMB(p, lr=lr, scaled="matrices", weight_decay=0, eps=eps)


def sgd(p, lr):
    return SGD(p, lr=lr, momentum=0.9)


def adam(p, lr):
    return Adam(p, lr=lr)


def digits_in(unit, seed, size=32, end=1.0):
    digits = Digits(seed=seed, batch_size=size)
    digits.images = unit * digits.images
    digits.start[: 64 * 32] /= unit
    digits.start[64 * 32 + 32 : -10] *= end
    return digits


def train(make, rate, digits, epochs=5, cut=cut):
    """Return the weights, with a warmup of a tenth and a fall to zero."""
    parameters = [Parameter(piece.copy()) for piece in cut(digits, digits.start)]
    optimizer, theta = make(parameters, rate), digits.start
    batches = list(digits.batches(epochs))
    for t, batch in enumerate(batches):
        left = (len(batches) - t) / (0.9 * len(batches))
        optimizer.param_groups[0]["lr"] = rate * min(10 * (t + 1) / len(batches), left, 1)
        for p, g in zip(parameters, cut(digits, digits.gradient(theta, batch)), strict=True):
            p.grad = g
        optimizer.step()
        theta = digits.weights.join([p.data for p in parameters], ())
    return theta


def loss(make, rate, seed, unit=1, size=32, end=1.0, **more):
    digits = digits_in(unit, seed, size, end)
    with np.errstate(all="ignore"):
        return digits.loss(train(make, rate, digits, **more), "validation")


@pytest.mark.parametrize(("make", "rate"), [(lars, 0.5), (partial(lamb, eps=1e-14), 0.03)])
def test_the_unit_of_the_pixels_does_not_matter_to_lars_and_lamb(make, rate) -> None:
    one, other = (train(make, rate, digits_in(unit, 0), 1) for unit in (1, 255))
    other[: 64 * 32] *= 255
    np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("make", "power"), [(sgd, 2), (adam, 1)])
def test_to_sgd_and_adam_it_does(make, power) -> None:
    def first_share(unit):
        digits = digits_in(unit, 0)
        w = Parameter(cut(digits, digits.start)[0].copy())
        w.grad = cut(digits, digits.gradient(digits.start, np.arange(32)))[0]
        before = w.data.copy()
        make([w], 1e-4).step()
        return np.linalg.norm(w.data - before) / np.linalg.norm(before)

    assert first_share(255) / first_share(1) == pytest.approx(255**power, rel=0.01)


def test_sgd_and_adam_lose_by_it_at_their_best_rates() -> None:
    grid = 2.0 ** np.arange(-3, 4)
    for make, middle, least in ((sgd, 0.4 / 255**2, 0.3), (adam, 0.128 / 255, 0.18)):
        assert min(np.mean([loss(make, middle * f, s, 255) for s in (0, 1)]) for f in grid) > least
    assert np.mean([loss(lars, 0.5, s, 255) for s in SEEDS]) < 0.18


def test_relative_steps_bound_the_change_of_the_output() -> None:
    rng, shares = np.random.default_rng(0), (0.02, 0.05, 0.01)
    layers = [rng.standard_normal((6, 6)) for _ in shares]
    x = rng.standard_normal(6)
    limit = np.prod([np.linalg.norm(w) for w in layers]) * np.linalg.norm(x)
    for _ in range(100):
        moved = []
        for w, share in zip(layers, shares, strict=True):
            delta = rng.standard_normal(w.shape)
            moved.append(w + share * np.linalg.norm(w) * delta / np.linalg.norm(delta))
        change = np.linalg.norm(
            np.linalg.multi_dot([*moved, x]) - np.linalg.multi_dot([*layers, x])
        )
        assert change / limit <= np.prod([1 + share for share in shares]) - 1


def test_weights_whose_length_means_nothing() -> None:
    rng = np.random.default_rng(1)
    x, y, theta = rng.standard_normal((30, 5)), rng.standard_normal(30), rng.standard_normal(5)

    def gradient(w):
        u = w / np.linalg.norm(w)
        slope = x.T @ (x @ u - y) / 30
        return (slope - u * (u @ slope)) / np.linalg.norm(w)

    assert gradient(theta) @ theta == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(3 * gradient(3 * theta), gradient(theta))
    w = Parameter(theta[:, None])
    method, start = LARS([w], lr=1, momentum=0, trust_coefficient=0.02), np.linalg.norm(theta)
    for _ in range(1000):
        w.grad = gradient(w.data[:, 0])[:, None]
        method.step()
    assert np.linalg.norm(w.data) / start == pytest.approx((1 + 0.02**2) ** 500)


def test_with_one_step_an_epoch_the_fixed_length_helps_and_not_the_layers() -> None:
    task = {"size": 1024, "epochs": 20}
    seeds = range(300, 312)
    plain = min(np.mean([loss(sgd, r, s, **task) for s in seeds]) for r in (1.0, 1.4, 2.0))
    layered = np.mean([loss(lars, 2.0, s, **task) for s in seeds])
    one = np.mean([loss(lars, 2.0, s, **task, cut=whole) for s in seeds])
    assert plain > layered + 0.02
    assert abs(layered - one) < 0.02
    assert np.mean([loss(sgd, 2.8, s, **task) for s in seeds]) > 0.5


def test_a_small_matrix_stays_small() -> None:
    for make, rate in ((lars, 0.5), (lamb, 0.03)):
        assert loss(make, rate, 7, end=1e-4) > 2
    for make, rate in ((sgd, 0.4), (adam, 0.06)):
        assert loss(make, rate, 7, end=1e-4) < 0.2
    assert loss(lars, 0.5, 7, end=0) < 0.3
    assert loss(lamb, 0.03, 7, end=0) > 1.5
    assert math.log(1e4) / math.log(1.01) == pytest.approx(926, abs=1)


def test_offsets_at_a_rate_for_matrices_destroy_the_run() -> None:
    def with_coefficient(c, scaled="matrices"):
        make = lambda p, lr: LARS(p, lr=lr, trust_coefficient=c, scaled=scaled)  # noqa: E731
        return np.mean([loss(make, 0.01 / c, s) for s in SEEDS])

    assert with_coefficient(0.02) < 0.17
    assert with_coefficient(0.001) > 0.6
    assert with_coefficient(0.001, "all") < 0.17
