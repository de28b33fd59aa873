"""Room 3, the clock of the schedule, of the bug museum."""

import numpy as np
import pytest
import torch
from museum import article_warmup, checked, close, exhibit, output_of, rates_of, rooms
from torch.optim import lr_scheduler

from optim_scratch import Parameter, schedulers
from optim_scratch.optimizers import SGD


@exhibit("The rate never changes")
def test_never(shown):
    assert shown[0][1:] == (1, 4)
    torchs = rates_of(lambda o: lr_scheduler.StepLR(o, 100), 101, 0.1)
    assert len(set(torchs[:100])) == 1
    assert torchs[100] < torchs[99]  # one epoch more, and it drops


@exhibit("The loss goes flat within the first epoch")
def test_per_batch(shown):
    close(shown[0][1:], [0.01 * 0.2 ** (390 // 16), 0.01], 1e-6)


@exhibit("Warning: lr_scheduler.step() before optimizer.step()")
def test_first_rate(shown):
    close(shown[0][1], [0.1, 0.01, 0.01, 0.001])
    close(shown[0][2], [0.1, 0.1, 0.01, 0.01])
    close(shown[1][1], [article_warmup(epoch) for epoch in range(1, 6)])
    close(shown[1][2], [article_warmup(epoch) for epoch in range(5)])
    assert 0.001 not in shown[1][1]
    assert "Detected call of `lr_scheduler.step()`" in output_of(
        "Warning: lr_scheduler.step() before optimizer.step()"
    )


@exhibit("The first update of a warmup changes nothing")
def test_warmup_from_zero(shown):
    assert shown[0][1:] == (0.001, 0)
    arguments = {"warmup_steps": 10, "t_total": 100}
    curve = schedulers.WarmupLinearSchedule.curve(11, lr=0.001, **arguments)
    close(curve, 0.001 * np.arange(11) / 10)


@exhibit("The learning rate is zero long before the end")
def test_epochs_forgotten(shown):
    updates = 50_000 // 100 // 4
    assert shown[0][1:] == (updates, 10 * updates)
    assert shown[1][1] == 0
    close(shown[1][2], (1250 - 625) / (1250 - 100))


@exhibit("The learning rate rises again in the second half")
def test_cosine(shown):
    at = np.array([0, 50, 75, 99])
    np.testing.assert_allclose(shown[0][1], 0.05 * (1 + np.cos(np.pi * at / 50)), atol=1e-12)
    np.testing.assert_allclose(shown[0][2], 0.05 * (1 + np.cos(np.pi * at / 100)), atol=1e-12)
    torchs = np.array(rates_of(lambda o: lr_scheduler.CosineAnnealingLR(o, 50), 201, 0.1))
    np.testing.assert_allclose(torchs[:101], torchs[100:], atol=1e-12)  # period 2 T_max
    assert (np.diff(torchs[:51]) < 0).all()  # it never rises within T_max
    assert torchs[51] < 0.01  # and is no restart


@exhibit("The last step of OneCycleLR jumps up")
def test_rebound(shown):
    (_, torchs, ours), (_, factor, still) = shown
    close(torchs[2], torchs[0])  # the other side of the cosine
    close(torchs[1], ours[1])
    close(ours[2], ours[1])
    close([factor, still], [torchs[2] / torchs[1], 1])
    assert factor > 100
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.1)
    cycle = lr_scheduler.OneCycleLR(optimizer, max_lr=0.1, total_steps=100)
    for _ in range(100):
        optimizer.step()
        cycle.step()
    with pytest.raises(ValueError, match="101"):
        cycle.step()


def test_a_linear_one_cycle_turns_negative_at_call_n():
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.1)
    cycle = lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=100, anneal_strategy="linear")
    for _ in range(100):
        optimizer.step()
        cycle.step()
    assert cycle.get_last_lr()[0] < 0


@exhibit("The learning rate of OneCycleLR hardly rises")
def test_once_an_epoch(shown):
    _, wrong, right = shown[0]
    close(right, 1, 1e-6)
    close(wrong, 1 / 25, 0.01)  # it is still at its start: max_lr / div_factor
    cycle = {"max_lr": 1.0, "epochs": 90, "steps_per_epoch": 500}
    torchs = rates_of(lambda o: lr_scheduler.OneCycleLR(o, **cycle), 90, 1.0)
    close(wrong, max(torchs))


@exhibit("ReduceLROnPlateau waits one epoch longer than patience")
def test_patience(shown):
    assert shown[0][1:] == (6, 7)
    for count in (0, 1, 5):
        optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.1)
        plateau = lr_scheduler.ReduceLROnPlateau(optimizer, patience=count)
        bad = -1
        while optimizer.param_groups[0]["lr"] == 0.1:
            plateau.step(1.0)
            bad += 1
        assert bad == count + 1


@exhibit("ZeroDivisionError at step 0 of the Noam schedule")
def test_noam(shown):
    assert shown[0][1] == "ZeroDivisionError"
    close(shown[0][2], 512**-0.5 * 4000**-1.5)


@exhibit("ZeroDivisionError in ConstantLR")
def test_constant_zero(shown):
    assert shown[0][1] == "ZeroDivisionError"
    close(shown[0][2], [0, 0, 0, 0.1, 0.1])
    with pytest.raises(ValueError, match="factor"):
        schedulers.ConstantLR(SGD([Parameter([1.0])], lr=0.1), factor=0.0)


@exhibit("CosineAnnealingWarmRestarts misses a restart")
def test_restart(shown):
    lengths = 10 * 3 ** np.arange(5)
    assert lengths.sum() == 1210
    assert np.log(1210 / 10 * 2 + 1) / np.log(3) < 5  # in floating point; it is 5
    assert shown[0][1:] == (0.0, 0.1)


def test_no_exhibit_of_the_room_is_without_a_check():
    assert checked(globals()) == rooms()["Room 3: the clock of the schedule"]
