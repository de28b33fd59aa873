"""What the page on a drop of the rate claims."""

import numpy as np
import pytest

from optim_scratch import Parameter
from optim_scratch.optimizers import SGD
from optim_scratch.problems import Digits, NoisyQuadratic


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("lr", [0.01, 0.1, 0.4])
def test_the_floor_is_the_fixed_point_of_the_exact_recursion(lr, momentum):
    bowl = NoisyQuadratic([0.5, 1.0, 4.0], [1.0, 2.0, 0.5])
    losses = bowl.expected_losses(np.full(4000, lr), momentum)
    assert losses[-1] == pytest.approx(bowl.stationary_loss(lr, momentum), rel=1e-9)


def test_a_settled_direction_falls_to_gamma_of_its_floor_and_a_flat_one_does_not():
    rates = np.repeat([0.01, 0.002], [3000, 1000])
    steep = NoisyQuadratic([4.0], 1.0).expected_losses(rates)
    flat = NoisyQuadratic([1e-3], 1.0, start=10.0).expected_losses(rates)
    assert steep[-1] / steep[3000] == pytest.approx(0.2, rel=0.03)
    assert flat[-1] / flat[3000] > 0.95


def test_without_noise_a_drop_only_slows():
    quiet = NoisyQuadratic([0.01, 1.0], noise=0.0)
    kept, dropped = np.full(200, 0.1), np.repeat([0.1, 0.01], 100)
    assert quiet.expected_losses(dropped)[-1] > quiet.expected_losses(kept)[-1]


def test_the_best_drop_lies_in_a_wide_valley():
    slope = NoisyQuadratic(np.logspace(-3, 1, 30), noise=0.5, start=2.0)
    drops = np.arange(0, 2001, 50)
    courses = [slope.expected_losses(np.repeat([0.1, 0.01], [d, 2000 - d])) for d in drops]
    final = np.array([course[-1] for course in courses])
    assert drops[final.argmin()] == 850
    assert set(drops[final < 1.1 * final.min()]) == set(range(450, 1401, 50))


def trained(problem, lr, epochs):
    w = Parameter(problem.start.copy())
    sgd = SGD([w], lr=lr)
    for batch in problem.batches(epochs):
        w.grad = problem.gradient(w.data, batch)
        sgd.step()
    return w.data


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_three_copies_tell_noise_from_creeping(seed):
    noisy, slow = Digits(batch_size=8, seed=seed), Digits(seed=seed)
    for problem, lr, best in ((noisy, 0.4, 0), (slow, 0.02, 2)):
        copies = Parameter(np.tile(trained(problem, lr, 6), (3, 1)))
        ahead, losses = SGD([copies], lr=lr * np.array([[0.2], [1], [3]])), []
        for batch in problem.batches(1, first=6):
            copies.grad = problem.gradient(copies.data, batch)
            ahead.step()
            losses.append(problem.loss(copies.data))
        assert np.mean(losses[len(losses) // 2 :], axis=0).argmin() == best


def test_the_digits_end_lower_after_a_late_drop_than_after_an_early_one_or_none():
    many = Digits(batch_size=8, seed=range(20, 25))
    ends = {}
    for drop in (3, 10, 12):
        w = Parameter(many.start.copy())
        sgd = SGD([w], lr=0.5)
        for epoch in range(12):
            sgd.param_groups[0]["lr"] = 0.5 if epoch < drop else 0.05
            for batch in many.batches(1, first=epoch):
                w.grad = many.gradient(w.data, batch)
                sgd.step()
        ends[drop] = many.loss(w.data).mean()
    assert ends[10] < ends[12]
    assert ends[10] < 0.5 * ends[3]


def test_the_cost_and_the_need_of_steps_at_the_low_rate():
    """The two ends of the box, on a bowl with one steep direction and one flat one."""
    rate, gamma, steps, low = 0.1, 0.2, 500, 60
    rates = np.repeat([rate, gamma * rate], [steps - low, low])
    flat = NoisyQuadratic([0.02], 0.0)
    kept, dropped = flat.expected_losses(np.full(steps, rate)), flat.expected_losses(rates)
    assert dropped[-1] / kept[-1] == pytest.approx(np.exp(2 * 0.8 * rate * 0.02 * low), rel=0.01)
    steep = NoisyQuadratic([4.0], 2.0)
    above = steep.expected_losses(rates) - steep.stationary_loss(gamma * rate)
    settling = 1 / (2 * gamma * rate * 4.0)
    assert above[-1] < np.exp(-low / settling) * above[steps - low]
    bowl = NoisyQuadratic([4.0, 0.02], [2.0, 0.1], start=[1.0, 4.5])
    ends = [
        bowl.expected_losses(np.repeat([rate, gamma * rate], [steps - n, n]))[-1]
        for n in range(steps + 1)
    ]
    assert settling < np.argmin(ends) == 31 < 1 / (2 * (1 - gamma) * rate * 0.02)


def test_jitter_is_forgotten_by_the_same_factor_each_step():
    shrink, lag = 1 - 0.1 * 0.5, 6
    rng, theta = np.random.default_rng(0), np.zeros(20_000)
    seen = []
    for _ in range(200 + lag):
        theta = shrink * theta - 0.1 * rng.standard_normal(theta.size)
        seen.append(theta)
    there = np.mean(seen[-1] * seen[-1 - lag]) / np.mean(seen[-1] ** 2)
    assert there == pytest.approx(shrink**lag, abs=0.03)


class Forked:
    """Ten networks, at the end of their sixth epoch copied and continued at other rates."""

    def __init__(self):
        self.many, self.factors = Digits(batch_size=8, seed=range(30, 40)), np.array([1, 0.5, 0.2])
        w = Parameter(self.many.start.copy())
        sgd = SGD([w], lr=0.5)
        for number in range(6):
            self.level, self.mean = self.epoch(sgd, w, number)
        self.end, copies = w.data, Parameter(np.repeat(w.data, 3, axis=1))
        ahead = SGD([copies], lr=0.5 * self.factors[:, None])
        self.after, self.after_mean = self.epoch(ahead, copies, 6)
        self.copies = copies.data

    def epoch(self, sgd, w, number):
        total, self.seen = 0, []
        for i, batch in enumerate(self.many.batches(1, first=number)):
            w.grad = self.many.gradient(w.data, batch)
            sgd.step()
            total = total + w.data
            if i % 8 == 4:
                self.seen.append(w.data.copy())
        losses = [self.many.loss(weights) for weights in self.seen]
        return np.mean(losses, axis=(0, 1)), total / 128

    def noise(self):
        """Return the variance of a batch's gradient, summed over weights, in the last epoch."""
        probe, whole = list(self.many.batches(1, first=9))[:16], np.tile(np.arange(1024), (10, 1))
        each = []
        for weights in self.seen:
            exact = self.many.gradient(weights, whole)
            each += [((self.many.gradient(weights, b) - exact) ** 2).sum(-1) for b in probe]
        return np.mean(each, axis=(0, 1))


@pytest.fixture(scope="module")
def forked():
    return Forked()


def test_the_rule_has_most_of_the_fall_on_the_digits(forked):
    centre = forked.many.loss(forked.mean).mean()
    share = 0.8 * (forked.level[0] - centre) / (forked.level[0] - forked.after[2])
    assert 0.6 < share < 0.9


def test_the_better_network_was_there_before_the_drop(forked):
    weights = forked.end, forked.mean, forked.copies[:, 2:3]
    end, mean, dropped = (forked.many.accuracy(w, "validation").mean() for w in weights)
    assert mean > end + 0.01
    assert mean == pytest.approx(dropped, abs=0.005)


def test_the_floor_falls_as_rate_times_noise_and_so_faster_than_the_rate(forked):
    floors = forked.after - forked.many.loss(forked.after_mean).mean(axis=0)
    noise = forked.noise()
    ratios = floors / floors[0]
    assert (ratios[1:] < 0.7 * forked.factors[1:]).all()
    assert ratios == pytest.approx(forked.factors * noise / noise[0], rel=0.15)
