"""What the chapter on methods without a rate claims."""

import numpy as np
import pytest

from optim_scratch import Parameter, ladder, surfaces
from optim_scratch.optimizers import Adam, Prodigy
from optim_scratch.problems import Digits


def watch(gradient, start, steps=80, falling=False, **hyper):
    w, estimates = Parameter(np.array(start, dtype=float)), []
    prodigy = Prodigy([w], **{"use_bias_correction": True} | hyper)
    for t in range(steps):
        prodigy.param_groups[0]["lr"] = 1 - t / steps if falling else 1
        w.grad = gradient(w.data)
        prodigy.step()
        estimates.append(prodigy.param_groups[0]["shared"]["d"])
    return np.array(estimates), w.data


def test_the_bound_holds_for_any_walk_on_a_convex_loss() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        solution, curvatures = rng.standard_normal(4), rng.uniform(0.1, 5, 4)
        points = np.cumsum(rng.standard_normal((20, 4)), axis=0)
        gradients = curvatures * (points - solution)
        weights = rng.uniform(0, 1, 20)
        r = (weights * (gradients * (points[0] - points)).sum(axis=1)).sum()
        size = np.abs((weights[:, None] * gradients).sum(axis=0)).sum()
        assert r / size <= np.abs(points[0] - solution).max() + 1e-12


@pytest.mark.parametrize("distance", [0.1, 1, 10, 100])
@pytest.mark.parametrize("correction", [False, True])
def test_the_estimate_finds_the_order_of_magnitude(distance, correction) -> None:
    d, _ = watch(lambda x: x, np.full(3, distance), use_bias_correction=correction)
    assert 0.4 < d[-1] / distance < 0.6


def test_the_growth_of_a_step() -> None:
    rho = max(np.roots([1, 0, -1, -2]), key=lambda root: root.real).real
    assert rho == pytest.approx(1.52, abs=0.005)
    d, _ = watch(lambda x: x, [100.0])
    assert d[19] / d[18] == pytest.approx(rho, rel=0.03)
    assert np.log(1e5) / np.log(rho) == pytest.approx(28, abs=1)
    assert np.log(0.05 / 1e-6) / np.log(1.02) == pytest.approx(550, abs=10)


@pytest.mark.parametrize(("power", "growth"), [(1, 2**0.5), (2, 1.5214)])
def test_the_growth_follows_from_steps_as_long_as_the_estimate(power, growth) -> None:
    d, come, above, below = 1e-6, 0.0, 0.0, 0.0
    for _ in range(40):
        above += d**power * come
        below += d**power
        before, d = d, max(d, above / below)
        come += before
    assert d / before == pytest.approx(growth, rel=0.01)


def test_heavier_weights_on_late_steps_bring_the_bound_nearer() -> None:
    ends = []
    for power in (0, 1, 2):
        theta, start, m, v, r, s, d = np.ones(3), np.ones(3), 0.0, 0.0, 0.0, 0.0, 1e-6
        for _ in range(500):
            g, weight, keep = theta, d**power, 0.999**0.5
            r, s = keep * r + weight * g @ (start - theta), keep * s + weight * g
            m, v = 0.9 * m + 0.1 * d * g, 0.999 * v + 0.001 * (d * g) ** 2
            new = max(d, r / np.abs(s).sum())
            theta, d = theta - d * m / (np.sqrt(v) + new * 1e-8), new
        ends.append(d)
    np.testing.assert_allclose(ends, [0.05, 0.28, 0.42], atol=0.01)


def test_without_correction_early_steps_are_six_times_as_long() -> None:
    t = np.arange(1, 200)
    assert ((1 - 0.9**t) / np.sqrt(1 - 0.999**t)).max() == pytest.approx(6.5, abs=0.1)


@pytest.mark.parametrize("angle", [0, 45])
def test_a_turn_does_not_spoil_it(angle) -> None:
    ravine = surfaces.ravine(20, angle)
    d, end = watch(ravine.gradient, ravine.start, 200, falling=True)
    assert 0.3 < d[-1] < 10
    assert ravine.value(end) < 1e-4


def by_prodigy(seed, batch_size=32, cosine=True, hidden=32, **hyper):
    digits = Digits(hidden, batch_size, seed=seed)
    batches = list(digits.batches(10))
    w, estimates = Parameter(digits.start), []
    prodigy = Prodigy([w], **hyper)
    for t, batch in enumerate(batches):
        share = (1 + np.cos(np.pi * t / len(batches))) / 2
        prodigy.param_groups[0]["lr"] = share if cosine else 1
        w.grad = digits.gradient(w.data, batch)
        prodigy.step()
        estimates.append(prodigy.param_groups[0]["shared"]["d"])
    far = np.abs(w.data - digits.start).max()
    return digits.loss(w.data, "test"), np.array(estimates), far


def by_adam(rates, seeds=range(30, 36), hidden=32):
    digits = Digits(hidden, seed=seeds)
    w = Parameter(np.repeat(digits.start, len(rates), axis=1))
    adam = Adam([w], lr=rates[:, None])
    for t, batch in enumerate(digits.batches(10)):
        adam.param_groups[0]["lr"] = rates[:, None] * (1 + np.cos(np.pi * t / 320)) / 2
        w.grad = digits.gradient(w.data, batch)
        adam.step()
    return digits.loss(w.data, "test").mean(axis=0)


def test_the_estimate_comes_to_rest_at_adams_best_rate() -> None:
    """With other seeds than the page's."""
    rates = 10 ** np.arange(-3, 0.1, 0.25)
    losses = by_adam(rates)
    best = losses.argmin()
    assert 0.03 < rates[best] < 0.12
    assert losses[best - 2] < 1.6 * losses[best]
    assert losses[best + 2] > 2 * losses[best]
    assert min(losses[best - 4] / 2, losses[best + 4] / 10) > losses[best]
    ends, tests = [], []
    for first in (1e-8, 1e-6, 1e-4, 1e-2):
        for seed in (30, 31):
            loss, d, far = by_prodigy(seed, d0=first, use_bias_correction=True)
            assert np.argmax(d > d[-1] / 2) < 70
            assert far > 20 * d[-1]
            ends.append(d[-1])
            tests.append(loss)
    assert max(ends) < 1.6 * min(ends)
    assert rates[best] / 2 < np.mean(ends) < 2 * rates[best]
    assert np.mean(tests) < 1.3 * losses[best]


def test_cosine_and_correction_both_pay() -> None:
    cases = ({"cosine": False}, {}, {"use_bias_correction": True})
    bare, falling, both = (
        np.mean([by_prodigy(seed, **case)[0] for seed in range(30, 42)]) for case in cases
    )
    assert bare > falling > both


@pytest.mark.parametrize("hidden", [None, 8, 128])
def test_other_networks(hidden) -> None:
    rates = 10 ** np.arange(-2, 0.1, 0.25)
    best = rates[by_adam(rates, range(30, 33), hidden).argmin()]
    _, d, _ = by_prodigy(30, hidden=hidden, use_bias_correction=True)
    assert best / 4 < d[-1] < 4 * best


def test_noise_lowers_the_estimate_or_breaks_the_bound() -> None:
    def ends(noise):
        found = []
        for seed in range(40, 60):
            g = np.random.default_rng(seed)
            d, _ = watch(lambda x, g=g: x + noise * g.standard_normal(3), np.ones(3), 400)
            found.append(d[-1])
        return np.array(found)

    quiet, loud = ends(0), ends(100)
    assert np.median(loud) < np.median(quiet)
    assert loud.max() > 1 > quiet.max()
    assert loud.min() < 0.01


def test_what_does_not_work() -> None:
    kind = {"use_bias_correction": True}
    loss, d, _ = by_prodigy(30, d0=1.0, **kind)
    assert d[-1] == 1
    assert loss > 1
    for hyper in ({"batch_size": 256}, {"growth_rate": 1.02}):
        loss, d, _ = by_prodigy(30, **kind, **hyper)
        assert d[-1] < 0.01
        assert loss > 1.5
    d, _ = watch(lambda x: np.array([1.0, -0.5]), np.zeros(2), 100)
    assert d[-1] > 1e10


def test_one_huge_gradient_does_not_move_the_estimate() -> None:
    digits = Digits(seed=30)
    w, estimates = Parameter(digits.start), []
    prodigy = Prodigy([w], use_bias_correction=True)
    for t, batch in enumerate(digits.batches(5)):
        w.grad = digits.gradient(w.data, batch) * (1000 if t == 100 else 1)
        prodigy.step()
        estimates.append(prodigy.param_groups[0]["shared"]["d"])
    assert estimates[101] < 1.1 * estimates[99]


def test_the_ladders_line() -> None:
    last = {name: ladder.row(name).accuracies[-1].mean() for name in ("Prodigy", "Adam")}
    assert last["Prodigy"] < last["Adam"]
