"""What is SWATS's own; what it shares with every optimizer is tested beside."""

import numpy as np
import pytest
from methods import SWATSReference

from optim_scratch import Parameter
from optim_scratch.optimizers import SGD, SWATS, Adam
from optim_scratch.schedulers import StepLR

GRADIENTS = np.random.default_rng(0).normal(size=(60, 6))


def path(gradients, **hyper):
    p = Parameter(np.zeros(gradients.shape[1]))
    swats, points = SWATS([p], **hyper), []
    for g in gradients:
        p.grad = g
        swats.step()
        points.append(p.data.copy())
    return np.array(points), swats


def test_before_the_switch_it_is_adam_but_for_the_place_of_eps():
    points, swats = path(GRADIENTS, lr=0.1, eps=0.0)
    p = Parameter(np.zeros(6))
    adam = Adam([p], lr=0.1, eps=0.0)
    for g, point in zip(GRADIENTS, points, strict=True):
        p.grad = g
        adam.step()
        np.testing.assert_allclose(point, p.data, rtol=1e-12)
    assert swats.switched_at == [None]


def test_a_gradient_that_stays_is_known_after_two_steps():
    """The rate that it finds is Adam's over the mean size of the gradient's entries."""
    g = np.array([3.0, -1.0, 0.5, 0.5])
    points, swats = path(np.tile(g, (5, 1)), lr=0.1)
    assert swats.switched_at == [2]
    rate = swats.param_groups[0]["lr"]
    assert rate == pytest.approx(0.1 * 4 / 5, rel=1e-6)
    # then SGD from an empty buffer: 1 − β₁ of the way, then 1 − β₁² of it
    steps = np.diff(points, axis=0)
    np.testing.assert_allclose(steps[0], -0.1 * np.sign(g), rtol=1e-6)
    np.testing.assert_allclose(steps[1], -rate * 0.1 * g, rtol=1e-12)
    np.testing.assert_allclose(steps[2], -rate * 0.19 * g, rtol=1e-12)


def test_the_estimate_is_the_rate_whose_step_projected_on_adams_is_adams():
    points, swats = path(GRADIENTS[:1], lr=0.1)
    p, g = points[0], GRADIENTS[0]
    gamma = swats.param_groups[0]["shared"]["exp_avg2"] / (1 - 0.999)
    projected = (-gamma * g @ p) / (p @ p) * p
    np.testing.assert_allclose(projected, p, rtol=1e-9)


def watched(gradients, beta1=0.9, beta2=0.9, lr=0.1):
    """The estimates and their corrected mean, computed once more."""
    m = v = mean = 0.0
    found = []
    for t, g in enumerate(gradients, start=1):
        m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g**2
        p = -lr * np.sqrt(1 - beta2**t) / (1 - beta1**t) * m / (np.sqrt(v) + 1e-2)
        gamma = p @ p / -(p @ g)
        mean = beta2 * mean + (1 - beta2) * gamma
        found.append((gamma, mean / (1 - beta2**t)))
    return np.array(found).T


def test_the_switch_is_at_the_first_step_after_one_that_is_near_enough_and_above_0():
    seeds = np.random.default_rng(1)
    switched = set()
    for _ in range(40):
        gradients = seeds.normal(size=(40, 6))
        _, swats = path(gradients, lr=0.1, betas=(0.9, 0.9), eps=1e-2)
        gamma, mean = watched(gradients)
        near = np.abs(gamma - mean) < 1e-2
        near[0] = False
        steps = np.flatnonzero(near & (mean > 0)) + 1
        assert swats.switched_at == [steps[0] if len(steps) else None]
        if len(steps):
            switched.add(int(steps[0]))
            rate = swats.param_groups[0]["lr"]
            assert rate == pytest.approx(mean[steps[0] - 1], rel=1e-9)
    assert len(switched) > 3


def test_where_momentum_leads_uphill_there_is_no_rate_to_take():
    """Without memory in β₂ the estimate is its own mean, so that each step could be the switch."""
    hyper = {"lr": 0.1, "betas": (0.9, 0.0)}
    gradients = np.array([[1.0], [-0.1], [-0.1], [1.0]])
    uphill = path(gradients[:3], **hyper)[1]
    assert uphill.param_groups[0]["shared"]["exp_avg2"] < 0
    assert uphill.switched_at == [None]
    assert path(gradients, **hyper)[1].switched_at == [4]


def test_after_the_switch_it_is_sgd_with_momentum_dampened():
    points, swats = path(np.tile(GRADIENTS[0], (2, 1)), lr=0.1, betas=(0.9, 0.9))
    assert swats.switched_at == [2]
    [group] = swats.param_groups
    [p] = group["params"]
    q = Parameter(points[-1])
    sgd = SGD([q], lr=group["lr"] * (1 - 0.9), momentum=0.9)
    for g in GRADIENTS[1:]:
        p.grad = q.grad = g
        swats.step()
        sgd.step()
        np.testing.assert_allclose(p.data, q.data, rtol=1e-12)


def test_the_parameters_of_a_group_are_one_vector():
    """Where the reference, which looks at each tensor by itself, switches at another step."""
    gradients = np.random.default_rng(3).normal(size=(60, 6))
    hyper = {"lr": 0.1, "betas": (0.9, 0.9), "eps": 0.01}
    whole, swats = path(gradients, **hyper)
    pieces = [Parameter(np.zeros(2)), Parameter(np.zeros((2, 2)))]
    apart = SWATS(pieces, **hyper)
    for g, point in zip(gradients, whole, strict=True):
        pieces[0].grad, pieces[1].grad = g[:2], g[2:].reshape(2, 2)
        apart.step()
        together = np.concatenate([piece.data.ravel() for piece in pieces])
        np.testing.assert_allclose(together, point, rtol=1e-9, atol=1e-12)
    assert apart.switched_at == swats.switched_at != [None]

    import torch

    theirs = [torch.nn.Parameter(torch.zeros(n, dtype=torch.float64)) for n in (2, 4)]
    reference = SWATSReference([{"params": theirs}], **hyper)
    phases = []
    for g in gradients:
        theirs[0].grad, theirs[1].grad = torch.tensor(g[:2]), torch.tensor(g[2:])
        reference.step()
        phases.append(reference.param_groups[0]["phase"])
    assert phases.index("sgd") + 1 != swats.switched_at[0]


def test_groups_switch_by_themselves():
    p, q = Parameter(np.zeros(3)), Parameter(np.zeros(6))
    swats = SWATS([{"params": p}, {"params": q}], lr=0.1)
    for g in GRADIENTS[:5]:
        p.grad, q.grad = np.ones(3), g
        swats.step()
    assert swats.switched_at == [2, None]
    assert swats.param_groups[1]["lr"] == 0.1


def test_a_scheduler_that_rescales_goes_on_from_the_rate_that_was_found():
    p = Parameter(np.zeros(2))
    swats = SWATS([p], lr=0.1)
    scheduler = StepLR(swats, step_size=3, gamma=0.1)
    rates = []
    for _ in range(4):
        p.grad = np.array([1.0, 3.0])
        swats.step()
        scheduler.step()
        rates.append(swats.param_groups[0]["lr"])
    np.testing.assert_allclose(rates, [0.1, 0.05, 0.005, 0.005], rtol=1e-6)


def test_a_resumed_run_switches_where_the_whole_one_does_and_stays_switched():
    hyper = {"lr": 0.1, "betas": (0.9, 0.9), "eps": 0.01}
    whole, swats = path(GRADIENTS, **hyper)
    [at] = swats.switched_at
    assert at is not None
    for done in (at - 1, at, at + 5):
        half = path(GRADIENTS[:done], **hyper)[1]
        q = Parameter(whole[done - 1])
        resumed = SWATS([q])
        resumed.load_state_dict(half.state_dict())
        for g in GRADIENTS[done:]:
            q.grad = g
            resumed.step()
        assert np.array_equal(q.data, whole[-1])
        assert resumed.switched_at == [at]


def test_a_gradient_of_zeros_says_nothing():
    points, swats = path(np.zeros((5, 2)), lr=0.1)
    assert not points.any()
    assert swats.switched_at == [None]
