"""What the page on a fair comparison says, from the file and measured again."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from optim_scratch import comparison, ladder, surfaces
from optim_scratch.comparison import measuring, methods, running

SIX = ("SGD", "SGD momentum 0.9", "SGD Nesterov 0.9", "Adagrad", "Adam", "Rprop")
RAVINES = [f"ravine {condition} at {angle}°" for condition in (20, 100) for angle in (0, 15, 45)]
TILTED = "ravine 20 at 45°"


def expected(name, tries, factor=64.0):
    return comparison.expected_best(comparison.prior(comparison.curve(TILTED, name), factor), tries)


def place(ground, name):
    ordered = sorted(comparison.curves(ground), key=lambda curve: curve.score)
    return [curve.method for curve in ordered].index(name) + 1


def test_the_budget_decides_between_rprop_and_nesterov():
    rprop, nesterov = (partial(expected, name) for name in ("Rprop", "SGD Nesterov 0.9"))
    assert nesterov(4) > 1.9 * rprop(4)
    assert rprop(16) > 1.7 * nesterov(16)
    assert nesterov(6) > rprop(6)
    assert nesterov(8) < rprop(8)


def test_the_width_of_the_prior_decides_between_adam_and_sgd():
    assert expected("Adam", 4, 8) > expected("SGD", 4, 8)
    assert expected("Adam", 4, 64) < expected("SGD", 4, 64)
    assert expected("Adam", 4, 512) < 0.6 * expected("SGD", 4, 512)


def test_adagrad_falls_from_first_place_to_the_lower_half():
    assert place("ravine 100 at 0°", "Adagrad") == 1
    assert place("ravine 100 at 45°", "Adagrad") > len(comparison.ENTRIES) / 2
    assert min(SIX, key=partial(place, "ravine 100 at 45°")) == "SGD Nesterov 0.9"
    for name in SIX[:3]:
        flat, turned = (comparison.curve(f"ravine 100 at {a}°", name) for a in (0, 45))
        assert turned.score == pytest.approx(flat.score, abs=0.1)
    assert place("ravine 20 at 45°", "Adagrad") == 8


def test_adams_lowest_point_hardly_moves_and_its_curve_does():
    flat, turned = (comparison.curve(f"ravine 100 at {a}°", "Adam") for a in (0, 45))
    assert turned.score < 1.2 * flat.score
    near = (flat.rates > 0.06) & (flat.rates < 0.13)
    assert near.sum() == 2
    assert turned.means[near] / flat.means[near] == pytest.approx(4, rel=0.05)
    assert (turned.means >= 0.97 * flat.means).all()
    tries = [comparison.expected_best(comparison.prior(curve), 4) for curve in (flat, turned)]
    assert tries[1] == pytest.approx(1.9 * tries[0], rel=0.05)


def test_rprop_takes_five_times_as_many_steps_when_turned():
    flat, turned = (comparison.curve(f"ravine 100 at {a}°", "Rprop") for a in (0, 45))
    assert turned.score == pytest.approx(5 * flat.score, rel=0.05)


def test_nesterovs_curve_is_excellent_at_a_few_rates_and_useless_at_half():
    steps = comparison.prior(comparison.curve(TILTED, "SGD Nesterov 0.9"))
    assert len(steps) == 13
    assert (steps == 500).sum() == 7
    assert (steps <= 20.05).sum() == 3


def test_shampoo_stays_where_adagrad_falls_and_soap_is_slow_at_both_angles():
    for name, steps in (("Shampoo", 4.5), ("SOAP", 71.4)):
        flat, turned = (comparison.curve(f"ravine 100 at {a}°", name) for a in (0, 45))
        assert turned.score == pytest.approx(flat.score, abs=0.3)
        assert flat.score == pytest.approx(steps, abs=0.3)
    assert all(place(ravine, "Shampoo") <= 2 for ravine in RAVINES)
    assert all(place(ravine, "SOAP") > len(comparison.ENTRIES) / 2 for ravine in RAVINES)


def test_the_valley_that_bends_is_slow_for_sums_that_forget_nothing():
    steps = {
        "Adagrad": 348,
        "Shampoo": 319,
        "SOAP": 80,
        "GradientNoise": 58,
        "SGD momentum 0.9": 59,
    }
    for name, score in steps.items():
        assert comparison.curve("Rosenbrock", name).score == pytest.approx(score, abs=0.6)
    assert place("Rosenbrock", "LBFGS mini-batches") == 1
    assert place("Rosenbrock", "GradientNoise") == 2
    assert place(TILTED, "LBFGS mini-batches") == 2
    assert place("noisy ravine", "LBFGS mini-batches") == len(comparison.ENTRIES)
    assert place("Rosenbrock", "Shampoo") > len(comparison.ENTRIES) / 2


def test_adagrad_needs_three_steps_beyond_the_end_of_its_grid():
    curve, entry = comparison.curve("ravine 100 at 0°", "Adagrad"), methods.find("Adagrad")
    assert (curve.means == 3).nonzero()[0].tolist() == [22, 23, 24]
    assert not curve.at_end
    beyond = curve.rates[-1] * np.array([1.0, 8.0, 64.0])
    assert np.all(measuring.arrivals(partial(surfaces.ravine, 100, 0), entry, beyond) == 3)


def test_the_height_and_the_lowest_point_differ_where_the_start_matters():
    sgd = comparison.curve("ravine 100 at 0°", "SGD")
    assert (round(sgd.means.min()), round(sgd.score)) == (50, 72)
    assert (sgd.fresh.min(), sgd.fresh.max()) == (2, 120)


def test_three_widths_end_where_the_grid_ends():
    cut = [
        (angle, name)
        for angle in (0, 45)
        for name in SIX
        for curve in [comparison.curve(f"ravine 100 at {angle}°", name)]
        if curve.means[-1] <= 2 * curve.means.min()
    ]
    assert cut == [(0, "Adagrad"), (45, "Adagrad"), (45, "Rprop")]


@pytest.mark.parametrize("name", ["Adam", "Adagrad", "Rprop", "Lion"])
def test_a_quarter_turn_changes_nothing(name):
    entry, scores = methods.find(name), []
    for angle in (0, 90):
        make = partial(surfaces.ravine, 20, angle)
        scores.append(measuring.arrivals(make, entry, entry.middle * np.array([1.0, 16.0])))
    assert scores[0] == pytest.approx(scores[1], abs=1)


def test_no_method_is_first_everywhere():
    firsts = {
        min(comparison.curves(g.name), key=lambda curve: curve.score).method
        for g in comparison.GROUNDS
        if g.unit == "steps"
    }
    assert len(firsts) >= 4
    rosenbrock = [comparison.curve("Rosenbrock", name).score for name in SIX]
    assert min(rosenbrock) == rosenbrock[1], "momentum"
    assert place("Rosenbrock", "Adagrad") > len(comparison.ENTRIES) / 2


def test_adamw_is_drawn_to_zero():
    better = [
        comparison.curve(ravine, "AdamW").score < comparison.curve(ravine, "Adam").score
        for ravine in RAVINES
    ]
    assert sum(better) == 5
    assert all(comparison.curve(ravine, "AdamW").at_end for ravine in RAVINES)
    assert comparison.curve(RAVINES[0], "AdamW").rate * 0.01 == pytest.approx(1 / 3, abs=0.01)


@pytest.mark.parametrize(
    ("name", "first", "last", "at_zero", "away"),
    [("LAMB", 8, 20, 17, 104), ("Adafactor", 6, 16, 10, 26), ("Adam", 18, 21, 36, 36)],
)
def test_a_share_of_the_weights_length_is_short_near_zero(name, first, last, at_zero, away):
    """What a best rate needs, among those around it, at 0 and with the minimum at (5, 5)."""
    entry, ravine = methods.find(name), surfaces.ravine(20)
    lrs = measuring.rates(entry.middle)[first:last]
    moved = replace(
        ravine,
        value=lambda theta: ravine.value(theta - 5.0),
        gradient=lambda theta: ravine.gradient(theta - 5.0),
    )
    start = measuring.starts(ravine)[:, None]
    enough = measuring.SHARE * ravine(np.array(ravine.start))
    for place, lead, steps in ((ravine, start, at_zero), (moved, start + 5.0, away)):
        late = ~(running.run(lambda place=place: place, entry, lrs, 500, lead) <= enough)
        scores = np.minimum(len(late) - late[::-1].argmax(axis=0), 500)
        best = scores[: measuring.STARTS].mean(axis=0).argmin()
        assert scores[measuring.STARTS :, best].mean() == pytest.approx(steps, abs=0.6)
    assert comparison.curve(RAVINES[0], name).score == pytest.approx(at_zero, abs=0.6)


def test_momentum_that_is_not_tuned_loses_to_none():
    momentum, plain = (comparison.curve(TILTED, name).score for name in SIX[1::-1])
    assert momentum > plain


def test_adabound_is_indifferent_to_the_rate():
    assert all(comparison.curve(ravine, "AdaBound").width > 1e6 for ravine in RAVINES)


def test_on_the_digits_five_of_six_are_near_and_rprop_is_not():
    five = [ladder.row(name).accuracy()[0] for name in SIX[:5]]
    assert max(five) - min(five) < 0.01
    assert max(five) - ladder.row("Rprop mini-batches").accuracy()[0] == pytest.approx(
        0.05, abs=5e-3
    )
    assert {ladder.row(name).width for name in SIX[:5]} == {2, 4}


def test_pairs_narrow_the_interval_nine_times():
    adam, momentum = (
        comparison.curve("sparse logistic", name) for name in ("Adam", "SGD momentum 0.9")
    )
    mean, half = adam.lead(momentum)
    assert mean > 5 * half
    alone = ladder.reading.interval(adam.fresh)[1]
    assert alone / half == pytest.approx(9, abs=0.5)
    assert mean < alone
