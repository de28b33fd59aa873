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


def test_a_floor_falls_with_the_rate_on_the_digits():
    """The mean of the loss less the loss at the mean of an epoch's weights."""
    problem, floors = Digits(batch_size=8, seed=21), []
    start = trained(problem, 0.2, 6)
    for lr in (0.2, 0.04):
        w, total, losses = Parameter(start.copy()), 0, []
        sgd = SGD([w], lr=lr)
        for batch in problem.batches(1, first=6):
            w.grad = problem.gradient(w.data, batch)
            sgd.step()
            total = total + w.data
            losses.append(problem.loss(w.data))
        floors.append(np.mean(losses) - problem.loss(total / len(losses)))
    assert 0.02 < floors[1] / floors[0] < 0.3
