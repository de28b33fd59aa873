"""What the chapter on cosine annealing and restarts claims."""

import numpy as np
import pytest

from optim_scratch import schedulers, surfaces
from optim_scratch.exercises import cosine_and_restarts as exercises
from optim_scratch.optimizers import SGD
from optim_scratch.parameter import Parameter
from optim_scratch.problems import NoisyQuadratic

T = 1000
CURVATURES = np.logspace(-3, 0, 40)
BASES = np.geomspace(0.01, 1, 120)


def bowl(noise=0.5, curvatures=CURVATURES):
    return NoisyQuadratic(curvatures, noise, start=2.0)


def best_rates(problem, steps=T):
    """Return the rates of which none can be improved by itself."""
    h, s2 = problem.curvatures, problem.noise**2
    rates = np.full(steps, 0.1)
    for _ in range(10):
        v, w = [problem.start**2], h
        for eta in rates:
            v.append((1 - eta * h) ** 2 * v[-1] + eta**2 * s2)
        for t in reversed(range(steps)):
            rates[t] = np.sum(w * h * v[t]) / np.sum(w * (h**2 * v[t] + s2))
            w = w * (1 - rates[t] * h) ** 2
    return rates


def final(shape, noise=0.5, curvatures=CURVATURES):
    """Return the expected loss at the end, for each base rate."""
    h = np.asarray(curvatures)
    v = np.full((BASES.size, h.size), 4.0)
    for multiple in shape:
        eta = multiple * BASES[:, None]
        v = (1 - eta * h) ** 2 * v + eta**2 * noise**2
    return 0.5 * np.sum(h * v, axis=-1)


def cosine(steps):
    return schedulers.CosineAnnealingLR.curve(steps, T_max=steps)


def line(steps, end=0.0):
    return end + (1 - end) * (1 - np.arange(steps) / steps)


@pytest.fixture(scope="module")
def lowest():
    return bowl().expected_losses(best_rates(bowl()))[-1]


def test_no_rate_of_the_best_schedule_can_be_improved():
    best = best_rates(bowl(), 60)
    loss = bowl().expected_losses(best)[-1]
    for t in range(60):
        for change in (0.98, 1.02):
            other = best.copy()
            other[t] *= change
            assert bowl().expected_losses(other)[-1] > loss


def test_a_search_of_another_kind_finds_the_same_rates():
    torch = pytest.importorskip("torch")
    h = torch.tensor(CURVATURES)
    rates = torch.full((60,), 0.02, dtype=torch.float64, requires_grad=True)
    search = torch.optim.LBFGS(
        [rates],
        max_iter=40,
        history_size=50,
        tolerance_grad=1e-9,
        tolerance_change=1e-13,
        line_search_fn="strong_wolfe",
    )

    def loss():
        search.zero_grad()
        v = 4 * torch.ones_like(h)
        for eta in rates:
            v = (1 - eta * h) ** 2 * v + eta**2 * 0.25
        end = 0.5 * torch.sum(h * v)
        end.backward()
        return end

    search.step(loss)
    best = best_rates(bowl(), 60)
    np.testing.assert_allclose(rates.detach(), best, atol=1e-3 * best[0])
    assert bowl().expected_losses(best)[-1] == pytest.approx(loss().item(), rel=1e-7)


@pytest.mark.parametrize(
    ("shape", "above"),
    [
        (line(T), 1.6),
        (schedulers.REXLR.curve(T, total_steps=T), 1.7),
        (cosine(T), 6.7),
        (np.ones(T), 24.9),
        (schedulers.MultiStepLR.curve(T, milestones=[500, 750]), 31.6),
        (line(T, 0.07), 0.1),
        (0.12 + 0.88 * cosine(T), 0.5),
    ],
    ids=["line", "REX", "cosine", "constant", "drops", "line-to-0.07", "cosine-to-0.12"],
)
def test_what_each_schedule_loses_against_the_best(shape, above, lowest):
    assert 100 * (final(shape).min() / lowest - 1) == pytest.approx(above, abs=0.1)


@pytest.mark.parametrize(
    ("curvatures", "shape"),
    [
        ([0.05], lambda rates: 1 / (1 / rates[0] + 0.05 * np.arange(T))),
        (CURVATURES, lambda rates: rates[0] * line(T, rates[-1] / rates[0])),
        (np.linspace(0.1, 1, 40) ** 3, lambda rates: rates[0] * line(T, 0.2) ** 2),
    ],
    ids=["one-curvature", "even-over-decades", "cubes"],
)
def test_the_best_schedule_obeys_the_law_and_has_the_shape_derived(curvatures, shape):
    rates, h = best_rates(bowl(curvatures=curvatures)), np.asarray(curvatures)
    left = rates[::-1].cumsum()[::-1] - rates / 2
    law = np.sum(h * np.exp(-2 * h * left[:, None]), axis=-1) ** -0.5
    assert np.ptp(rates / law) < 0.005 * np.mean(rates / law)
    assert np.max(np.abs(rates - shape(rates))) < 0.05 * rates[0]


@pytest.mark.parametrize(
    ("curvatures", "low", "high"),
    [([0.05], 13, 14), (CURVATURES, 0.4, 0.7), (np.linspace(0.1, 1, 40) ** 3, 0.8, 1.0)],
    ids=["one-curvature", "even-over-decades", "cubes"],
)
def test_a_cosine_with_the_right_end_serves_many_curvatures_and_not_one(curvatures, low, high):
    problem = bowl(curvatures=curvatures)
    best = problem.expected_losses(best_rates(problem))[-1]
    ends = np.geomspace(0.005, 0.5, 17)[::2]
    found = [final(end + (1 - end) * cosine(T), curvatures=curvatures).min() for end in ends]
    assert low < 100 * (min(found) / best - 1) < high


def test_the_more_noise_the_higher_the_end():
    ends = [rates[-1] / rates[0] for rates in (best_rates(bowl(s)) for s in (0.1, 0.5, 2.0))]
    assert ends == sorted(ends)


def test_the_recursion_drifts_only_past_the_bottom():
    t = np.arange(20_001)
    error = schedulers.CosineAnnealingLR.curve(t.size, T_max=1000)
    error = np.abs(error - (1 + np.cos(np.pi * t / 1000)) / 2)
    assert error[:1001].max() < 1e-15
    assert 1e-12 < error.max() < 1e-10


def test_stepped_per_batch_it_is_195_times_at_the_bottom():
    rates = schedulers.CosineAnnealingLR.curve(30 * 390 + 1, T_max=30)
    assert np.sum(rates < 1e-9) == 195
    np.testing.assert_allclose(rates[[390, 780, 1170]], [0, 1, 0], atol=1e-9)


@pytest.mark.parametrize(("noise", "change"), [(0.1, 0.31), (0.5, 0.05), (2.0, -0.05)])
def test_a_cosine_cut_short(noise, change):
    chosen = final(cosine(T), noise).argmin()
    cut = final(cosine(T)[: T // 2], noise)[chosen]
    assert cut / final(cosine(T // 2), noise).min() - 1 == pytest.approx(change, abs=0.01)


@pytest.mark.parametrize("lengths", [[250] * 4, [143, 286, 571]])
def test_on_the_bowl_no_restart_is_ahead_at_every_end(lengths):
    falls = np.concatenate([cosine(n) for n in lengths])
    base, alone = (BASES[final(shape).argmin()] for shape in (falls, cosine(T)))
    ends = np.cumsum(lengths)
    restarted = bowl().expected_losses(base * falls)[ends]
    assert (restarted > bowl().expected_losses(alone * cosine(T))[ends]).all()


def test_the_mean_of_weights_at_a_high_rate_beats_every_schedule(lowest):
    rates, h, start = (
        schedulers.SWALR.curve(T, lr=0.2, swa_lr=0.1, anneal_epochs=100),
        CURVATURES,
        2,
    )
    # each update's noise, followed through the weights that are averaged
    window, sums = 600, np.zeros((T, h.size))
    for t in range(T):
        survives = np.cumprod(1 - rates[t + 1 :, None] * h, axis=0)
        at_each = np.vstack([np.ones((1, h.size)), survives])
        sums[t] = at_each[max(0, T - window - t) :].sum(axis=0)
    path = np.cumprod(1 - rates[:, None] * h, axis=0)[-window:].sum(axis=0) * start
    noise = np.sum((rates[:, None] * 0.5 * sums) ** 2, axis=0)
    loss = 0.5 * np.sum(h * (path**2 + noise)) / window**2
    assert loss == pytest.approx(0.151, abs=0.001)
    assert loss < lowest


def test_on_many_wells_restarts_help_the_best_end_and_not_the_last():
    wells, rng = surfaces.rastrigin(), np.random.default_rng(0)

    def roam(theta, steps):
        for multiple in cosine(steps):
            noise = 60 * rng.standard_normal(theta.shape)
            theta = theta - 0.0043 * multiple * (wells.gradient(theta) + noise)
        return theta

    def places():
        return rng.uniform(-4.5, 4.5, (400, 2))

    last, best, independent = [], [], []
    for cycles in (1, 8):
        theta, warm, cold = places(), [], []
        for _ in range(cycles):
            theta = roam(theta, T // cycles)
            warm.append(wells.value(theta))
            cold.append(wells.value(roam(places(), T // cycles)))
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
    expected = schedulers.CosineAnnealingLR.curve(50, lr=0.3, T_max=20, eta_min=0.1)
    np.testing.assert_allclose([exercises.rate(t, 20, 0.3, 0.1) for t in range(50)], expected)
    sgd = SGD([Parameter(1.0)], lr=0.1)
    for T_mult in (1, 2, 3):
        schedule = schedulers.CosineAnnealingWarmRestarts(sgd, T_0=10, T_mult=T_mult)
        for epoch in (0, 9.5, 10, 29.75, 30, 1210):
            schedule.step(epoch)
            assert exercises.cycle(epoch, 10, T_mult)[1:] == (schedule.T_cur, schedule.T_i)


def test_the_rate_of_the_last_exercise_is_the_lowest_point_of_the_loss():
    rng = np.random.default_rng(0)
    for h, sigma, start, rates, t in exercises.bowls(rng):
        answer = exercises.best_rate(h, sigma, start, rates, t)
        losses = []
        for rate in (answer - 0.001, answer, answer + 0.001):
            rates[t] = rate
            losses.append(NoisyQuadratic(h, sigma, start=start).expected_losses(rates)[-1])
        # of the parabola through three points, the middle one is the lowest
        assert losses[0] - losses[2] == pytest.approx(0, abs=1e-9 * losses[1])
        assert losses[1] < losses[0]
