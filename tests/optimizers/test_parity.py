"""Our optimizers equal their references, one table for all; it is in tests/methods.py."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from methods import (
    assert_equal_paths,
    assert_follows,
    cases,
    describe,
    distance,
    drawn_case,
    optimizers,
    pair,
)

from optim_scratch.experiments import bridge
from optim_scratch.optimizers.loading import ENGINE_FLAGS

pytestmark = pytest.mark.usefixtures("float64")

every = pytest.mark.parametrize(("method", "options"), cases())
crossing = pytest.mark.parametrize(
    ("method", "options"), cases(lambda method: describe(method.name).crosses)
)


@pytest.mark.parametrize("method", optimizers(), ids=lambda method: method.name)
def test_has_a_description_and_a_reference(method):
    description = describe(method.name)
    assert method.torch or description.reference, f"{method.name} has nothing to be held against"
    assert description.tolerance <= 1e-9
    assert bool(description.held) == bool(description.reference), (
        f"{method.name}: held, in its description, must say what its reference is called"
    )


@every
def test_equals_the_reference(method, options):
    description = describe(method.name)
    for per_group in description.groups:
        *both, rows = pair(method, options, per_group)
        assert_equal_paths(*both, rows, description.tolerance)


@pytest.mark.parametrize("method", optimizers(), ids=lambda method: method.name)
@given(data=st.data(), seed=st.integers(0, 1000))
def test_equals_the_reference_for_drawn_arguments(method, data, seed):
    options, rows = drawn_case(method.name, data, seed)
    assert_follows(method.name, options, rows)


@pytest.mark.parametrize("method", optimizers(), ids=lambda method: method.name)
def test_equals_the_reference_where_gradients_are_missing_on_some_steps(method):
    for options in describe(method.name).settings if describe(method.name).partial else ():
        ours, theirs, rows = pair(method, options)
        if len(rows[0]) < 2:
            continue
        for t, row in enumerate(rows[: 3 if method.closure else 30]):
            error = distance(ours.step(row, skip=t % 3), theirs.step(row, skip=t % 3))
            assert error <= describe(method.name).tolerance


@crossing
def test_state_crosses_to_torch_and_back_in_mid_run(method, options):
    description = describe(method.name)
    groups = description.groups[-1]
    for done in (0, 1, description.steps // 2):
        ours, theirs, rows = pair(method, options, groups)
        for row in rows[:done]:
            ours.step(row)
            theirs.step(row)
        at = [p.data.copy() for p in ours.parameters]
        into_torch = pair(method, {}, [{}] * len(groups), starts=at)[1]
        into_torch.optimizer.load_state_dict(bridge.to_torch(ours.optimizer.state_dict()))
        into_ours, from_bridge = (
            pair(method, {}, [{}] * len(groups), starts=at)[0] for _ in range(2)
        )
        into_ours.optimizer.load_state_dict(theirs.optimizer.state_dict())
        from_bridge.optimizer.load_state_dict(bridge.from_torch(theirs.optimizer.state_dict()))
        for row in rows[done : done + 20]:
            reference = theirs.step(row)
            for resumed in (into_torch, into_ours, from_bridge):
                assert distance(resumed.step(row), reference) <= description.tolerance


@crossing
def test_state_dict_has_torchs_layout(method, options):
    ours, theirs, rows = pair(method, options, [{}])
    before, first = (each.optimizer.state_dict()["state"] for each in (ours, theirs))
    assert before.keys() == first.keys()  # none, but for what torch makes at once
    assert all(before[index].keys() == first[index].keys() for index in first)
    ours.step(rows[0])
    theirs.step(rows[0])
    mine, torchs = ours.optimizer.state_dict(), theirs.optimizer.state_dict()
    assert mine.pop("optimizer") == method.name
    assert mine.keys() == torchs.keys()
    for index, state in torchs["state"].items():
        scratch = method.load().scratch
        kept = {name for name in state if state[name] is not None and name not in scratch}
        assert mine["state"].get(index, {}).keys() == kept
        for name in kept:
            assert np.shape(mine["state"][index][name]) == np.shape(state[name])
    for a, b in zip(mine["param_groups"], torchs["param_groups"], strict=True):
        assert a == {k: v for k, v in b.items() if k not in ENGINE_FLAGS}
