"""The grid of an explorer is the package's own runs, and what it packs is them to its precision."""

import base64
import io
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from optim_scratch import descend, registry, surfaces
from optim_scratch.explorer import MIME, MOST, SPAN, Explorer, Knob, Reading
from optim_scratch.optimizers import LBFGS, SGD, Adam, Lookahead, Muon

RATES = Knob([0.01, 0.05, 0.11], at=0.05)
MOMENTA = Knob([0, 0.5, 0.9], at=0.9)


def ravine(**hyper):
    return Explorer(surfaces.ravine(20), SGD, 60, **({"lr": RATES, "momentum": MOMENTA} | hyper))


def unpacked(explorer, setting=None):
    """Points, NaN where beyond the span, and decimal logarithms of losses, by the bytes alone."""
    packed = explorer.packed
    words = np.frombuffer(base64.b64decode(packed["data"]), "<u2")
    settings = int(np.prod(packed["counts"]))
    lengths, body = words[:settings].astype(int), words[settings:]
    at = np.ravel_multi_index(explorer._index(setting), packed["counts"])
    begin, n = 3 * lengths[:at].sum(), lengths[at]
    codes = body[begin : begin + 3 * n].reshape(3, n)
    codes = codes[:, np.minimum(np.arange(explorer.steps + 1), n - 1)].astype(float)
    (left, right), (low, high) = explorer.window
    share = (codes[:2] / 65534 - 0.5) * SPAN + 0.5
    points = np.stack([left + share[0] * (right - left), low + share[1] * (high - low)], axis=-1)
    points[codes[0] == 65535] = np.nan
    bottom, top = packed["decades"]
    return points, bottom + codes[2] / 65534 * (top - bottom)


@pytest.mark.parametrize(
    ("optimizer", "hyper"),
    [
        (SGD, {"lr": RATES, "momentum": MOMENTA}),
        (SGD, {"lr": RATES, "momentum": 0.9, "nesterov": Knob([False, True], at=True)}),
        (Adam, {"lr": RATES, "betas": (Knob([0, 0.9], at=0), Knob([0.9, 0.99], at=0.9))}),
        (Adam, {"lr": Knob([0.1, 1], at=1), "betas": (0.9, 0.99)}),
    ],
)
@pytest.mark.parametrize("surface", [surfaces.ravine(20, 30), surfaces.noisy(surfaces.beale(), 2)])
def test_every_setting_is_a_descent_of_its_own(optimizer, hyper, surface):
    explorer = Explorer(surface, optimizer, 40, **hyper)
    for at in np.ndindex(*explorer.packed["counts"]):
        setting = {n: k.values[i] for (n, k), i in zip(explorer.knobs.items(), at, strict=True)}
        alone = {
            name: tuple(setting.get(f"{name}[{i}]", v) for i, v in enumerate(value))
            if isinstance(value, tuple)
            else setting.get(name, value)
            for name, value in hyper.items()
        }
        expected = descend(surfaces.make(surface.recipe), optimizer, 40, **alone)
        found = explorer.trajectory(setting)
        np.testing.assert_allclose(found.points, expected.points, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(found.losses, expected.losses, rtol=1e-9, atol=1e-12)
        np.testing.assert_array_equal(found.rates, expected.rates)
        assert found.diverged_at == expected.diverged_at


def test_packed_points_and_losses_are_the_runs_to_the_precision():
    explorer = ravine()
    across, up = explorer.precision
    assert across == pytest.approx(20 * 8 / 65534 / 2)
    for lr in RATES.values:
        for momentum in MOMENTA.values:
            setting = {"lr": lr, "momentum": momentum}
            points, powers = unpacked(explorer, setting)
            run = explorer.trajectory(setting)
            near = ~np.isnan(points[:, 0])
            inside = np.all(np.abs(run.points) <= [80, 24], axis=-1)
            assert np.all(near[inside])
            off = np.abs(points - run.points)[inside]
            assert np.all(off <= np.array([across, up]) * 1.001)
            expected = np.log10(run.losses / run.losses[0]).clip(-9, 4)
            np.testing.assert_allclose(powers, expected, atol=1e-4)


def test_points_are_kept_where_losses_are_off_their_scale():
    surface = surfaces.noisy(surfaces.ravine(20), 20)
    explorer = Explorer(surface, SGD, 30, start=(1e-3, 0), lr=Knob([0.01, 0.05], at=0.05))
    points, powers = unpacked(explorer)
    assert np.all(powers[5:] == 4)
    off = np.abs(points - explorer.trajectory().points)
    assert np.all(off <= np.array(explorer.precision) * 1.001)


def test_a_path_that_leaves_the_span_keeps_its_direction():
    explorer = ravine(lr=Knob([0.05, 3.0], at=3.0), momentum=0)
    points, _ = unpacked(explorer)
    run = explorer.trajectory()
    beyond = int(np.argmax(np.abs(run.points[:, 1]) > 24))
    assert beyond > 0
    assert np.isnan(points[beyond + 1 :]).all()
    true, packed = (p[beyond] - p[beyond - 1] for p in (run.points, points))
    assert abs(points[beyond, 1]) == pytest.approx(24, abs=0.001)
    assert packed[0] / packed[1] == pytest.approx(true[0] / true[1], abs=1e-3)


def test_readings():
    explorer = ravine()
    still = explorer.reading({"lr": 0.01, "momentum": 0})
    assert str(still) == "1 % not reached within 60 steps"
    losses = explorer.trajectory().losses
    reached = int(np.argmax(losses <= 0.01 * losses[0]))
    assert str(explorer.reading()) == f"{reached} steps to 1 % of the first loss"
    assert losses[reached - 1] > 0.01 * losses[0] >= losses[reached]
    lost = ravine(lr=Knob([0.05, 0.3], at=0.3), momentum=0)
    step = descend(surfaces.ravine(20), SGD, 60, lr=0.3).diverged_at
    assert str(lost.reading()) == f"diverges at step {step}"
    grown = ravine(lr=Knob([0.05, 0.101], at=0.101), momentum=0).reading()
    assert str(grown) == "1 % not reached within 60 steps: the loss has grown"
    assert grown == Reading(60, None, None, 72.0, grown.last)


def test_a_loss_counts_from_the_lowest_minimum():
    explorer = Explorer(surfaces.saddle(), SGD, 200, lr=Knob([0.01, 0.3], at=0.3))
    losses = explorer.trajectory().losses + 0.25
    assert explorer.reading().reached_at == int(np.argmax(losses <= 0.01 * losses[0]))


def test_page_words_stand_in_the_order_of_the_grid():
    packed = ravine().packed
    assert packed["counts"] == [3, 3]
    assert packed["at"] == [1, 2]
    assert packed["values"] == [["0.01", "0.05", "0.11"], ["0", "0.5", "0.9"]]
    expected = [
        str(ravine().reading({"lr": lr, "momentum": mu}))
        for lr in RATES.values
        for mu in MOMENTA.values
    ]
    assert packed["readings"] == expected
    assert len(packed["last"]) == 9
    assert packed["reached"][packed["at"][0] * 3 + packed["at"][1]] == ravine().reading().reached_at
    assert packed["reached"][0] == -1
    lost = ravine(lr=Knob([0.05, 0.3], at=0.3), momentum=0).packed["reached"]
    assert (lost[0] >= 0, lost[1]) == (True, -2)
    assert json.loads(json.dumps(packed, allow_nan=False)) is not None


def test_what_has_arrived_or_left_costs_nothing():
    far = ravine(lr=Knob([5.0, 6.0], at=5.0), momentum=0)
    assert len(base64.b64decode(far.packed["data"])) < 2 * (2 + 3 * 2 * 8)


def test_a_grid_too_large_is_refused_with_its_size():
    fits = Explorer(surfaces.ravine(), SGD, 120, lr=Knob.log(0.01, 0.1, 30, at=0.1), momentum=0.9)
    assert len(json.dumps(fits.packed)) < MOST
    momenta = Knob.linear(0, 0.99, 30, at=0.99)
    with pytest.raises(ValueError, match=r"30 × 30 settings of 120 steps take \d+ kB, more than"):
        Explorer(surfaces.ravine(), SGD, 120, lr=Knob.log(0.01, 0.1, 30, at=0.1), momentum=momenta)


@pytest.mark.parametrize(
    "explorer",
    [
        ravine(),
        ravine(nesterov=Knob([False, True], at=False), momentum=0.5),
        Explorer(
            surfaces.noisy(surfaces.ravine(5, 45), 0.5, seed=3),
            Adam,
            20,
            start=(1, 2),
            window=((-4, 4), (-2, 2.5)),
            lr=Knob.log(0.01, 1, 5, at=0.1, label="speed"),
            betas=(Knob([0, 0.9], at=0.9), 0.999),  # after lr, though not in the alphabet
        ),
    ],
    ids=["plain", "flag", "everything"],
)
def test_a_specification_makes_the_same_explorer(explorer):
    told = json.loads(json.dumps(explorer.specification(), sort_keys=True))  # as notebooks do
    again = Explorer.of(told)
    assert again.packed == explorer.packed
    assert again.specification() == told
    assert (again.window, again.start, repr(again)) == (
        explorer.window,
        explorer.start,
        repr(explorer),
    )
    assert again.labels() == explorer.labels()


def test_a_specification_may_be_short():
    told = {
        "surface": "rosenbrock",
        "optimizer": "Adam",
        "steps": 9,
        "hyper": {"lr": {"log": [0.01, 0.1, 3], "at": 0.1}},
    }
    explorer = Explorer.of(told)
    assert explorer.knobs["lr"].values == (0.01, 0.0316, 0.1)
    assert explorer.window == surfaces.rosenbrock().bounds


def test_a_notebook_shows_a_figure_words_and_the_specification():
    explorer = ravine()
    shown = explorer._repr_mimebundle_()
    assert set(shown) == {"image/png", "text/plain", MIME}
    assert shown[MIME] == explorer.specification()
    assert shown["text/plain"] == repr(explorer)
    assert repr(explorer).startswith("SGD on ravine, κ = 20, rate η 0.05, momentum μ 0.9: ")
    assert explorer._repr_mimebundle_() == shown
    assert Image.open(io.BytesIO(base64.b64decode(shown["image/png"]))).size[0] == 1152


@pytest.mark.parametrize(
    ("hyper", "name"),
    [
        ({"momentum": 0}, "gradient descent"),
        ({}, "momentum"),
        ({"momentum": Knob([0, 0.9], at=0)}, "gradient descent"),
        ({"momentum": 0.9, "nesterov": True}, "Nesterov"),
    ],
)
def test_figures_call_sgd_by_its_default_setting(hyper, name):
    assert ravine(**hyper).name == name


def test_every_elementwise_method_of_the_book_can_be_explored():
    for method in registry.methods("optimizer"):
        kind = method.load()
        if method.elementwise and kind.elementwise is True and "lr" in kind.limits:
            explorer = Explorer(surfaces.ravine(5), kind, 5, lr=Knob([0.01, 0.1], at=0.1))
            assert explorer.name in {method.name, "gradient descent"}


def test_knobs():
    assert Knob(np.array([0.1, 0.2]), at=np.float64(0.2)).at == 0.2
    assert Knob.linear(-1, 1, 3, at=0).values == (-1, 0, 1)
    rates = Knob.log(0.002, 0.11, 24, at=0.05).values
    assert len(rates) == 24
    assert (rates[0], rates[-1]) == (0.002, 0.11)
    assert 0.05 in rates
    assert Knob([1e-5, 0.25], at=0.25).texts == ["1·10⁻⁵", "0.25"]
    assert Knob([False, True], at=True).texts == ["off", "on"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Knob([0.1, 0.2], at=0.13), "the nearest is 0.1"),
        (lambda: Knob([0.1], at=0.1), "two or more"),
        (lambda: Knob([0.2, 0.1], at=0.1), "ascend"),
        (lambda: Knob([0.1, np.nan], at=0.1), "each of values must be finite"),
        (lambda: Knob.log(0, 1, 3, at=0.5), "low must be finite and > 0"),
        (lambda: Knob.log(0.1, 1, 3, at=2), "between 0.1 and 1, got 2"),
        (lambda: Knob.linear(0, 1, 1, at=1), "count must be >= 2"),
        (lambda: ravine(lr=0.1, momentum=0.9), "one to three hyper-parameters must be a Knob"),
        (lambda: ravine(start=(1, 2, 3)), "start must be one point"),
        (lambda: ravine(start=(0, 0)), "start must lie above"),
        (lambda: ravine(window=((1, 0), (0, 1))), "ascending"),
        (lambda: ravine(window=3), "two pairs"),
        (lambda: ravine(lr=Knob([-1, 1], at=1)), "lr must be finite and >= 0"),
        (lambda: ravine().trajectory({"lr": 0.02}), "the nearest is 0.01"),
        (lambda: ravine().reading({"rate": 0.01}), "no knob 'rate'"),
        (lambda: Explorer(surfaces.ravine(), Muon, 9, lr=RATES), "elementwise, Muon is not"),
        (lambda: Explorer(surfaces.ravine(), LBFGS, 9, lr=RATES), "elementwise, LBFGS is not"),
        (lambda: Explorer(surfaces.ravine(), Lookahead, 9, alpha=RATES), "elementwise, Lookahead"),
        (lambda: Explorer.of({"surface": "hill", "optimizer": "SGD", "steps": 1}), "must begin"),
        (
            lambda: Explorer.of({"surface": "beale", "optimizer": "os", "steps": 1, "hyper": {}}),
            "one of optim_scratch.optimizers",
        ),
        (
            lambda: Explorer(replace(surfaces.beale(), value=np.sum), SGD, 9, lr=RATES),
            "as a function of optim_scratch.surfaces makes it",
        ),
        (
            lambda: Explorer(replace(surfaces.beale(), recipe=()), SGD, 9, lr=RATES),
            "as a function of optim_scratch.surfaces makes it",
        ),
    ],
)
def test_refusals(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Explorer(3, SGD, 9, lr=RATES), "surface must be a Surface"),
        (lambda: Explorer(surfaces.beale(), lambda p: SGD(p, 1), 9, lr=RATES), "must be a class"),
        (lambda: ravine(lr=Knob(["a", "b"], at="a")), "each of values must be a real number"),
        (lambda: ravine(nesterov=Knob([0, 1], at=0)), "True or False"),
        (lambda: ravine(momentun=0.9), "momentun"),
    ],
)
def test_refusals_by_type(make, message):
    with pytest.raises(TypeError, match=message):
        make()
