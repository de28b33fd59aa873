"""What the chapter on methods without a schedule claims."""

import numpy as np
import pytest

from optim_scratch import Parameter, descend, ladder, surfaces
from optim_scratch.optimizers import Adam, AdamWScheduleFree, SGDScheduleFree
from optim_scratch.problems import Digits


def free_run(gradient, steps, start, eta, beta, every=None):
    x = z = start
    for t in range(1, steps + 1):
        y = (1 - beta) * z + beta * x
        z = z - eta * gradient(y, t)
        x = x + (z - x) / t
        if every is not None:
            every.append(x)
    return x


def test_three_points_are_the_packages_two() -> None:
    noise = np.random.default_rng(1).standard_normal((301, 4))
    x = free_run(lambda y, t: 3 * y + noise[t], 300, np.ones(4), 0.2, 0.8)
    w = Parameter(np.ones(4))
    free = SGDScheduleFree([w], lr=0.2, momentum=0.8)
    for t in range(1, 301):
        w.grad = 3 * w.data + noise[t]
        free.step()
    np.testing.assert_allclose(free.point(w), x, rtol=1e-9)


@pytest.mark.parametrize("beta", [0, 0.5, 0.8])
def test_a_batch_weighs_as_a_power_of_its_step(beta) -> None:
    total = 3000
    steps, power = np.arange(1, total + 1), beta / (1 - beta)
    x = free_run(lambda y, t: y - (steps == t), total, np.zeros(total), 0.8, beta)
    theory = (power + 1) * (steps / total) ** power
    inner = slice(300, 2700)
    np.testing.assert_allclose(total * x[inner], theory[inner], atol=0.05 * (power + 1))


def test_half_of_the_weight_lies_in_the_last_seven_per_cent() -> None:
    assert pytest.approx(0.067, abs=5e-4) == 1 - 0.5 ** (1 / 10)
    total = 5000
    steps = np.arange(1, total + 1)
    x = free_run(lambda y, t: y - (steps == t), total, np.zeros(total), 1.0, 0.9)
    late = x[int(0.933 * total) :].sum() / x.sum()
    assert late == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize("beta", [0, 0.5, 0.9])
def test_the_noise_has_no_rate_in_it(beta) -> None:
    rng = np.random.default_rng(3)
    ends = [
        free_run(lambda y, t: y + rng.standard_normal(6000), 1500, np.zeros(6000), eta, beta)
        for eta in (0.3, 0.9)
    ]
    for x in ends:
        assert 1500 * np.mean(x**2) == pytest.approx(1 / (1 - beta**2), rel=0.07)


def test_with_half_the_average_falls_exponentially() -> None:
    places: list[float] = []
    free_run(lambda y, t: y, 200, 1.0, 0.02, 0.5, every=places)
    t = np.arange(1, 201)
    np.testing.assert_allclose(places, np.exp(-0.01 * t), rtol=0.03)


def test_primal_averaging_swings_with_a_slowly_falling_height() -> None:
    places: list[float] = []
    free_run(lambda y, t: y, 20_000, 1.0, 0.1, 1, every=places)
    sizes = np.abs(places)
    early, late = sizes[500:1500].max(), sizes[8000:20_000].max()
    assert np.log(early / late) / np.log(8000 / 500) == pytest.approx(0.75, abs=0.1)


@pytest.mark.parametrize("beta", [0.5, 0.9])
@pytest.mark.parametrize("c", [1.0, 0.3, 0.05])
def test_the_limit_of_the_rate(beta, c) -> None:
    limit = 2 * (2 - c) / ((1 - beta) * (2 - c) + beta * c)
    for share, stable in ((0.99, True), (1.01, False)):
        a = share * limit
        to_z = np.array([1 - a * (1 - beta), -a * beta])
        matrix = np.array([to_z, c * to_z + [0, 1 - c]])
        assert (np.abs(np.linalg.eigvals(matrix)).max() < 1) == stable


def test_the_ravine_leaps_and_comes_back() -> None:
    def losses(rate, beta):
        noisy = surfaces.noisy(surfaces.ravine(20), 3.0, seed=1)
        return descend(noisy, SGDScheduleFree, 200, lr=rate, momentum=beta).losses

    back = losses(0.8, 0.9)
    assert back.max() > 1e11
    assert back[-1] < 1
    assert losses(1.2, 0.9)[-1] > 1e50
    stays = losses(0.2, 0.5)
    assert 0.5 < stays[-1] / stays[20] < 2
    slow, quick = (
        np.argmax(each < 0.01 * each[0]) for each in (losses(0.05, 0.01), losses(0.05, 0.9))
    )
    assert slow == pytest.approx(2 * quick, rel=0.1)


def looks(method, rate, epochs, at, fall=False, seeds=range(30, 40), **hyper):
    digits, seen = Digits(seed=seeds), {}
    w = Parameter(digits.start)
    optimizer = method([w], lr=rate, **hyper)
    for t, batch in enumerate(digits.batches(epochs)):
        if fall:
            optimizer.param_groups[0]["lr"] = rate * (1 - t / (32 * epochs))
        w.grad = digits.gradient(w.data, batch)
        optimizer.step()
        if (t + 1) / 32 in at:
            x = optimizer.point(w)
            seen[(t + 1) // 32] = {p: digits.loss(x, p).mean() for p in ("train", "test")}
    return seen


def test_one_run_against_five_plans() -> None:
    """With other seeds than the page's, at its rates."""
    budgets = (1, 2, 5, 10, 20)
    free = looks(AdamWScheduleFree, 0.125, 20, budgets)
    for epochs in budgets:
        planned = looks(Adam, 0.0625, epochs, (epochs,), fall=True)[epochs]
        assert free[epochs]["train"] < 0.75 * planned["train"]
        if epochs <= 2:
            assert free[epochs]["test"] < planned["test"]
        if epochs == 20:
            assert free[epochs]["test"] > planned["test"]
    decayed = looks(AdamWScheduleFree, 0.0625, 20, (20,), weight_decay=0.03)[20]
    assert decayed["test"] < 0.95 * free[20]["test"]


@pytest.mark.parametrize(("rate", "warmup", "fine"), [(4, 0, False), (4, 32, True), (2, 0, True)])
def test_a_warmup_lets_the_rate_be_higher(rate, warmup, fine) -> None:
    end = looks(SGDScheduleFree, rate, 5, (5,), warmup_steps=warmup)[5]
    assert (end["test"] < 0.2) == fine


def test_y_is_nearly_as_good_as_x_and_z_is_not() -> None:
    digits = Digits(seed=range(30, 40))
    w = Parameter(digits.start)
    free = AdamWScheduleFree([w], lr=0.125)
    for batch in digits.batches(5):
        w.grad = digits.gradient(w.data, batch)
        free.step()
    x, y, z = (
        digits.loss(each, "test").mean() for each in (free.point(w), w.data, free.state[w]["z"])
    )
    assert x < y < 1.3 * x
    assert z > 3 * x


def test_the_ladders_lines() -> None:
    rows = {
        name: ladder.row(name) for name in ("SGD", "SGDScheduleFree", "Adam", "AdamWScheduleFree")
    }
    for free, plain in (("SGDScheduleFree", "SGD"), ("AdamWScheduleFree", "Adam")):
        assert rows[free].accuracies[0].mean() > rows[plain].accuracies[0].mean()
