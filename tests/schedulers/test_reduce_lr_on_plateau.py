"""ReduceLROnPlateau fires when torch's does, and on the very epoch that its arguments say."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st
from scheduling import OPTIMIZERS, RATES, build, hand_over, our_sgd, same, torch_scheduler

from optim_scratch import Parameter
from optim_scratch import schedulers as ours
from optim_scratch.experiments import bridge

NAME = "ReduceLROnPlateau"
metrics = st.lists(
    st.one_of(
        st.floats(-2, 2),
        st.sampled_from([math.nan, math.inf, -math.inf, 0.0, 1.0, 1.0 - 1e-4, 1.0 + 1e-4]),
    ),
    min_size=1,
    max_size=80,
)
arguments = st.fixed_dictionaries(
    {
        "mode": st.sampled_from(["min", "max"]),
        "factor": st.floats(0.05, 0.95),
        "patience": st.integers(0, 6),
        "threshold": st.sampled_from([0.0, 1e-4, 0.1, 0.5]),
        "threshold_mode": st.sampled_from(["rel", "abs"]),
        "cooldown": st.integers(0, 5),
        "min_lr": st.one_of(st.sampled_from([0, 0.01]), st.just([0.02, 0.001])),
        "eps": st.sampled_from([0.0, 1e-8, 1e-2]),
    }
)


def trace(scheduler, seen):
    rows = []
    for metric in seen:
        rows.append([float(group["lr"]) for group in scheduler.optimizer.param_groups])
        scheduler.step(metric)
        memory = scheduler.best, scheduler.num_bad_epochs, scheduler.cooldown_counter
        rows[-1] += [*memory, scheduler.last_epoch]
    return np.array([*rows, [*map(float, scheduler.get_last_lr()), 0, 0, 0, 0]])


def fires(count=40, metric=lambda epoch: 1.0, **chosen):
    """The epochs, from 1, after which the rate fell."""
    chosen = {"factor": 0.9, **chosen}
    scheduler = build(NAME, chosen)
    rates = scheduler.preview([metric(epoch) for epoch in range(1, count + 1)])[:, 0]
    return (np.flatnonzero(np.diff(rates) < 0) + 1).tolist()


@profile(max_examples=150)
@given(arguments, metrics)
def test_equals_torch(chosen, seen):
    for make in OPTIMIZERS.values():
        same(trace(build(NAME, chosen, make()), seen), trace(torch_scheduler(NAME, chosen), seen))


@profile(max_examples=20)
@given(arguments, st.integers(0, 1000))
def test_equals_torch_over_300_epochs_with_a_hand_edit(chosen, seed):
    rng = np.random.default_rng(seed)
    seen = np.exp(-np.arange(300) / 60) + rng.normal(0, 0.1, 300)
    traces = []
    for scheduler in (build(NAME, chosen), torch_scheduler(NAME, chosen)):
        before = trace(scheduler, seen[:150])
        scheduler.optimizer.param_groups[0]["lr"] = 0.5
        traces.append([*before, *trace(scheduler, seen[150:])])
    same(*traces)


@profile(max_examples=60)
@given(arguments, metrics, st.data())
def test_resumes_anywhere_ours_and_torchs(chosen, seen, data):
    at = data.draw(st.integers(0, len(seen)))
    first, torchs = build(NAME, chosen), torch_scheduler(NAME, chosen)
    trace(first, seen[:at])
    trace(torchs, seen[:at])
    again, crossed = build(NAME, chosen), build(NAME, chosen)
    into_torch = torch_scheduler(NAME, chosen)
    again.load_state_dict(first.state_dict())
    crossed.load_state_dict(bridge.scheduler_from_torch(torchs.state_dict()))
    into_torch.load_state_dict(bridge.scheduler_to_torch(first.state_dict()))
    for scheduler in (again, crossed, into_torch):
        hand_over(torchs.optimizer, scheduler.optimizer)
    reference = trace(torchs, seen[at:])
    for scheduler in (again, crossed, into_torch):
        same(trace(scheduler, seen[at:]), reference)


@pytest.mark.parametrize("patience", [0, 1, 5])
@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("threshold_mode", ["rel", "abs"])
def test_fires_after_one_bad_epoch_more_than_its_patience(patience, mode, threshold_mode):
    """Epoch 1 sets the record; epochs 2 to patience + 2 are bad."""
    fired = fires(patience=patience, mode=mode, threshold_mode=threshold_mode)
    assert fired == list(range(patience + 2, 41, patience + 1))


def test_patience_of_five_fires_after_the_sixth_bad_epoch():
    assert fires(7, patience=5) == [7]
    assert fires(6, patience=5) == []


def test_cooldown_epochs_are_not_bad():
    """After the fall, so many epochs are free; then the count begins at 1."""
    assert fires(40, patience=2, cooldown=0) == [4, 7, 10, 13, 16, 19, 22, 25, 28, 31, 34, 37, 40]
    assert fires(40, patience=2, cooldown=4) == [4, 11, 18, 25, 32, 39]


@pytest.mark.parametrize(
    ("mode", "threshold_mode", "just_enough", "too_little"),
    [
        ("min", "rel", 0.89, 0.9),
        ("min", "abs", 0.89, 0.9),
        ("max", "rel", 1.11, 1.1),
        ("max", "abs", 1.11, 1.1),
    ],
)
def test_a_metric_must_beat_the_best_by_the_threshold(
    mode, threshold_mode, just_enough, too_little
):
    """At the threshold itself it does not."""
    chosen = {"mode": mode, "threshold_mode": threshold_mode, "threshold": 0.1, "patience": 0}
    assert fires(2, lambda epoch: [1.0, just_enough][epoch - 1], **chosen) == []
    assert fires(2, lambda epoch: [1.0, too_little][epoch - 1], **chosen) == [2]


def test_the_two_threshold_modes_differ_by_the_size_of_the_metric():
    falling = [10.0, 9.5].__getitem__
    assert fires(2, lambda epoch: falling(epoch - 1), threshold=0.1, patience=0) == [2]
    absolute = {"threshold": 0.1, "threshold_mode": "abs", "patience": 0}
    assert fires(2, lambda epoch: falling(epoch - 1), **absolute) == []


def test_relative_to_a_negative_best_a_worse_metric_beats_it():
    scheduler = build(NAME, {"threshold": 0.1, "patience": 0})
    scheduler.step(-1.0)
    scheduler.step(-0.95)
    assert (scheduler.best, scheduler.num_bad_epochs) == (-0.95, 0)


@pytest.mark.parametrize("mode", ["min", "max"])
def test_nan_beats_nothing(mode):
    assert fires(5, lambda epoch: math.nan, mode=mode, patience=2) == [3]


def test_the_smallest_rate_is_each_groups_own():
    scheduler = build(NAME, {"patience": 0, "factor": 0.5, "min_lr": [0.04, 0.01]})
    rates = scheduler.preview([1.0] * 5)
    assert rates[:, 0].tolist() == [0.1, 0.1, 0.05, 0.04, 0.04, 0.04]
    assert rates[:, 1].tolist() == [0.03, 0.03, 0.015, 0.01, 0.01, 0.01]


def test_a_fall_of_no_more_than_eps_is_left_out():
    rates = build(NAME, {"patience": 0, "factor": 0.5, "eps": 0.02}).preview([1.0] * 5)
    assert rates[-1].tolist() == [0.025, 0.03], "0.025 would fall by 0.0125, 0.03 by 0.015"


def test_a_group_added_later_takes_the_common_smallest_rate():
    scheduler = build(NAME, {"patience": 0, "min_lr": 0.05})
    scheduler.optimizer.add_param_group({"params": Parameter(0.0), "lr": 0.7})
    scheduler.step(1.0)
    scheduler.step(1.0)
    assert scheduler.get_last_lr() == pytest.approx([0.05, 0.03, 0.07])
    listed = build(NAME, {"patience": 0, "min_lr": [0.05, 0.05]})
    listed.optimizer.add_param_group({"params": Parameter(0.0), "lr": 0.7})
    listed.step(1.0)
    with pytest.raises(
        ValueError, match=r"min_lrs of this .* must hold one value per group, 3, got 2"
    ):
        listed.step(1.0)


def test_a_rate_set_by_hand_lasts():
    scheduler = build(NAME, {"patience": 0, "factor": 0.5})
    scheduler.step(1.0)
    scheduler.optimizer.param_groups[0]["lr"] = 8.0
    scheduler.step(1.0)
    assert scheduler.get_last_lr() == [4.0, 0.015]


def test_preview_changes_nothing_and_tells_what_would_happen():
    scheduler = build(NAME, {"patience": 1})
    scheduler.step(0.5)
    before = repr(scheduler.state_dict()), repr(scheduler.optimizer.param_groups)
    seen = [0.5, 0.5, 0.4, 0.4, 0.4]
    foretold = scheduler.preview(seen)
    assert (repr(scheduler.state_dict()), repr(scheduler.optimizer.param_groups)) == before
    assert foretold.shape == (6, 2)
    assert np.array_equal(foretold, trace(scheduler, seen)[:, :2])


def test_state_has_torchs_public_keys():
    mine, torchs = build(NAME, {}).state_dict(), torch_scheduler(NAME, {}).state_dict()
    assert {k for k in torchs if not k.startswith("_")} == set(mine) - {"_last_lr", "scheduler"}


def test_a_metric_may_be_a_tensor_or_numpys():
    """torch warns of a number taken from a tensor that a gradient hangs on."""
    hung = torch.tensor([0.25], requires_grad=True)
    for metric in (torch.tensor(0.5), 2 * hung, np.float32(0.5), np.array(0.5)):
        scheduler = ours.ReduceLROnPlateau(our_sgd())
        scheduler.step(metric)
        assert scheduler.best == 0.5


@pytest.mark.parametrize("metric", [None, "low", "0.5", True, [1.0, 2.0], torch.ones(2)])
def test_refuses_what_is_no_metric(metric):
    scheduler = ours.ReduceLROnPlateau(our_sgd())
    with pytest.raises(TypeError, match="metrics must be a number"):
        scheduler.step(metric)
    assert scheduler.last_epoch == 0
    assert scheduler.get_last_lr() == list(RATES)
