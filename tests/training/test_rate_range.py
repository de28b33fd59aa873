import numpy as np
import pytest
import torch

from optim_scratch import Parameter
from optim_scratch.optimizers import SGD
from optim_scratch.problems import NoisyQuadratic
from optim_scratch.training import lr_range_test

W = Parameter([1.0])


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


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_loss_that_is_not_finite_stops_the_test(bad):
    _, sgd, _ = quadratic([1.0])
    losses = iter([3.0, 2.0, 1.0, bad])
    found = lr_range_test(sgd, lambda: next(losses), low=1e-4, high=1.0)
    assert found.stopped
    assert len(found.losses) == 4
    assert found.suggestion is not None


def test_the_range_test_stops_at_the_factor():
    _, sgd, _ = quadratic([1.0])
    losses = iter([2.0, 1.0, 3.9, 4.0, 4.1, 5.0])
    found = lr_range_test(sgd, lambda: next(losses), low=1e-4, high=1.0, smoothing=0.0)
    assert found.losses.tolist() == [2.0, 1.0, 3.9, 4.0, 4.1]


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
