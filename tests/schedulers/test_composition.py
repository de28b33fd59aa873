"""SequentialLR and ChainedScheduler against torch's, and where torch's fail."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st
from scheduling import (
    DRAWN,
    RATES,
    SETTINGS,
    STEPS,
    arguments_of,
    build,
    hand_over,
    our_sgd,
    present,
    same,
    stepped,
    theirs,
    torch_sgd,
    trace,
)
from torch.optim import lr_scheduler
from torch.optim.swa_utils import SWALR

from optim_scratch import schedulers as ours
from optim_scratch.experiments import bridge

members = st.lists(
    st.sampled_from(list(DRAWN)).flatmap(lambda name: st.tuples(st.just(name), arguments_of(name))),
    min_size=1,
    max_size=4,
)


def make(module_of, optimizer, drawn):
    return [module_of(name)(optimizer, **arguments) for name, arguments in drawn]


def stepped_with(scheduler):
    stepped(scheduler.optimizer)
    return scheduler


def chain(drawn, optimizer=None):
    optimizer = optimizer or our_sgd()
    return ours.ChainedScheduler(make(lambda name: getattr(ours, name), optimizer, drawn))


def torch_chain(drawn, optimizer=None):
    optimizer = optimizer or torch_sgd()
    scheduler = lr_scheduler.ChainedScheduler(make(theirs, optimizer, drawn))
    optimizer.step()
    return scheduler


def sequence(drawn, milestones, optimizer=None):
    optimizer = optimizer or our_sgd()
    parts = make(lambda name: getattr(ours, name), optimizer, drawn)
    return ours.SequentialLR(optimizer, parts, list(milestones))


def torch_sequence(drawn, milestones, optimizer=None):
    optimizer = optimizer or torch_sgd()
    parts = make(theirs, optimizer, drawn)
    scheduler = lr_scheduler.SequentialLR(optimizer, parts, list(milestones))
    optimizer.step()
    return scheduler


def drawn_milestones(data, count):
    points = st.lists(
        st.integers(1, STEPS - 20), min_size=count - 1, max_size=count - 1, unique=True
    )
    return sorted(data.draw(points))


def edited(scheduler, edit, rate):
    """A trace with a rate set by hand in its midst."""
    before = trace(scheduler, edit)
    scheduler.optimizer.param_groups[0]["lr"] = rate
    scheduler.step()
    return np.array([*before, *trace(scheduler, STEPS - edit - 2)])


edits = given(members, st.integers(1, 150), st.floats(1e-3, 1.0))


@profile(max_examples=60)
@edits
def test_a_chain_equals_torch(drawn, edit, rate):
    """From the second row on: a cycle built on a used optimizer starts elsewhere in torch."""
    mine, torchs = edited(chain(drawn), edit, rate), edited(torch_chain(drawn), edit, rate)
    same(mine[1:], torchs[1:])


@profile(max_examples=60)
@given(st.data(), members, st.integers(0, 150), st.floats(1e-3, 1.0))
def test_a_sequence_equals_torch(data, drawn, edit, rate):
    milestones = drawn_milestones(data, len(drawn))
    mine = edited(sequence(drawn, milestones), edit, rate)
    same(mine, edited(torch_sequence(drawn, milestones), edit, rate))


@profile(max_examples=40)
@given(st.data(), members, st.integers(0, STEPS - 10))
def test_a_sequence_resumes_anywhere_ours_and_torchs(data, drawn, at):
    milestones = drawn_milestones(data, len(drawn))
    torchs, first = torch_sequence(drawn, milestones), sequence(drawn, milestones)
    again, crossed = sequence(drawn, milestones), sequence(drawn, milestones)
    into_torch = torch_sequence(drawn, milestones)
    trace(torchs, at)
    trace(first, at)
    again.load_state_dict(first.state_dict())
    crossed.load_state_dict(bridge.scheduler_from_torch(torchs.state_dict()))
    into_torch.load_state_dict(bridge.scheduler_to_torch(first.state_dict()))
    others = (again, crossed, into_torch)
    for scheduler in others:
        hand_over(torchs.optimizer, scheduler.optimizer)
    reference = trace(torchs, STEPS - at)
    for scheduler in others:
        same(trace(scheduler, STEPS - at), reference)


@profile(max_examples=40)
@given(members, st.integers(1, STEPS - 10))
def test_a_chain_resumes_anywhere_ours_and_torchs(drawn, at):
    torchs, first = torch_chain(drawn), chain(drawn)
    again, crossed, into_torch = chain(drawn), chain(drawn), torch_chain(drawn)
    trace(torchs, at)
    trace(first, at)
    again.load_state_dict(first.state_dict())
    crossed.load_state_dict(torchs.state_dict())
    into_torch.load_state_dict(bridge.scheduler_to_torch(first.state_dict()))
    others = (again, crossed, into_torch)
    for scheduler in others:
        hand_over(torchs.optimizer, scheduler.optimizer)
        scheduler._last_lr = [float(group["lr"]) for group in scheduler.optimizer.param_groups]
    reference = trace(torchs, STEPS - at)
    for scheduler in others:
        same(trace(scheduler, STEPS - at), reference)


@profile(max_examples=30)
@given(st.data(), members)
def test_a_composition_can_be_previewed(data, drawn):
    milestones = drawn_milestones(data, len(drawn))
    for scheduler in (chain(drawn), sequence(drawn, milestones)):
        trace(scheduler, 5)
        before = repr(scheduler.state_dict()), repr(scheduler.optimizer.param_groups)
        foretold = scheduler.preview(100)
        assert (repr(scheduler.state_dict()), repr(scheduler.optimizer.param_groups)) == before
        assert np.array_equal(foretold, trace(scheduler, 100)[:, [0, 3]])


def test_rates_in_tensors_are_filled_in_place():
    drawn = [("LinearLR", {"total_iters": 5}), ("ExponentialLR", {"gamma": 0.9})]
    for compose in (lambda o: sequence(drawn, [5], o), lambda o: chain(drawn, o)):
        optimizer = torch_sgd(tensor=True)
        held = [group["lr"] for group in optimizer.param_groups]
        scheduler = compose(optimizer)
        rates = trace(stepped_with(scheduler), 20)
        same(rates, trace(compose(our_sgd()), 20))
        assert [group["lr"] for group in optimizer.param_groups] == held
        assert all(
            group["lr"] is tensor
            for group, tensor in zip(optimizer.param_groups, held, strict=True)
        )


@pytest.mark.parametrize("name", DRAWN)
def test_who_begins_at_a_milestone_from_the_present_rate(name):
    arguments = next(arguments for known, arguments in SETTINGS if known == name)
    starts = set()
    for gamma in (0.5, 0.9):
        follower = build(name, arguments)
        first = ours.ExponentialLR(follower.optimizer, gamma)
        scheduler = ours.SequentialLR(follower.optimizer, [first, follower], [4])
        starts.add(trace(scheduler, 5)[4, 0])
    assert (len(starts) > 1) == (name in ("MultiplicativeLR", "SWALR"))


# what torch does not do


def test_a_chain_may_follow_in_a_sequence():
    """torch raises NotImplementedError at the milestone."""
    sgd = our_sgd()
    pair = [ours.ConstantLR(sgd, 0.5, 2), ours.ExponentialLR(sgd, 0.1)]
    parts = [ours.LinearLR(sgd, 0.5, total_iters=3), ours.ChainedScheduler(pair)]
    rates = trace(ours.SequentialLR(sgd, parts, [3]), 6)[:, 0]
    lines = [0.5, 0.5 + 0.5 / 3, 0.5 + 1 / 3]
    same(rates, RATES[0] * np.array([*lines, 0.5, 0.05, 0.01]))


def test_torch_cannot_let_a_chain_follow():
    optimizer = torch_sgd()
    parts = [
        lr_scheduler.LinearLR(optimizer),
        lr_scheduler.ChainedScheduler([lr_scheduler.ExponentialLR(optimizer, 0.1)]),
    ]
    scheduler = lr_scheduler.SequentialLR(optimizer, parts, [1])
    optimizer.step()
    with pytest.raises(NotImplementedError):
        scheduler.step()


def test_a_sequence_may_be_part_of_a_sequence_anywhere():
    def nested(sgd, first):
        inner = [ours.StepLR(sgd, 1, 0.5), ours.ExponentialLR(sgd, 0.1)]
        inside, outside = ours.SequentialLR(sgd, inner, [2]), ours.LambdaLR(sgd, lambda t: 3.0 + t)
        return ours.SequentialLR(sgd, [inside, outside] if first else [outside, inside], [3])

    inner, outer = [1.0, 0.5, 1.0, 0.1], [3.0, 4.0, 5.0, 6.0]
    for first, rates in ((True, inner[:3] + outer[:3]), (False, outer[:3] + inner)):
        same(trace(nested(our_sgd(), first), len(rates))[:, [0, 3]], np.outer(rates, RATES))


def test_a_chain_may_begin_a_sequence():
    sgd = our_sgd()
    pair = [ours.ConstantLR(sgd, 0.5, 2), ours.ExponentialLR(sgd, 0.1)]
    parts = [ours.ChainedScheduler(pair), ours.LambdaLR(sgd, lambda t: 1.0)]
    rates = trace(ours.SequentialLR(sgd, parts, [3]), 5)[:, 0]
    same(rates, RATES[0] * np.array([0.5, 0.05, 0.01, 1.0, 1.0]))


def test_a_restarting_member_begins_from_its_first_cycle():
    sgd = our_sgd()
    inner = [ours.CosineAnnealingWarmRestarts(sgd, 3, 2), ours.ConstantLR(sgd, 0.5, 9)]
    looped = ours.SequentialLR(sgd, inner, [5])
    outer = ours.SequentialLR(sgd, [ours.StepLR(sgd, 1, 0.5), looped], [4])
    rates = trace(outer, 12)[4:, 0]
    cosine = ours.CosineAnnealingWarmRestarts.curve(5, lr=RATES[0], T_0=3, T_mult=2)
    same(rates, [*cosine, *[RATES[0] / 2] * 3])


def test_torch_starts_a_resumed_sequence_over():
    """So ours admits no `last_epoch`."""
    optimizer = torch_sgd()
    for group in optimizer.param_groups:
        group["initial_lr"] = group["lr"]
    parts = [
        lr_scheduler.LinearLR(optimizer, 0.5, last_epoch=9),
        lr_scheduler.ExponentialLR(optimizer, 0.1, last_epoch=9),
    ]
    lr_scheduler.SequentialLR(optimizer, parts, [5], last_epoch=9)
    assert optimizer.param_groups[0]["lr"] == RATES[0], "not that of epoch 10, far down"
    sgd = our_sgd()
    with pytest.raises(ValueError, match="last_epoch must be -1, got 9: resume by state_dict"):
        ours.SequentialLR(sgd, [ours.StepLR(sgd, 1)], [], last_epoch=9)


def test_a_cycle_in_a_chain_keeps_to_its_bounds_from_the_first_step():
    sgd = our_sgd()
    first = ours.ExponentialLR(sgd, 0.9)
    scheduler = ours.ChainedScheduler([first, ours.CyclicLR(sgd, 0.01, 0.02, step_size_up=4)])
    assert scheduler.get_last_lr() == [0.01, 0.01]


def test_states_of_other_compositions_are_refused():
    sgd = our_sgd()
    three = ours.ChainedScheduler([ours.StepLR(sgd, 1), ours.StepLR(sgd, 2), ours.StepLR(sgd, 3)])
    with pytest.raises(ValueError, match=r"'_schedulers'\] must have 1 entries, got 3"):
        chain([("StepLR", {"step_size": 1})]).load_state_dict(three.state_dict())
    other = chain([("ExponentialLR", {"gamma": 0.5})])
    with pytest.raises(ValueError, match="must be of StepLR, got one of ExponentialLR"):
        chain([("StepLR", {"step_size": 1})]).load_state_dict(other.state_dict())
    follow = sequence([("StepLR", {"step_size": 1})], [])
    with pytest.raises(ValueError, match="must be of SequentialLR, got one of ChainedScheduler"):
        follow.load_state_dict(other.state_dict())


@pytest.mark.parametrize("kind", [ours.SequentialLR, ours.ChainedScheduler])
def test_a_composition_has_no_curve_by_arguments(kind):
    with pytest.raises(TypeError, match=r"use the function optim_scratch\.schedulers\.curve"):
        kind.curve(5, schedulers=[])


def test_swa_may_begin_late():
    """The calling pattern of torch's manual: one scheduler, then SWALR, on one optimizer."""
    traces = []
    for optimizer, exponential, swa in (
        (our_sgd(), ours.ExponentialLR, ours.SWALR),
        (torch_sgd(), lr_scheduler.ExponentialLR, SWALR),
    ):
        first = exponential(optimizer, 0.9)
        second = swa(optimizer, 0.05, anneal_epochs=4)
        rows = []
        for epoch in range(20):
            if isinstance(optimizer, torch.optim.Optimizer):
                optimizer.step()
            (second if epoch > 8 else first).step()
            rows.append(present(optimizer))
        traces.append(np.array(rows))
    same(*traces)
