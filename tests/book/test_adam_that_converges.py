"""What the chapter on Adam that converges claims."""

import numpy as np
import pytest

from optim_scratch import Parameter
from optim_scratch.optimizers import SGD, Adam, Yogi
from optim_scratch.projection import Box, Projected


def end(method, C=3.0, period=3, steps=6000, **hyper):
    """Where a weight between -1 and 1 ends on gradients C, -1, …, -1."""
    x = Parameter([0.0])
    held = Projected(method([x], lr=0.5, **hyper), Box(-1, 1))
    path = []
    for t in range(steps):
        held.param_groups[0]["lr"] = 0.5 / np.sqrt(t + 1)
        x.grad = [C if t % period == 0 else -1.0]
        held.step()
        path.append(x.data[0])
    return float(np.mean(path[-300:]))


@pytest.mark.parametrize("C", [2.5, 3.0, 10.0])
def test_the_counterexample_of_the_paper(C) -> None:
    """With β₂ = 1 / (1 + C²) and no momentum, as Reddi, Kale & Kumar have it."""
    hyper = {"betas": (0.0, 1 / (1 + C * C)), "eps": 0.0}
    assert end(Adam, C, **hyper) > 0.95
    assert end(Adam, C, amsgrad=True, **hyper) < -0.95
    assert end(Yogi, C, **hyper) < -0.95
    assert end(SGD, C) < -0.95


@pytest.mark.parametrize("beta2", [0.9, 0.99, 0.999])
def test_a_longer_memory_turns_it_round(beta2) -> None:
    assert end(Adam, betas=(0.0, beta2), eps=0.0) < -0.9


def cycle(gradients, beta2, rounds=2000):
    v = 0.0
    for _ in range(rounds):
        steps = []
        for g in gradients:
            v = beta2 * v + (1 - beta2) * g * g
            steps.append(-g / np.sqrt(v))
    return np.array(steps)


def test_with_no_memory_steps_are_votes() -> None:
    assert cycle([3.0, -1.0, -1.0], 0.0).tolist() == [-1, 1, 1]


def test_with_a_long_memory_the_sum_points_down() -> None:
    found = cycle([3.0, -1.0, -1.0], 0.9999, rounds=40_000).sum()
    assert found == pytest.approx(-1 / np.sqrt(11 / 3), rel=1e-3)


@pytest.mark.parametrize("period", [6, 10, 20, 40])
def test_the_memory_that_is_needed_is_two_thirds_of_the_period(period) -> None:
    gradients = [1.5 * (period - 1), *-np.ones(period - 1)]
    below, above = (cycle(gradients, 1 - 1 / (share * period)).sum() for share in (0.5, 0.85))
    assert below > 0 > above


def test_a_burst_is_never_forgotten_by_amsgrad() -> None:
    travelled = {}
    for amsgrad in (False, True):
        x = Parameter([0.0])
        adam = Adam([x], lr=0.01, betas=(0.9, 0.99), amsgrad=amsgrad)
        for t in range(3000):
            x.grad = [-100.0 if t < 10 else -1.0]
            adam.step()
        travelled[amsgrad] = x.data[0]
    assert travelled[False] > 20 * travelled[True]


def test_while_the_run_is_shorter_than_the_memory_amsgrad_is_adam() -> None:
    rng = np.random.default_rng(0)
    x, y = Parameter(np.zeros(5)), Parameter(np.zeros(5))
    adam, amsgrad = Adam([x], lr=0.01), Adam([y], lr=0.01, amsgrad=True)
    for _ in range(200):
        x.grad = y.grad = rng.standard_normal(5)
        adam.step()
        amsgrad.step()
    np.testing.assert_allclose(x.data, y.data, rtol=0.05, atol=0.01)


@pytest.mark.parametrize(("factor", "share"), [(1.05, 5.0), (3.0, 0.3)])
def test_how_clear_the_case_is_makes_a_difference(factor, share) -> None:
    gradients = [factor * 19, *-np.ones(19)]
    below, above = (cycle(gradients, 1 - 1 / (each * share * 20)).sum() for each in (0.8, 1.25))
    assert below > 0 > above
