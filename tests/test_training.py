from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from optim_scratch import Parameter
from optim_scratch.optimizers import SGD
from optim_scratch.problems import NoisyQuadratic, SpiralMLP
from optim_scratch.training import (
    Accumulator,
    clip_grad_norm_,
    clip_grad_value_,
    decay_groups,
    layer_groups,
    lr_range_test,
    total_updates,
)

NORMS = [0.5, 1, 2, 2.0, 3, 7.5, np.inf]


def counted_loop(examples, batch_size, epochs, accumulation, drop_last):
    """Run the loop with torch's own loader, and count the updates and the examples in them."""
    data = torch.utils.data.TensorDataset(torch.arange(examples))
    loader = torch.utils.data.DataLoader(data, batch_size, drop_last=drop_last)
    updates, waiting = 0, 0
    for _ in range(epochs):
        for number, _batch in enumerate(loader, start=1):
            waiting += 1
            if number % accumulation == 0 or number == len(loader):
                updates, waiting = updates + 1, 0
    assert waiting == 0
    return updates


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 40), st.integers(1, 12), st.integers(1, 3), st.integers(1, 7), st.booleans())
def test_total_updates_is_what_a_loop_counts(examples, batch_size, epochs, accumulation, drop_last):
    if drop_last and examples < batch_size:
        return
    found = total_updates(
        examples, batch_size, epochs=epochs, accumulation=accumulation, drop_last=drop_last
    )
    assert found == counted_loop(examples, batch_size, epochs, accumulation, drop_last)
    assert isinstance(found, int)


def test_total_updates_of_cifar10():
    assert total_updates(50_000, 128) == 391
    assert total_updates(50_000, 128, drop_last=True) == 390
    assert total_updates(50_000, 128, epochs=30, accumulation=4) == 30 * 98


def test_total_updates_of_numpys_integers_do_not_overflow():
    found = total_updates(np.uint32(50_000), np.uint8(128), epochs=np.int8(100))
    assert (found, type(found)) == (39_100, int)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"examples": 0}, ValueError, "examples must be >= 1, got 0"),
        ({"examples": 10.0}, TypeError, "examples must be an integer, got 10.0"),
        ({"batch_size": 0}, ValueError, "batch_size must be >= 1, got 0"),
        ({"epochs": 0}, ValueError, "epochs must be >= 1, got 0"),
        ({"epochs": 2.5}, TypeError, "epochs must be an integer, got 2.5"),
        ({"accumulation": 0}, ValueError, "accumulation must be >= 1, got 0"),
        ({"drop_last": 1}, TypeError, "drop_last must be True or False, got 1"),
        ({"batch_size": 11, "drop_last": True}, ValueError, "at least batch_size 11 with drop_l"),
    ],
)
def test_total_updates_refuses(arguments, error, message):
    with pytest.raises(error, match=message):
        total_updates(**{"examples": 10, "batch_size": 2, **arguments})


# Accumulation


def layered(problem):
    """The problem's weights as six parameters, and a function that writes a batch's gradients."""
    weights = [Parameter(piece) for piece in problem.split(problem.start)]

    def backward(chosen):
        theta = np.concatenate([p.data.ravel() for p in weights])
        g = problem._gradient(theta, problem.inputs[chosen], problem.targets[chosen])
        for p, piece in zip(weights, problem.split(g), strict=True):
            p.grad = piece

    return weights, backward


@settings(deadline=None, max_examples=40)
@given(st.sets(st.integers(1, 60), max_size=8))
def test_accumulated_gradient_is_the_large_batchs_whatever_the_cuts(cuts):
    weights, backward = layered(SpiralMLP(points=61, seed=1))
    backward(slice(None))
    large = [p.grad.copy() for p in weights]
    gradients = Accumulator(weights)
    ends = [*sorted(cuts), 61]
    for first, end in zip([0, *ends[:-1]], ends, strict=True):
        backward(slice(first, end))
        gradients.add(end - first)
        assert all(p.grad is None for p in weights)
    assert gradients.write() == 61
    for p, g in zip(weights, large, strict=True):
        np.testing.assert_allclose(p.grad, g, rtol=0, atol=1e-12 * np.abs(g).max())


def test_accumulator_begins_anew_and_leaves_given_arrays():
    w = Parameter([0.0])
    gradients = Accumulator(w)
    given_array = np.array([2.0])
    for _ in range(2):
        w.grad = given_array
        gradients.add(3)
        assert gradients.write() == 3
        assert w.grad.tolist() == [2.0]
    assert given_array.tolist() == [2.0]


def test_accumulator_weighs_a_missing_gradient_as_zero_and_keeps_none():
    used, rare, never = Parameter([0.0]), Parameter([0.0]), Parameter([0.0])
    gradients = Accumulator([used, rare, never])
    for g in ([1.0], None):
        used.grad, rare.grad = [1.0], g
        gradients.add(2)
    gradients.write()
    assert (used.grad.tolist(), rare.grad.tolist(), never.grad) == ([1.0], [0.5], None)


def test_accumulator_keeps_the_dtype():
    w = Parameter(np.zeros(2, np.float32))
    gradients = Accumulator(w)
    w.grad = np.ones(2, np.float32)
    gradients.add(3)
    gradients.write()
    assert w.grad.dtype == np.float32


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: Accumulator([]), ValueError, "parameters must hold at least one Parameter"),
        (lambda: Accumulator([np.zeros(2)]), TypeError, "a layer must hold parameters, got nd"),
        (lambda: Accumulator(3), TypeError, "layer must be a parameter or an iterable of them"),
        (
            lambda: Accumulator(torch.zeros(2)),
            TypeError,
            "must hold our Parameter objects, got torch.T",
        ),
        (lambda: Accumulator(Parameter(1.0)).add(0), ValueError, "examples must be >= 1, got 0"),
        (lambda: Accumulator(Parameter(1.0)).add(1.5), TypeError, "examples must be an integer"),
        (lambda: Accumulator(Parameter(1.0)).write(), ValueError, "needs at least one add"),
    ],
)
def test_accumulator_refuses(call, error, message):
    with pytest.raises(error, match=message):
        call()


# Clipping


def twins(gradients, dtype=np.float64):
    """Parameters of ours and torch's with the same gradients; None stays None."""
    ours = [Parameter(np.zeros(np.shape(g) if g is not None else 2, dtype)) for g in gradients]
    theirs = [torch.nn.Parameter(torch.from_numpy(p.data.copy())) for p in ours]
    for mine, other, g in zip(ours, theirs, gradients, strict=True):
        if g is not None:
            mine.grad = np.array(g, dtype)
            other.grad = torch.from_numpy(np.array(g, dtype))
    return ours, theirs


def assert_same_gradients(ours, theirs, rtol=1e-12):
    for mine, other in zip(ours, theirs, strict=True):
        assert (mine.grad is None) == (other.grad is None)
        if mine.grad is not None:
            np.testing.assert_allclose(mine.grad, other.grad.numpy(), rtol=rtol, atol=0)


def drawn(scale):
    rng = np.random.default_rng(0)
    return [scale * rng.standard_normal((3, 4)), None, scale * rng.standard_normal(5), [0.0]]


@pytest.mark.parametrize("norm_type", NORMS)
@pytest.mark.parametrize("scale", [1e-8, 0.1, 1.0, 1e5])
@pytest.mark.parametrize("max_norm", [1e-3, 1, 2.5, np.inf])
def test_clip_grad_norm_is_torchs(norm_type, scale, max_norm):
    ours, theirs = twins(drawn(scale))
    found = clip_grad_norm_(ours, max_norm, norm_type)
    expected = torch.nn.utils.clip_grad_norm_(theirs, max_norm, norm_type)
    assert found == pytest.approx(expected.item(), rel=1e-12)
    assert_same_gradients(ours, theirs)


@pytest.mark.parametrize("norm_type", [1, 2, np.inf])
def test_clip_grad_norm_is_torchs_in_float32(norm_type):
    ours, theirs = twins(drawn(3.0), np.float32)
    clip_grad_norm_(ours, 1.0, norm_type)
    torch.nn.utils.clip_grad_norm_(theirs, 1.0, norm_type)
    assert_same_gradients(ours, theirs, rtol=1e-6)
    assert ours[0].grad.dtype == np.float32


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("norm_type", [1, 2, np.inf])
def test_infinities_and_nan_flow_as_in_torch(bad, norm_type):
    ours, theirs = twins([[1.0, bad], [2.0, 3.0]])
    found = clip_grad_norm_(ours, 1.0, norm_type)
    expected = torch.nn.utils.clip_grad_norm_(theirs, 1.0, norm_type)
    assert found == pytest.approx(expected.item(), nan_ok=True)
    assert_same_gradients(ours, theirs)


@pytest.mark.parametrize("bad", [np.inf, np.nan])
def test_a_norm_that_is_not_finite_is_refused_on_request_and_nothing_changes(bad):
    ours, _ = twins([[1.0, bad], [2.0, 3.0]])
    with pytest.raises(FloatingPointError, match=f"gradient's norm of type 2.0 is {bad}"):
        clip_grad_norm_(ours, 1.0, error_if_nonfinite=True)
    assert ours[1].grad.tolist() == [2.0, 3.0]


def test_no_gradient_has_the_norm_0():
    assert clip_grad_norm_([Parameter([1.0])], 1.0) == 0.0


def test_a_shared_array_is_clipped_once_and_left_as_it_was():
    shared = np.array([30.0, 40.0])
    ours = [Parameter(np.ones(2)), Parameter(np.ones(2))]
    for p in ours:
        p.grad = shared
    clip_grad_norm_(ours, 1.0)
    clip_grad_value_(ours, 0.1)
    assert shared.tolist() == [30.0, 40.0]
    assert ours[0].grad.tolist() == ours[1].grad.tolist() == [0.1, 0.1]


def test_clipping_takes_a_generator_and_one_parameter():
    ours, theirs = twins([[3.0, 4.0], [12.0]])
    assert clip_grad_norm_((p for p in ours), 1.0) == pytest.approx(13.0)
    torch.nn.utils.clip_grad_norm_(theirs, 1.0)
    assert_same_gradients(ours, theirs)
    clip_grad_value_(ours[0], 0.01)
    assert ours[0].grad.tolist() == [0.01, 0.01]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("clip_value", [0.1, 1, 100.0, np.inf])
def test_clip_grad_value_is_torchs(clip_value, dtype):
    gradients = [*drawn(1.0), [np.inf, -np.inf, np.nan]]
    ours, theirs = twins(gradients, dtype)
    clip_grad_value_(ours, clip_value)
    torch.nn.utils.clip_grad_value_(theirs, clip_value)
    assert_same_gradients(ours, theirs, rtol=0)
    assert ours[0].grad.dtype == dtype


W = Parameter([1.0])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (partial(clip_grad_norm_, W, 0), ValueError, "max_norm must be > 0, got 0"),
        (partial(clip_grad_norm_, W, -1.0), ValueError, "max_norm must be > 0, got -1.0"),
        (partial(clip_grad_norm_, W, np.nan), ValueError, "max_norm must be > 0, got nan"),
        (partial(clip_grad_norm_, W, "1"), TypeError, "max_norm must be a number, got '1'"),
        (partial(clip_grad_norm_, W, True), TypeError, "max_norm must be a number, got True"),
        (partial(clip_grad_norm_, W, 1.0, 0), ValueError, "norm_type must be > 0, got 0"),
        (partial(clip_grad_norm_, W, 1.0, -np.inf), ValueError, "norm_type must be > 0, got -inf"),
        (partial(clip_grad_norm_, W, 1.0, "fro"), TypeError, "norm_type must be a number"),
        (partial(clip_grad_norm_, W, 1.0, 2.0, 1), TypeError, "error_if_nonfinite must be True or"),
        (partial(clip_grad_norm_, [], 1.0), ValueError, "parameters must hold at least one"),
        (partial(clip_grad_norm_, [W, 2.0], 1.0), TypeError, "must hold parameters, got float"),
        (partial(clip_grad_value_, W, 0.0), ValueError, "clip_value must be > 0, got 0.0"),
        (partial(clip_grad_value_, W, None), TypeError, "clip_value must be a number, got None"),
        (partial(clip_grad_value_, [], 1.0), ValueError, "parameters must hold at least one"),
    ],
)
def test_clipping_refuses(call, error, message):
    with pytest.raises(error, match=message):
        call()


# The range test


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
        ({"high": np.inf}, ValueError, "high must be finite and > 0, got inf"),
        ({"low": 1.0}, ValueError, "high must be above low 1.0, got 1.0"),
        ({"low": "1"}, TypeError, "low must be a number, got '1'"),
        ({"steps": 1}, ValueError, "steps must be >= 2, got 1"),
        ({"smoothing": 1.0}, ValueError, r"smoothing must be finite and in \[0, 1\)"),
        ({"stop_factor": 1.0}, ValueError, "stop_factor must be > 1, got 1.0"),
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


# Groups


def three_layers():
    return [[Parameter(np.zeros((2, 2))), Parameter(np.zeros(2))] for _ in range(3)]


def test_layer_groups_shrink_the_rate_towards_the_input():
    layers = three_layers()
    groups = layer_groups(layers, lr=0.26, decay=1 / 2.6, momentum=0.9)
    assert [group["params"] for group in groups] == layers
    expected = [0.26 / 2.6**2, 0.1, 0.26]
    np.testing.assert_allclose([group["lr"] for group in groups], expected, rtol=1e-12)
    assert [group["momentum"] for group in SGD(groups, lr=1.0).param_groups] == [0.9] * 3


def test_frozen_layers_get_no_group_and_the_rates_of_the_rest_stay():
    layers = three_layers()
    groups = layer_groups(layers, lr=1.0, decay=0.5, frozen=1)
    assert [(group["params"], group["lr"]) for group in groups] == [
        (layers[1], 0.5),
        (layers[2], 1.0),
    ]


def test_a_layer_may_be_one_parameter_ours_or_torchs():
    mine, other = Parameter(np.zeros((2, 2))), torch.nn.Parameter(torch.zeros(3, 3))
    groups = layer_groups([mine, other], lr=1.0)
    assert groups[0]["params"][0] is mine
    assert groups[1]["params"][0] is other
    assert [group["weight_decay"] for group in decay_groups(other, 0.1)] == [0.1]


def test_decay_groups_spare_vectors_and_keep_each_groups_own():
    layers = three_layers()
    groups = decay_groups(layer_groups(layers, lr=1.0, decay=0.5), 0.01)
    assert [group["lr"] for group in groups] == [0.25, 0.25, 0.5, 0.5, 1.0, 1.0]
    assert [group["weight_decay"] for group in groups] == [0.01, 0.0] * 3
    assert [group["params"] for group in groups] == [[p] for layer in layers for p in layer]


@pytest.mark.parametrize("shape", [(), (4,)])
def test_decay_groups_leave_out_the_empty_one(shape):
    assert [g["weight_decay"] for g in decay_groups([Parameter(np.zeros(shape))], 0.1)] == [0.0]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: layer_groups(3, 0.1), TypeError, "layers must be a sequence of layers, got 3"),
        (lambda: layer_groups([3], 0.1), TypeError, "layer must be a parameter or an iterable"),
        (lambda: layer_groups([[3]], 0.1), TypeError, "a layer must hold parameters, got int"),
        (lambda: layer_groups([W], -0.1), ValueError, "lr must be finite and >= 0, got -0.1"),
        (lambda: layer_groups([W], 0.1, 0.0), ValueError, r"decay must be in \(0, 1\], got 0"),
        (lambda: layer_groups([W], 0.1, 2.6), ValueError, r"decay must be in \(0, 1\], got 2.6"),
        (lambda: layer_groups([W], 0.1, frozen=1), ValueError, "must leave one of 1 layers, got 1"),
        (lambda: layer_groups([], 0.1), ValueError, "must leave one of 0 layers, got 0"),
        (lambda: layer_groups([W], 0.1, frozen=-1), ValueError, "frozen must be >= 0, got -1"),
        (lambda: decay_groups([W], -1), ValueError, "weight_decay must be finite and >= 0, got -1"),
        (lambda: decay_groups([], 0.1), ValueError, "params must hold at least one parameter"),
        (lambda: decay_groups(3, 0.1), TypeError, "params must be an iterable of them or of gr"),
        (lambda: decay_groups([3], 0.1), TypeError, "a layer must hold parameters, got int"),
    ],
)
def test_groups_refuse(call, error, message):
    with pytest.raises(error, match=message):
        call()
