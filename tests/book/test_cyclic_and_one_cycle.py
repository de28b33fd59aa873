"""What the chapter on cyclical rates and one cycle claims."""

from itertools import permutations

import numpy as np
import pytest
import torch

from optim_scratch import Parameter
from optim_scratch.optimizers import SGD
from optim_scratch.problems import Digits, NoisyQuadratic
from optim_scratch.schedulers import CyclicLR, OneCycleLR

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


N = 160
FREE = {"max_lr": 1.0, "cycle_momentum": False}
RISE = OneCycleLR.curve(N, total_steps=N, **FREE)
SORTED = np.sort(RISE)[::-1]
WAVES = CyclicLR.curve(N, base_lr=0.04, step_size_up=20, **FREE)
SEEDS = 6


def train(rates, start, first=0):
    """Train the digits for five epochs at these rates, from each start, without momentum."""
    many = Digits(seed=range(100, 100 + SEEDS))  # not the page's seeds
    w = Parameter(np.broadcast_to(start, (SEEDS, 1, many.size)).copy())
    sgd = SGD([w], lr=1.0)
    for rate, batch in zip(rates, many.batches(5, first=first), strict=False):
        sgd.param_groups[0]["lr"] = float(rate)
        w.grad = many.gradient(w.data, batch)
        sgd.step()
    return w.data


def steep() -> np.ndarray:
    return 3 * Digits(seed=range(100, 100 + SEEDS)).start


def failed(weights) -> int:
    return int(np.sum(~(Digits().loss(weights) < 0.5)))


def ground(weights) -> float:
    """Return the median sharpness after 60 small steps on all pictures."""
    quiet, weights = Digits(batch_size=None), weights[:4, 0].copy()
    for _ in range(60):
        weights -= 0.1 * quiet.gradient(weights)
    return float(np.median([quiet.sharpness(w, 15) for w in weights]))


def test_from_a_steep_start_one_cycle_survives_where_its_sorted_rates_fail() -> None:
    assert failed(train(2 * RISE, steep())) <= 2
    assert failed(train(2 * WAVES, steep())) <= 3
    assert failed(train(2 * SORTED, steep())) >= SEEDS - 1
    assert failed(train(2 * np.ones(N), steep())) >= SEEDS - 1


def test_a_rise_makes_the_ground_flat_and_waiting_at_a_low_rate_does_much_less() -> None:
    risen = train(1.4 * RISE[:48], steep(), first=20)
    waited = train(np.full(N, 0.1), steep(), first=20)
    assert ground(risen) < 2 < ground(waited) < ground(steep())
    assert np.median(Digits().loss(waited)) < np.median(Digits().loss(risen))  # not the progress
    after_rise, after_wait = (
        sum(failed(train(2 * SORTED, start, first)) for first in (30, 40))
        for start in (risen, waited)
    )
    assert after_rise <= 2
    assert after_wait >= after_rise + 3


def test_a_high_rate_from_the_first_step_flattens_as_much_as_a_rise_to_it() -> None:
    for rate in (0.7, 1.0):
        held, risen = (
            train(rates, steep(), first=20) for rates in (np.full(48, rate), rate * RISE[:48])
        )
        assert ground(held) < 1.1 * ground(risen) < ground(steep()) / 1.5
        assert failed(train(2 * SORTED, held, 30)) <= failed(train(2 * SORTED, risen, 30)) + 1


def test_what_is_not_noise_is_the_same_in_any_order() -> None:
    curvatures = np.logspace(-3, 0.6, 30)
    cycles = CyclicLR.curve(400, base_lr=0.01, max_lr=0.1, cycle_momentum=False, step_size_up=50)
    quiet = NoisyQuadratic(curvatures, noise=0.0)
    noisy = NoisyQuadratic(curvatures, noise=1.0)
    ends = [quiet.expected_losses(rates)[-1] for rates in (cycles, np.sort(cycles)[::-1])]
    assert ends[0] == pytest.approx(ends[1])
    assert ends[0] == pytest.approx(0.038, abs=5e-4)
    falling = noisy.expected_losses(np.sort(cycles)[::-1])[-1]
    assert falling < 0.7 * noisy.expected_losses(cycles)[-1]


def errors(rates, momenta, peaks, epochs) -> tuple[float, float]:
    """Return the best peak by validation loss, and the share of test pictures misread there."""
    many = Digits(seed=range(100, 100 + SEEDS))
    w = Parameter(np.repeat(many.start, len(peaks), axis=1))
    sgd = SGD([w], lr=np.ones((len(peaks), 1)), momentum=np.full((1, 1), 0.5))
    for rate, mu, batch in zip(rates, momenta, many.batches(epochs), strict=True):
        sgd.param_groups[0]["lr"] = rate * peaks[:, None]
        sgd.param_groups[0]["momentum"] = np.full((1, 1), mu)
        w.grad = many.gradient(w.data, batch)
        sgd.step()
    best = many.loss(w.data, "validation").mean(axis=0).argmin()
    return peaks[best], 1 - many.accuracy(w.data, "test")[:, best].mean()


def test_there_is_no_super_convergence_on_the_digits() -> None:
    """One cycle with three epochs does not reach what drops reach with nine."""
    n, peaks = 3 * 32, np.array([0.2, 0.28, 0.4, 0.56])
    mirrored = OneCycleLR.curve(n, total_steps=n, max_lr=1.0, key="momentum")
    rise = OneCycleLR.curve(n, total_steps=n, **FREE)
    top, short = errors(rise, mirrored, peaks, 3)
    held, _ = errors(rise, np.full(n, 0.9), peaks, 3)
    drops = np.repeat([1, 0.1, 0.01], [144, 72, 72])
    _, long = errors(drops, np.full(288, 0.9), peaks[:2], 9)
    assert short > 1.3 * long
    assert held < top  # a higher name for about the same effective rate
    assert 0.6 < (top / 0.15) / (held / 0.1) < 1.4
