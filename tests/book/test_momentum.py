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


def test_swings_die_by_the_root_of_the_momentum_whatever_the_curvature() -> None:
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


def test_it_is_the_memory_that_turns_kappa_into_its_root() -> None:
    counts = []
    for kappa in (320, 1280):
        runs = [
            descend(surfaces.ravine(kappa), SGD, 6000, lr=eta, momentum=mu).losses
            for eta, mu in tuned(kappa)
        ]
        counts.append([steps_to(losses, 1e-6) for losses in runs])
    ratios = np.divide(*counts[::-1])
    np.testing.assert_allclose(ratios, [4, 2, 2], rtol=0.15)
    assert counts[1][1] < counts[1][2], "the larger rate too is no faster in so many steps"


def test_the_larger_rate_helps_the_flat_direction_and_delays_the_steep_one() -> None:
    _, memory, both = tuned(1280)
    for start, shorter in (((-8, 0), both), ((0, 2), memory)):
        count = {
            setting: steps_to(
                descend(
                    surfaces.ravine(1280), SGD, 900, start=start, lr=setting[0], momentum=setting[1]
                ).losses,
                1e-6,
            )
            for setting in (memory, both)
        }
        assert min(count, key=count.__getitem__) == shorter


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


def test_room_for_larger_rates_pays_most_with_exact_gradients() -> None:
    gain = []
    for size in (32, None):
        plain, heavy = train([0.8, 1.6, 3.2, 6.4], [0, 0.9], size)
        assert plain[-1] > 5
        gain.append(np.nanmin(plain) / heavy.min())
    assert 1 < gain[0] < 3 < 5 < gain[1]


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
