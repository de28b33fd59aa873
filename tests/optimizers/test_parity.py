"""Our optimizers equal torch's, one table for all; the settings are in tests/parity.py."""

import numpy as np
import pytest
from parity import GROUPS, STEPS, assert_equal_paths, cases, distance, pair, record

from optim_scratch import Parameter
from optim_scratch.experiments import bridge
from optim_scratch.optimizers.loading import ENGINE_FLAGS

pytestmark = pytest.mark.usefixtures("float64")

every = pytest.mark.parametrize(("kind", "options"), cases())


@every
@pytest.mark.parametrize("layout", range(3))
def test_equals_torch(kind, options, layout):
    rows = record(STEPS)
    assert_equal_paths(*pair(kind, rows[0], options, GROUPS[kind.__name__][layout]), rows[1:])


@every
@pytest.mark.parametrize("done", [0, 1, 150])
def test_state_crosses_to_torch_and_back_in_mid_run(kind, options, done):
    rows = record(STEPS)
    ours, theirs = pair(kind, rows[0], options, [{}, {"lr": 0.2}])
    for row in rows[1 : done + 1]:
        now = ours.step(row)
        theirs.step(row)
    at = now if done else rows[0]
    into_torch = pair(kind, at, options, [{}, {}])[1]
    into_torch.optimizer.load_state_dict(bridge.to_torch(ours.optimizer.state_dict()))
    into_ours, from_bridge = (pair(kind, at, options, [{}, {}])[0] for _ in range(2))
    into_ours.optimizer.load_state_dict(theirs.optimizer.state_dict())
    from_bridge.optimizer.load_state_dict(bridge.from_torch(theirs.optimizer.state_dict()))
    for row in rows[done + 1 :]:
        reference = theirs.step(row)
        for resumed in (into_torch, into_ours, from_bridge):
            assert distance(resumed.step(row), reference) <= 1e-12


@every
def test_state_dict_has_torchs_layout(kind, options):
    rows = record(1)
    ours, theirs = pair(kind, rows[0], options, [{}, {}])
    assert ours.optimizer.state_dict()["state"] == {}
    ours.step(rows[1])
    theirs.step(rows[1])
    mine, torchs = ours.optimizer.state_dict(), theirs.optimizer.state_dict()
    assert mine.pop("optimizer") == kind.__name__
    assert mine.keys() == torchs.keys()
    for index, state in torchs["state"].items():
        kept = {name for name, value in state.items() if value is not None}
        assert mine["state"].get(index, {}).keys() == kept
        for name in kept:
            assert np.shape(mine["state"][index][name]) == tuple(state[name].shape)
    for a, b in zip(mine["param_groups"], torchs["param_groups"], strict=True):
        assert a == {k: v for k, v in b.items() if k not in ENGINE_FLAGS}


@every
def test_tiles_give_the_very_same_numbers(kind, options, rng, monkeypatch):
    start, gradients = rng.normal(size=(7, 11)), rng.normal(size=(20, 7, 11))
    ends = []
    for tile in (1000, 10):
        monkeypatch.setattr("optim_scratch.optimizers.optimizer.TILE", tile)
        p = Parameter(start)
        optimizer = kind([p], **options)
        for gradient in gradients:
            p.grad = gradient
            optimizer.step()
        ends.append(p.data)
    assert np.array_equal(*ends)


@every
def test_the_gradient_is_never_changed(kind, options, rng):
    p = Parameter(rng.normal(size=4))
    gradient = rng.normal(size=4)
    optimizer = kind([p], **options)
    for _ in range(3):
        p.grad = gradient
        before = gradient.copy()
        optimizer.step()
        assert p.grad is gradient
        assert np.array_equal(gradient, before)


@every
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_parameters_dtype_rules(kind, options, dtype):
    """Over that of gradients and of hyper-parameters, which are arrays here where they may be."""
    p = Parameter(np.ones((2, 3), dtype))
    arrays = {k: many(v) for k, v in {"lr": 0.1, **options}.items() if not isinstance(v, bool)}
    optimizer = kind([p], **{**options, **arrays})
    p.grad = np.ones((2, 3), np.float64)
    optimizer.step()
    assert p.data.dtype == p.grad.dtype == dtype
    for name in set(kind.state_names) & optimizer.state.get(p, {}).keys():
        assert optimizer.state[p][name].dtype == dtype


def many(value):
    """The same number for each row of two, as an array; of a tuple, so with each entry."""
    return tuple(map(many, value)) if isinstance(value, tuple) else np.full((2, 1), value)
