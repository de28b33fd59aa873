"""What the chapter on cyclical rates and one cycle claims."""

from itertools import permutations

import numpy as np
import pytest
import torch

from optim_scratch import descend
from optim_scratch.optimizers import SGD
from optim_scratch.problems import NoisyQuadratic, SpiralMLP
from optim_scratch.schedulers import CyclicLR, LambdaLR, OneCycleLR

TORCH = torch.optim.lr_scheduler


def steady(h: float, rates) -> np.ndarray:
    """Return the expected losses of one direction over a late cycle."""
    problem = NoisyQuadratic([h], 1.0, start=0.0)
    repeats = 2 + int(10 / (h * np.sum(rates)))
    return problem.expected_losses(np.tile(rates, repeats))[-len(rates) :]


@pytest.mark.parametrize("seed", range(5))
def test_the_falling_order_ends_lowest_for_every_curvature(seed) -> None:
    rng = np.random.default_rng(seed)
    rates = tuple(np.sort(rng.uniform(0, 1, 5))[::-1])
    for h in (1e-3, 0.1, 1.0, 2.5):  # the last is unstable at some of the rates
        bowl = NoisyQuadratic([h], rng.uniform(0.1, 2), start=rng.uniform(0, 5))
        ends = {order: bowl.expected_losses(order)[-1] for order in permutations(rates)}
        assert ends[rates] <= min(ends.values()) * (1 + 1e-12)
        assert ends[rates[::-1]] >= max(ends.values()) * (1 - 1e-12)


def test_a_swap_of_two_rates_changes_what_the_proof_says() -> None:
    a, b, h, sigma = 0.3, 0.1, 1.7, 0.6
    bowl = NoisyQuadratic([h], sigma, start=2.0)
    first, second = (bowl.expected_losses(order)[-1] for order in ((a, b), (b, a)))
    assert first - second == pytest.approx(0.5 * h * -2 * a * b * h * sigma**2 * (a - b))


def test_with_momentum_the_rising_order_can_win() -> None:
    rates, bowl = (0.04, 0.03, 0.02, 0.01), NoisyQuadratic([1.0], 0.01)
    ends = {order: bowl.expected_losses(order, 0.9)[-1] for order in permutations(rates)}
    assert min(ends, key=ends.get) == rates[::-1]


@pytest.mark.parametrize("h", [0.01, 0.1, 1.0])
def test_no_steady_cycle_beats_the_constant_rate_of_its_mean(h) -> None:
    rng = np.random.default_rng(0)
    triangle = CyclicLR.curve(200, base_lr=0.01, max_lr=0.1, step_size_up=100, cycle_momentum=False)
    for rates in (triangle, rng.uniform(0, 0.2, 30), np.repeat([0.01, 0.2], [50, 5])):
        constant = NoisyQuadratic([h], 1.0).stationary_loss(np.mean(rates))
        assert steady(h, rates).mean() >= constant


def test_a_flat_direction_feels_the_mean_square_over_the_mean() -> None:
    rates = np.linspace(0.0, 0.1, 101)
    constant = NoisyQuadratic([1e-3], 1.0).stationary_loss(rates.mean())
    expected = np.mean(rates**2) / rates.mean() ** 2
    assert expected == pytest.approx(4 / 3, rel=0.01)
    np.testing.assert_allclose(steady(1e-3, rates) / constant, expected, rtol=0.02)


def test_near_the_limit_a_cycle_can_beat_its_mean() -> None:
    assert steady(1.0, [1.6, 1.9]).mean() < 0.96 * NoisyQuadratic([1.0], 1.0).stationary_loss(1.75)


@pytest.mark.parametrize("factor", [1.5, 2, 10])
def test_the_momentum_takes_back_half_of_the_cycle(factor) -> None:
    shape = {"base_lr": 0.01, "max_lr": 0.01 * factor, "step_size_up": 50}
    effective = CyclicLR.curve(101, **shape) / (1 - CyclicLR.curve(101, **shape, key="momentum"))
    assert effective[50] / effective[0] == pytest.approx(factor / 2)
    if factor == 2:
        np.testing.assert_allclose(effective, 0.1, rtol=1e-12)


def test_one_cycle_swings_the_effective_rate_by_eight_and_a_third() -> None:
    rates = OneCycleLR.curve(100, max_lr=1.0, total_steps=100)
    momenta = OneCycleLR.curve(100, max_lr=1.0, total_steps=100, key="momentum")
    effective = rates / (1 - momenta)
    assert effective.max() / effective[0] == pytest.approx(25 / 3)


@pytest.mark.parametrize("steps", [100, 400, 1600])
def test_the_fall_of_a_range_test_is_the_tests_and_its_wall_comes_late(steps) -> None:
    h, rates = 10.0, np.geomspace(1e-4, 0.4, steps)
    losses = NoisyQuadratic([h], 1.0).expected_losses(rates)[:-1]
    g = np.log(rates[1] / rates[0])
    fall = rates[np.gradient(losses, np.log(rates)).argmin()]
    assert fall == pytest.approx(g / (2 * h), rel=0.08)
    seen = rates[losses > 100 * np.interp(2 / h, rates, losses)][0] / (2 / h)
    assert seen == pytest.approx(1 + np.sqrt(g * np.log(100) / 2), rel=0.2)
    assert seen > 1


def test_torch_gives_plain_sgd_a_momentum() -> None:
    sgd = torch.optim.SGD([torch.zeros(1)], lr=0.3)
    TORCH.CyclicLR(sgd, base_lr=0.01, max_lr=0.1)
    assert sgd.param_groups[0]["momentum"] == 0.9


@pytest.mark.parametrize(("strategy", "sign"), [("cos", 1), ("linear", -1)])
def test_at_the_overrun_torch_rebounds_or_goes_below_zero_and_we_stay(strategy, sign) -> None:
    rates = []
    for kind in (TORCH.OneCycleLR, OneCycleLR):
        sgd = torch.optim.SGD([torch.zeros(1)], lr=1.0, momentum=0.9)
        one = kind(sgd, max_lr=1.0, total_steps=100, anneal_strategy=strategy)
        sgd.step()
        for _ in range(100):
            one.step()
        rates.append(one.get_last_lr()[0])
        with pytest.raises(ValueError, match="100"):
            one.step()
    assert rates[0] * sign > 1e-4
    assert rates[1] == pytest.approx(4e-6)


CYCLE = OneCycleLR.curve(400, max_lr=1.0, total_steps=400, cycle_momentum=False)
SORTED = np.sort(CYCLE)[::-1]


def large_weights() -> np.ndarray:
    return 3 * np.stack([SpiralMLP(points=59, seed=seed).start for seed in range(32)])


def train(rates, start, lr, every=400):
    """Run batches of 4 at these rates times `lr`, from each start."""
    share = [*rates, 0.0]
    return descend(
        SpiralMLP(points=59, batch_size=4),
        SGD,
        len(rates),
        start=start,
        every=every,
        lr=lr,
        scheduler=lambda optimizer: LambdaLR(optimizer, lambda t: share[t]),
    )


def failed(run) -> int:
    return int(np.sum(~(run.losses[-1] < 0.25)))


def sharpness(points) -> float:
    """Return the median of the first eight largest curvatures, by power iteration."""
    network, points = SpiralMLP(points=59), points[:8]
    v = np.ones_like(points)
    for _ in range(30):
        v *= 1e-4 / np.linalg.norm(v, axis=-1, keepdims=True)
        v = network.gradient(points + v) - network.gradient(points - v)
    return float(np.median(np.linalg.norm(v, axis=-1)) / 2e-4)


def test_from_large_weights_one_cycle_survives_where_its_sorted_rates_fail() -> None:
    assert failed(train(CYCLE, large_weights(), 0.27)) <= 8
    assert failed(train(SORTED, large_weights(), 0.27)) >= 16


def test_four_cycles_survive_that_rate_too() -> None:
    waves = CyclicLR.curve(400, base_lr=0.04, max_lr=1.0, step_size_up=50, cycle_momentum=False)
    assert failed(train(waves, large_weights(), 0.27)) <= 8


def test_the_sharpness_stays_until_the_limit_comes_down_on_it() -> None:
    run = train(CYCLE, large_weights(), 0.27, every=40)
    start, later, peak = (sharpness(run.points[k]) for k in (0, 1, 3))
    assert later > 0.85 * start > 2 / 0.27
    assert peak < 2 / 0.27


def test_waiting_at_a_low_rate_flattens_nothing_and_does_not_help() -> None:
    waited = train(np.ones(600), large_weights(), 0.02, every=600)
    risen = train(CYCLE, large_weights(), 0.27, every=120).points[1]
    assert np.median(waited.losses[-1]) < 0.02
    assert sharpness(waited.points[-1]) > 12
    assert sharpness(risen) < 8
    assert failed(train(SORTED, waited.points[-1], 0.27)) >= 14
    assert failed(train(SORTED, risen, 0.27)) <= 9
