from types import SimpleNamespace

import numpy as np
import pytest
import torch

from optim_scratch import Parameter
from optim_scratch.optimizers import SGD
from optim_scratch.problems import NoisyQuadratic
from optim_scratch.schedulers import StepLR
from optim_scratch.training import lr_range_test

W, FIXED = Parameter([1.0]), Parameter([1.0])
FIXED.data.flags.writeable = False


def held(*groups):
    """What has an optimizer's methods, and these groups."""
    return SimpleNamespace(
        param_groups=list(groups), state_dict=dict, load_state_dict=print, zero_grad=print
    )


def quadratic(curvatures, lr=0.1, groups=None, **hyper):
    """A quadratic, its optimizer, and one update."""
    bowl = NoisyQuadratic(curvatures, noise=0.0)
    w = Parameter(bowl.start)
    sgd = SGD([w] if groups is None else groups(w), lr=lr, **hyper)

    def update():
        loss, w.grad = bowl.value(w.data), bowl.gradient(w.data)
        sgd.step()
        return loss

    return w, sgd, update


@pytest.mark.parametrize("curvature", [0.1, 4.0, 300.0])
def test_the_range_test_finds_the_stability_limit(curvature):
    _, sgd, update = quadratic([curvature])
    found = lr_range_test(sgd, update, low=1e-6, high=1e4, steps=500, smoothing=0.0)
    lowest = found.losses.argmin()
    # the loss before update i falls below all others until the rate passes 2/L
    assert found.rates[lowest - 1] < 2 / curvature <= found.rates[lowest]
    assert found.stopped
    assert len(found.rates) < 500
    assert found.suggestion < 2 / curvature


def test_rates_rise_geometrically_and_losses_are_those_before_each_update():
    _w, sgd, update = quadratic([1.0, 2.0])
    found = lr_range_test(sgd, update, low=1e-4, high=1e-1, steps=7)
    np.testing.assert_allclose(found.rates, 10.0 ** np.linspace(-4, -1, 7), rtol=1e-12)
    assert not found.stopped
    expected = []
    for rate in found.rates:
        sgd.param_groups[0]["lr"] = rate
        expected.append(update())
    np.testing.assert_array_equal(found.losses, expected)
    weights = 0.9 ** np.arange(7)
    for i, smooth in enumerate(found.smoothed):
        past = found.losses[i::-1]
        assert smooth == pytest.approx(weights[: i + 1] @ past / weights[: i + 1].sum())


def test_the_range_test_leaves_everything_as_it_was():
    w, sgd, update = quadratic([1.0, 50.0], momentum=0.9)
    update()
    before, state = w.data.copy(), sgd.state_dict()
    buffer = sgd.state[w]["momentum_buffer"].copy()
    found = lr_range_test(sgd, update, low=1e-4, high=10.0)
    assert found.stopped
    assert np.array_equal(w.data, before)
    assert np.array_equal(sgd.state[w]["momentum_buffer"], buffer)
    assert sgd.state_dict()["param_groups"] == state["param_groups"]
    assert w.grad is None


def test_the_range_test_undoes_even_when_an_update_fails():
    w, sgd, _ = quadratic([1.0])

    def update():
        w.data += 1
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        lr_range_test(sgd, update, low=1e-4, high=1.0)
    assert w.data.tolist() == [1.0]
    assert sgd.param_groups[0]["lr"] == 0.1


def test_groups_keep_the_ratios_of_their_rates():
    v, w = Parameter([1.0]), Parameter([1.0])
    sgd = SGD([{"params": v, "lr": 0.01}, {"params": w, "lr": 0.04}], lr=1.0)
    seen = []

    def update():
        seen.append([group["lr"] for group in sgd.param_groups])
        return 1.0

    found = lr_range_test(sgd, update, low=1e-3, high=1.0, steps=4)
    np.testing.assert_allclose(seen, np.outer(found.rates, [0.25, 1.0]))
    assert [group["lr"] for group in sgd.param_groups] == [0.01, 0.04]


@pytest.mark.parametrize("number", [torch.Tensor.item, lambda loss: loss])
def test_the_range_test_drives_torch_and_undoes_it(number):
    """Whether the loss is a number or still a tensor, of whose conversion torch would warn."""
    w = torch.nn.Parameter(torch.ones(2, dtype=torch.float64))
    adam = torch.optim.Adam([w], lr=1e-3)

    def update():
        adam.zero_grad()
        loss = (w**2).sum()
        loss.backward()
        adam.step()
        return number(loss)

    found = lr_range_test(adam, update, low=1e-3, high=10.0, steps=50)
    assert found.losses[0] == 2.0
    assert found.suggestion > 0
    assert w.tolist() == [1.0, 1.0]
    assert adam.param_groups[0]["lr"] == 1e-3
    assert not adam.state_dict()["state"]


@pytest.mark.parametrize("factor", [4.0, None])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_first_loss_that_is_not_finite_stops_the_test(bad, factor):
    found = watched([bad, 1.0, 1.0], stop_factor=factor)
    assert found.stopped
    assert len(found.losses) == 1
    assert found.suggestion is None


def rebinding(p, others):
    """An update that gives a parameter another array, one of `others`."""

    def update():
        p.data = next(others)
        return 1.0

    return update


@pytest.mark.parametrize("shape", [(2,), (3, 1)])
def test_parameters_get_their_own_arrays_back(shape):
    given = np.array([1.0, 2.0])
    w = Parameter(given, copy=False)
    others = (np.full(shape, float(i)) for i in range(9))
    lr_range_test(SGD([w], lr=0.1), rebinding(w, others), low=0.1, high=1, steps=3)
    assert w.data is given
    assert given.tolist() == [1.0, 2.0]
    assert next(others).tolist() == np.full(shape, 3.0).tolist()


def test_torchs_parameters_get_their_own_memory_back():
    given = torch.tensor([1.0, 2.0])
    w = torch.nn.Parameter(given)
    others = (torch.full((3,), float(i)) for i in range(9))
    sgd = torch.optim.SGD([w], lr=0.1)
    lr_range_test(sgd, rebinding(w, others), low=0.1, high=1, steps=3)
    assert w.data_ptr() == given.data_ptr()
    assert w.tolist() == [1.0, 2.0]


def test_no_state_before_is_no_state_after():
    w, sgd, update = quadratic([1.0, 50.0], momentum=0.9)
    lr_range_test(sgd, update, low=1e-4, high=10.0)
    assert not sgd.state
    assert not sgd.state_dict()["state"]
    assert w.data.tolist() == [1.0, 1.0]


@pytest.mark.parametrize("needs_gradient", [False, True])
def test_a_rate_in_a_tensor_is_filled_in_place(needs_gradient):
    w = torch.nn.Parameter(torch.ones(2))
    rates = [torch.tensor(r) for r in (0.1, 0.2)]
    betas = torch.tensor(0.9), torch.tensor(0.99)
    groups = [{"params": [w], "lr": rates[0]}, {"params": [], "lr": rates[1]}]
    sgd = torch.optim.SGD(groups, lr=1.0)
    sgd.param_groups[0]["dampening"] = betas[0]  # whatever else a tensor holds
    rates[0].requires_grad_(needs_gradient)
    seen = []

    def update():
        seen.append([group["lr"].item() for group in sgd.param_groups])
        betas[0].zero_()
        assert [group["lr"] is lr for group, lr in zip(sgd.param_groups, rates, strict=True)]
        return 1.0

    found = lr_range_test(sgd, update, low=1e-3, high=1.0, steps=4)
    np.testing.assert_allclose(seen, np.outer(found.rates, [0.5, 1.0]), rtol=1e-6)
    assert [r.item() for r in rates] == [np.float32(0.1), np.float32(0.2)]
    assert all(group["lr"] is lr for group, lr in zip(sgd.param_groups, rates, strict=True))
    assert sgd.param_groups[0]["dampening"] is betas[0]
    assert betas[0] == np.float32(0.9)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_loss_that_is_not_finite_stops_the_test(bad):
    _, sgd, _ = quadratic([1.0])
    losses = iter([3.0, 2.0, 1.0, bad])
    found = lr_range_test(sgd, lambda: next(losses), low=1e-4, high=1.0)
    assert found.stopped
    assert len(found.losses) == 4
    assert found.suggestion is not None


def watched(losses, **given):
    """What the range test finds in given losses."""
    _, sgd, _ = quadratic([1.0])
    left = iter(losses)
    given = {"steps": len(losses), **given}
    return lr_range_test(sgd, lambda: next(left), low=1e-4, high=1.0, **given)


@pytest.mark.parametrize(
    "losses",
    [
        [2.0, 1.0, 3.9, 4.0, 4.1],  # four times the lowest
        [9.0, 0.5, 1.9, 2.1],
        [-3.0, -5.0, 9.0, 10.0, 10.1],  # three times its size above it
        [2.0, -1.0, 2.0, 2.1],
        [-100.0, 0.1, 200.0, 200.1],
    ],
)
def test_the_range_test_stops_at_the_factor(losses):
    found = watched([*losses, 1e3, 1e4], smoothing=0.0)
    assert found.stopped
    assert found.losses.tolist() == losses


@pytest.mark.parametrize("seed", range(20))
def test_a_positive_loss_ends_the_test_at_so_many_times_its_lowest(seed):
    """The rule of other libraries, for losses well above 0 whatever their height."""
    rng = np.random.default_rng(seed)
    rise = np.maximum(np.arange(100) - rng.integers(30, 70), 0)
    losses = rng.uniform(0.5, 50) * (np.linspace(3, 1, 100) + 0.1 * rise**2)
    losses *= rng.uniform(0.9, 1.1, 100)
    factor = rng.uniform(2, 6)
    found = watched(losses, stop_factor=factor)
    assert found.stopped
    lowest = np.minimum.accumulate(found.smoothed)
    beyond = found.smoothed > factor * lowest
    assert beyond.tolist() == [False] * (len(found.losses) - 1) + [True]


COURSES = {
    "falls": -2.0 * np.arange(100) / 100,
    "flat": np.zeros(100),
    "falls faster and faster": -0.01 * np.exp(np.arange(100) / 20),
}


@pytest.mark.parametrize("smoothing", [0.9, 0.95])
@pytest.mark.parametrize("shift", [-1000.0, -3.0, -1.0, -0.1, 0.0, 0.1, 1.0, 3.0, 1000.0])
@pytest.mark.parametrize("course", COURSES)
def test_a_noisy_loss_of_any_height_runs_to_the_end_and_a_peak_stops_it(course, shift, smoothing):
    for seed in range(20):
        noise = 0.3 * np.random.default_rng(seed).standard_normal(100)
        losses = COURSES[course] + noise + shift
        assert not watched(losses, smoothing=smoothing).stopped
        losses[60:] += 2.0 ** np.arange(40)
        found = watched(losses, smoothing=smoothing)
        assert found.stopped
        assert 60 < len(found.losses) < 80


def test_nothing_but_what_is_not_finite_stops_a_test_without_a_factor():
    losses = [2.0] * 60 + [1.0, 1e9, 1e308, -5.0, -1.5e308, -1e308, 3.0]
    whole = watched(losses, smoothing=0.0, stop_factor=None)
    assert not whole.stopped
    assert whole.suggestion == whole.rates[63]
    found = watched([*losses, np.nan, 1.0], stop_factor=None)
    assert found.stopped
    assert len(found.losses) == len(losses) + 1


def test_a_fall_is_found_below_a_peak_that_is_far_higher():
    losses = [3.0, 2.5, 1.0, 1e20, 1e40]
    found = watched(losses, smoothing=0.0, stop_factor=None)
    assert found.suggestion == found.rates[1]


@pytest.mark.parametrize("losses", [[1.0] * 5, [1.0, 1.1, 1.2, 1.3, 1.4], [np.nan]])
def test_nothing_is_suggested_where_the_loss_never_falls(losses):
    _, sgd, _ = quadratic([1.0])
    left = iter(losses)
    assert lr_range_test(sgd, lambda: next(left), low=0.1, high=1, steps=5).suggestion is None


def test_the_suggestion_is_the_steepest_fall():
    _, sgd, _ = quadratic([1.0])
    losses = iter([10.0, 9.9, 9.5, 5.0, 1.0, 0.9, 0.9])
    found = lr_range_test(sgd, lambda: next(losses), low=1e-3, high=1e3, steps=7, smoothing=0.0)
    assert found.suggestion == pytest.approx(1.0)


@pytest.mark.parametrize("seed", range(10))
def test_two_first_batches_that_differ_are_no_fall(seed):
    """The mean begins with one loss, so that its first differences are those of two batches."""
    rng = np.random.default_rng(seed)
    fall = 2.0 - 1.5 / (1 + np.exp(-(np.arange(100) - 50) / 8)) + 0.02 * rng.standard_normal(100)
    fall[:2] += (0.5, -0.5)
    found = watched(fall)
    assert 45 < np.searchsorted(found.rates, found.suggestion) < 75


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"low": 0.0}, ValueError, "low must be finite and > 0, got 0.0"),
        ({"high": np.inf}, ValueError, "high must be finite and > 0.1, got inf"),
        ({"low": 1.0}, ValueError, "high must be finite and > 1, got 1.0"),
        ({"low": "1"}, TypeError, "low must be a real number, got '1'"),
        ({"steps": 1}, ValueError, "steps must be >= 2, got 1"),
        ({"smoothing": 1.0}, ValueError, r"smoothing must be finite and in \[0, 1\)"),
        ({"stop_factor": 1.0}, ValueError, "stop_factor must be finite and > 1 or None, got 1"),
        ({"update": 3}, TypeError, "update must be callable, got 3"),
        ({"update": lambda: None}, TypeError, "update must return the loss, a number, got None"),
        ({"update": lambda: "3"}, TypeError, "update must return the loss, a number, got '3'"),
        ({"update": lambda: True}, TypeError, "update must return the loss, a number, got True"),
        ({"update": lambda: np.ones(2)}, TypeError, "update must return the loss, a number, got"),
        ({"update": lambda: torch.ones(2)}, TypeError, "update must return the loss, a number"),
        ({"stop_factor": np.nan}, ValueError, "stop_factor must be finite and > 1 or None, got n"),
        ({"low": np.ones(2)}, TypeError, "low must be a real number, got array"),
        ({"optimizer": SGD}, TypeError, "optimizer must have param_groups, got type"),
        ({"optimizer": StepLR(SGD(W, lr=0.1), 2)}, TypeError, "optimizer must have param_groups"),
        ({"optimizer": held()}, ValueError, "optimizer must have a group with lr > 0, got"),
        ({"optimizer": held({"params": [W]})}, TypeError, "optimizer's lr must be a real number"),
        ({"optimizer": held({"params": [W], "lr": np.nan})}, ValueError, "optimizer's lr must be"),
        (
            {"optimizer": held({"params": [FIXED], "lr": 0.1})},
            ValueError,
            "optimizer must hold parameters that can be written into",
        ),
        ({"optimizer": 3}, TypeError, "optimizer must have param_groups, got int"),
        (
            {"optimizer": SGD(W, lr=np.ones(W.shape))},
            ValueError,
            "must have one rate per group, got",
        ),
        ({"optimizer": SGD(W, lr=0.0)}, ValueError, "must have a group with lr > 0, got"),
    ],
)
def test_the_range_test_refuses(arguments, error, message):
    _, sgd, update = quadratic([1.0])
    complete = {"optimizer": sgd, "update": update, "low": 0.1, "high": 1.0, **arguments}
    with pytest.raises(error, match=message):
        lr_range_test(**complete)
