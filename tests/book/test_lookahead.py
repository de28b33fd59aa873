"""What the chapter on Lookahead claims."""

import numpy as np
import pytest

from optim_scratch import Parameter, descend, ladder, surfaces
from optim_scratch.optimizers import EMA, SGD, Adam, Lookahead
from optim_scratch.problems import Digits


def cycle(eta_h, mu, k, alpha):
    step = np.array([[1 - eta_h, -mu], [eta_h, mu]])
    return np.diag([1 - alpha, 0]) + np.diag([alpha, 1]) @ np.linalg.matrix_power(step, k)


def size(matrix):
    return np.abs(np.linalg.eigvals(matrix)).max()


@pytest.mark.parametrize(("eta_h", "mu", "k", "alpha"), [(0.3, 0.0, 5, 0.5), (1.2, 0.9, 4, 0.3)])
def test_the_matrix_of_a_cycle_is_what_the_package_does(eta_h, mu, k, alpha) -> None:
    w = Parameter([1.0])
    lookahead = Lookahead(SGD([w], lr=eta_h, momentum=mu), k=k, alpha=alpha)
    state = np.array([1.0, 0.0])
    for _ in range(3):
        for _ in range(k):
            w.grad = w.data.copy()
            lookahead.step()
        state = cycle(eta_h, mu, k, alpha) @ state
        assert lookahead.point(w)[0] == pytest.approx(state[0])


def test_around_plain_sgd() -> None:
    for eta_h in (0.01, 0.3, 1.0, 1.9, 2.2):
        formula = 0.5 + 0.5 * (1 - eta_h) ** 5
        assert size(cycle(eta_h, 0.0, 5, 0.5)) == pytest.approx(abs(formula))
    limit = 1 + 3**0.2
    assert limit == pytest.approx(2.25, abs=0.005)
    assert size(cycle(limit - 0.01, 0, 5, 0.5)) < 1 < size(cycle(limit + 0.01, 0, 5, 0.5))
    for k in (4, 6, 10):
        assert size(cycle(1.99, 0, k, 0.5)) < 1 < size(cycle(2.01, 0, k, 0.5))


def test_the_brake_without_friction() -> None:
    for degrees in (20, 90, 140):
        omega = np.radians(degrees) / 500
        turn = np.radians(degrees)
        c, s = np.cos(turn), np.sin(turn)
        back = np.array([[0.5 + 0.5 * c, -0.5 * s], [s, c]])
        assert size(back) == pytest.approx(np.cos(turn / 2))
        true = size(cycle(2 - 2 * np.cos(omega), 1.0, 500, 0.5))
        assert true == pytest.approx(np.cos(turn / 2), abs=0.03)
    assert np.degrees(np.arccos(-7 / 9)) == pytest.approx(141, abs=0.1)
    half = size(cycle(2 - 2 * np.cos(np.pi / 5), 1.0, 5, 0.5))
    assert half == pytest.approx(1)
    assert 2 - 2 * np.cos(np.radians(141) / 5) == pytest.approx(0.24, abs=0.003)
    assert 2 - 2 * np.cos(np.pi / 5) == pytest.approx(0.4, abs=0.03)


def test_it_can_make_a_stable_momentum_explode() -> None:
    for eta_h in (1.5, 3.0):
        assert size(cycle(eta_h, 0.99, 1, 1.0)) < 1 < size(cycle(eta_h, 0.99, 5, 0.5))
        assert size(cycle(eta_h, 0.99, 4, 0.5)) < 1
    for k, alpha, limit in ((1, 1.0, 3.8), (5, 0.5, 2.6), (10, 0.5, 3.11)):
        assert (
            size(cycle(limit - 0.02, 0.9, k, alpha)) < 1 < size(cycle(limit + 0.02, 0.9, k, alpha))
        )
    w, fast = Parameter([1.0]), Parameter([1.0])
    both = Lookahead(SGD([w], lr=3.0, momentum=0.99)), SGD([fast], lr=3.0, momentum=0.99)
    for _ in range(1000):
        for p, optimizer in ((w, both[0]), (fast, both[1])):
            p.grad = p.data.copy()
            optimizer.step()
    assert abs(w.data[0]) > 1e6
    assert abs(fast.data[0]) < 1


def test_with_the_buffer_pulled_back_it_is_stable_where_the_inner_one_is() -> None:
    for mu in (0.0, 0.5, 0.9, 0.99):
        for eta_h in np.linspace(0.01, 2 * (1 + mu) - 0.01, 60):
            step = np.array([[1 - eta_h, -mu], [eta_h, mu]])
            for k in (3, 5, 6):
                both = 0.5 * np.eye(2) + 0.5 * np.linalg.matrix_power(step, k)
                assert size(both) < 1
    w, state = Parameter([1.0]), np.array([1.0, 0.0])
    inner = SGD([w], lr=0.4, momentum=0.9)
    lookahead = Lookahead(inner, pullback_momentum="pullback")
    step = np.array([[0.6, -0.9], [0.4, 0.9]])
    both = 0.5 * np.eye(2) + 0.5 * np.linalg.matrix_power(step, 5)
    for _ in range(3):
        for _ in range(5):
            w.grad = w.data.copy()
            lookahead.step()
        state = both @ state
        assert lookahead.point(w)[0] == pytest.approx(state[0])


@pytest.mark.parametrize("eta", [0.1, 0.5])
def test_the_floor_around_plain_sgd(eta) -> None:
    w, rng, seen = Parameter(np.zeros(4000)), np.random.default_rng(3), []
    lookahead = Lookahead(SGD([w], lr=eta), k=4, alpha=0.3)
    for t in range(1, 601):
        w.grad = w.data + rng.standard_normal(4000)
        lookahead.step()
        if t % 4 == 0 and t > 200:
            seen.append(np.mean(w.data**2))
    q = (1 - eta) ** 4
    share = 0.3 * (1 + q) / (2 - 0.3 + 0.3 * q)
    assert np.mean(seen) == pytest.approx(share * eta / (2 - eta), rel=0.03)


def test_half_the_rate_is_nearly_the_same_bargain_only_without_momentum() -> None:
    def floor(eta, mu, k=1, alpha=1.0):
        step, kick = np.array([[1 - eta, -mu], [eta, mu]]), np.array([-eta, eta])
        part, gathered = np.diag([alpha, 1]), np.zeros((2, 2))
        for _ in range(k):
            gathered += np.outer(kick, kick)
            kick = step @ kick
        both = np.eye(4) - np.kron(cycle(eta, mu, k, alpha), cycle(eta, mu, k, alpha))
        return np.linalg.solve(both, (part @ gathered @ part).ravel())[0]

    for eta in np.geomspace(0.003, 1, 20):
        assert 0.78 < floor(eta, 0, 5, 0.5) / floor(eta / 2, 0) <= 1.0001
    assert floor(0.3, 0.9, 5, 0.5) < 0.3 * floor(0.15, 0.9)
    for mu in (0, 0.9):
        assert floor(1.5, mu, 5, 0.5) > 1.5 * floor(0.75, mu)


def arrival(make, rates, angle=0, steps=800):
    valley, turn = surfaces.ravine(20, angle), np.radians(angle)
    axes = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    begin = np.random.default_rng(9).uniform([-8, -3], [8, 3], (30, 1, 2)) @ axes
    run = descend(
        valley, make, steps, start=np.repeat(begin, len(rates), axis=1), lr=rates[:, None]
    )
    with np.errstate(all="ignore"):
        above = ~(run.losses < run.losses[0] / 1000)
    return np.median(steps + 1 - np.argmax(above[::-1], axis=0), axis=0)


def test_it_repairs_a_momentum_that_swings() -> None:
    rates, steps = np.geomspace(0.001, 0.2, 60), {}
    for mu in (0.6, 0.9):
        for wrap in (lambda inner: inner, Lookahead):
            steps[mu, wrap is Lookahead] = arrival(
                lambda p, lr, mu=mu, wrap=wrap: wrap(SGD(p, lr=lr, momentum=mu)), rates
            )
    assert 1.5 < steps[0.6, True].min() / steps[0.6, False].min() < 2.8
    broad, bump = (rates > 0.01) & (rates < 0.05), (rates > 0.06) & (rates < 0.09)
    assert np.median(steps[0.9, True][broad]) < 0.65 * np.median(steps[0.9, False][broad])
    assert np.all(steps[0.9, True][bump] > steps[0.9, False][bump])
    assert steps[0.6, False].min() < min(steps[0.6, True].min(), steps[0.9, True].min())


def test_adam_in_the_ravine_gains_less_at_45_degrees() -> None:
    rates, share = np.geomspace(0.05, 5, 20), {}
    for angle in (0, 45):
        alone = arrival(Adam, rates, angle, 300).min()
        both = arrival(lambda p, lr: Lookahead(Adam(p, lr=lr)), rates, angle, 300).min()
        share[angle] = both / alone
    assert share[0] < share[45] < 1


def losses(wrap, rate, mu, seeds=range(40, 60)):
    digits = Digits(seed=seeds)
    w = Parameter(digits.start)
    optimizer = wrap(SGD([w], lr=rate, momentum=mu))
    for batch in digits.batches(10):
        w.grad = digits.gradient(w.data, batch)
        optimizer.step()
    return digits.loss(optimizer.point(w), "validation")[:, 0]


def test_on_the_digits_it_is_half_the_rate_around_plain_sgd() -> None:
    """With other seeds than the page's."""
    for rate in (0.1, 0.2, 0.4):
        alone = losses(lambda inner: inner, rate, 0).mean()
        assert losses(Lookahead, 2 * rate, 0).mean() == pytest.approx(alone, rel=0.03)


def test_around_momentum_it_is_more_and_an_average_is_more_yet() -> None:
    alone, ahead = losses(lambda inner: inner, 0.2, 0.9), losses(Lookahead, 0.4, 0.9)
    average = losses(lambda inner: EMA(inner, decay=0.975), 0.2, 0.9)
    assert ahead.mean() < alone.mean() - 0.005
    assert average.mean() < ahead.mean() + 0.002


def test_with_the_buffer_pulled_back_twice_the_rate_is_survived() -> None:
    rate = {"none": 0.0, "pullback": 0.0}
    for how in rate:
        rate[how] = losses(
            lambda inner, how=how: Lookahead(inner, pullback_momentum=how), 0.8, 0.9
        ).mean()
    assert rate["pullback"] < 0.1 < rate["none"]


def test_the_ladders_lines() -> None:
    ahead, momentum = ladder.row("Lookahead"), ladder.row("SGD momentum 0.9")
    assert ahead.width == 2 * momentum.width
    assert ahead.accuracies[0].mean() > momentum.accuracies[0].mean() + 0.02
    assert abs(ahead.accuracies[-1].mean() - momentum.accuracies[-1].mean()) < 0.002
