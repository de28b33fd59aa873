"""Room 2, the rate, of the bug museum."""

import inspect

import numpy as np
import pytest
import torch
from museum import article_warmup, checked, close, exhibit, output_of, rooms
from torch.optim import lr_scheduler

from optim_scratch import schedulers


@exhibit("The learning rate is low from the first epoch")
def test_spent(shown):
    _, wrong, right = shown[0]
    close(wrong, [0.5 * 0.5**2] * 4)
    close(right, [0.5 * 0.5 ** ((e >= 15) + (e >= 30)) for e in (0, 14, 15, 29)])


@exhibit("The printed learning rate is wrong")
def test_printed(shown):
    drop = shown[0]
    close(drop[1], [0.01, 0.01 * 0.2**2, 0.01 * 0.2])
    close(drop[2], [0.01, 0.01 * 0.2, 0.01 * 0.2])
    close(shown[1][1], 0.885 * np.array(shown[1][2]))
    close(shown[1][2], 0.01 * 0.885 ** np.arange(15, 18))


@exhibit("TypeError: got an unexpected keyword argument verbose")
def test_verbose(shown):
    assert "'verbose'" in shown[0][1]
    close(shown[0][2], 0.1)
    for name in lr_scheduler.__all__:
        assert "verbose" not in inspect.signature(getattr(lr_scheduler, name)).parameters


@exhibit("AttributeError: lr_scheduler has no attribute MultistepLR")
def test_names(shown):
    assert shown[0][1:] == ("False False", "True True")
    with pytest.raises(AttributeError):
        lr_scheduler.MultistepLR  # noqa: B018


@exhibit("A learning rate set by hand is gone after the next step")
def test_set_by_hand(shown):
    close(shown[0][1:], [1, 0.5])
    kept = []
    for build in (
        lambda o: lr_scheduler.LambdaLR(o, lambda t: 0.9**t),
        lambda o: lr_scheduler.CyclicLR(o, 0.01, 0.1, cycle_momentum=False),
        lambda o: lr_scheduler.OneCycleLR(o, 0.1, total_steps=50, cycle_momentum=False),
        lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 10),
        lambda o: lr_scheduler.StepLR(o, 10),
    ):
        optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.1)
        scheduler = build(optimizer)
        plan = scheduler.get_last_lr()
        optimizer.param_groups[0]["lr"] = 1e-9
        optimizer.step()
        scheduler.step()
        kept.append(scheduler.get_last_lr()[0] < 0.01 * plan[0])
    assert kept == [False, False, False, False, True]


@exhibit("OneCycleLR turns momentum on")
def test_momentum_on(shown):
    assert shown[0][1:] == (0.95, 0)
    said = output_of("OneCycleLR turns momentum on")
    assert "with Adagrad: optimizer must support momentum or beta1" in said
    adam = torch.optim.Adam([torch.zeros(1)])
    lr_scheduler.OneCycleLR(adam, 0.1, total_steps=100)
    assert adam.param_groups[0]["betas"] == (0.95, 0.999)
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.1)
    lr_scheduler.CyclicLR(optimizer, 0.01, 0.1)
    assert optimizer.param_groups[0]["momentum"] == 0.9
    close(sum(0.95**k for k in range(1000)), 20)  # as the text says: twentyfold


@exhibit("The learning rate collapses when the warmup ends")
def test_collapse(shown):
    at = [5, 6, 15, 16, 26]
    close(shown[0][1], [0.04, *(0.001 * 0.2 ** ((e - 6) // 10) for e in at[1:])])
    close(shown[0][2], [article_warmup(epoch) for epoch in at])


@exhibit("The schedule after the warmup is one step ahead")
def test_ahead(shown):
    close(shown[0][1], 0.04 * 0.885 ** np.arange(1, 4))
    close(shown[0][2], 0.04 * 0.885 ** np.arange(3))


def test_get_lr_at_the_hand_over_is_one_step_ahead_too():
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.04)
    after = lr_scheduler.ExponentialLR(optimizer, 0.885)
    with pytest.warns(UserWarning, match="get_last_lr"):
        close(after.get_lr(), 0.04 * 0.885)


@exhibit("The learning rate stays constant in a CUDA graph")
def test_graph(shown):
    close(shown[0][1], [0.1, 0.1])
    close(shown[0][2], [0.1, 0.01])
    for build in (
        lambda o: lr_scheduler.ExponentialLR(o, 0.1),
        lambda o: schedulers.ExponentialLR(o, 0.1),
    ):
        rate = torch.tensor(0.1)
        optimizer = torch.optim.SGD([torch.zeros(1)], lr=rate)
        scheduler = build(optimizer)
        held = optimizer.param_groups[0]["lr"]
        optimizer.step()
        scheduler.step()
        assert optimizer.param_groups[0]["lr"] is held  # filled in place, not replaced
        close(held.item(), 0.01, 1e-6)


def test_no_exhibit_of_the_room_is_without_a_check():
    assert checked(globals()) == rooms()["Room 2: the rate"]
