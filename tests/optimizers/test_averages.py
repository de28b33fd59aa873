"""What averages make of noise, as derived on the noisy quadratic; the rest is tested beside."""

import numpy as np
import pytest

from optim_scratch import Parameter
from optim_scratch.optimizers import ASGD, EMA, SGD, SWA, Lookahead

STEPS = 400
RATES = pytest.mark.parametrize("rate", [0.05, 0.3, 1.0, 1.7])
"""Of SGD, times the curvature, which is 1: slow, fast, at once, to and fro."""


def variance(make, steps=STEPS):
    """Of the point, after steps whose gradients each have noise of variance 1.

    Each entry is a run with noise in one step alone. What is linear answers to all noise with the
    sum of the answers, and their variances add up.
    """
    p = Parameter(np.zeros(steps))
    optimizer = make([p])
    for noise in np.eye(steps):
        p.grad = p.data + noise
        optimizer.step()
    return float(np.sum(optimizer.point(p) ** 2))


def of_sgd(rate):
    """The variance of SGD's points: θ ← (1 − η) θ − η ε."""
    return rate**2 / (1 - (1 - rate) ** 2)


def of_a_mean(rate, n):
    """That of the mean of n points in a row, of which those j apart correlate as (1 − η)ʲ."""
    j = np.arange(1, n)
    return of_sgd(rate) / n * (1 + 2 * np.sum((1 - j / n) * (1 - rate) ** j))


@RATES
def test_sgds_orbit_is_as_wide_as_derived(rate):
    assert variance(lambda p: SGD(p, lr=rate)) == pytest.approx(of_sgd(rate), rel=1e-9)


@RATES
@pytest.mark.parametrize("n", [1, 2, 50])
def test_the_mean_of_n_points_is_as_near_as_derived(rate, n):
    error = variance(lambda p: SWA(SGD(p, lr=rate), start=STEPS - n))
    assert error == pytest.approx(of_a_mean(rate, n), rel=1e-9)


@RATES
def test_points_far_apart_are_averaged_as_if_independent(rate):
    """Every so many steps one, by which time nothing is left of the last."""
    steps = 4000 if rate < 0.1 else 800
    every = steps // 8
    error = variance(lambda p: SWA(SGD(p, lr=rate), start=4 * every, every=every), steps)
    assert error == pytest.approx(of_sgd(rate) / 4, rel=1e-9)


@RATES
def test_asgds_average_is_that_of_the_points_since_t0(rate):
    """Those after step t₀ + 1: its μ is 1 up to the second of them."""
    error = variance(lambda p: ASGD(p, lr=rate, lambd=0.0, t0=STEPS - 51))
    assert error == pytest.approx(of_a_mean(rate, 50), rel=1e-9)


@RATES
@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9])
def test_an_average_that_forgets_is_as_near_as_derived(rate, beta):
    error = variance(lambda p: EMA(SGD(p, lr=rate), decay=beta))
    apart = (1 + beta * (1 - rate)) / (1 - beta * (1 - rate))
    assert error == pytest.approx(of_sgd(rate) * (1 - beta) / (1 + beta) * apart, rel=1e-9)


@RATES
@pytest.mark.parametrize("k", [1, 5, 10])
@pytest.mark.parametrize("alpha", [0.2, 0.5, 0.8, 1.0])
def test_lookaheads_orbit_is_as_wide_as_its_paper_says(rate, k, alpha):
    """Zhang et al. (2019), proposition 2."""
    steps = 4000 if rate * alpha < 0.05 else 800
    once, twice = 1 - (1 - rate) ** k, 1 - (1 - rate) ** (2 * k)
    narrower = alpha**2 * twice / (alpha**2 * twice + 2 * alpha * (1 - alpha) * once)
    error = variance(lambda p: Lookahead(SGD(p, lr=rate), k, alpha), steps)
    assert error == pytest.approx(narrower * of_sgd(rate), rel=1e-9)
    assert narrower <= 1 + 1e-12
