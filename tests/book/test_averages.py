"""What the chapter on averages claims."""

import numpy as np
import pytest
import torch

from optim_scratch import Parameter, descend, ladder, surfaces
from optim_scratch.optimizers import ASGD, EMA, SGD, SWA
from optim_scratch.problems import Digits


def orbit(rate, steps, runs=3000, h=1.0, start=None, seed=5):
    """The points of SGD along one axis, from the floor on, and the noises."""
    rng = np.random.default_rng(seed)
    floor = (rate / (h * (2 - rate * h))) ** 0.5
    theta = floor * rng.standard_normal(runs) if start is None else np.full(runs, start)
    noises, points = rng.standard_normal((steps, runs)), [theta]
    for noise in noises:
        points.append(points[-1] - rate * (h * points[-1] + noise))
    return np.array(points), noises


def test_the_mean_is_noise_and_a_beginning() -> None:
    points, noises = orbit(0.07, 50, h=2.0, start=3.0)
    mean = points[:-1].mean(axis=0)
    formula = -noises.mean(axis=0) / 2.0 + (points[0] - points[-1]) / (0.07 * 2.0 * 50)
    np.testing.assert_allclose(mean, formula, rtol=1e-10)


@pytest.mark.parametrize("rate", [0.5, 0.1, 0.05])
def test_there_is_no_rate_in_the_mean_of_many(rate) -> None:
    points, _ = orbit(rate, 2000)
    assert np.var(points[:-1].mean(axis=0)) == pytest.approx(1 / 2000, rel=0.1)
    assert np.var(points) == pytest.approx(rate / (2 - rate), rel=0.05)


def test_a_window_shorter_than_two_memories_gains_little() -> None:
    points, _ = orbit(0.02, 100)
    assert np.var(points[:10].mean(axis=0)) > 0.9 * np.var(points[0])
    assert np.var(points[:100].mean(axis=0)) > 0.5 * np.var(points[0])


@pytest.mark.parametrize("n", [11, 101])
def test_the_exact_variances(n) -> None:
    rate, beta = 0.1, (n - 1) / (n + 1)
    rho, floor = 1 - rate, rate / (2 - rate)
    points, _ = orbit(rate, 2000, runs=4000)
    weights = (1 - beta) * beta ** np.arange(2001)[::-1]
    fading = np.var(weights @ points) / floor
    assert fading == pytest.approx(
        (1 - beta) * (1 + beta * rho) / ((1 + beta) * (1 - beta * rho)), rel=0.1
    )
    window = (1 + rho) / (1 - rho) / n - 2 * rho * (1 - rho**n) / (n * (1 - rho)) ** 2
    assert np.var(points[:n].mean(axis=0)) / floor == pytest.approx(window, rel=0.1)
    if n > 100:
        assert fading == pytest.approx(window, rel=0.15)


def test_an_ema_is_worth_a_window_in_age_and_in_noise() -> None:
    beta = 0.98
    shares = (1 - beta) * beta ** np.arange(3000)
    n = (1 + beta) / (1 - beta)
    assert shares @ np.arange(3000) == pytest.approx((n - 1) / 2)
    assert np.sum(shares**2) == pytest.approx(1 / n)


def test_the_mean_lies_below_nearly_all_points() -> None:
    noisy = surfaces.noisy(surfaces.ravine(20), 4.0, seed=8)
    run = descend(noisy, SGD, 300, start=np.tile((0.5, 0.2), (100, 1)), lr=0.04)
    mean = noisy.value(run.points[1:].mean(axis=0))
    assert np.median(np.mean(run.losses[1:] < mean, axis=0)) < 0.1
    assert mean.mean() < 0.15 * run.losses[1:].mean()


def test_a_large_rate_has_the_better_average_and_the_worse_points() -> None:
    h, rng, best = np.geomspace(0.01, 1, 10), np.random.default_rng(7), {}
    for rate in (0.5, 0.2):
        theta, points = np.full((200, 10), 30.0), []
        for _ in range(1000):
            theta = theta - rate * (h * theta + rng.standard_normal((200, 10)))
            points.append(theta)
        means = {n: np.mean(points[-n:], axis=0) for n in (1, 100, 200, 400, 700, 1000)}
        loss = {n: 0.5 * np.mean(np.sum(h * a**2, axis=-1)) for n, a in means.items()}
        best[rate] = min(loss, key=loss.get), min(loss.values()), loss[1]
    assert best[0.5][0] == 700
    assert best[0.2][0] == 200
    assert best[0.5][1] < 0.6 * best[0.2][1]
    assert best[0.5][2] > 2 * best[0.2][2]


def test_asgd_takes_in_the_points_after_t0_plus_one() -> None:
    inside = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
    theirs = torch.optim.ASGD([inside], lr=1.0, lambd=0.0, t0=3)
    ours = ASGD([p := Parameter([0.0])], lr=1.0, lambd=0.0, t0=3)
    points = []
    for t in range(1, 10):
        inside.grad, p.grad = torch.tensor([-float(t)], dtype=torch.float64), [-float(t)]
        theirs.step()
        ours.step()
        points.append(p.data[0])
    assert ours.point(p)[0] == pytest.approx(np.mean(points[4:]))
    assert theirs.state[inside]["ax"].item() == pytest.approx(np.mean(points[4:]))


def trained(rate, course, seeds=range(40, 60)):
    digits, T = Digits(seed=seeds), 320
    w = Parameter(digits.start)
    sgd = SGD([w], lr=rate, momentum=0.9)
    average = EMA(SWA(sgd, start=240), decay=0.975)
    for t, batch in enumerate(digits.batches(10)):
        sgd.param_groups[0]["lr"] = rate * course(t / T)
        w.grad = digits.gradient(w.data, batch)
        average.step()
    kept = w.data, average.optimizer.point(w), average.point(w)
    return [digits.loss(each, "test")[:, 0] for each in kept]


def test_an_average_is_as_good_as_a_fall_on_the_digits() -> None:
    """With other seeds than the page's, at its rates."""
    last, swa, ema = trained(0.2, lambda share: 1)
    falling, averaged, _ = trained(0.2, lambda share: min(1, 4 * (1 - share)))
    line, nothing, _ = trained(0.4, lambda share: 1 - share)
    assert swa.mean() < last.mean() - 0.01
    assert abs(swa - ema).mean() < 0.003
    assert abs(swa.mean() - falling.mean()) < 0.006
    assert abs(averaged.mean() - falling.mean()) < 0.004
    assert abs(nothing.mean() - line.mean()) < 0.004


def test_across_a_ring_a_long_mean_is_inside() -> None:
    rng, theta, points = np.random.default_rng(3), np.tile([1.0, 0.0], (100, 1)), []
    for _ in range(3500):
        radius = np.linalg.norm(theta, axis=-1, keepdims=True)
        pull = 20 * (radius - 1) * theta / radius
        theta = theta - 0.04 * (pull + 2 * rng.standard_normal((100, 2)))
        points.append(theta)
    points = np.array(points[500:])
    loss = {
        n: 10 * np.mean((np.linalg.norm(points[:n].mean(axis=0), axis=-1) - 1) ** 2)
        for n in (1, 30, 3000)
    }
    assert loss[30] < 0.3 * loss[1]
    assert loss[3000] > 30 * loss[1]


def test_the_mean_of_two_networks_is_worse_than_either() -> None:
    digits = Digits(seed=[3, 4])
    w = Parameter(digits.start)
    sgd = SGD([w], lr=0.2, momentum=0.9)
    for batch in digits.batches(10):
        w.grad = digits.gradient(w.data, batch)
        sgd.step()
    mean = digits.loss(w.data.mean(axis=0, keepdims=True), "test")
    assert mean > 2 * digits.loss(w.data, "test").max()


def test_the_ladders_lines() -> None:
    ema, momentum = ladder.row("EMA"), ladder.row("SGD momentum 0.9")
    assert (ema.width, momentum.width) == (8, 2)
    assert ema.accuracies[0].mean() < 0.75 < momentum.accuracies[0].mean()
