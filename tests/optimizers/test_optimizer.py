"""What every optimizer of the registry shares: groups, state, refusals."""

import copy

import numpy as np
import pytest
import torch
from methods import advance, as_taken, bowl, describe, members, optimizers, stepped

from optim_scratch import Parameter
from optim_scratch.optimizers import SGD, Optimizer

every = pytest.mark.parametrize("method", optimizers(), ids=lambda method: method.name)
grouped = pytest.mark.parametrize(
    "method",
    [m for m in optimizers() if len(describe(m.name).groups) > 1],
    ids=lambda method: method.name,
)
plain = pytest.mark.parametrize(
    "kind", [m.load() for m in optimizers() if not m.wraps], ids=lambda kind: kind.__name__
)


MATRIX = Parameter(np.zeros((2, 2)))


@plain
@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ([], ValueError, "params must hold at least one parameter"),
        ([{"params": []}], ValueError, "an empty group"),
        ([np.zeros(2)], TypeError, "params must hold our Parameter objects, got numpy.ndarray"),
        ([torch.nn.Parameter(torch.zeros(2))], TypeError, "got torch.nn.parameter.Parameter"),
        ([MATRIX] * 2, ValueError, "twice"),
        ([{"lr": 0.1}], ValueError, 'the key "params"'),
        (5, TypeError, "params must be a Parameter, or an iterable of them or of groups, got 5"),
        ([{"params": None}], TypeError, "params must be a Parameter, .* got None"),
        (np.array(1.0), TypeError, "params must be a Parameter, or an iterable"),
        ([{"params": MATRIX}, Parameter(0.0)], TypeError, "must be a dict, got Parameter"),
    ],
    ids=[
        "none",
        "empty group",
        "array",
        "torchs",
        "twice",
        "no params",
        "number",
        "null",
        "0-d",
        "mixed",
    ],
)
def test_refuses_parameters(kind, params, error, message):
    with pytest.raises(error, match=message):
        kind(params)


@every
def test_refuses_a_parameter_of_another_group(method):
    optimizer = stepped(method, 0)
    before = len(optimizer.param_groups)
    with pytest.raises(ValueError, match=r"twice|one group"):
        optimizer.add_param_group({"params": members(optimizer)[0]})
    assert len(optimizer.param_groups) == before


@grouped
def test_groups_take_defaults_and_may_overrule_them(method):
    first, second = (Parameter(np.ones(describe(method.name).shapes[0])) for _ in range(2))
    groups = [{"params": first, "lr": 0.5}, {"params": (p for p in [second])}]
    optimizer = describe(method.name).make(
        method.load(), groups, **{**describe(method.name).settings[0], "lr": 0.1}
    )
    assert [group["lr"] for group in optimizer.param_groups] == [0.5, 0.1]
    assert [group["params"] for group in optimizer.param_groups] == [[first], [second]]
    assert all(set(optimizer.defaults) < set(group) for group in optimizer.param_groups)


@grouped
def test_a_late_group_is_moved_too(method):
    optimizer = stepped(method, 2)
    late = Parameter(np.ones(describe(method.name).shapes[0]))
    optimizer.add_param_group({"params": late})
    advance(optimizer, members(optimizer), 4)
    assert not np.array_equal(late.data, np.ones(late.shape))


@every
def test_zero_grad(method):
    optimizer = stepped(method, 0)
    p, never = members(optimizer)[0], members(optimizer)[-1]
    p.grad = np.ones(p.shape)
    optimizer.zero_grad(set_to_none=False)
    assert np.array_equal(p.grad, np.zeros(p.shape))
    assert never.grad is None
    optimizer.zero_grad()
    assert p.grad is None
    if not method.closure:
        optimizer.step()  # parameters without gradient stay where they are
        assert np.array_equal(p.data, np.ones(p.shape))
        state = optimizer.state_dict()["state"]
        assert state.keys() == stepped(method, 0).state_dict()["state"].keys() or method.wraps
        assert not any(each.get("step") for each in state.values() if isinstance(each, dict))


@every
def test_closure_is_called_before_the_step_and_its_loss_returned(method):
    optimizer = stepped(method, 0)
    seen = []

    def closure():
        seen.append(float(members(optimizer)[0].data.flat[0]))
        for p in members(optimizer):
            p.grad = as_taken(optimizer, bowl(p.data, np.ones(p.shape))[1])
        return 42.0

    assert optimizer.step(closure) == 42.0
    assert seen[0] == 1.0
    assert len(seen) == 1 or method.closure
    assert optimizer.steps_taken == 1


@every
def test_resumes_exactly(method):
    full, half, resumed = stepped(method, 10), stepped(method, 5), stepped(method, 0)
    resumed.load_state_dict(half.state_dict())
    for p, q in zip(members(resumed), members(half), strict=True):
        p.data[...] = q.data
    advance(resumed, members(resumed), 5)
    for p, q in zip(members(resumed), members(full), strict=True):
        assert np.array_equal(p.data, q.data)
        assert np.array_equal(resumed.point(p), full.point(q))


@every
def test_a_state_dict_is_a_snapshot(method):
    optimizer = stepped(method)
    saved = optimizer.state_dict()
    before = copy.deepcopy(saved)
    for group in optimizer.param_groups:
        group["lr"] = 0.9
    advance(optimizer, members(optimizer), 1)
    assert repr(saved) == repr(before)


@every
def test_a_copy_goes_its_own_way(method):
    optimizer = stepped(method)
    twin, before = copy.deepcopy(optimizer), [p.data.copy() for p in members(optimizer)]
    advance(twin, members(twin), 3)
    for p, data in zip(members(optimizer), before, strict=True):
        assert np.array_equal(p.data, data)


@pytest.mark.parametrize("kind", [SGD])
def test_an_array_of_rates_is_copied(kind):
    rates = np.array([0.1, 0.2])
    optimizer = kind([Parameter([0.0, 0.0])], lr=rates)
    rates[:] = 9.0
    assert optimizer.param_groups[0]["lr"].tolist() == [0.1, 0.2]


def test_the_base_cannot_step():
    p = Parameter(0.0)
    p.grad = np.ones(())
    with pytest.raises(NotImplementedError, match="_update"):
        Optimizer([p], {}).step()


def test_the_memory_of_a_group_is_its_own_and_is_saved():
    class Counting(SGD):
        def _begin_group(self, group):
            return {"count": 0}

        def _step_group(self, group):
            group["shared"]["count"] += 1
            super()._step_group(group)

    p, q = Parameter([1.0]), Parameter([1.0])
    optimizer = Counting([{"params": p}, {"params": q}], lr=0.1)
    optimizer.step()
    saved = optimizer.state_dict()
    optimizer.step()
    assert [group["shared"] for group in saved["param_groups"]] == [{"count": 1}] * 2
    optimizer.load_state_dict(saved)
    assert [group["shared"] for group in optimizer.param_groups] == [{"count": 1}] * 2
    saved["param_groups"][1]["shared"]["count"] = 1.5
    with pytest.raises(ValueError, match="count must be a whole number"):
        optimizer.load_state_dict(saved)


def test_a_state_that_is_bound_anew_is_kept_however_large_the_parameter(monkeypatch):
    class Rebinding(SGD):
        def _begin(self, p, h):
            return {"last": np.zeros_like(p.data)}

        def _update(self, theta, g, state, h):
            state["last"] = g + state["last"]
            theta -= h["lr"] * state["last"]

    monkeypatch.setattr("optim_scratch.optimizers.tiles.TILE", 4)
    p = Parameter(np.zeros(10))
    optimizer = Rebinding([p], lr=1.0)
    for _ in range(2):
        p.grad = np.ones(10)
        optimizer.step()
    assert np.array_equal(p.data, np.full(10, -3.0))
