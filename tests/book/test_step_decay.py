"""What the chapter on step decay claims."""

import json
import warnings

import numpy as np
import pytest

from optim_scratch.experiments import results
from optim_scratch.problems import NoisyQuadratic
from optim_scratch.schedulers import ConstantLR, LambdaLR, LinearLR, MultiplicativeLR, PolynomialLR

MEASURES = ("train_loss", "test_loss", "test_accuracy")


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


@pytest.mark.parametrize(("first", "last", "whole"), [(0.1, 1.0, 7), (1.0, 0.0, 7), (0.5, 0.2, 1)])
def test_the_ratio_of_a_line(first, last, whole):
    t = np.arange(1, whole + 1)
    rise = last - first
    ratios = (whole * first + t * rise) / (whole * first + (t - 1) * rise)
    line = LinearLR.curve(whole + 1, start_factor=first, end_factor=last, total_iters=whole)
    assert first * np.cumprod(ratios) == pytest.approx(line[1:], abs=1e-12)
    straight = first + rise * t / whole
    assert line[1:] == pytest.approx(straight, abs=1e-12)


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_the_ratio_of_a_power(power):
    t, whole = np.arange(1, 10), 9
    ratios = ((whole - t) / (whole - t + 1)) ** power
    fall = PolynomialLR.curve(12, total_iters=whole, power=power)
    assert np.cumprod(ratios) == pytest.approx(fall[1:10], abs=1e-12)
    assert not fall[9:].any()  # a ratio cannot leave 0


def test_the_best_drop_lies_in_a_wide_valley():
    slope = NoisyQuadratic(np.logspace(-3, 1, 30), noise=0.5, start=2.0)
    drops = np.arange(0, 2001, 50)
    courses = [slope.expected_losses(np.repeat([0.1, 0.01], [d, 2000 - d])) for d in drops]
    final = np.array([course[-1] for course in courses])
    assert drops[final.argmin()] == 850
    assert set(drops[final < 1.1 * final.min()]) == set(range(450, 1401, 50))


def test_a_curve_that_lambda_lr_overwrites_can_be_rescaled_too():
    curve = LambdaLR.curve(30, lr_lambda=lambda t: 1 / (1 + t / 5))
    rescaled = MultiplicativeLR.curve(30, lr_lambda=lambda t: (4 + t) / (5 + t))
    assert rescaled == pytest.approx(curve, rel=1e-12)


def test_a_linear_decay_has_two_names():
    line = LinearLR.curve(12, start_factor=1, end_factor=0, total_iters=9)
    assert line == pytest.approx(PolynomialLR.curve(12, total_iters=9), abs=1e-12)


@pytest.mark.parametrize("kind", [LinearLR, ConstantLR])
def test_left_at_its_defaults_it_rises_from_a_third(kind):
    rates = kind.curve(30)
    assert rates[0] == pytest.approx(1 / 3)
    assert rates[5:] == pytest.approx(1)
    assert (np.diff(rates) >= 0).all()
    with pytest.raises(ValueError, match="factor"):
        kind.curve(3, **{"start_factor" if kind is LinearLR else "factor": 0})


def test_a_ratio_is_not_asked_for_the_first_epoch():
    asked = []
    MultiplicativeLR.curve(4, lr_lambda=lambda epoch: asked.append(epoch) or 0.5)
    assert asked == [1, 2, 3]


def test_get_lr_is_not_the_rate_in_use():
    torch = pytest.importorskip("torch")
    sgd = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.01)
    schedule = torch.optim.lr_scheduler.StepLR(sgd, 16, 0.2)
    for _ in range(16):
        sgd.step()
        schedule.step()
    with warnings.catch_warnings(action="ignore"):
        assert schedule.get_lr() == pytest.approx([0.0004])
    assert schedule.get_last_lr() == pytest.approx([0.002])


def test_two_epochs_mean_and_one_epoch_after_the_drop_see_about_the_same_directions():
    share = 2 * 0.39 * (1 - 0.39 * (1 - np.exp(-1 / 0.39)))
    assert share == pytest.approx(0.5, abs=0.005)
    # the share by its definition: the mean of e^(-|i - j| / D) over all pairs of W steps
    steps = np.arange(1000)
    pairs = np.exp(-np.abs(steps[:, None] - steps) / 390)
    assert pairs.mean() == pytest.approx(share, rel=0.01)
    n = 2 * 0.39 * np.log(2) / (2 * 0.2)
    assert n == pytest.approx(1.35, abs=0.005)


def watched(name):
    path = results.find(f"article-003/floor/{name}-seed0.json")
    return {epoch["epoch"]: epoch["looks"] for epoch in json.loads(path.read_text())["epochs"]}


def level_and_centre(name, measure, epochs):
    looks = [look for epoch in epochs for look in watched(name)[epoch]]
    return np.mean([look[measure] for look in looks]), looks[-1][f"average_{measure}"]


def article_003():
    return results.read("article-003").query("seed == 0").set_index(["recipe", "epoch"])


@pytest.mark.parametrize("name", ["constant", "step"])
def test_the_watched_epochs_are_those_of_the_record(name):
    runs = article_003()
    for epoch, looks in watched(name).items():
        for measure in MEASURES:
            assert looks[-1][measure] == runs.loc[(name, epoch), measure]


def test_the_runs_part_at_the_drop_and_not_before():
    runs = article_003()
    constant, step = runs.loc["constant"], runs.loc["step"]
    for name in MEASURES:
        assert (constant[name].loc[:16] == step[name].loc[:16]).all()
        assert constant[name].loc[17] != step[name].loc[17]


@pytest.mark.parametrize("measure", MEASURES)
def test_the_jump_was_foretold_in_part(measure):
    level, centre = level_and_centre("step", measure, [15, 16])
    found = article_003().loc[("step", 17), measure] - level
    assert 0.5 < 0.8 * (centre - level) / found < 0.8


@pytest.mark.parametrize("measure", MEASURES)
def test_what_the_rule_missed_is_what_the_centre_gained_without_the_drop(measure):
    level, early = level_and_centre("step", measure, [15, 16])
    late = level_and_centre("constant", measure, [17, 18])[1]
    missed = article_003().loc[("step", 17), measure] - (early + 0.2 * (level - early))
    looks = [look[measure] for epoch in (17, 18) for look in watched("step")[epoch]]
    assert missed == pytest.approx(late - early, abs=np.std(looks, ddof=1))


@pytest.mark.parametrize("measure", MEASURES)
def test_the_drop_shrank_the_floor_to_gamma_and_left_the_centre(measure):
    level, centre = level_and_centre("constant", measure, [17, 18])
    low, same = level_and_centre("step", measure, [17, 18])
    assert (low - same) / (level - centre) == pytest.approx(0.2, abs=0.02)
    assert same == pytest.approx(centre, abs=0.1 * abs(level - centre))
