"""What is SGD's own; what it shares with every optimizer is tested beside."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from parity import STEPS, assert_equal_paths, pair, record

from optim_scratch import Parameter
from optim_scratch.optimizers import SGD

pytestmark = pytest.mark.usefixtures("float64")


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
    assert_equal_paths(*pair(SGD, rows[0], options), rows[1:])


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


def test_arrays_that_are_not_contiguous_are_updated_whole(rng, monkeypatch):
    monkeypatch.setattr("optim_scratch.optimizers.optimizer.TILE", 4)
    p = Parameter(np.zeros((4, 6)))
    p.data = np.zeros((6, 4)).T
    p.grad = rng.normal(size=(4, 6))
    SGD([p], lr=0.5, momentum=0.9).step()
    assert np.array_equal(p.data, -0.5 * p.grad)


def test_infinities_and_nan_flow():
    p = Parameter([1.0, 1.0, 1.0])
    p.grad = np.array([np.inf, np.nan, 1.0])
    sgd = SGD([p], lr=1e300, momentum=0.9)
    for _ in range(3):
        sgd.step()
    assert p.data[0] == -np.inf
    assert np.isnan(p.data[1])
