"""SGD equals torch.optim.SGD."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from parity import Ours, Theirs, assert_equal_paths, distance, record

from optim_scratch import Parameter
from optim_scratch.experiments import bridge
from optim_scratch.optimizers import SGD

STEPS = 300
SETTINGS = [
    {"lr": 0.1},
    {"lr": 0.1, "maximize": True},
    {"lr": 0.1, "weight_decay": 0.01},
    {"lr": 0.01, "momentum": 0.9},
    {"lr": 0.01, "momentum": 0.9, "dampening": 0.3},
    {"lr": 0.01, "momentum": 0.9, "dampening": 0.9},
    {"lr": 0.1, "momentum": 0.0, "dampening": 0.5},
    {"lr": 0.01, "momentum": 0.9, "nesterov": True},
    {"lr": 0.01, "momentum": 0.9, "weight_decay": 5e-4},
    {"lr": 0.01, "momentum": 0.9, "dampening": 0.1, "weight_decay": 0.1, "maximize": True},
    {"lr": 0.01, "momentum": 0.99, "nesterov": True, "weight_decay": 0.1, "maximize": True},
    {"lr": 0.0, "momentum": 0.9},
    {},
]
GROUPS = [
    [{}],
    [{"lr": 0.3}, {"momentum": 0.5}],
    [{"weight_decay": 0.1}, {}, {"lr": 0.02, "maximize": True}],
]

pytestmark = pytest.mark.usefixtures("float64")


def pair(options, per_group=({},), rows=None):
    starts = (rows or record(0))[0]
    return Ours(SGD, starts, per_group, **options), Theirs(
        torch.optim.SGD, starts, per_group, **options
    )


@pytest.mark.parametrize("per_group", GROUPS)
@pytest.mark.parametrize("options", SETTINGS, ids=str)
def test_equals_torch(options, per_group):
    rows = record(STEPS)
    assert_equal_paths(*pair(options, per_group, rows), rows[1:])


@given(
    lr=st.floats(1e-4, 1.0),
    momentum=st.floats(0.0, 0.99),
    dampening=st.floats(0.0, 1.0),
    weight_decay=st.floats(0.0, 0.5),
    nesterov=st.booleans(),
    maximize=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_equals_torch_for_drawn_settings(
    lr, momentum, dampening, weight_decay, nesterov, maximize, seed
):
    if nesterov:
        dampening, momentum = 0.0, max(momentum, 0.01)
    if maximize:
        weight_decay = min(weight_decay, 0.5 / lr)
    options = {
        "lr": lr,
        "momentum": momentum,
        "dampening": dampening,
        "weight_decay": weight_decay,
        "nesterov": nesterov,
        "maximize": maximize,
    }
    rows = record(STEPS, shapes=((2,), (2, 2)), seed=seed)
    sides = pair(options, rows=rows)
    assert_equal_paths(*sides, rows[1:])


@pytest.mark.parametrize("options", SETTINGS, ids=str)
@pytest.mark.parametrize("done", [0, 1, 150])
def test_state_crosses_to_torch_and_back_in_mid_run(options, done):
    rows = record(STEPS)
    ours, theirs = pair(options, [{}, {"lr": 0.2}], rows)
    for row in rows[1 : done + 1]:
        now = ours.step(row)
        theirs.step(row)
    at = now if done else rows[0]
    into_torch = pair(options, [{}, {}], [at])[1]
    into_torch.optimizer.load_state_dict(bridge.to_torch(ours.optimizer.state_dict()))
    into_ours = pair(options, [{}, {}], [at])[0]
    into_ours.optimizer.load_state_dict(theirs.optimizer.state_dict())
    for row in rows[done + 1 :]:
        reference = theirs.step(row)
        assert distance(into_torch.step(row), reference) <= 1e-12
        assert distance(into_ours.step(row), reference) <= 1e-12


def test_state_dict_has_torchs_layout():
    rows = record(1)
    ours, theirs = pair({"lr": 0.1, "momentum": 0.9}, [{}, {}], rows)
    assert ours.optimizer.state_dict()["state"] == {}
    ours.step(rows[1])
    theirs.step(rows[1])
    mine, torchs = ours.optimizer.state_dict(), theirs.optimizer.state_dict()
    assert mine.pop("optimizer") == "SGD"
    assert mine.keys() == torchs.keys()
    assert {i: s.keys() for i, s in mine["state"].items()} == {
        i: s.keys() for i, s in torchs["state"].items()
    }
    engine = {"foreach", "fused", "differentiable"}
    for a, b in zip(mine["param_groups"], torchs["param_groups"], strict=True):
        assert a == {k: v for k, v in b.items() if k not in engine}


def test_first_gradient_enters_undamped():
    p = Parameter([0.0])
    sgd = SGD([p], lr=1.0, momentum=0.5, dampening=0.5)
    p.grad = np.ones(1)
    sgd.step()
    sgd.step()
    # b₁ = 1, b₂ = ½·1 + ½·1 = 1
    assert p.data == -2.0


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("shape", [(5, 1), (5, 2)])
def test_arrays_of_hyper_parameters_are_runs_of_their_own(shape, nesterov, rng):
    arrays = {
        "lr": rng.uniform(0.01, 0.1, shape),
        "momentum": rng.uniform(0.1, 0.9, shape),
        "weight_decay": rng.uniform(0, 0.1, shape),
        "dampening": 0.0 if nesterov else rng.uniform(0, 1, shape),
    }
    if not nesterov:
        arrays["momentum"][1] = 0.0
    start, gradients = rng.normal(size=(5, 2)), rng.normal(size=(50, 5, 2))
    together = Parameter(start)
    many = SGD([together], **arrays, nesterov=nesterov)
    for gradient in gradients:
        together.grad = gradient
        many.step()
    for index in np.ndindex(5, 2):
        single = Parameter(start[index])
        chosen = {k: float(np.broadcast_to(v, (5, 2))[index]) for k, v in arrays.items()}
        one = SGD([single], **chosen, nesterov=nesterov)
        for gradient in gradients:
            single.grad = gradient[index]
            one.step()
        assert single.data == pytest.approx(together.data[index], rel=1e-13)


@pytest.mark.parametrize("options", SETTINGS, ids=str)
def test_tiles_give_the_very_same_numbers(options, rng, monkeypatch):
    start, gradients = rng.normal(size=(7, 11)), rng.normal(size=(20, 7, 11))
    ends = []
    for tile in (1000, 10):
        monkeypatch.setattr("optim_scratch.optimizers.optimizer.TILE", tile)
        p = Parameter(start)
        sgd = SGD([p], **options)
        for gradient in gradients:
            p.grad = gradient
            sgd.step()
        ends.append(p.data)
    assert np.array_equal(*ends)


def test_arrays_that_are_not_contiguous_are_updated_whole(rng, monkeypatch):
    monkeypatch.setattr("optim_scratch.optimizers.optimizer.TILE", 4)
    p = Parameter(np.zeros((4, 6)))
    p.data = np.zeros((6, 4)).T
    p.grad = rng.normal(size=(4, 6))
    SGD([p], lr=0.5, momentum=0.9).step()
    assert np.array_equal(p.data, -0.5 * p.grad)


@pytest.mark.parametrize("options", SETTINGS, ids=str)
def test_the_gradient_is_never_changed(options, rng):
    p = Parameter(rng.normal(size=4))
    gradient = rng.normal(size=4)
    sgd = SGD([p], **options)
    for _ in range(3):
        p.grad = gradient
        before = gradient.copy()
        sgd.step()
        assert p.grad is gradient
        assert np.array_equal(gradient, before)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_parameters_dtype_rules(dtype):
    p = Parameter(np.ones((2, 3), dtype))
    sgd = SGD([p], lr=np.full((2, 1), 0.1), momentum=np.full(3, 0.9), weight_decay=0.1)
    p.grad = np.ones((2, 3), np.float64)
    sgd.step()
    assert p.data.dtype == p.grad.dtype == sgd.state[p]["momentum_buffer"].dtype == dtype


def test_infinities_and_nan_flow():
    p = Parameter([1.0, 1.0, 1.0])
    p.grad = np.array([np.inf, np.nan, 1.0])
    sgd = SGD([p], lr=1e300, momentum=0.9)
    for _ in range(3):
        sgd.step()
    assert p.data[0] == -np.inf
    assert np.isnan(p.data[1])
