"""Room 4, resuming, of the bug museum."""

import numpy as np
import pytest
import torch
from museum import checked, close, exhibit, rates_of, rooms
from torch.optim import lr_scheduler

from optim_scratch import schedulers


@exhibit("The learning rate starts over after resuming")
def test_scheduler_forgotten(shown):
    assert shown[0][1:] == (15 + 20, 20)


@exhibit("The new learning rate is ignored after resuming")
def test_constructor_ignored(shown):
    assert shown[0][1:] == (0.1, 0.01)


@exhibit("Adam turns into AdamW after resuming")
def test_flag_loaded(shown):
    _, wrong, right = shown[0]
    close(wrong, 0.01 * 0.5 * 2 + 0.01, 1e-5)  # decoupled: the decay, and a step of the rate
    close(right, 0.01, 1e-5)  # L2: a step of the rate, whatever is in the gradient
    states = [kind([torch.zeros(1)]).state_dict() for kind in (torch.optim.Adam, torch.optim.AdamW)]
    keys = [set(group) for state in states for group in state["param_groups"]]
    assert keys[0] == keys[1]
    assert "Adam" not in repr(states)


@exhibit("KeyError: initial_lr is not specified")
def test_initial_lr(shown):
    assert "initial_lr" in shown[0][1]
    close(shown[0][2], 0.1 * 0.5**2)


@exhibit("SequentialLR starts over when resumed")
def test_sequential(shown):
    close(shown[0][1], 0.01 * 0.9 ** np.arange(3))
    close(shown[0][2], 0.1 * 0.9 ** np.arange(10 - 5, 13 - 5))
    optimizer = torch.optim.SGD([{"params": [torch.zeros(1)], "initial_lr": 0.1}], lr=0.1)
    members = [schedulers.LinearLR(optimizer), schedulers.ExponentialLR(optimizer, 0.9)]
    with pytest.raises(ValueError, match="last_epoch"):
        schedulers.SequentialLR(optimizer, members, [5], last_epoch=9)


@exhibit("CosineAnnealingWarmRestarts resumes in the wrong cycle")
def test_restarts_resumed(shown):
    through = rates_of(
        lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, T_0=10, T_mult=3), 46, 0.1
    )
    assert abs(shown[0][1] - through[45]) > 1e-3
    close(shown[0][2], through[45])
    resumed = []
    for epoch in range(1, 40):
        optimizer = torch.optim.SGD([{"params": [torch.zeros(1)], "initial_lr": 0.1}], lr=0.1)
        lr_scheduler.CosineAnnealingWarmRestarts(optimizer, 10, 3, last_epoch=epoch - 1)
        resumed.append(optimizer.param_groups[0]["lr"])
    close(resumed[:19], through[1:20])
    assert (np.abs(np.subtract(resumed[19:], through[20:40])) > 1e-6).all()


@exhibit("NotImplementedError from a nested SequentialLR")
def test_nested(shown):
    assert shown[0][1] == "NotImplementedError"
    close(shown[0][2], [0.05, 0.05, 0.1, 0.05, 0.1, 0.09])


def test_no_exhibit_of_the_room_is_without_a_check():
    assert checked(globals()) == rooms()["Room 4: resuming"]
