"""What the page on warm restarts claims."""

import numpy as np
import pytest

from optim_scratch import schedulers, surfaces
from optim_scratch.exercises import restarts as exercises
from optim_scratch.optimizers import SGD
from optim_scratch.parameter import Parameter
from optim_scratch.problems import Digits, NoisyQuadratic

CURVATURES = np.logspace(-3, 0, 40)
LENGTHS = {"one": [1000], "growing": [143, 286, 571], "four equal": [250] * 4}


def falls(lengths):
    return np.concatenate([schedulers.CosineAnnealingLR.curve(n, T_max=n) for n in lengths])


def trained(plan, lr, seeds=range(4)):
    """Return the digits, and the weights after each epoch, a plan being in units of the rate."""
    digits = Digits(batch_size=8, seed=seeds)
    w, found = Parameter(digits.start.copy()), []
    sgd = SGD([w], lr=lr)
    for t, batch in enumerate(digits.batches(len(plan) // 128)):
        sgd.param_groups[0]["lr"] = lr * plan[t]
        w.grad = digits.gradient(w.data, batch)
        sgd.step()
        if (t + 1) % 128 == 0:
            found.append(w.data.copy())
    return digits, found


def test_a_cycle_adds_half_of_its_steps_and_a_half():
    for n in (1, 2, 7, 250):
        assert falls([n]).sum() == pytest.approx((n + 1) / 2)


@pytest.mark.parametrize(
    ("name", "earlier"), [("one", 0.0), ("growing", 0.0169), ("four equal", 0.0421)]
)
def test_restarts_cost_no_way_and_what_remains_of_the_earlier_cycles(name, earlier):
    lengths = LENGTHS[name]
    rates, start = 0.129 * falls(lengths), NoisyQuadratic(CURVATURES, 0.0, start=2.0)
    assert start.expected_losses(rates)[-1] == pytest.approx(0.0776, abs=0.0003)
    whole = NoisyQuadratic(CURVATURES, 0.5, start=0.0)
    # without noise before the last cycle, which then begins at the minimum
    last = whole.expected_losses(rates[-lengths[-1] :])[-1]
    assert last == pytest.approx(0.0875, abs=0.0016)
    assert whole.expected_losses(rates)[-1] - last == pytest.approx(earlier, abs=1e-4)


def test_doubling_leaves_more_than_half_to_the_last_cycle():
    for k in range(1, 9):
        assert 2 ** (k - 1) / (2**k - 1) > 0.5


@pytest.mark.parametrize(("noise", "ahead"), [(0.5, [False] * 3), (0.1, [False, True, False])])
def test_where_restarts_are_ahead_on_the_bowl(noise, ahead):
    problem, ends = NoisyQuadratic(CURVATURES, noise, start=2.0), np.cumsum(LENGTHS["growing"])
    bases = np.geomspace(0.05, 1, 40)

    def best(shape):
        return min((problem.expected_losses(b * shape) for b in bases), key=lambda x: x[-1])

    with_restarts, without = (best(falls(LENGTHS[name]))[ends] for name in ("growing", "one"))
    assert (with_restarts < without).tolist() == ahead


def test_on_the_digits_an_end_is_finished_early_and_costs_nothing_late():
    digits, growing = trained(falls([256, 512, 1024]), 0.6)
    _, alone = trained(falls([14 * 128]), 0.85)
    loss = {
        (name, epoch): digits.loss(points[epoch - 1], "validation").mean()
        for name, points in (("growing", growing), ("alone", alone))
        for epoch in (2, 7, 14)
    }
    assert loss["growing", 2] < 0.6 * loss["alone", 2]
    assert loss["growing", 7] > 1.5 * loss["alone", 7]
    assert loss["growing", 14] == pytest.approx(loss["alone", 14], rel=0.1)


def test_a_restart_throws_up_the_loss_and_not_that_at_the_mean():
    digits, plan = Digits(batch_size=8, seed=range(4)), 0.6 * falls([256, 512, 128])
    w, means = Parameter(digits.start.copy()), []
    sgd = SGD([w], lr=0.6)
    for epoch in range(7):
        total = 0
        for rate, batch in zip(plan[128 * epoch :], digits.batches(1, first=epoch), strict=False):
            # the third cycle of the page is longer: in its first epoch the rate is near the top
            sgd.param_groups[0]["lr"] = rate if epoch < 6 else 0.6
            w.grad = digits.gradient(w.data, batch)
            sgd.step()
            total = total + w.data
        if epoch == 5:
            before = digits.loss(w.data).mean()
        means.append(digits.loss(total / 128).mean())
    assert digits.loss(w.data).mean() > 1.3 * before
    assert means[6] < means[5]


def test_snapshots_are_alike_and_independent_runs_are_not():
    digits, points = trained(np.tile(falls([512]), 4), 0.85)
    warm = [points[i] for i in (3, 7, 11, 15)]
    cold = [trained(falls([512]), 0.85, range(4 * i, 4 * i + 4))[1][-1] for i in range(4)]
    pictures, labels = digits.part("validation")

    def loss(members):
        z = np.array([digits.scores(point, pictures) for point in members])
        p = np.exp(z - z.max(axis=-1, keepdims=True))
        p = (p / p.sum(axis=-1, keepdims=True)).mean(axis=0)
        return -np.log(p[..., np.arange(len(labels)), labels]).mean()

    assert loss(warm) > 1.05 * loss(warm[-1:])
    assert loss(cold) < 0.95 * loss(cold[-1:])
    assert loss(warm[-1:]) < 0.8 * loss(cold)


def test_a_run_of_100_epochs_ends_high_and_one_of_105_at_an_end():
    rates = schedulers.CosineAnnealingWarmRestarts.curve(106, T_0=10, T_mult=2)
    assert rates[100] == pytest.approx(0.69, abs=0.005)
    for k, first in ((2, 35), (3, 15), (4, 7)):
        rates = schedulers.CosineAnnealingWarmRestarts.curve(106, T_0=first, T_mult=2)
        assert rates[105] == 1  # the next cycle begins
        assert np.sum(rates == 1) == k + 1


def test_on_many_wells_restarts_help_the_best_end_and_not_the_last():
    wells, rng = surfaces.rastrigin(), np.random.default_rng(0)

    def roam(theta, steps):
        for multiple in falls([steps]):
            noise = 60 * rng.standard_normal(theta.shape)
            theta = theta - 0.0043 * multiple * (wells.gradient(theta) + noise)
        return theta

    def places():
        return rng.uniform(-4.5, 4.5, (400, 2))

    last, best, independent = [], [], []
    for cycles in (1, 8):
        theta, warm, cold = places(), [], []
        for _ in range(cycles):
            theta = roam(theta, 1000 // cycles)
            warm.append(wells.value(theta))
            cold.append(wells.value(roam(places(), 1000 // cycles)))
        last.append(warm[-1].mean())
        best.append(np.min(warm, axis=0).mean())
        independent.append(np.min(cold, axis=0).mean())
    assert last == pytest.approx([7.5, 9.0], abs=1.2)
    assert best[1] == pytest.approx(2.6, abs=0.4)
    assert independent[1] < best[1] + 0.2


def test_torch_loses_a_cycle_to_a_logarithm_and_we_do_not():
    torch = pytest.importorskip("torch")
    theirs = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(
        torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.1), T_0=10, T_mult=3
    )
    ours = schedulers.CosineAnnealingWarmRestarts(SGD([Parameter(1.0)], lr=0.1), T_0=10, T_mult=3)
    for schedule, rate, where in ((theirs, 0.0, (810, 810)), (ours, 0.1, (0, 2430))):
        schedule.step(1210)
        assert schedule.get_last_lr() == pytest.approx([rate])
        assert (schedule.T_cur, schedule.T_i) == where


def test_the_exercises_answers_are_the_packages():
    sgd = SGD([Parameter(1.0)], lr=0.1)
    for T_mult in (1, 2, 3):
        schedule = schedulers.CosineAnnealingWarmRestarts(sgd, T_0=10, T_mult=T_mult)
        for epoch in (0, 9.5, 10, 29.75, 30, 1210):
            schedule.step(epoch)
            assert exercises.cycle(epoch, 10, T_mult)[1:] == (schedule.T_cur, schedule.T_i)
    begins = np.flatnonzero(
        schedulers.CosineAnnealingWarmRestarts.curve(311, T_0=10, T_mult=2) == 1
    )
    assert begins.tolist() == [0, 10, 30, 70, 150, 310]
