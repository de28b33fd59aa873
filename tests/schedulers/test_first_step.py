"""A scheduler that steps before the optimizer ever did says so, as torch's do, and once."""

import copy
import pickle
import warnings

import pytest
import torch
from every_scheduler import NAMES, WITH_METRIC, build, signal
from torch.optim import lr_scheduler

from optim_scratch import Parameter, schedulers
from optim_scratch.optimizers import SGD, Lookahead
from optim_scratch.schedulers.first_step import WARNING


def our_sgd():
    return SGD([Parameter(0.0)], lr=0.1, momentum=0.9)


def our_wrapper():
    return Lookahead(our_sgd())


def torch_sgd():
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(()))], lr=0.1, momentum=0.9)


on = pytest.mark.parametrize("optimizer", [our_sgd, our_wrapper, torch_sgd])


def warnings_of(scheduler, name="StepLR", steps=2, epoch=0):
    """What its steps warn of, with the place that is to blame."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for i in range(steps):
            scheduler.step(*signal(name, epoch + i))
    return [(str(w.message), w.filename) for w in caught]


@on
@pytest.mark.parametrize("name", NAMES)
def test_it_warns_once_and_at_the_caller(name, optimizer):
    """But for a plateau, which has no first rate that could be skipped; torch's is silent too."""
    scheduler = build(name, schedulers, optimizer())
    expected = [] if name == WITH_METRIC else [(WARNING, __file__)]
    assert warnings_of(scheduler, name, 5) == expected


@on
@pytest.mark.parametrize("name", NAMES)
def test_it_is_silent_once_the_optimizer_has_stepped(name, optimizer):
    scheduler = build(name, schedulers, optimizer())
    scheduler.optimizer.step()
    assert warnings_of(scheduler, name) == []


def test_the_rates_are_those_of_a_run_in_order():
    late, right = (schedulers.StepLR(our_sgd(), 2) for _ in range(2))
    assert warnings_of(late, steps=6)
    right.optimizer.step()
    assert warnings_of(right, steps=6) == []
    assert late.get_last_lr() == right.get_last_lr()


def test_torch_warns_in_the_same_place():
    theirs = lr_scheduler.StepLR(torch_sgd(), 2)
    assert ["`lr_scheduler.step()` before `optimizer.step()`" in w for w, _ in warnings_of(theirs)]


def test_an_optimizer_of_ours_that_stepped_before_has_stepped_and_torchs_has_not():
    """torch's schedulers see no step that came before them."""
    sgd = our_sgd()
    sgd.step()
    assert warnings_of(schedulers.StepLR(sgd, 2)) == []
    sgd = torch_sgd()
    sgd.step()
    assert len(warnings_of(schedulers.StepLR(sgd, 2))) == 1


def test_who_knows_nothing_of_steps_is_not_warned():
    class Bare:
        """Has groups, and that is all that a scheduler needs."""

        param_groups = ({"lr": 0.1},)

    assert warnings_of(schedulers.StepLR(Bare(), 2)) == []


@on
@pytest.mark.parametrize("name", NAMES)
def test_a_resumed_run_is_not_warned(name, optimizer):
    scheduler = build(name, schedulers, optimizer())
    scheduler.optimizer.step()
    warnings_of(scheduler, name, 3)
    resumed = build(name, schedulers, optimizer())
    resumed.load_state_dict(scheduler.state_dict())
    assert warnings_of(resumed, name, epoch=3) == []


@on
@pytest.mark.parametrize("twin_of", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_a_copy_is_not_warned_and_leaves_the_original_to_warn(optimizer, twin_of):
    scheduler = schedulers.StepLR(optimizer(), 2)
    assert warnings_of(twin_of(scheduler)) == []
    assert len(warnings_of(scheduler)) == 1


@on
def test_to_look_ahead_is_no_step(optimizer):
    scheduler = schedulers.StepLR(optimizer(), 2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scheduler.preview(10)
        schedulers.StepLR.curve(10, step_size=2)
    assert len(warnings_of(scheduler)) == 1


@on
def test_warm_restarts_that_are_told_where_to_go_skip_nothing(optimizer):
    scheduler = schedulers.CosineAnnealingWarmRestarts(optimizer(), 10)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scheduler.step(0.5)
        scheduler.step()
    assert scheduler.last_epoch == 1


def test_torchs_optimizer_is_left_without_hooks():
    optimizer = torch_sgd()
    scheduler = build("SequentialLR", schedulers, optimizer)
    assert optimizer._optimizer_step_post_hooks
    optimizer.step()
    assert warnings_of(scheduler) == []
    assert not optimizer._optimizer_step_post_hooks
