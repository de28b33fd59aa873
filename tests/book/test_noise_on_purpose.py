"""What the chapter on noise that is added on purpose claims."""

import math

import numpy as np
import pytest

from optim_scratch import Parameter, descend, ladder, surfaces
from optim_scratch.optimizers import SGD, Adam, GradientNoise
from optim_scratch.problems import Digits


def spread(t, eta, h, sigma):
    rho = 1 + eta * h
    return eta * sigma * np.sqrt((rho ** (2 * t) - 1) / (rho**2 - 1))


@pytest.mark.parametrize(("eta", "h", "sigma"), [(0.1, 1.0, 1e-3), (0.4, 0.2, 0.1), (0.1, -1, 0.5)])
def test_the_spread_is_that_of_many_runs(eta, h, sigma) -> None:
    rng, x = np.random.default_rng(1), np.zeros(40_000)
    for t in range(1, 61):
        x = x - eta * (-h * x + sigma * rng.standard_normal(x.shape))
        if t in (1, 7, 60):
            assert x.std() == pytest.approx(spread(t, eta, h, sigma), rel=0.02)


def test_half_have_left_when_the_formula_says() -> None:
    eta, h, a = 0.05, 2.0, 0.3
    for sigma in (1e-2, 1e-5):
        rng, x, out = np.random.default_rng(2), np.zeros(10_000), False
        for _ in range(1, 400):
            x = (1 + eta * h) * x + eta * sigma * rng.standard_normal(x.shape)
            out = out | (np.abs(x) > a)
            if np.mean(out) > 0.5:
                break
        t = math.log(a * math.sqrt(h * (2 + eta * h) / eta) / (0.674 * sigma)) / math.log1p(eta * h)
        assert abs(_ - t) < 1.5


def test_a_tenth_of_the_noise_costs_24_steps() -> None:
    assert math.log(10) / math.log(1.1) == pytest.approx(24, abs=0.2)
    assert math.erf(0.674 / 2**0.5) == pytest.approx(0.5, abs=1e-3)


def test_most_of_the_variance_is_that_of_the_first_steps() -> None:
    eta, h = 0.1, 1.0
    shares = (1 + eta * h) ** (-2.0 * np.arange(1, 400))
    assert shares[: round(1 / (2 * eta * h))].sum() / shares.sum() == pytest.approx(0.61, abs=0.02)


def test_noise_in_all_steps_is_worth_one_start() -> None:
    eta, h, sigma, t = 0.2, 0.5, 0.01, 200
    worth = sigma * math.sqrt(eta / (h * (2 + eta * h)))
    assert worth * (1 + eta * h) ** t == pytest.approx(spread(t, eta, h, sigma), rel=1e-9)


def trained(start, epochs=20, eta=0.0, seed=5, lr=0.4):
    digits = Digits(seed=seed)
    w = Parameter(start(digits))
    noisy = GradientNoise(SGD([w], lr=lr), eta=eta, seed=seed)
    for batch in digits.batches(epochs):
        w.grad = digits.gradient(w.data, batch)
        noisy.step()
    return digits, w.data


def zero(digits):
    return 0 * digits.start


def test_mini_batches_never_leave_zero_weights_and_noise_does() -> None:
    digits, stuck = trained(zero)
    assert np.all(stuck[:-10] == 0)
    assert digits.accuracy(stuck) < 0.15
    digits, free = trained(zero, eta=1e-8)
    assert digits.accuracy(free) > 0.96


def test_one_layer_at_random_is_enough() -> None:
    def half(digits):
        return np.where(np.arange(digits.size) < 64 * 32, digits.start, 0)

    digits, end = trained(half)
    assert digits.accuracy(end) > 0.96


def test_equal_units_stay_equal_under_mini_batches() -> None:
    digits, end = trained(lambda digits: np.full(digits.size, 0.1), epochs=5)
    into = digits.weights.split(end)[0]
    assert np.ptp(into, axis=1).max() < 1e-9
    assert digits.accuracy(end) < 0.45
    digits, end = trained(lambda digits: np.full(digits.size, 0.1), eta=1e-8)
    assert digits.accuracy(end) > 0.95


def dropped(digits, theta, batch, rng):
    """The gradient of dropout, picture by picture, as the mean of networks with fewer units."""
    mean = np.zeros(digits.size)
    for picture in batch:
        keep = rng.random(32) < 0.5
        W1, b1, W2, b2 = digits.weights.split(theta.copy())
        thinned = np.concatenate(
            [W1.ravel(), b1.ravel(), (2 * keep[:, None] * W2).ravel(), b2.ravel()]
        )
        parts = digits.weights.split(digits.gradient(thinned, np.array([picture])))
        parts[2] = 2 * keep[:, None] * parts[2]
        mean += np.concatenate([part.ravel() for part in parts]) / len(batch)
    return mean


def test_dropout_tells_equal_units_apart_and_leaves_zeros() -> None:
    digits, rng, batch = Digits(seed=0), np.random.default_rng(0), np.arange(64)
    W1, b1, W2, b2 = digits.weights.split(digits.start)
    alike = np.tile(W1[:, :1], 32), b1, np.tile(W2[:1], (32, 1)), b2
    equal = np.concatenate([part.ravel() for part in alike])
    into = digits.weights.split(dropped(digits, equal, batch, rng))[0]
    assert np.ptp(into, axis=1).max() > 1e-4
    assert np.all(dropped(digits, zero(digits), batch, rng)[:-10] == 0)


def test_the_flip_and_the_swap_leave_the_loss_as_it_was() -> None:
    digits = Digits(seed=0)
    W1, b1, W2, b2 = (part.copy() for part in digits.weights.split(digits.start))
    W1[:, 3], W2[3] = -W1[:, 3], -W2[3]
    W1[:, [5, 6]], W2[[5, 6]] = W1[:, [6, 5]], W2[[6, 5]]
    changed = np.concatenate([part.ravel() for part in (W1, b1, W2, b2)])
    assert np.all(b1 == 0)
    assert digits.loss(changed) == pytest.approx(digits.loss(digits.start), rel=1e-12)


def test_a_last_layer_of_zeros_stops_the_first_for_one_step() -> None:
    digits, batch = Digits(seed=0), np.arange(32)
    theta = np.where(np.arange(digits.size) < 64 * 32, digits.start, 0)
    first = digits.gradient(theta, batch)
    assert np.all(digits.weights.split(first)[0] == 0)
    second = digits.gradient(theta - 0.4 * first, batch)
    assert np.abs(digits.weights.split(second)[0]).max() > 1e-3


def test_after_a_kick_the_gradient_grows_at_a_saddle_and_shrinks_at_a_minimum() -> None:
    play, rng = surfaces.saddle(), np.random.default_rng(3)
    for place, factor in (((0.0, 0.0), 1.1), ((0.0, -1.0), 0.9)):
        theta, lengths = np.array(place) + 1e-5 * rng.standard_normal(2), []
        for _ in range(61):
            lengths.append(np.linalg.norm(play.gradient(theta)))
            theta = theta - 0.1 * play.gradient(theta)
        assert lengths[60] / lengths[40] == pytest.approx(factor**20, rel=0.05)


def cross(digits):
    x, labels = digits.part("train")
    return x.T @ (0.1 - np.eye(10)[labels]) / len(x)


def test_near_zero_the_loss_is_the_sum_of_the_pairs() -> None:
    digits = Digits(seed=0)
    small = 1e-3 * np.random.default_rng(0).standard_normal(digits.size)
    small[64 * 32 : 64 * 32 + 32] = small[-10:] = 0
    W1, _, W2, _ = digits.weights.split(small)
    assert digits.loss(small) - np.log(10) == pytest.approx(
        np.sum((W1.T @ cross(digits)) * W2), rel=0.02
    )


def test_nine_curvatures() -> None:
    found = np.linalg.svd(cross(Digits(seed=0)), compute_uv=False)
    assert found[0] == pytest.approx(0.24, abs=0.005)
    assert found[8] > 0.05
    assert found[9] < 1e-12


@pytest.mark.parametrize(("lr", "sigma"), [(0.4, 1e-3), (0.2, 1e-5)])
def test_the_pictures_predict_when_the_digits_leave(lr, sigma) -> None:
    digits = Digits(seed=range(50, 56))
    c, t = np.linalg.svd(cross(digits), compute_uv=False)[:9, None], np.arange(1, 400)
    fall = 16 * np.sum(c * (spread(t, lr, c, sigma) ** 2 - spread(t, lr, -c, sigma) ** 2), axis=0)
    expected = t[np.argmax(fall > 0.05)]
    w = Parameter(0 * digits.start)
    noisy = GradientNoise(SGD([w], lr=lr), eta=sigma**2, gamma=0, seed=8)
    left = np.zeros(6)
    for step, batch in enumerate(digits.batches(10), 1):
        w.grad = digits.gradient(w.data, batch)
        noisy.step()
        left[(left == 0) & (digits.loss(w.data)[:, 0] < np.log(10) - 0.05)] = step
        if left.all():
            break
    assert np.all(left > 0)
    assert left.mean() == pytest.approx(expected, rel=0.04)


def test_how_large_the_noise_of_batches_is() -> None:
    digits, rng = Digits(seed=0), np.random.default_rng(3)
    draws = [digits.gradient(digits.start, rng.permutation(1024)[:32]) for _ in range(300)]
    assert np.sqrt(np.var(draws, axis=0).mean()) == pytest.approx(0.014, abs=5e-4)
    assert np.linalg.norm(digits.gradient(digits.start, np.arange(1024))) == pytest.approx(
        0.67, abs=5e-3
    )
    assert 0.1 * digits.size**0.5 == pytest.approx(4.9, abs=0.02)
    assert pytest.approx(35, abs=0.2) == 640**0.55


def test_the_explorer_twice_the_time_at_half_the_rate_and_one_minimum() -> None:
    steps = {}
    for lr, momentum in ((0.1, 0.0), (0.05, 0.0), (0.1, 0.9)):
        noisy = surfaces.noisy(surfaces.saddle(), 0.003)
        path = descend(noisy, SGD, 300, start=(-1.5, 0.0), lr=lr, momentum=momentum)
        assert path.end[1] == pytest.approx(-1, abs=0.02)
        steps[lr, momentum] = np.argmax(path.losses + 0.25 < 0.01 * (path.losses[0] + 0.25))
    assert steps[0.05, 0.0] == pytest.approx(2 * steps[0.1, 0.0], rel=0.07)
    assert 2 < steps[0.1, 0.0] / steps[0.1, 0.9] < 4


def cost(method, rate, eta) -> tuple[float, float]:
    digits = Digits(seed=range(40, 60))
    w = Parameter(digits.start)
    noisy = GradientNoise(method([w], lr=rate), eta=eta)
    for t, batch in enumerate(digits.batches(10)):
        noisy.param_groups[0]["lr"] = rate * (1 - t / 320)
        w.grad = digits.gradient(w.data, batch)
        noisy.step()
    return digits.loss(w.data, "test").mean(), digits.accuracy(w.data, "test").mean()


def test_what_noise_costs_where_nobody_is_stuck() -> None:
    """With other seeds than the page's, at its rates."""
    sgd = {eta: cost(SGD, 0.8, eta)[0] for eta in (0, 1e-4, 0.01)}
    assert sgd[1e-4] == pytest.approx(sgd[0], abs=0.002)
    assert sgd[0.01] > sgd[0] + 0.004
    adam = {eta: cost(Adam, 0.064, eta)[0] for eta in (0, 0.01)}
    assert adam[0.01] - adam[0] > 2 * (sgd[0.01] - sgd[0])


def test_the_ladders_lines() -> None:
    quiet, noisy = ladder.row("SGD momentum 0.9"), ladder.row("GradientNoise")
    assert noisy.accuracies[-1].mean() < quiet.accuracies[-1].mean() - 0.005
