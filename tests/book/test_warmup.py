"""What the chapter on warmup claims."""

from types import SimpleNamespace

import numpy as np
import pytest

from optim_scratch import Parameter, descend, schedulers
from optim_scratch.experiments import results
from optim_scratch.optimizers import SGD, Adam
from optim_scratch.problems import SpiralMLP


def first_weights(width, seeds=20):
    return np.stack([SpiralMLP(61, width, seed=seed).start for seed in range(seeds)])


def walk(theta, rates, width, v=0.0, looks=0):
    """Yield Adam's weights and updates; v and looks are what it has seen before."""
    data, m = SpiralMLP(61, width, batch_size=16), 0.0
    for t, eta in enumerate(rates, start=1):
        g = data.gradient(theta)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        u = m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999 ** (looks + t))) + 1e-8)
        yield theta, u
        theta = theta - eta * u


def worst(width, lr, **seen):
    """Return the medians of the loss at first, after one update, and at worst."""
    whole = SpiralMLP(61, width)
    steps = walk(first_weights(width), np.full(21, lr), width, **seen)
    losses = np.array([whole.value(theta) for theta, _ in steps])
    return np.median([losses[0], losses[1], losses.max(axis=0)], axis=1)


def test_the_chapters_adam_is_the_packages():
    start, rates = first_weights(32, 2), np.full(30, 0.01)
    run = descend(SpiralMLP(61, 32, batch_size=16), Adam, 29, start=start, lr=0.01)
    steps = np.array([theta for theta, _ in walk(start, rates, 32)])
    assert np.abs(run.points - steps).max() < 1e-12


def test_adams_first_step_is_the_rate_for_every_weight():
    w = Parameter(np.zeros(3))
    w.grad = np.array([1e3, -1.0, 1e-4])
    Adam([w], lr=0.2).step()
    assert w.data == pytest.approx([-0.2, 0.2, -0.2], rel=1e-3)


@pytest.mark.parametrize("t", [1, 2, 10, 100, 1000])
def test_how_many_gradients_a_denominator_is_worth(t):
    weights = 0.001 * 0.999 ** np.arange(t) / (1 - 0.999**t)
    n = 1999 * (1 - 0.999**t) / (1 + 0.999**t)
    assert 1 / np.sum(weights**2) == pytest.approx(n)
    if t <= 100:
        assert n == pytest.approx(t, rel=0.002)


@pytest.mark.parametrize(("kind", "kurtosis"), [("normal", 3.0), ("uniform", 1.8)])
def test_the_spread_of_the_squared_denominators(kind, kurtosis):
    rng = np.random.default_rng(0)
    draw = rng.standard_normal if kind == "normal" else lambda size: rng.uniform(-1, 1, size)
    v = 0.0
    for _ in range(50):
        v = 0.999 * v + 0.001 * draw(20_000) ** 2
    n = 1999 * (1 - 0.999**50) / (1 + 0.999**50)
    assert np.std(v) / np.mean(v) == pytest.approx(np.sqrt((kurtosis - 1) / n), rel=0.03)


def test_the_first_update_jumps_and_warmup_removes_the_jump():
    start, first, _ = worst(32, 0.2)
    assert first > 8 * start
    rates, whole = 0.2 * np.arange(21) / 20, SpiralMLP(61, 32)
    losses = [whole.value(theta) for theta, _ in walk(first_weights(32), rates, 32)]
    assert np.median(np.max(losses, axis=0)) < 1.5 * start


@pytest.mark.parametrize(("width", "lr"), [(16, 0.4), (32, 0.2)])
def test_known_denominators_leave_the_jump_and_make_worse_of_it(width, lr):
    data, known = SpiralMLP(61, width, batch_size=16, seed=1), 0.0
    for _ in range(300):
        known = 0.999 * known + 0.001 * data.gradient(first_weights(width)) ** 2
    fresh, informed = worst(width, lr), worst(width, lr, v=known, looks=300)
    assert informed[1] > 0.7 * fresh[1]
    assert informed[2] > 10 * fresh[2]


def longest_steps(width):
    net, starts = SpiralMLP(61, width), first_weights(width)
    g = net.gradient(starts)
    u, lengths, found = np.sign(g), np.geomspace(3e-3, 3, 200), []
    slope = net.gradient(starts + 1e-4 * u) - net.gradient(starts - 1e-4 * u)
    foretold = 2 * np.abs(g).sum(axis=-1) / np.sum(u * slope / 2e-4, axis=-1)
    for start, sign in zip(starts, u, strict=True):
        rises = net.value(start - lengths[:, None] * sign) > net.value(start)
        found.append(lengths[rises.argmax()])
    return np.median(foretold), np.median(found)


def test_the_longest_first_step_is_foretold_and_falls_with_the_width():
    (narrow, _), (foretold, found) = longest_steps(16), longest_steps(32)
    assert found == pytest.approx(foretold, rel=0.1)
    assert 1.7 < narrow / foretold < 3


@pytest.mark.parametrize("t", [1, 2, 10, 100])
def test_no_update_is_longer_than_the_bound_and_one_set_of_gradients_reaches_it(t):
    a, w = np.array([[0.9], [0.999]]) ** np.arange(t)
    a, w = a / a.sum(), w / w.sum()
    bound = np.sqrt(np.sum(a**2 / w))
    g = np.vstack([a / w, np.random.default_rng(0).standard_cauchy((1000, t))])
    updates = np.abs(g @ a) / np.sqrt(g**2 @ w)
    assert updates[0] == pytest.approx(bound)
    assert updates.max() <= bound * (1 + 1e-12)


def test_pure_noise_leaves_the_derived_size_of_an_update():
    rng, m, v = np.random.default_rng(0), 0.0, 0.0
    for _ in range(30):
        g = rng.standard_normal(20_000)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
    size = np.sqrt(np.mean((m / (1 - 0.9**30)) ** 2 / (v / (1 - 0.999**30))))
    assert size == pytest.approx(np.sqrt(0.1 / 1.9 * (1 + 0.9**30) / (1 - 0.9**30)), rel=0.02)


def test_scaling_the_gradient_leaves_adams_first_step_as_it_is():
    steps = []
    for scale in (1.0, 1e-3):
        w = Parameter(np.zeros(3))
        w.grad = scale * np.array([3.0, -1.0, 0.2])
        Adam([w], lr=0.2).step()
        steps.append(w.data)
    assert steps[0] == pytest.approx(steps[1], rel=1e-3)


def limits(peak, warmup):
    """Return the longest step along each of 40 updates, for 20 networks, and their curvatures."""
    whole, rows = SpiralMLP(61, 32), []
    rates = peak * np.minimum(1, np.arange(40) / warmup)
    for theta, u in walk(first_weights(32), rates, 32):
        Hu = (whole.gradient(theta + 1e-4 * u) - whole.gradient(theta - 1e-4 * u)) / 2e-4
        bend = np.sum(u * Hu, axis=-1)
        limit = 2 * np.sum(whole.gradient(theta) * u, axis=-1) / bend
        rows.append((limit, bend / np.sum(u * u, axis=-1)))
    return np.transpose(rows, (1, 0, 2))


@pytest.mark.parametrize("peak", [0.2, 0.4])
def test_the_longest_step_rises_to_where_the_rate_goes(peak):
    limit, curvature = limits(peak, 20)
    assert np.median(limit[:5]) < 0.05
    assert np.median(limit[20:]) == pytest.approx(peak, rel=0.3)
    assert np.median(curvature[20:]) < 0.5 * np.median(curvature[:5])


def test_waiting_alone_does_not_make_room_and_without_warmup_it_comes_at_once():
    assert np.median(limits(0.05, 20)[0][20:]) < 0.12
    assert np.median(limits(0.2, 1)[0][5:10]) > 0.15


def test_at_a_high_rate_warmup_decides():
    def end(warmup):
        run = descend(
            SpiralMLP(61, 32, batch_size=16), Adam, 150, start=first_weights(32), lr=0.4, every=150,
            scheduler=lambda o: schedulers.WarmupLinearSchedule(o, warmup, 150),
        )  # fmt: skip
        return np.median(run.final_loss)

    assert end(0) > 5 * end(20)


def test_warmup_can_do_harm():
    def lost(warmup):
        run = descend(
            SpiralMLP(61, 16), SGD, 300, start=first_weights(16), lr=0.8, every=50,
            scheduler=lambda o: schedulers.LambdaLR(o, lambda t: min(1, (t + 1) / warmup)),
        )  # fmt: skip
        return np.sum(run.diverged_at >= 0)

    assert lost(50) > lost(1) + 10


def test_the_first_update_of_a_linear_warmup_has_the_rate_0():
    rates = schedulers.WarmupLinearSchedule.curve(11, lr=0.1, warmup_steps=4, t_total=10)
    assert rates[:2].tolist() == [0, 0.025]
    assert rates[[4, 10]].tolist() == [0.1, 0]


def test_noams_peak():
    rates = schedulers.NoamLR.curve(8000, model_size=512, warmup_steps=4000)
    assert rates.argmax() + 1 == 4000
    assert rates.max() == pytest.approx((512 * 4000) ** -0.5)


AFTERS = {
    "warmup-step": lambda o: schedulers.StepLR(o, 10, 0.2),
    "warmup-multistep": lambda o: schedulers.MultiStepLR(o, [5, 10, 15, 20, 25], 0.5),
    "warmup-exponential": lambda o: schedulers.ExponentialLR(o, 0.885),
}


def planned(name):
    def build(optimizer):
        after = AFTERS[name](optimizer)
        return schedulers.GradualWarmupScheduler(optimizer, 40, 5, after_scheduler=after)

    return schedulers.curve(build, 31, lr=0.001)[1:]


def test_the_flaw_takes_the_rate_to_a_fortieth():
    optimizer = SimpleNamespace(param_groups=[{"lr": 0.001}])
    stale = AFTERS["warmup-step"](optimizer).get_last_lr()[0]
    assert planned("warmup-step")[5] / stale == pytest.approx(40)


@pytest.mark.parametrize("name", AFTERS)
def test_the_records_were_trained_with_the_planned_rates(name):
    runs = results.read("article-003").query("recipe == @name")
    assert len(runs)
    for _, run in runs.groupby("seed"):
        assert run["lr"].to_numpy() == pytest.approx(planned(name), rel=1e-12)


def ends_and_errors():
    """Return the means of the last five epochs in points, and their errors from the zigzag."""
    runs = results.read("article-003").query("seed == 0")
    rate = runs.pivot(index="epoch", columns="recipe", values="lr")
    accuracy = 100 * runs.pivot(index="epoch", columns="recipe", values="test_accuracy")
    change = accuracy.diff().where(rate > 0.6 * rate.shift()).loc[17:]
    return accuracy.loc[26:].mean(), change.std() / 10**0.5


def test_from_one_peak_the_three_schedules_end_level_and_from_three_base_rates_they_do_not():
    end, _ = ends_and_errors()
    assert np.ptp([end[name] for name in AFTERS]) < 0.5
    apart = [end[name] for name in ("step", "multistep", "exponential")]
    assert apart == sorted(apart)
    assert apart[2] - apart[0] > 1.5


def test_the_pair_that_differs_by_the_warmup_ends_level_within_two_errors():
    end, error = ends_and_errors()
    lead = end["warmup-exponential"] - end["exponential"]
    assert 0 < lead < 2 * np.hypot(error["warmup-exponential"], error["exponential"])


def test_the_warmup_is_behind_for_twenty_epochs():
    runs = results.read("article-003").query("seed == 0")
    accuracy = runs.pivot(index="epoch", columns="recipe", values="test_accuracy")
    lead = (accuracy["warmup-exponential"] - accuracy["exponential"]).to_numpy()
    means = lead.reshape(6, 5).mean(axis=1)
    assert (means[:4] < 0).all()
    assert (means[4:] > 0).all()


def test_the_run_without_warmup_has_the_better_first_epoch():
    runs = results.read("article-003").query("seed == 0 and epoch == 1").set_index("recipe")
    others = runs["test_accuracy"].drop("exponential")
    assert runs.loc["exponential", "test_accuracy"] > others.max()
