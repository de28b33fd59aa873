"""What the chapter on signs claims."""

import math

import numpy as np
import pytest

from optim_scratch import Parameter, descend, ladder, surfaces
from optim_scratch.optimizers import SGD, Adam, Lion, Rprop, SignSGD
from optim_scratch.problems import Digits


def test_no_step_of_the_box_falls_further() -> None:
    rng = np.random.default_rng(0)
    g = rng.standard_normal(6)
    others = rng.uniform(-1, 1, (1000, 6)) @ g
    assert others.min() > -np.sign(g) @ g == pytest.approx(-np.abs(g).sum())


def test_lion_with_equal_betas_is_signum() -> None:
    one, other = Parameter(np.ones(50)), Parameter(np.ones(50))
    lion = Lion([one], lr=0.01, betas=(0.8, 0.8), weight_decay=0.3)
    signum = SignSGD([other], lr=0.01, momentum=0.8, weight_decay=0.3)
    rng = np.random.default_rng(0)
    for _ in range(200):
        one.grad = other.grad = rng.standard_normal(50)
        lion.step()
        signum.step()
    np.testing.assert_allclose(one.data, other.data, rtol=1e-12)


@pytest.mark.parametrize("rate", [0.05, 0.2])
@pytest.mark.parametrize("condition", [5, 50])
def test_the_floor_of_a_constant_rate(rate, condition) -> None:
    starts = np.random.default_rng(1).uniform(-2, 2, (4000, 2))
    run = descend(surfaces.ravine(condition), SignSGD, 100, start=starts, lr=rate, every=100)
    assert run.final_loss.mean() == pytest.approx(rate**2 * (1 + condition) / 6, rel=0.05)


def test_the_mean_sign_under_gaussian_noise_is_nearly_adams_mean_step() -> None:
    x = np.linspace(-4, 4, 401)
    sign = np.array([math.erf(each / 2**0.5) for each in x])
    adam = x / np.sqrt(1 + x**2)
    assert np.abs(sign - adam).max() < 0.085
    near = np.abs(x) < 0.3
    np.testing.assert_allclose(sign[near], 0.8 * x[near], atol=0.006)


def ends(method, batch, **hyper) -> float:
    w, rng, places = Parameter(np.full(300, 2.0)), np.random.default_rng(5), []
    optimizer = method([w], lr=0.003, **hyper)
    for _ in range(3000):
        w.grad = w.data - rng.exponential(size=(batch, 300)).mean(axis=0)
        optimizer.step()
        places.append(w.data.mean())
    return float(np.mean(places[1500:]))


def test_signs_learn_the_median_of_single_examples() -> None:
    assert ends(SignSGD, 1) == pytest.approx(math.log(2), abs=0.01)
    for method in (SGD, Adam):
        assert ends(method, 1) == pytest.approx(1, abs=0.015)
    assert ends(SignSGD, 1, momentum=0.9) == pytest.approx(0.98, abs=0.01)
    assert ends(SignSGD, 16) == pytest.approx(0.98, abs=0.01)


def test_hintons_nine_and_one_are_an_offset_of_the_digits() -> None:
    digits = Digits(seed=0, batch_size=None)
    start = digits.start.copy()
    start[64 * 32 + 32 : -10] *= 0.01  # scores near 0, so probabilities near 0.1
    offsets = np.array([digits.gradient(start, np.array([i]))[-10:] for i in range(1024)])
    np.testing.assert_allclose(np.where(offsets > 0, offsets - 0.1, offsets + 0.9), 0, atol=0.02)
    assert (offsets > 0).mean() == pytest.approx(0.9)


def test_rprop_runs_away_on_nine_and_one() -> None:
    w = Parameter([0.0])
    rprop, lengths = Rprop([w], lr=0.01), []
    for _ in range(3):
        for g in [0.1] * 9 + [-0.9]:
            w.grad = [g]
            rprop.step()
        lengths.append(rprop.state[w]["step_size"][0])
    np.testing.assert_allclose(np.diff(np.log(lengths)), math.log(1.2**8 / 2))
    assert w.data[0] < -1.5


def test_how_many_changes_of_sign_rprop_bears() -> None:
    share = math.log(1.2) / math.log(2.4)
    assert share == pytest.approx(0.208, abs=5e-4)
    assert pytest.approx(2, abs=0.001) == 1.2**3.8


def after_the_whole_set(method, rate, steps=64) -> tuple[float, float]:
    digits = Digits(seed=3, batch_size=None)
    w = Parameter(digits.start)
    optimizer = method([w], lr=rate)
    for batch in digits.batches(steps):
        w.grad = digits.gradient(w.data, batch)
        optimizer.step()
    return digits.loss(w.data, "train"), digits.loss(w.data, "test")


def test_rprop_leads_in_training_on_the_whole_set_and_learns_by_heart() -> None:
    rprop = after_the_whole_set(Rprop, 0.01)
    for method, rates in ((Adam, (0.032, 0.064, 0.128)), (SignSGD, (0.004, 0.008, 0.016))):
        train, test = min(after_the_whole_set(method, rate) for rate in rates)
        assert rprop[0] < 1e-3 * train
        if method is Adam:
            assert rprop[1] > test
    early = after_the_whole_set(Rprop, 0.01, steps=32)
    assert early[0] > rprop[0]
    assert early[1] < rprop[1]


def test_lengths_fall_a_hundredfold_on_mini_batches_while_the_loss_is_high() -> None:
    digits = Digits(seed=3)
    w = Parameter(digits.start)
    rprop = Rprop([w], lr=0.01)
    for batch in digits.batches(5):
        w.grad = digits.gradient(w.data, batch)
        rprop.step()
        if np.median(rprop.state[w]["step_size"]) < 1e-4:
            break
    assert np.median(rprop.state[w]["step_size"]) < 1e-4
    assert digits.loss(w.data, "train") > 0.2


def left_over(method, angle, condition, rates, steps=60) -> float:
    """What is left of the loss at the best rate, in the median of 40 starts."""
    valley, turn = surfaces.ravine(condition, angle), np.radians(angle)
    axes = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    begin = np.random.default_rng(1).uniform([-8, -3], [8, 3], (40, 1, 2)) @ axes
    w = Parameter(np.repeat(begin, len(rates), axis=1))
    optimizer = method([w], lr=rates[:, None])
    for t in range(steps):
        optimizer.param_groups[0]["lr"] = rates[:, None] * (1 - t / steps)
        w.grad = valley.gradient(w.data)
        optimizer.step()
    return np.median(valley.value(w.data) / valley.value(begin), axis=0).min()


@pytest.mark.parametrize("condition", [20, 100])
def test_a_turn_costs_signs_a_factor_and_leaves_them_ahead(condition) -> None:
    grid = np.geomspace(0.01, 3, 60)
    left = {angle: left_over(SignSGD, angle, condition, grid) for angle in (0, 45)}
    assert left[45] > 5 * left[0]
    for angle, signs in left.items():
        assert signs < left_over(Adam, angle, condition, grid)
        assert signs < left_over(SGD, angle, condition, np.geomspace(0.1, 2, 40) / condition)


def test_rprop_needs_the_whole_set() -> None:
    lost = {}
    for batch_size, epochs in ((None, 160), (32, 5)):
        digits = Digits(seed=3, batch_size=batch_size)
        w = Parameter(digits.start)
        rprop = Rprop([w], lr=0.01)
        for batch in digits.batches(epochs):
            w.grad = digits.gradient(w.data, batch)
            rprop.step()
        lost[batch_size] = digits.loss(w.data, "train"), np.median(rprop.state[w]["step_size"])
    assert lost[None][0] < 1e-6
    assert lost[32][0] > 0.1
    assert lost[32][1] < 1e-5


def test_how_long_a_mean_of_noise_is() -> None:
    noise = np.random.default_rng(0).standard_normal((3000, 500))
    m, lengths = np.zeros(500), []
    for g in noise:
        m = 0.9 * m + 0.1 * g
        lengths.append(np.mean(m**2))
    assert np.mean(lengths[100:]) ** 0.5 == pytest.approx((0.1 / 1.9) ** 0.5, rel=0.01)
    assert pytest.approx(4.4, abs=0.05) == (1.9 / 0.1) ** 0.5


def loss_of(method, rate, falling=True, seeds=range(40, 60), **hyper):
    digits = Digits(seed=seeds)
    w = Parameter(digits.start)
    optimizer = method([w], lr=rate, **hyper)
    for t, batch in enumerate(digits.batches(10)):
        if falling:
            optimizer.param_groups[0]["lr"] = rate * (1 - t / 320)
        w.grad = digits.gradient(w.data, batch)
        optimizer.step()
    return digits.loss(w.data, "test")[:, 0]


def test_what_gives_back_adams_lead() -> None:
    """With other seeds than the page's, at its rates."""
    bare, falling = loss_of(SignSGD, 0.008, falling=False), loss_of(SignSGD, 0.016)
    signum, adam = loss_of(SignSGD, 0.008, momentum=0.9), loss_of(Adam, 0.064)
    sgd = loss_of(SGD, 0.8)
    assert bare.mean() > sgd.mean() - 0.01
    assert falling.mean() < bare.mean() - 0.005
    assert signum.mean() < falling.mean() - 0.01
    assert abs(signum.mean() - adam.mean()) < 0.008


def test_the_ladders_lines() -> None:
    rows = {name: ladder.row(name) for name in ("SignSGD", "Lion", "Adam", "AdamW")}
    for name in ("SignSGD", "Lion"):
        behind = rows["Adam"].accuracies[-1].mean() - rows[name].accuracies[-1].mean()
        assert 0.006 < behind < 0.012
    assert rows["Lion"].state == 1
    assert rows["Adam"].state == 2
