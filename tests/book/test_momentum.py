"""What the chapter on momentum claims."""

from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from optim_scratch import Parameter, descend, surfaces
from optim_scratch.optimizers import SGD

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


@pytest.mark.parametrize("nesterov", [False, True])
def test_stable_where_the_closed_form_says(nesterov) -> None:
    lrs, mus = np.linspace(0.002, 0.208, 100), np.linspace(0.01, 0.99, 100)
    grid = {"lr": lrs[None, :, None], "momentum": mus[:, None, None]}
    run = descend(surfaces.ravine(20), SGD, 1000, every=1000, nesterov=nesterov, **grid)
    limit = 2 * (1 + mus) / (1 + 2 * mus if nesterov else 1) / 20
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


def test_nesterov_at_its_best_on_quadratics() -> None:
    """The setting of Lessard, Recht & Packard has its factor, and none of a grid does better."""
    h, root = np.linspace(1, 20, 96), np.sqrt(61)

    def worst(eta, mu):
        trace, det = (1 + mu) * (1 - eta * h), mu * (1 - eta * h)
        gap = np.sqrt((trace**2 - 4 * det).astype(complex))
        return np.maximum(abs(trace + gap), abs(trace - gap)).max(axis=-1) / 2

    best = 1 - 2 / root
    np.testing.assert_allclose(worst(4 / 61, (root - 2) / (root + 2)), best, atol=1e-6)
    etas, mus = np.linspace(0.03, 0.1, 60)[:, None, None], np.linspace(0.3, 0.95, 60)[:, None]
    assert worst(etas, mus).min() >= best


def test_momentum_cycles_where_the_others_converge() -> None:
    end = np.sort(descend_kinked(lr=1 / 9, momentum=4 / 9)[-3:])
    np.testing.assert_allclose(end, [float(Q), float(P), float(R)], rtol=0, atol=1e-12)
    assert abs(descend_kinked(lr=1 / 13)[-1]) < 1e-12
    assert abs(descend_kinked(lr=1 / 25, momentum=2 / 3, nesterov=True)[-1]) < 1e-12


@pytest.mark.parametrize(
    ("rates", "same"), [([0.02] * 60, True), ([0.02] * 30 + [0.002] * 30, False)]
)
def test_nesterov_is_the_look_ahead_while_the_rate_is_constant(rates, same) -> None:
    ravine, mu = surfaces.ravine(20), 0.9
    theta, v, w = np.array(ravine.start), np.zeros(2), Parameter(ravine.start)
    sgd = SGD([w], lr=rates[0], momentum=mu, nesterov=True)
    for eta in rates:
        v = mu * v - eta * ravine.gradient(theta + mu * v)
        theta = theta + v
        sgd.param_groups[0]["lr"] = eta
        w.grad = ravine.gradient(w.data)
        sgd.step()
    assert np.allclose(w.data, theta + mu * v, rtol=0, atol=1e-12) == same


def test_a_drop_of_the_rate_acts_at_once() -> None:
    w, places = Parameter(0.0), [0.0]
    sgd = SGD([w], lr=0.1, momentum=0.9)
    for eta in (0.1, 0.1, 0.1, 0.01):
        sgd.param_groups[0]["lr"] = eta
        w.grad = 1.0
        sgd.step()
        places.append(float(w.data))
    np.testing.assert_allclose(-np.diff(places), [0.1, 0.19, 0.271, 0.03439])
