"""What the chapter on momentum claims."""

from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from optim_scratch import Parameter, descend, surfaces
from optim_scratch.optimizers import SGD
from optim_scratch.problems import Digits, NoisyQuadratic

P, Q, R = Fraction(792, 1225), Fraction(-2208, 1225), Fraction(2592, 1225)


def slope(x):
    """Return the slope of the function of Lessard, Recht & Packard (2016)."""
    return np.select([x < 1, x < 2], [25 * x, x + 24], 25 * x - 24)


def descend_kinked(**hyper) -> np.ndarray:
    """Return the points of a descent on that function from 3.3."""
    kinked = SimpleNamespace(value=lambda x: x[..., 0] ** 2, gradient=slope, start=[3.3])
    return descend(kinked, SGD, 400, **hyper).points[:, 0]


def modulus(h, eta, mu):
    """Return the larger modulus of the roots of ρ² − (1 + μ − ηh) ρ + μ."""
    trace = 1 + mu - eta * h
    root = np.sqrt(np.asarray(trace**2 - 4 * mu, dtype=complex))
    return np.maximum(abs(trace + root), abs(trace - root)) / 2


def steps_to(values, share) -> int:
    """Return after how many steps values stay below a share of the first."""
    return int(np.flatnonzero(np.abs(values) > share * abs(values[0]))[-1]) + 1


@pytest.mark.parametrize("mu", [0.5, 0.9, 0.95])
def test_what_agrees_grows_and_what_alternates_shrinks_by_half_at_most(mu) -> None:
    for sign, expected in ((1, 1 / (1 - mu)), (-1, 1 / (1 + mu))):
        w, places = Parameter(0.0), [0.0]
        sgd = SGD([w], lr=1.0, momentum=mu)
        for t in range(1000):
            w.grad = float(sign**t)
            sgd.step()
            places.append(float(w.data))
        assert abs(places[-1] - places[-2]) == pytest.approx(expected)
        assert expected >= 0.5


def test_the_same_rate_with_a_memory_helps_along_and_hurts_across() -> None:
    ravine = surfaces.ravine(20)
    plain, heavy = (descend(ravine, SGD, 400, lr=0.03, momentum=mu).points.T for mu in (0, 0.7))
    assert steps_to(heavy[0], 1e-3) < steps_to(plain[0], 1e-3) / 5
    assert steps_to(heavy[1], 1e-3) > 4 * steps_to(plain[1], 1e-3)
    # the cause: along the floor gradients keep their sign, across they turn within three steps
    assert np.all(heavy[0][:30] < 0)
    assert np.flatnonzero(heavy[1] < 0)[0] <= 3
    buffers = -np.diff(heavy, axis=1) / 0.03
    assert np.abs(buffers[0]).max() > 2 * 8
    assert np.abs(buffers[1]).max() < 1.2 * 40


def test_swings_die_by_the_root_of_the_momentum_throughout_the_band() -> None:
    for h in (1.0, 5.0, 20.0, 60.0):
        bowl = SimpleNamespace(value=lambda x: x[..., 0] ** 2, gradient=lambda x, h=h: h * x)
        bowl.start = [1.0]
        end = np.abs(descend(bowl, SGD, 400, lr=0.03, momentum=0.9).points[:, 0])
        per_step = (end[300:].max() / end[100:200].max()) ** (1 / 200)
        assert per_step == pytest.approx(np.sqrt(0.9), rel=0.01)


def tuned(kappa) -> list[tuple[float, float]]:
    """Return gradient descent's best rate, with the best memory for it, and the best of both."""
    eta, both = 2 / (kappa + 1), 4 / (np.sqrt(kappa) + 1) ** 2
    return [(eta, 0.0), (eta, (1 - np.sqrt(eta)) ** 2), (both, (1 - np.sqrt(both)) ** 2)]


def steps_apart(kappa, eta, mu) -> list[int]:
    """Return after how many steps each direction of a ravine is within a thousandth."""
    points = descend(surfaces.ravine(kappa), SGD, 6000, lr=eta, momentum=mu).points
    return [steps_to(one, 1e-3) for one in points.T]


def test_it_is_the_memory_that_turns_kappa_into_its_root() -> None:
    counts = [[max(steps_apart(k, *setting)) for setting in tuned(k)] for k in (320, 1280)]
    np.testing.assert_allclose(np.divide(*counts[::-1]), [4, 2, 2], rtol=0.15)
    assert counts[1][1] < counts[1][2], "the larger rate too is no faster in so many steps"


def test_the_larger_rate_helps_the_flat_direction_and_delays_the_steep_one() -> None:
    _, memory, both = tuned(1280)
    assert steps_apart(1280, *memory) == [229, 180]
    assert steps_apart(1280, *both) == [165, 233]


@pytest.mark.parametrize("kappa", [20, 1280])
def test_both_ends_of_the_band_carry_the_factor_t(kappa) -> None:
    """The first step, without momentum, decides how much of it."""
    t = np.arange(200)
    _, (rate, mu), (eta, both) = tuned(kappa)
    along, across = descend(surfaces.ravine(kappa), SGD, 199, lr=eta, momentum=both).points.T
    rho = np.sqrt(both)
    floor = (1 + (1 - rho) * t) * rho**t
    np.testing.assert_allclose(along / along[0], floor, rtol=0, atol=1e-9)
    steep = (1 + (1 + rho) * t) * (-rho) ** t
    np.testing.assert_allclose(across / across[0], steep, rtol=0, atol=1e-9)
    # the memory alone: the floor has the same form, and the steep direction is inside the band
    along = descend(surfaces.ravine(kappa), SGD, 199, lr=rate, momentum=mu).points[:, 0]
    floor = (1 + (1 - np.sqrt(mu)) * t) * np.sqrt(mu) ** t
    np.testing.assert_allclose(along / along[0], floor, rtol=0, atol=1e-9)
    assert (1 - np.sqrt(mu)) ** 2 < rate * kappa < (1 + np.sqrt(mu)) ** 2
    assert np.sqrt(mu) == pytest.approx(1 - np.sqrt(2 / (kappa + 1)))


@pytest.mark.parametrize(
    ("share", "mu", "kind"),
    [(0.1, 0.2, "creep"), (0.1, 0.8, "swing"), (2.05, 0.1, "flip"), (2.3, 0.1, "explode")],
)
def test_the_map_says_what_a_direction_does(share, mu, kind) -> None:
    low, high, limit = (1 - np.sqrt(mu)) ** 2, (1 + np.sqrt(mu)) ** 2, 2 * (1 + mu)
    bowl = SimpleNamespace(value=lambda x: x[..., 0] ** 2, gradient=lambda x: x, start=[1.0])
    x = descend(bowl, SGD, 30, lr=share, momentum=mu).points[:, 0]
    kinds = {
        "creep": share < low and np.all(x > 0) and np.all(np.diff(x) < 0),
        "swing": low < share < high and np.any(x < 0) and np.any(x[1:] * x[:-1] > 0),
        "flip": high < share < limit and np.all(x[1:] * x[:-1] < 0) and abs(x[-1]) < 0.1,
        "explode": limit < share and np.all(x[1:] * x[:-1] < 0) and abs(x[-1]) > 10,
    }
    assert [name for name, holds in kinds.items() if holds] == [kind]
    if kind == "swing":
        assert np.all(np.abs(x) <= 1.1 * np.sqrt(mu) ** np.arange(31)), "the dashed curve"


@pytest.mark.parametrize("kappa", [9.0, 100.0])
def test_no_method_of_gradients_is_faster_on_the_chain(kappa) -> None:
    """The error outside of the first t links, which no gradient has reached, is the bound."""
    d, factor = 400, (np.sqrt(kappa) - 1) / (np.sqrt(kappa) + 1)
    chain = 2 * np.eye(d) - np.eye(d, k=1) - np.eye(d, k=-1)
    hessian = (kappa - 1) / 4 * chain + np.eye(d)
    pull = (kappa - 1) / 4 * np.eye(d)[0]
    solution = np.linalg.solve(hessian, pull)
    np.testing.assert_allclose(solution[:40], factor ** np.arange(1, 41), rtol=1e-8)
    curvatures = np.linalg.eigvalsh(hessian)
    assert curvatures[0] >= 1
    assert curvatures[-1] <= kappa
    w = Parameter(np.zeros(d))
    sgd = SGD([w], lr=4 / (np.sqrt(kappa) + 1) ** 2, momentum=factor**2)
    for t in range(1, 21):
        w.grad = hessian @ w.data - pull
        sgd.step()
        assert not np.any(w.data[t:])
        error = np.linalg.norm(w.data - solution)
        assert error >= factor**t * np.linalg.norm(solution) * (1 - 1e-8)


def test_stable_where_the_closed_form_says() -> None:
    lrs, mus = np.linspace(0.002, 0.208, 100), np.linspace(0.01, 0.99, 100)
    grid = {"lr": lrs[None, :, None], "momentum": mus[:, None, None]}
    run = descend(surfaces.ravine(20), SGD, 1000, every=1000, **grid)
    limit = 2 * (1 + mus) / 20
    assert np.array_equal(run.final_loss < run.losses[0], lrs[None] < limit[:, None])


@pytest.mark.parametrize("kappa", [4.0, 25.0, 100.0])
def test_no_setting_beats_the_optimal_one(kappa) -> None:
    h = np.linspace(1, kappa, 200)[:, None]
    ratio = (np.sqrt(kappa) - 1) / (np.sqrt(kappa) + 1)
    best = modulus(h, 4 / (np.sqrt(kappa) + 1) ** 2, ratio**2)
    np.testing.assert_allclose(best, ratio, atol=1e-6)  # a double root is only known to √ε
    rng = np.random.default_rng(0)
    mus = rng.uniform(0, 1, 5000)
    etas = rng.uniform(0, 2 * (1 + mus) / kappa)
    assert modulus(h, etas, mus).max(axis=0).min() >= ratio


@pytest.mark.parametrize("share", [0.01, 0.3, 0.9])
def test_no_momentum_beats_the_best_one_at_a_given_rate(share) -> None:
    root = 1 - np.sqrt(share)
    assert modulus(share, 1.0, root**2) == pytest.approx(root, abs=1e-6)
    assert modulus(share, 1.0, np.linspace(0, 0.999, 2000)).min() >= root - 1e-6


def train(effective, momenta, batch_size, steps=96):
    """Return the digits' training loss, of shape (momenta, rates), a mean over two seeds."""
    digits = Digits(batch_size=batch_size, seed=range(2))
    mu = np.reshape(momenta, (-1, 1, 1))
    lr = (1 - mu) * np.reshape(effective, (-1, 1))
    shape = (2, len(mu), len(effective), digits.size)
    w = Parameter(np.broadcast_to(digits.start[:, None], shape).copy())
    sgd = SGD([w], lr=lr, momentum=mu)
    for _ in range(steps):
        w.grad = digits.gradient(w.data)
        sgd.step()
    return digits.loss(w.data).mean(axis=0)


def test_at_equal_effective_rate_momentum_does_on_digits_what_plain_descent_does() -> None:
    plain, heavy, slow = train([0.2, 0.4, 0.8], [0, 0.9, 0.99], 32)
    np.testing.assert_allclose(heavy, plain, rtol=0.12)
    assert np.all(slow > 1.5 * plain), "a buffer of 100 steps does not fill in 96"


def test_each_tenfold_memory_has_room_which_pays_with_exact_gradients_alone() -> None:
    effective = np.geomspace(0.2, 200, 10)[2:]
    noisy, exact = (train(effective, [0, 0.9, 0.99], size) for size in (32, None))
    best = exact.min(axis=1)
    assert best[0] > 5 * best[1] > 10 * best[2]
    assert np.all(np.diff(np.nanargmin(exact, axis=1)) >= 2)
    assert np.all(exact.argmin(axis=1) < len(effective) - 1), "the grid reaches past the best"
    assert 1 < noisy[0].min() / noisy[1].min() < 3
    assert noisy[2].min() > noisy[1].min()
    # 0.9 breaks earlier with noisy gradients
    assert np.argmax(noisy[1] > 1) < np.argmax(exact[1] > 1)
    # raised to 0.99 at the same η, which is three places further to the right
    assert noisy[2, 4] > 4 * noisy[1, 1]


def test_some_batches_are_steeper_than_the_whole() -> None:
    digits = Digits(batch_size=32, seed=0)
    w = Parameter(digits.start.copy())
    sgd = SGD([w], lr=0.1, momentum=0.9)
    for batch in digits.batches(epochs=3):
        w.grad = digits.gradient(w.data, batch)
        sgd.step()

    def sharpness(batch) -> float:
        v = np.random.default_rng(0).standard_normal(w.data.size)
        for _ in range(25):
            v = 1e-4 * v / np.linalg.norm(v)
            v = digits.gradient(w.data + v, batch) - digits.gradient(w.data - v, batch)
        return float(np.linalg.norm(v) / 2e-4)

    whole, some = sharpness(np.arange(1024)), [sharpness(b) for b in digits.batches()]
    assert max(some) > 1.5 * whole


@pytest.mark.parametrize("rate", [0.01, 0.002])
def test_the_loss_of_a_noisy_run_is_what_is_still_to_go_and_a_floor(rate) -> None:
    h, mu = np.geomspace(0.2, 1, 20), 0.9
    noisy, silent = (NoisyQuadratic(h, noise) for noise in (0.3, 0))
    mean, to_go = (task.expected_losses(np.full(900, rate), mu) for task in (noisy, silent))
    run = descend(silent, SGD, 900, lr=rate, momentum=mu).losses
    np.testing.assert_allclose(to_go, run, rtol=1e-6, atol=1e-12)
    part = mean - to_go
    assert part[-1] == pytest.approx(20 * 0.3**2 * rate / (1 - mu) / 4, rel=0.02)
    crossing = np.argmax(part > to_go)
    assert 0 < crossing < 600
    plain = noisy.expected_losses(np.full(900, 10 * rate))
    assert np.all(plain[1:20] < mean[1:20])
    assert np.abs(np.log(plain / mean)).max() < np.log(2)
    assert plain[-1] == pytest.approx(mean[-1], rel=0.05)
    # the split is right: a mean over runs, against the exact one
    w = Parameter(np.ones((400, 20)))
    sgd = SGD([w], lr=rate, momentum=mu)
    for _ in range(100):
        w.grad = noisy.gradient(w.data)
        sgd.step()
    assert noisy.value(w.data).mean() == pytest.approx(mean[100], rel=0.1)


def watch(noise, lr, mu, rate_by=1.0, momentum_by=1.0):
    """Return losses and gradients of a run whose settings change at step 80."""
    curvatures = np.concatenate([np.ones(50), np.linspace(10, 20, 50)])
    task = NoisyQuadratic(curvatures, noise=noise, seed=0)
    w, losses, gradients = Parameter(np.repeat([1.0, 0.01], 50)), [], []
    sgd = SGD([w], lr=lr, momentum=mu)
    for t in range(160):
        if t == 80:
            sgd.param_groups[0]["lr"] *= rate_by
            sgd.param_groups[0]["momentum"] *= momentum_by
        losses.append(float(task.value(w.data)))
        w.grad = task.gradient(w.data)
        gradients.append(w.grad.copy())
        sgd.step()
    return np.array(losses), np.array(gradients)


@pytest.mark.parametrize(
    ("case", "cosine", "half_rate", "half_momentum"),
    [
        ((0, 0.1901, 0.9), (-1, -0.99), (0, 0.1), (100, np.inf)),
        ((0, 0.01, 0.99), (0.9, 1), (0.3, 1.2), (0, 0.05)),
        ((4, 0.003, 0.9), (-0.2, 0.3), (0.4, 0.7), (0.2, 0.6)),
    ],
    ids=["rate too large", "overshoot", "noise"],
)
def test_three_measurements_tell_three_causes_apart(case, cosine, half_rate, half_momentum) -> None:
    losses, g = watch(*case)
    length = np.linalg.norm(g, axis=1)
    median = np.median(np.sum(g[1:] * g[:-1], axis=1) / length[1:] / length[:-1])
    assert cosine[0] - 1e-9 <= median <= cosine[1]
    for change, (low, high) in (((0.5, 1), half_rate), ((1, 0.5), half_momentum)):
        ratio = watch(*case, *change)[0][100:].max() / losses[100:].max()
        assert low <= ratio <= high


def test_the_cycle_closes_in_exact_arithmetic() -> None:
    def step(x, before):
        pull = 25 * x if x < 1 else x + 24 if x < 2 else 25 * x - 24
        return x - Fraction(1, 9) * pull + Fraction(4, 9) * (x - before)

    assert (step(P, R), step(Q, P), step(R, Q)) == (Q, R, P)


def test_the_cycle_attracts() -> None:
    """Near the cycle the difference to it shrinks as on a quadratic: a double root of -2/3."""
    roots = np.roots([1, 4 / 3, 4 / 9])
    np.testing.assert_allclose(roots, -2 / 3, atol=1e-6)
    starts = np.linspace(3.07, 3.46, 40)[:, None]
    kinked = SimpleNamespace(value=lambda x: x[..., 0] ** 2, gradient=slope, start=[3.3])
    run = descend(kinked, SGD, 300, start=starts, lr=1 / 9, momentum=4 / 9)
    ends = np.sort(run.points[-3:, :, 0], axis=0)
    np.testing.assert_allclose(ends.T - [float(Q), float(P), float(R)], 0, atol=1e-12)


def test_momentum_cycles_where_gradient_descent_converges() -> None:
    end = np.sort(descend_kinked(lr=1 / 9, momentum=4 / 9)[-3:])
    np.testing.assert_allclose(end, [float(Q), float(P), float(R)], rtol=0, atol=1e-12)
    assert abs(descend_kinked(lr=1 / 13)[-1]) < 1e-12
