"""The claims of the chapter between Adam and SGD, computed in another way."""

import numpy as np
import pytest

from optim_scratch import Parameter, ladder, surfaces
from optim_scratch.descent import descend
from optim_scratch.optimizers import SGD, SWATS, AdaBound, Adam
from optim_scratch.optimizers.adabound import bounds
from optim_scratch.problems import Digits


def example(positive=140, negative=60) -> tuple[np.ndarray, np.ndarray]:
    rows, y = [], [1.0] * positive + [-1.0] * negative
    width, place = 3 + positive + 5 * negative, 3
    for label in y:
        row, own = np.zeros(width), 1 if label > 0 else 5
        row[:3] = label, 1, 1
        row[place : place + own] = 1
        place += own
        rows.append(row)
    return np.array(rows), np.array(y)


X, Y = example()


def fitted(make, w=None, steps=2000) -> np.ndarray:
    p = Parameter(np.zeros(X.shape[1]) if w is None else w)
    optimizer = make([p])
    for _ in range(steps):
        p.grad = X.T @ (X @ p.data - Y) / len(Y)
        optimizer.step()
    return p.data


LEAST = np.linalg.pinv(X) @ Y


def score(w) -> float:
    """Of a new negative example."""
    return float(-w[0] + w[1] + w[2])


def test_adam_gives_all_weights_one_size_and_sgd_the_least_norm() -> None:
    adam = fitted(lambda p: Adam(p, lr=0.01))
    np.testing.assert_allclose(np.abs(adam), 0.25, atol=1e-4)
    np.testing.assert_allclose(np.sign(adam), np.sign(X.T @ Y))
    np.testing.assert_allclose(fitted(lambda p: SGD(p, lr=0.3)), LEAST, atol=1e-6)
    for w in (adam, LEAST):
        np.testing.assert_allclose(X @ w, Y, atol=1e-3)
    assert score(adam) == pytest.approx(0.25, abs=1e-3)
    assert score(LEAST) == pytest.approx(-0.96, abs=0.01)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_switch_ends_in_a_mixture_of_both_solutions(share) -> None:
    adam = 0.25 * np.sign(X.T @ Y)
    end = fitted(lambda p: SGD(p, lr=0.3), share * adam)
    np.testing.assert_allclose(end, share * adam + (1 - share) * LEAST, atol=1e-6)


def test_the_switch_must_come_before_four_fifths_of_the_way() -> None:
    share = -score(LEAST) / (0.25 - score(LEAST))
    assert share == pytest.approx(0.793, abs=5e-4)
    assert (1 - share) ** 2 == pytest.approx(0.04, abs=0.005)


def test_the_defaults_switch_too_late_on_the_example() -> None:
    assert score(fitted(lambda p: AdaBound(p, lr=0.01, final_lr=0.3))) > 0.2
    assert score(fitted(lambda p: AdaBound(p, lr=0.01, final_lr=0.3, gamma=0.1))) < -0.8
    assert score(fitted(lambda p: SWATS(p, lr=0.01))) > 0.2


def test_the_band_is_within_a_factor_of_two_after_one_over_gamma() -> None:
    for gamma in (1e-3, 1e-2):
        low, high = bounds(round(1 / gamma), {"final_lr": 2.0, "gamma": gamma})
        assert (low, high) == pytest.approx((1.0, 4.0))
    low, high = bounds(3910, {"final_lr": 1.0, "gamma": 1e-3})  # ten epochs of 391 batches
    assert low > 0.75
    assert high < 1.26


def clipped(final, gamma, steps, seed=50) -> tuple[float, float]:
    """The shares of the weights at the lower and the upper edge after so many steps."""
    digits = Digits(seed=seed)
    adabound = AdaBound([w := Parameter(digits.start)], lr=0.032, final_lr=final, gamma=gamma)
    for _, batch in zip(range(steps), digits.batches(20), strict=False):
        w.grad = digits.gradient(w.data, batch)
        adabound.step()
    v = adabound.state[w]["exp_avg_sq"]
    r = 0.032 * (1 - 0.999**steps) ** 0.5 / (1 - 0.9**steps) / (np.sqrt(v[v > 1e-12]) + 1e-8)
    low, high = bounds(steps, {"final_lr": final, "gamma": gamma})
    return float((r < low).mean()), float((r > high).mean())


@pytest.mark.parametrize("steps", [100, 400])
def test_a_low_final_rate_bites_long_before_the_band_has_closed(steps) -> None:
    assert clipped(0.1, 0.001, steps)[1] > 0.98
    assert clipped(2.0, 0.001, steps)[1] < 0.6


def test_hardly_a_weight_is_at_the_lower_edge() -> None:
    assert 0 < clipped(2.0, 0.01, 157)[0] < 0.02


def test_momentums_rate_is_a_tenth_of_the_final_one() -> None:
    valley = surfaces.ravine(20, 45)
    closed = descend(valley, AdaBound, 50, lr=0.1, final_lr=0.4, gamma=1e9)
    momentum = descend(valley, SGD, 50, lr=0.04, momentum=0.9)
    np.testing.assert_allclose(closed.points, momentum.points, atol=1e-6)


@pytest.mark.parametrize(("final", "grows"), [(1.8, False), (2.0, True)])
def test_where_the_final_rate_diverges_in_the_ravine(final, grows) -> None:
    """Momentum's limit is 2 (1 + μ) / L, 0.19 here, and the final rate's ten times that."""
    run = descend(surfaces.ravine(20), AdaBound, 2000, lr=0.5, final_lr=final, gamma=1.0)
    assert (not run.final_loss < 1) == grows


def test_a_smaller_gamma_puts_divergence_off() -> None:
    valley, rates = surfaces.ravine(20, 45), {"lr": 0.5, "final_lr": 4.0, "gamma": 0.001}
    assert descend(valley, AdaBound, 400, **rates).final_loss < 1e-10
    with np.errstate(all="ignore"):
        assert not descend(valley, AdaBound, 2000, **rates).final_loss < 1


def test_with_a_low_final_rate_the_rate_no_longer_matters() -> None:
    left = [
        descend(surfaces.ravine(20, 45), AdaBound, 100, lr=lr, final_lr=0.01, gamma=0.1).final_loss
        for lr in (0.316, 0.585, 1.08, 2.0)
    ]
    assert max(left) < 1.03 * min(left)


def products(lr, seed, steps=320) -> np.ndarray:
    digits, rows = Digits(seed=seed), []
    w = Parameter(digits.start)
    adam = Adam([w], lr=lr)
    for _, batch in zip(range(steps), digits.batches(10), strict=False):
        w.grad, before = digits.gradient(w.data, batch), w.data.copy()
        adam.step()
        p = w.data - before
        rows.append((p @ p, -(p @ w.grad)))
    return np.array(rows).T


def test_the_sgd_step_projected_on_adams_is_adams() -> None:
    rng = np.random.default_rng(0)
    p, g = rng.standard_normal((2, 6))
    step = -(p @ p) / -(p @ g) * g
    np.testing.assert_allclose((step @ p) / (p @ p) * p, p)


@pytest.mark.parametrize("seed", [0, 30, 31])
def test_quotients_scatter_and_the_quotient_of_sums_does_not(seed) -> None:
    pp, pg = products(0.032, seed)
    q = pp / pg
    assert 0.03 < np.mean(q < 0) < 0.2
    assert np.abs(q).max() > 50
    parts = pp.reshape(10, 32).sum(axis=1) / pg.reshape(10, 32).sum(axis=1)
    assert (parts > 0.9).all()
    assert (parts < 4).all()
    means = q.reshape(10, 32).mean(axis=1)
    assert means.max() - means.min() > 10


@pytest.mark.parametrize("seed", [30, 31, 32])
def test_sgds_rate_is_read_off_32_steps_of_adam(seed) -> None:
    pp, pg = products(0.032, seed, 32)
    assert 0.12 < 0.1 * pp.sum() / pg.sum() < 0.3  # momentum's best is 0.2


def test_swats_does_not_switch_at_its_default_on_mini_batches() -> None:
    digits = Digits(seed=50)
    w = Parameter(digits.start)
    swats = SWATS([w], lr=0.032)
    for batch in digits.batches(10):
        w.grad = digits.gradient(w.data, batch)
        swats.step()
    assert swats.switched_at == [None]


def loss_of(make, rate, falling, seeds=range(40, 60)) -> np.ndarray:
    digits = Digits(seed=seeds)
    w = Parameter(digits.start.copy())
    optimizer = make([w], rate)
    for t, batch in enumerate(digits.batches(10)):
        if falling:
            optimizer.param_groups[0]["lr"] = rate * (1 - t / 320)
        w.grad = digits.gradient(w.data, batch)
        optimizer.step()
    return digits.loss(w.data, "test")[:, 0]


def test_a_falling_rate_gains_more_than_the_band() -> None:
    """With other seeds than the page's, at its rates."""

    def adabound(p, r):
        return AdaBound(p, lr=r, final_lr=4.0 if r > 0.05 else 2.0, gamma=0.01)

    def adam(p, r):
        return Adam(p, lr=r)

    constant, falling = loss_of(adam, 0.032, False), loss_of(adam, 0.064, True)
    assert falling.mean() < constant.mean() - 0.005
    assert abs((loss_of(adabound, 0.064, True) - falling).mean()) < 0.006
    momentum = loss_of(lambda p, r: SGD(p, lr=r, momentum=0.9), 0.4, True)
    assert abs((momentum - falling).mean()) < 0.012


def lost(final, gamma, epochs=20) -> float:
    digits = Digits(seed=range(60, 65))
    w = Parameter(digits.start.copy())
    adabound = AdaBound([w], lr=0.032, final_lr=final, gamma=gamma)
    for batch in digits.batches(epochs):
        w.grad = digits.gradient(w.data, batch)
        adabound.step()
    return float(digits.loss(w.data, "validation").mean())


def test_a_wrong_final_rate_shows_late() -> None:
    early = [lost(final, 0.001, epochs=1) for final in (0.2, 2.0, 20.0)]
    assert max(early) < 1.1 * min(early)
    right = lost(2.0, 0.001)
    assert lost(20.0, 0.001) > 4 * right
    assert lost(0.2, 0.001) == pytest.approx(right, rel=0.3)
    assert lost(0.2, 0.01) > 1.2 * lost(2.0, 0.01)


def test_the_ladders_lines() -> None:
    adam = ladder.row("Adam")
    for name in ("AMSBound", "SGD momentum 0.9"):
        lead, half = ladder.row(name).lead(adam)
        assert 0.003 < lead < 0.005
        assert half < 0.0035
    assert ladder.row("SWATS").accuracies[-1].min() < 0.11
