"""The comparison holds every method or says why not, and its numbers come out again."""

import json

import numpy as np
import pytest

from optim_scratch import comparison, ladder, registry, surfaces
from optim_scratch.comparison import measuring, methods, reading

FILE = comparison.read()
ALL = [curve for ground in comparison.GROUNDS for curve in comparison.curves(ground.name)]


@pytest.mark.parametrize("method", registry.methods("optimizer"), ids=lambda method: method.name)
def test_every_optimizer_is_compared_or_left_out_with_a_reason(method):
    compared = {methods.find(curve.method).method for curve in ALL}
    if method.name in comparison.LEFT_OUT:
        assert FILE["left_out"][method.name] == comparison.LEFT_OUT[method.name]
        assert method.name not in compared
    else:
        assert method.name in compared, f"{method.name} was not measured: run make comparison"


def test_the_file_is_by_the_protocol_of_the_code():
    assert FILE["protocol"] == json.loads(json.dumps(comparison.PROTOCOL)), "run make comparison"
    assert set(FILE["versions"]) == {"optim_scratch", "numpy", "python"}
    assert FILE["left_out"] == comparison.LEFT_OUT
    expected = [(g.name, e.name) for g in comparison.GROUNDS for e in comparison.ENTRIES]
    assert [(curve.ground, curve.method) for curve in ALL] == expected
    for curve in ALL:
        middle = methods.find(curve.method).middle
        assert curve.rates == pytest.approx(measuring.rates(middle), rel=1e-4)


@pytest.mark.parametrize(
    ("ground", "method"), [("ravine 20 at 45°", "Adam"), ("sparse logistic", "SGD momentum 0.9")]
)
def test_a_cell_comes_out_again(ground, method):
    """Another CPU rounds otherwise: an arrival may move by a step; rates that diverge, by more."""
    [place] = [each for each in comparison.GROUNDS if each.name == ground]
    found = measuring.line(place, methods.find(method))
    curve = comparison.curve(ground, method)
    assert found["best"] == curve.best
    assert found["fresh"] == pytest.approx(curve.fresh, rel=1e-3, abs=1)
    calm = curve.rates <= curve.rate
    assert np.array(found["means"])[calm] == pytest.approx(curve.means[calm], rel=1e-3, abs=0.1)


def test_turning_a_ravine_changes_nothing_for_gradient_descent():
    for condition in (20, 100):
        flat, turned = (comparison.curve(f"ravine {condition} at {a}°", "SGD") for a in (0, 45))
        assert turned.means == pytest.approx(flat.means, abs=0.2)
        assert turned.fresh == pytest.approx(flat.fresh, abs=1)


@pytest.mark.parametrize(
    "surface",
    [surfaces.ravine(20), surfaces.ravine(20, 45), surfaces.rosenbrock(), surfaces.beale()],
    ids=lambda surface: surface.name,
)
def test_starts_are_about_as_high_as_the_usual_one(surface):
    points = measuring.starts(surface)
    share = measuring.excess(surface, points) / measuring.excess(surface, np.array(surface.start))
    assert points.shape == (2 * measuring.STARTS, 2)
    assert share.min() >= 0.5 - 1e-9
    assert share.max() <= 2 + 1e-9


@pytest.mark.parametrize("tries", [1, 2, 8])
def test_expected_best_is_the_mean_over_every_draw(tries):
    scores = np.array([3.0, 1.0, 7.0])
    draws = np.stack(np.meshgrid(*[scores] * tries)).reshape(tries, -1)
    assert comparison.expected_best(scores, tries) == pytest.approx(draws.min(axis=0).mean())


def test_prior_is_the_rates_within_a_factor():
    curve = comparison.curve("Beale", "Adam")
    assert comparison.prior(curve) == pytest.approx(curve.means[6:19])
    assert comparison.prior(curve, 1) == pytest.approx(curve.means[12:13])


def test_width_counts_neighbours_only():
    means = np.array([9.0, 3.0, 9.0, 4.0, 2.0, 5.0])
    curve = reading.Curve("", "", 2.0 ** np.arange(6), means, means, 4, means)
    assert (curve.width, curve.at_end) == (2, False)


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="ground must be one of the file's, got 'ravine'"):
        comparison.curves("ravine")
    with pytest.raises(ValueError, match="method must be one that is compared, got 'Adma'"):
        comparison.curve("Beale", "Adma")


def test_settings_are_the_ladders():
    assert set(comparison.ENTRIES) < set(ladder.ENTRIES)
