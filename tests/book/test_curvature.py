"""What the chapter on curvature claims."""

from fractions import Fraction

import numpy as np
import pytest

from optim_scratch import Parameter, ladder, surfaces
from optim_scratch.optimizers import LBFGS, SGD
from optim_scratch.problems import Digits

EYE = np.eye(2)


@pytest.mark.parametrize("condition", [5, 1000])
@pytest.mark.parametrize("angle", [0, 45, 70])
def test_newton_needs_one_step_whatever_the_angle(condition, angle) -> None:
    ravine = surfaces.ravine(condition, angle)
    point = np.random.default_rng(3).standard_normal(2) * 5
    landed = point - np.linalg.solve(ravine.gradient(EYE), ravine.gradient(point))
    assert ravine.value(landed) < 1e-20 * ravine.value(point)


def test_at_45_degrees_a_rate_for_each_weight_is_gradient_descent_at_its_best_rate() -> None:
    for condition in (20, 1000):
        diagonal = np.diag(surfaces.ravine(condition, 45).gradient(EYE))
        np.testing.assert_allclose(1 / diagonal, 2 / (1 + condition))


def bfgs(P, s, y):
    one = np.eye(len(s)) - np.outer(s, y) / (s @ y)
    return one @ P @ one.T + np.outer(s, s) / (s @ y)


def test_the_correction_is_right_on_y_leaves_the_rest_alone_and_stays_positive() -> None:
    rng = np.random.default_rng(0)
    A = rng.standard_normal((6, 6))
    P, s = A @ A.T + np.eye(6), rng.standard_normal(6)
    y = (A.T @ A + np.eye(6)) @ s
    new = bfgs(P, s, y)
    np.testing.assert_allclose(new @ y, s)
    v = rng.standard_normal(6)
    v -= (v @ s) / (s @ s) * s
    assert v @ new @ v == pytest.approx(v @ P @ v)
    assert np.linalg.eigvalsh(new).min() > 0
    assert np.linalg.eigvalsh(bfgs(P, s, -y)).min() < 0


def product(g, pairs):
    """P g by the matrix, its first guess from the newest pair."""
    s, y = pairs[-1]
    P = (s @ y) / (y @ y) * np.eye(len(g))
    for pair in pairs:
        P = bfgs(P, *pair)
    return P @ g


@pytest.mark.parametrize("n", [2, 5, 12])
def test_n_steps_on_a_parabola_with_exact_lengths(n) -> None:
    rng = np.random.default_rng(n)
    U = np.linalg.qr(rng.standard_normal((n, n)))[0]
    H, theta = U * np.geomspace(1, 1000, n) @ U.T, rng.standard_normal(n)
    first, pairs, g = theta @ H @ theta, [], H @ theta
    for _ in range(n):
        d = -product(g, pairs) if pairs else -g
        s = -(g @ d) / (d @ H @ d) * d
        pairs.append((s, H @ s))
        theta = theta + s
        g = H @ theta
    assert theta @ H @ theta < 1e-10 * first


@pytest.mark.parametrize("memory", [1, 2, 4])
def test_without_rounding_any_number_of_pairs_arrives_in_n_steps(memory) -> None:
    exact = np.vectorize(Fraction)
    one, H = exact(np.eye(4, dtype=int)), exact(np.diag([1, 10, 100, 1000]) + 1)
    theta, pairs = exact([1, 2, 3, 4]), []
    for _ in range(4):
        g, P = H @ theta, one
        assert (g != 0).any(), "not before"
        if pairs:
            s, y = pairs[-1]
            P = (s @ y) / (y @ y) * one
        for s, y in pairs:
            left = one - np.outer(s, y) / (s @ y)
            P = left @ P @ left.T + np.outer(s, s) / (s @ y)
        d = -P @ g
        s = -(g @ d) / (d @ H @ d) * d
        pairs = [*pairs, (s, H @ s)][-memory:]
        theta = theta + s
    assert (theta == 0).all()


def test_gamma_lies_between_the_inverse_curvatures() -> None:
    rng = np.random.default_rng(0)
    h = np.geomspace(1, 50, 8)
    for s in rng.standard_normal((200, 8)):
        y = h * s
        assert 1 / 50 <= (s @ y) / (y @ y) <= 1


def highest(**settings) -> float:
    rosenbrock = surfaces.rosenbrock()
    w, losses = Parameter(rosenbrock.start), []
    mover = LBFGS([w], max_iter=1, max_eval=25, history_size=10, **settings)

    def closure() -> float:
        w.grad = rosenbrock.gradient(w.data)
        return float(rosenbrock.value(w.data))

    for _ in range(80):
        mover.step(closure)
        losses.append(float(rosenbrock.value(w.data)))
    return max(losses)


def test_without_a_search_the_loss_jumps_and_with_it_no_step_rises_above_the_start() -> None:
    assert highest() > 1e6
    assert highest(line_search_fn="strong_wolfe") < 24.2


def trained() -> tuple[Digits, np.ndarray]:
    digits = Digits(seed=4)
    w = Parameter(digits.start)
    sgd = SGD([w], lr=0.4)
    for batch in digits.batches(3):
        w.grad = digits.gradient(w.data, batch)
        sgd.step()
    return digits, w.data


@pytest.mark.parametrize("rate", [0.003, 0.03])
def test_two_batches_measure_the_rate_and_one_the_curvature(rate) -> None:
    digits, theta = trained()
    rng = np.random.default_rng(1)

    def batch():
        return rng.choice(1024, 32, replace=False)

    exact = digits.gradient(theta, np.arange(1024))
    squares = [np.sum(digits.gradient(theta, batch()) ** 2) for _ in range(300)]
    q = 1 - exact @ exact / np.mean(squares)
    found = {True: [], False: []}
    for same in found:
        for _ in range(200):
            one, other = batch(), batch()
            g = digits.gradient(theta, one)
            y = digits.gradient(theta - rate * g, one if same else other) - g
            found[same].append(-(g @ y) / (rate * g @ g))
    h = np.median(found[True])
    assert 0.5 < h < 3
    assert np.median(found[False]) == pytest.approx(h + q / rate, rel=0.15)


def test_the_dive_on_the_digits_and_what_it_does_not_buy() -> None:
    digits, everything = Digits(seed=7, batch_size=None), np.arange(1024)
    w, losses = Parameter(digits.start), []
    mover = LBFGS([w], max_iter=1, history_size=10)

    def closure() -> float:
        w.grad = digits.gradient(w.data, everything)
        losses.append(float(digits.value(w.data)))
        return losses[-1]

    while len(losses) < 60:
        mover.step(closure)
    assert losses[5] > 0.3
    assert losses[59] < 1e-5
    assert digits.accuracy(w.data) < 0.975


def test_newton_climbs_to_the_saddle_and_lbfgs_does_not() -> None:
    saddle = surfaces.saddle()
    x, y = -1.5, 0.4
    for _ in range(8):
        slopes = saddle.gradient(np.array([x, y]))
        x, y = x - slopes[0], y - slopes[1] / (3 * y**2 - 1)
    assert abs(y) < 1e-6
    w = Parameter([-1.5, 0.4])

    def closure() -> float:
        w.grad = saddle.gradient(w.data)
        return float(saddle.value(w.data))

    LBFGS([w], max_iter=50, line_search_fn="strong_wolfe").step(closure)
    np.testing.assert_allclose(w.data, [0, 1], atol=1e-4)


def test_the_ladders_lines() -> None:
    whole, batches = ladder.row("LBFGS"), ladder.row("LBFGS mini-batches")
    assert whole.losses[-1].mean() < 1e-6
    assert whole.rates[whole.best] == pytest.approx(0.125)
    assert batches.accuracies[-1].std() > 0.2
