"""The comparison holds every method or says why not, and its numbers come out again."""

import json
from functools import partial

import numpy as np
import pytest

from optim_scratch import Parameter, comparison, descend, ladder, registry, surfaces
from optim_scratch.comparison import __main__ as command
from optim_scratch.comparison import measuring, methods, reading, running
from optim_scratch.problems import NoisyQuadratic, SparseLogistic

FILE = comparison.read()
COUPLED = [entry for entry in comparison.ENTRIES if not entry.of().elementwise]
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
    ("ground", "method"),
    [
        ("ravine 20 at 45°", "Adam"),
        ("sparse logistic", "SGD momentum 0.9"),
        ("noisy quadratic", "LARS"),
        ("Zipf classes", "SAM"),
    ],
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


@pytest.mark.parametrize("name", ["SGD", "Shampoo", "SOAP"])
def test_turning_a_ravine_changes_nothing_for_gradient_descent_nor_for_whole_matrices(name):
    for condition in (20, 100):
        flat, turned = (comparison.curve(f"ravine {condition} at {a}°", name) for a in (0, 45))
        calm = flat.rates <= flat.rate  # beyond, SOAP's runs part by how a number was rounded
        assert turned.means[calm] == pytest.approx(flat.means[calm], abs=0.2)
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


def test_settings_are_the_ladders_but_where_vectors_are_spared():
    others = set(comparison.ENTRIES) - set(ladder.ENTRIES)
    assert {entry.name for entry in others} == set(methods.ON_VECTORS) == {"LARS", "SOAP"}
    momentum, lars, soap = (
        [entry for entry in ladder.ENTRIES if entry.name == name]
        for name in ("SGD momentum 0.9", "LARS", "SOAP")
    )
    place, start = surfaces.ravine(20), measuring.starts(surfaces.ravine(20), 2)[:, None]
    found = [running.apart(place, e, np.array([0.02]), 30, start) for [e] in (momentum, lars, soap)]
    assert found[1] == pytest.approx(found[0]), "with the ladder's setting LARS is momentum"
    turned = surfaces.ravine(20, 45)
    again = running.apart(
        turned, soap[0], np.array([0.02]), 30, measuring.starts(turned, 2)[:, None]
    )
    assert not np.allclose(found[2], again), "and SOAP is Adam, which notices a turn"


@pytest.mark.parametrize("entry", COUPLED, ids=lambda entry: entry.name)
def test_runs_apart_are_runs_of_a_single_optimizer(entry):
    """Against `descend`, from two starts at two rates, without noise."""
    place, looks = surfaces.rosenbrock(), methods.LOOKS.get(entry.name, 1)
    start, lrs = measuring.starts(place, 2)[:, None], entry.middle * np.array([0.25, 1.0])
    found = running.run(surfaces.rosenbrock, entry, lrs, 60, start)
    assert found.shape == (60 // looks + 1, 2, 2)
    for i, j in np.ndindex(2, 2):
        path = descend(
            place, lambda p, lr: entry.optimizers(p, lr)[0], 60 // looks,
            start=start[i, 0], lr=float(lrs[j]),
        )  # fmt: skip
        assert found[:, i, j] == pytest.approx(path.losses, rel=1e-9, nan_ok=True)


@pytest.mark.parametrize("name", ["SGD momentum 0.9", "Adam"])
def test_an_elementwise_method_is_the_same_apart(name):
    entry, make = methods.find(name), partial(surfaces.noisy, surfaces.ravine(20, 45), 0.5)
    lrs, start = entry.middle * np.array([0.25, 1.0]), measuring.starts(make(), 3)[:, None]
    together = running.run(make, entry, lrs, 50, start)
    assert np.array_equal(running.apart(make(), entry, lrs, 50, start), together)
    ends = running.apart(make(), entry, lrs, 50, start, every=50)
    assert np.array_equal(ends, together[[0, -1]])


@pytest.mark.parametrize("entry", COUPLED, ids=lambda entry: entry.name)
def test_a_step_looks_at_as_many_gradients_as_are_counted(entry):
    place, calls = surfaces.rosenbrock(), []
    p = Parameter(place.start)
    [mover] = entry.optimizers([p], 1e-3)

    def look():
        calls.append(1)
        p.grad = place.gradient(p.data)
        return place.value(p.data)

    for _ in range(3):
        mover.step(look)
    assert len(calls) == 3 * methods.LOOKS.get(entry.name, 1)


def test_gradients_are_counted_and_not_steps():
    entry = methods.find("SAM")
    scores = measuring.arrivals(lambda: surfaces.ravine(20), entry, np.array([0.005]))
    assert np.all((scores % 2 == 0) | (scores == measuring.STEPS))
    assert scores.min() < measuring.STEPS


def test_looks_of_one_step_share_noise_or_mini_batch():
    one, two = np.array([1.0, 2.0]), np.array([3.0, -1.0])
    for place in (
        surfaces.noisy(surfaces.ravine(20, 45), 0.5), NoisyQuadratic([1.0, 3.0], 0.3),
    ):  # fmt: skip
        exact = running.quiet(place)
        first, second = (
            [slope(at) - exact.gradient(at) for at in (one, two)]
            for slope in running.steady(place, 2)
        )
        assert first[0] == pytest.approx(first[1])
        assert not np.allclose(first[0], second[0])
    logistic = SparseLogistic(features=2, examples=64, seed=3)
    slopes = list(running.steady(logistic, 5))
    batches = [*logistic.batches(2)][:5]
    assert len(slopes) == 5
    for slope, batch in zip(slopes, batches, strict=True):
        assert np.array_equal(slope(one), logistic.gradient(one, batch))
        assert np.array_equal(slope(one), slope(one))


def test_a_run_that_is_no_longer_finite_stays():
    entry = methods.find("SAM")
    with np.errstate(all="ignore"):
        losses = running.alone(surfaces.beale(), entry, 10.0, 40, np.array([1.0, 1.5]))
    assert len(losses) == 41
    assert np.isfinite(losses[0])
    assert not np.isfinite(losses[-30:]).any()


def test_named_methods_are_measured_and_the_other_lines_stay(tmp_path, monkeypatch):
    place = tmp_path / "comparison.json"
    before = command.PLACE.read_text(encoding="utf-8")
    place.write_text(before, encoding="utf-8")

    def measured(ground, entry):
        return {"ground": ground.name, "method": entry.name, "rates": [1.0]}

    monkeypatch.setattr(command, "PLACE", place)
    monkeypatch.setattr(command, "line", measured)
    command.main(["SAM"])
    changes = [
        (old, new)
        for old, new in zip(before.splitlines(), place.read_text("utf-8").splitlines(), strict=True)
        if old.rstrip(",]}") != new.rstrip(",]}")
    ]
    assert len(changes) == len(comparison.GROUNDS)
    assert all('"method": "SAM"' in old for old, _ in changes)
    with pytest.raises(SystemExit, match="not compared: Muon"):
        command.main(["Muon"])
