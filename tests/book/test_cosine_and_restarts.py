"""What the page on cosine annealing claims."""

import numpy as np
import pytest

from optim_scratch import schedulers
from optim_scratch.exercises import cosine_and_restarts as exercises
from optim_scratch.optimizers import SGD
from optim_scratch.parameter import Parameter
from optim_scratch.problems import Digits, NoisyQuadratic

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


def left_behind(rates):
    """Return what the noise of each step leaves: the loss of a run in which it is the only one."""
    found = []
    for t in range(len(rates)):
        survives = np.prod((1 - rates[t + 1 :, None] * CURVATURES) ** 2, axis=0)
        found.append(0.5 * np.sum(CURVATURES * survives) * rates[t] ** 2 * 0.25)
    return np.array(found)


def test_each_step_of_the_best_schedule_leaves_the_same_noise():
    best = left_behind(best_rates(bowl()))
    assert best.max() / best.min() < 1.005
    half = left_behind(BASES[final(cosine(T)).argmin()] * cosine(T))
    assert half[400] > 1.4 * best[0]
    assert half[-100:].max() < 0.1 * best[0]


def test_a_constant_rate_is_spoilt_by_its_last_steps_and_drops_by_those_before_the_first():
    for shape, to_blame, share in (
        (np.ones(T), slice(750, 1000), 0.7),
        (schedulers.MultiStepLR.curve(T, milestones=[500, 750]), slice(250, 500), 0.7),
    ):
        noise = left_behind(BASES[final(shape).argmin()] * shape)
        assert noise[to_blame].sum() > share * noise.sum()


def test_what_a_step_leaves_adds_up_to_the_loss():
    rates = 0.1 * cosine(60)
    start = NoisyQuadratic(CURVATURES, 0.0, start=2.0).expected_losses(rates)[-1]
    assert bowl().expected_losses(rates)[-1] == pytest.approx(start + left_behind(rates).sum())


def on_the_digits(plans, lr, epochs):
    """Return the validation loss of four seeds after so many epochs under each plan."""
    digits = Digits(batch_size=8, seed=range(4))
    w = Parameter(np.repeat(digits.start, len(plans), axis=1))
    plans = np.asarray(plans) * np.asarray(lr)[:, None]
    sgd, found = SGD([w], lr=plans[:, :1]), {}
    for t, batch in enumerate(digits.batches(max(epochs))):
        sgd.param_groups[0]["lr"] = plans[:, t, None]
        w.grad = digits.gradient(w.data, batch)
        sgd.step()
        if (t + 1) % 128 == 0:
            found[(t + 1) // 128] = digits.loss(w.data, "validation").mean(axis=0)
    return [found[epoch] for epoch in epochs]


def test_a_fall_gains_the_more_the_shorter_the_budget():
    rates = [0.35, 0.7, 0.7, 0.7]
    gains = []
    for epochs in (2, 10):
        n = 128 * epochs
        drops = schedulers.MultiStepLR.curve(n, milestones=[n // 2, 3 * n // 4])
        plans = [np.ones(n), drops, line(n), cosine(n)]
        constant, two, straight, half = on_the_digits(plans, rates, [epochs])[0]
        assert half == pytest.approx(straight, rel=0.06)
        assert half < two * 1.05
        gains.append(constant - half)
    assert gains[0] > 1.5 * gains[1]


def test_a_plan_whose_end_moves():
    ten, five = cosine(1280), cosine(640)
    plans = [ten, np.concatenate([five, five[::-1]]), np.concatenate([five, five])]
    plans.append(np.concatenate([cosine(256), np.zeros(1024)]))
    two, half, whole = on_the_digits(plans, [0.7] * 4, [2, 5, 10])
    assert two[0] > 1.25 * two[3]  # stopped long before its end
    assert half[0] == pytest.approx(half[1], rel=0.1)  # stopped half-way
    assert whole[1] > 1.3 * half[1]  # climbs
    assert whole[2] == pytest.approx(whole[0], rel=0.1)  # falls again


def test_torchs_two_forms_part_after_an_edit():
    torch = pytest.importorskip("torch")
    sgd = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.1)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(sgd, T_max=10)
    for t in range(8):
        if t == 3:
            sgd.param_groups[0]["lr"] /= 2
        closed = schedule._get_closed_form_lr()[0]
        assert sgd.param_groups[0]["lr"] == pytest.approx(closed / (2 if t >= 3 else 1))
        sgd.step()
        schedule.step()


def test_a_rate_below_eta_min_rises():
    rates = schedulers.CosineAnnealingLR.curve(11, lr=0.001, T_max=10, eta_min=0.01)
    assert (np.diff(rates) > 0).all()


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


def test_the_exercises_answer_is_the_packages():
    expected = schedulers.CosineAnnealingLR.curve(50, lr=0.3, T_max=20, eta_min=0.1)
    np.testing.assert_allclose([exercises.rate(t, 20, 0.3, 0.1) for t in range(50)], expected)


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
