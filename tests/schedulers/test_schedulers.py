"""Schedulers give torch's rates, on our optimizers and on torch's."""

import copy
import json
import math
import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st
from scheduling import (
    DRAWN,
    OPTIMIZERS,
    RATES,
    SETTINGS,
    STEPS,
    InverseTime,
    arguments_of,
    build,
    hand_over,
    our_adam,
    our_sgd,
    present,
    same,
    steady,
    stepped,
    torch_adam,
    torch_scheduler,
    torch_sgd,
    trace,
)

from optim_scratch import Parameter, registry
from optim_scratch import schedulers as ours
from optim_scratch.experiments import bridge
from optim_scratch.optimizers import SGD

settings = pytest.mark.parametrize(("name", "arguments"), SETTINGS, ids=steady)
driven = pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS.keys())
drawn = pytest.mark.parametrize("name", DRAWN)


def test_every_simple_scheduler_of_torchs_is_tested():
    composed = {"ReduceLROnPlateau", "SequentialLR", "ChainedScheduler"}
    torchs = {method.name for method in registry.methods("scheduler") if method.torch}
    assert {name for name, _ in SETTINGS} == set(DRAWN) == torchs - composed


@driven
@settings
def test_equals_torch(name, arguments, make):
    same(trace(build(name, arguments, make())), trace(torch_scheduler(name, arguments)))


@drawn
@profile(max_examples=30)
@given(data=st.data())
def test_equals_torch_for_drawn_arguments(name, data):
    arguments = data.draw(arguments_of(name))
    same(trace(build(name, arguments)), trace(torch_scheduler(name, arguments)))


@drawn
@profile(max_examples=15)
@given(data=st.data(), edit=st.integers(0, 150), rate=st.floats(1e-3, 1.0))
def test_a_rate_set_by_hand_fares_as_in_torch(name, data, edit, rate):
    arguments = data.draw(arguments_of(name))
    traces = []
    for scheduler in (build(name, arguments), torch_scheduler(name, arguments)):
        trace(scheduler, edit)
        scheduler.optimizer.param_groups[0]["lr"] = rate
        scheduler.step()
        traces.append(trace(scheduler, STEPS - edit - 2))
    same(*traces)


@drawn
@profile(max_examples=15)
@given(data=st.data(), at=st.integers(0, STEPS - 10))
def test_resumes_anywhere_from_its_state_dict_and_from_torchs(name, data, at):
    arguments = data.draw(arguments_of(name))
    torchs = torch_scheduler(name, arguments)
    trace(torchs, at)
    first = build(name, arguments)
    trace(first, at)
    again, crossed, outlived = (build(name, arguments) for _ in range(3))
    into_torch = torch_scheduler(name, arguments)
    again.load_state_dict(first.state_dict())
    crossed.load_state_dict(torchs.state_dict())
    outlived.load_state_dict(bridge.scheduler_from_torch(torchs.state_dict()))
    into_torch.load_state_dict(bridge.scheduler_to_torch(first.state_dict()))
    for scheduler in (again, crossed, outlived, into_torch):
        hand_over(torchs.optimizer, scheduler.optimizer)
    reference = trace(torchs, STEPS - at)
    for scheduler in (again, crossed, outlived, into_torch):
        same(trace(scheduler, STEPS - at), reference)


@drawn
@profile(max_examples=15)
@given(data=st.data(), last_epoch=st.integers(0, STEPS - 10))
def test_resumes_anywhere_by_last_epoch_as_torch_does(name, data, last_epoch):
    arguments = data.draw(arguments_of(name))
    if "T_mult" in arguments:
        arguments["T_mult"] = 1  # else torch forgets that cycles grow: see its own test
    done = torch_scheduler(name, arguments)
    trace(done, last_epoch + 1)
    mine, torchs = our_sgd(), torch_sgd()
    hand_over(done.optimizer, mine)
    hand_over(done.optimizer, torchs)
    pair = (
        build(name, arguments, mine, last_epoch=last_epoch),
        torch_scheduler(name, arguments, torchs, last_epoch=last_epoch),
    )
    left = STEPS - last_epoch - 2
    same(*(trace(scheduler, left) for scheduler in pair))


@driven
@settings
@pytest.mark.parametrize("at", [0, 1, 15, 16, 50])
def test_resumes_from_its_state_dict(name, arguments, make, at):
    full = build(name, arguments, make())
    reference = trace(full)
    first = build(name, arguments, make())
    trace(first, at)
    second = build(name, arguments, make())
    second.load_state_dict(first.state_dict())
    hand_over(first.optimizer, second.optimizer)
    assert np.array_equal(trace(second, STEPS - at), reference[at:])


@pytest.mark.parametrize("name", ["CyclicLR", "OneCycleLR"])
def test_the_first_beta_cycles_where_there_is_no_momentum(name):
    arguments = next(arguments for known, arguments in SETTINGS if known == name)
    mine = trace(build(name, arguments, our_adam()))
    same(mine, trace(torch_scheduler(name, arguments, torch_adam())))
    assert len(np.unique(mine[:, 2])) > 10, "β₁ must move"
    assert np.all(mine[:, 3] == 0.999), "β₂ must not"


def test_a_second_scheduler_starts_from_the_same_base_rate():
    sgd = our_sgd()
    first = ours.StepLR(sgd, 1, 0.5)
    trace(first, 4)
    assert ours.LambdaLR(sgd, lambda epoch: 1.0).base_lrs == list(RATES)


def test_a_cycle_goes_by_its_own_bounds_even_on_a_used_optimizer():
    """torch's first rate is then that of the first scheduler."""
    sgd = our_sgd()
    ours.StepLR(sgd, 1, 0.5)
    cycle = ours.CyclicLR(sgd, base_lr=0.001, max_lr=0.01, step_size_up=2)
    assert trace(cycle, 3)[:, 0] == pytest.approx([0.001, 0.0055, 0.01])


@driven
@settings
def test_preview_tells_the_future_and_changes_nothing(name, arguments, make):
    scheduler = build(name, arguments, make())
    trace(scheduler, 5)
    before = repr(scheduler.state_dict()), repr(scheduler.optimizer.param_groups)
    foretold = scheduler.preview(50)
    momenta = scheduler.preview(50, key="momentum")
    assert (repr(scheduler.state_dict()), repr(scheduler.optimizer.param_groups)) == before
    assert foretold.shape == (50, 2)
    seen = trace(scheduler, 50)
    assert np.array_equal(foretold, seen[:, [0, 3]])
    assert np.array_equal(momenta, seen[:, [1, 4]])


def test_preview_leaves_a_callable_with_a_memory_alone():
    class Counting:
        calls = 0

        def __call__(self, epoch):
            self.calls += 1
            return 1.0

    counting = Counting()
    scheduler = ours.LambdaLR(our_sgd(), counting)
    before = counting.calls
    scheduler.preview(10)
    assert counting.calls == before


@settings
def test_curve_needs_no_optimizer(name, arguments):
    lists = {k for k, v in arguments.items() if isinstance(v, list)} - {"milestones"}
    single = {k: v[0] if k in lists else v for k, v in arguments.items()}
    curve = getattr(ours, name).curve(50, lr=RATES[0], **single)
    assert np.array_equal(curve, trace(build(name, single), 50)[:, 0])


def test_arrays_of_rates_keep_their_axes():
    sgd = stepped(SGD([Parameter(np.zeros((3, 2)))], lr=np.array([[1.0], [2.0], [4.0]])))
    scheduler = ours.StepLR(sgd, 1, 0.5)
    assert scheduler.preview(5).shape == (5, 1, 3, 1)
    scheduler.step()
    assert scheduler.get_last_lr()[0].tolist() == [[0.5], [1.0], [2.0]]


@settings
def test_a_tensor_is_filled_in_place(name, arguments):
    optimizer = torch_sgd(tensor=True)
    held = [group["lr"] for group in optimizer.param_groups]
    scheduler = build(name, arguments, optimizer)
    scheduler.step()
    assert all(
        group["lr"] is tensor for group, tensor in zip(optimizer.param_groups, held, strict=True)
    )


def test_get_last_lr_cannot_corrupt_the_rates():
    scheduler = ours.ExponentialLR(our_sgd(), 0.5)
    scheduler.get_last_lr()[0] = 9.0
    assert scheduler.optimizer.param_groups[0]["lr"] == RATES[0]


@pytest.mark.parametrize("kind", [ours.LambdaLR, ours.MultiplicativeLR])
def test_a_callable_object_is_saved_and_a_function_is_not(kind):
    scheduler = kind(our_sgd(), [InverseTime(0.3), lambda epoch: 1.0])
    saved = scheduler.state_dict()
    assert saved["lr_lambdas"] == [{"k": 0.3}, None]
    other = kind(our_sgd(), [InverseTime(0.9), lambda epoch: 1.0])
    other.load_state_dict(saved)
    assert other.lr_lambdas[0].k == 0.3


def test_a_callable_height_of_a_cycle_is_saved():
    bounds = {"base_lr": 0.1, "max_lr": 0.2}
    scheduler = ours.CyclicLR(our_sgd(), **bounds, scale_fn=InverseTime(0.3))
    other = ours.CyclicLR(our_sgd(), **bounds, scale_fn=InverseTime(0.9))
    other.load_state_dict(scheduler.state_dict())
    assert other.scale_fn(1) == InverseTime(0.3)(1)


def test_a_callable_without_attributes_is_saved_like_a_function():
    scheduler = ours.LambdaLR(our_sgd(), math.cos)
    assert scheduler.state_dict()["lr_lambdas"] == [None, None]
    scheduler.load_state_dict(scheduler.state_dict())


@settings
def test_a_group_added_later_fares_as_in_torch(name, arguments):
    """Rescaling schedulers take it along, up to where they need its base rate."""
    fates = []
    late = {"params": Parameter(0.0), "lr": 0.7}
    torch_late = {"params": torch.nn.Parameter(torch.zeros(())), "lr": 0.7}
    pair = (build(name, arguments), late), (torch_scheduler(name, arguments), torch_late)
    for scheduler, group in pair:
        scheduler.optimizer.add_param_group(group)
        rows = []
        try:
            for _ in range(STEPS):
                scheduler.step()
                rows.append([float(group["lr"]) for group in scheduler.optimizer.param_groups])
        except (ValueError, KeyError) as error:
            rows.append(error)
        fates.append(rows)
    mine, torchs = fates
    assert len(mine) == len(torchs)
    assert isinstance(mine[-1], Exception) == isinstance(torchs[-1], Exception)
    if isinstance(mine[-1], Exception):
        assert isinstance(mine[-1], ValueError)
        assert re.search(f"{name}.*came by add_param_group", str(mine.pop()))
        torchs.pop()
    same(np.array(mine), np.array(torchs))


@settings
def test_state_has_torchs_public_keys(name, arguments):
    mine = build(name, arguments).state_dict()
    torchs = torch_scheduler(name, arguments).state_dict()
    engine = {"_is_initial", "_get_lr_called_within_step"}
    assert set(torchs) - engine == set(mine) - {"scheduler"}
    assert mine["scheduler"] == name
    json.dumps({k: v for k, v in mine.items() if k != "lr_lambdas"}, default=dict)


@drawn
def test_a_state_dict_of_another_class_is_refused_and_changes_nothing(name):
    arguments = next(arguments for known, arguments in SETTINGS if known == name)
    scheduler = build(name, arguments)
    before = repr(scheduler.state_dict())
    for other, others_arguments in SETTINGS:
        if other == name:
            continue
        with pytest.raises(ValueError, match=f"must be of {name}, got one of {other}"):
            scheduler.load_state_dict(build(other, others_arguments).state_dict())
        unnamed = torch_scheduler(other, others_arguments).state_dict()
        if {name, other} != {"LambdaLR", "MultiplicativeLR"}:  # torch saves the same of both
            with pytest.raises(ValueError, match=f"it is not of {name}"):
                scheduler.load_state_dict(unnamed)
    assert repr(scheduler.state_dict()) == before


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        ({"base_lrs": [0.1] * 3}, "must have at most 2 base_lrs, one per group, got 3"),
        ({"step_size": None}, "state_dict lacks step_size: it is not of StepLR"),
        ({"scheduler": None, "milestones": {}}, "state_dict holds milestones: it is not of StepLR"),
    ],
)
def test_refuses_a_state_dict_that_does_not_fit(edit, message):
    scheduler = ours.StepLR(our_sgd(), 3)
    saved = {k: v for k, v in {**scheduler.state_dict(), **edit}.items() if v is not None}
    with pytest.raises(ValueError, match=message):
        scheduler.load_state_dict(saved)


def test_a_state_without_its_callables_is_refused():
    scheduler = ours.LambdaLR(our_sgd(), lambda epoch: 1.0)
    saved = ours.LambdaLR(our_sgd(), lambda epoch: 0.5).state_dict()
    del saved["lr_lambdas"]
    with pytest.raises(ValueError, match="state_dict lacks lr_lambdas: it is not of LambdaLR"):
        scheduler.load_state_dict(saved)


# what differs from torch on purpose


@given(st.integers(1, 40), st.integers(1, 4), st.integers(0, 2000))
def test_warm_restarts_count_cycles_exactly(T_0, T_mult, epoch):
    """Stepping there one by one, going there at once and resuming there are one and the same."""
    walked = ours.CosineAnnealingWarmRestarts(our_sgd(), T_0, T_mult)
    for _ in range(epoch):
        walked.step()
    jumped = ours.CosineAnnealingWarmRestarts(our_sgd(), T_0, T_mult)
    jumped.step(epoch)
    assert (walked.T_cur, walked.T_i) == (jumped.T_cur, jumped.T_i)
    assert present(walked.optimizer) == present(jumped.optimizer)
    if epoch:
        sgd = our_sgd()
        for group, lr in zip(sgd.param_groups, RATES, strict=True):
            group["initial_lr"] = lr
        resumed = ours.CosineAnnealingWarmRestarts(sgd, T_0, T_mult, last_epoch=epoch - 1)
        assert present(resumed.optimizer) == present(walked.optimizer)


def test_torch_is_a_cycle_late_at_epoch_1210():
    arguments = {"T_0": 10, "T_mult": 3}
    mine = build("CosineAnnealingWarmRestarts", arguments)
    torchs = torch_scheduler("CosineAnnealingWarmRestarts", arguments)
    mine.step(1210)
    torchs.step(1210)
    assert mine.get_last_lr() == list(RATES), "10 (1 + 3 + … + 3⁴) = 1210: a restart"
    assert max(torchs.get_last_lr()) < 1e-12, "torch is at the end of the cycle before"


@given(st.integers(1, 20), st.floats(0, 80))
def test_fractional_epochs_equal_torch(T_0, epoch):
    """With T_mult 1, where torch needs no logarithm."""
    arguments = {"T_0": T_0, "eta_min": 0.01}
    mine = build("CosineAnnealingWarmRestarts", arguments)
    torchs = torch_scheduler("CosineAnnealingWarmRestarts", arguments)
    for scheduler in (mine, torchs):
        scheduler.step(epoch)
    np.testing.assert_allclose(present(mine.optimizer), present(torchs.optimizer), rtol=1e-9)
    assert mine.last_epoch == torchs.last_epoch


@pytest.mark.parametrize("epoch", [0.5, 9.99, 10.0, 25.25, 39.5, 40.0, 129.0, 130.5])
def test_fractional_epochs_in_growing_cycles_equal_torch(epoch):
    arguments = {"T_0": 10, "T_mult": 3}
    mine = build("CosineAnnealingWarmRestarts", arguments)
    torchs = torch_scheduler("CosineAnnealingWarmRestarts", arguments)
    for scheduler in (mine, torchs):
        scheduler.step(epoch)
        scheduler.step()
    same(present(mine.optimizer), present(torchs.optimizer))


def test_one_cycle_ends_where_torch_rebounds():
    arguments = {"max_lr": 1.0, "total_steps": 20}
    mine, torchs = build("OneCycleLR", arguments), torch_scheduler("OneCycleLR", arguments)
    same(trace(mine, 19), trace(torchs, 19))
    last = present(mine.optimizer)
    mine.step()  # the 20th call, after the 20th update
    torchs.step()
    assert present(mine.optimizer) == last
    assert torchs.get_last_lr()[0] > 1000 * last[0]
    with pytest.raises(ValueError, match=r"total_steps must be .*, got 20, and this is step 21"):
        mine.step()
    assert present(mine.optimizer) == last


@pytest.mark.parametrize("three_phase", [False, True])
def test_a_phase_of_one_cycle_may_have_no_length(three_phase):
    """torch divides by 0."""
    arguments = {"max_lr": 1.0, "total_steps": 10, "pct_start": 0.1, "three_phase": three_phase}
    with pytest.raises(ZeroDivisionError):
        torch_scheduler("OneCycleLR", arguments)
    assert build("OneCycleLR", arguments).get_last_lr() == [1.0, 1.0]


def test_one_cycle_of_one_step():
    assert ours.OneCycleLR.curve(1, max_lr=1.0, total_steps=1).tolist() == [1 / 25 / 1e4]


def test_states_survive_a_copy():
    scheduler = ours.OneCycleLR(our_sgd(), 0.5, 30)
    state = scheduler.state_dict()
    kept = copy.deepcopy(state)
    trace(scheduler, 5)
    assert state == kept
