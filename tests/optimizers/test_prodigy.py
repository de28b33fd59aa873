"""What is Prodigy's own; what it shares with every optimizer is tested beside."""

import methods
import numpy as np
import pytest
import torch

from optim_scratch import Parameter, registry
from optim_scratch.optimizers import Prodigy


def descent(start, steps, **options):
    """The estimates of d on the sum of |w|, and where it ends."""
    w = Parameter(start)
    prodigy = Prodigy([w], **options)
    estimates = []
    for _ in range(steps):
        w.grad = np.sign(w.data)
        prodigy.step()
        estimates.append(prodigy.param_groups[0]["shared"]["d"])
    return np.array(estimates), w.data


@pytest.mark.parametrize("distance", [0.1, 1.0, 100.0])
def test_the_estimate_rises_to_the_distance_and_never_falls_or_exceeds_it(distance):
    estimates, end = descent([distance, -distance / 2], 400)
    assert np.all(np.diff(estimates) >= 0)
    assert 0.1 * distance < estimates[-1] <= distance
    assert np.all(np.abs(end) < 0.2 * distance)


def test_the_unit_of_the_parameter_does_not_matter():
    ones, _ = descent([1.0, -0.5], 50, d0=1e-6)
    thousands, _ = descent([1000.0, -500.0], 50, d0=1e-3)
    np.testing.assert_allclose(thousands, 1000 * ones, rtol=1e-9)


def test_growth_is_limited_after_the_first_rise():
    estimates, _ = descent([1.0], 100, d0=0.01, growth_rate=1.1)
    estimates = estimates[estimates > 0.01]
    ratios = estimates[1:] / estimates[:-1]
    assert np.all(ratios <= 1.1 + 1e-12)
    assert ratios.max() > 1.09


def test_without_momentum_the_gradient_is_in_units_of_the_estimate_before():
    """As in the paper; the package takes the estimate after, where β₁ is 0."""
    p = Parameter([1.0])
    prodigy = Prodigy([p], betas=(0.0, 0.99), d0=0.5, eps=1e-300)
    p.grad = [2.0]
    prodigy.step()
    # γ = d₀, m = d₀ g, v = 0.01 d₀² g²: a step of d₀ / √0.01
    np.testing.assert_allclose(p.data, 1.0 - 0.5 / 0.1)


def test_before_a_gradient_differs_from_0_nothing_happens():
    p = Parameter([1.0])
    prodigy = Prodigy([p])
    p.grad = [0.0]
    prodigy.step()
    assert p.data == 1.0
    assert prodigy.param_groups[0]["shared"]["k"] == 0


def test_one_estimate_serves_all_groups():
    p, q = Parameter([1.0]), Parameter([5.0])
    prodigy = Prodigy([{"params": p}, {"params": q}], d0=0.1)
    for _ in range(10):
        p.grad, q.grad = np.sign(p.data), np.sign(q.data)
        prodigy.step()
    first, second = (group["shared"] for group in prodigy.param_groups)
    assert first == second
    assert first is not second
    assert first["d"] > 0.1


def test_refuses_two_rates_that_are_not_0():
    p, q = Parameter([1.0]), Parameter([1.0])
    prodigy = Prodigy([{"params": p, "lr": 0.5}, {"params": q, "lr": 1.0}])
    p.grad = q.grad = np.ones(1)
    with pytest.raises(ValueError, match=r"lr must be the same in every group, .* \[0\.5, 1\.0\]"):
        prodigy.step()
    assert p.data == q.data == 1.0


def test_the_reference_is_as_far_from_itself_after_one_rounding():
    """Why d₀ is not drawn smaller: θ₀ − θ is at first a difference of nearly equal numbers."""
    options = {
        "lr": 0.9, "betas": (0.69, 0.966), "eps": 0.063, "weight_decay": 0.154, "d0": 1e-5,
        "d_coef": 0.554, "use_bias_correction": True, "safeguard_warmup": True,
        "growth_rate": 1.51, "slice_p": 3,
    }  # fmt: skip
    ours, apart = [], []
    for seed in range(12):
        rows = methods.record(50, ((3,), (4, 2)), seed)
        method = registry.find("Prodigy")
        both = methods.followers(method, options, rows)
        ours.append(max(methods.errors(*both)))
        (_, first, gradients), (_, second, _) = (
            methods.followers(method, options, rows) for _ in range(2)
        )
        for t, row in enumerate(gradients):
            last = methods.distance(first.step(row), second.step(row))
            if t == 0:
                with torch.no_grad():
                    for p in second.parameters:
                        p.copy_(torch.nextafter(p, torch.full_like(p, np.inf)))
        apart.append(last)
    assert max(apart) > 1e-13, "hundreds of roundings"
    assert max(ours) < 20 * max(apart)
