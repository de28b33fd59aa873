"""Schedulers give torch's rates, on our optimizers and on torch's."""

import copy
import math
import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.optim import lr_scheduler as theirs

from optim_scratch import Parameter, registry
from optim_scratch import schedulers as ours
from optim_scratch.experiments import bridge
from optim_scratch.optimizers import SGD

STEPS = 200
RATES = (0.1, 0.03)


def steady(value):
    """Name a case without addresses: every worker must collect the same tests."""
    return re.sub(r" at 0x\w+", "", str(value))


class InverseTime:
    """A callable object: unlike a function, it is saved with the schedule."""

    def __init__(self, k):
        self.k = k

    def __call__(self, epoch):
        return 1 / (1 + self.k * epoch)


SETTINGS = [
    ("StepLR", {"step_size": 16, "gamma": 0.2}),
    ("StepLR", {"step_size": 1}),
    ("StepLR", {"step_size": 7, "gamma": 1.5}),
    ("StepLR", {"step_size": 1000}),
    ("MultiStepLR", {"milestones": [10, 20], "gamma": 0.5}),
    ("MultiStepLR", {"milestones": [0, 3, 3, 3, 50]}),
    ("MultiStepLR", {"milestones": []}),
    ("ExponentialLR", {"gamma": 0.885}),
    ("ExponentialLR", {"gamma": 1.01}),
    ("LambdaLR", {"lr_lambda": InverseTime(0.3)}),
    ("LambdaLR", {"lr_lambda": [lambda epoch: 0.9**epoch, InverseTime(0.1)]}),
]
settings = pytest.mark.parametrize(("name", "arguments"), SETTINGS, ids=steady)


def our_sgd():
    return SGD([{"params": Parameter(0.0), "lr": lr} for lr in RATES])


def torch_sgd(tensor=False):
    rates = [torch.tensor(lr, dtype=torch.float64) if tensor else lr for lr in RATES]
    groups = [{"params": [torch.nn.Parameter(torch.zeros(()))], "lr": lr} for lr in rates]
    optimizer = torch.optim.SGD(groups)
    optimizer.step()  # torch warns of a scheduler that steps before the optimizer ever did
    return optimizer


OPTIMIZERS = {
    "our optimizer": our_sgd,
    "torch optimizer": torch_sgd,
    "torch optimizer, rates in tensors": lambda: torch_sgd(tensor=True),
}
driven = pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS.keys())


def build(module, name, optimizer, arguments, **more):
    """A scheduler; torch wants its optimizer to have stepped, which a scheduler's maker forgets."""
    return getattr(module, name)(optimizer, **copy.deepcopy(arguments), **more)


def torch_scheduler(name, arguments, optimizer=None, **more):
    optimizer = optimizer or torch_sgd()
    scheduler = build(theirs, name, optimizer, arguments, **more)
    optimizer.step()
    return scheduler


def trace(scheduler, steps=STEPS):
    """The rates of the groups, and what get_last_lr says of them, over the steps."""
    rows = []
    for _ in range(steps):
        rates = [float(group["lr"]) for group in scheduler.optimizer.param_groups]
        assert [float(lr) for lr in scheduler.get_last_lr()] == rates
        rows.append(rates)
        scheduler.step()
    return np.array(rows)


@driven
@settings
def test_equals_torch(name, arguments, make):
    mine = trace(build(ours, name, make(), arguments))
    np.testing.assert_allclose(mine, trace(torch_scheduler(name, arguments)), rtol=1e-12, atol=0)


@given(st.integers(1, 60), st.floats(0.05, 1.2))
def test_step_equals_torch_for_drawn_settings(step_size, gamma):
    arguments = {"step_size": step_size, "gamma": gamma}
    mine = trace(ours.StepLR(our_sgd(), **arguments))
    assert np.array_equal(mine, trace(torch_scheduler("StepLR", arguments)))


@given(st.lists(st.integers(0, 250), max_size=8).map(sorted), st.floats(0.05, 1.2))
def test_multi_step_equals_torch_for_drawn_settings(milestones, gamma):
    arguments = {"milestones": milestones, "gamma": gamma}
    mine = trace(ours.MultiStepLR(our_sgd(), **arguments))
    reference = trace(torch_scheduler("MultiStepLR", arguments))
    np.testing.assert_allclose(mine, reference, rtol=1e-12, atol=0)


@given(st.floats(0.5, 1.05))
def test_exponential_equals_torch_for_drawn_settings(gamma):
    mine = trace(ours.ExponentialLR(our_sgd(), gamma))
    assert np.array_equal(mine, trace(torch_scheduler("ExponentialLR", {"gamma": gamma})))


@driven
@settings
@pytest.mark.parametrize("at", [0, 1, 15, 16, 50])
def test_resumes_from_its_state_dict(name, arguments, make, at):
    full = build(ours, name, make(), arguments)
    reference = trace(full)
    first = build(ours, name, make(), arguments)
    trace(first, at)
    second = build(ours, name, make(), arguments)
    second.load_state_dict(first.state_dict())
    for old, new in zip(first.optimizer.param_groups, second.optimizer.param_groups, strict=True):
        new["lr"] = old["lr"]
    assert np.array_equal(trace(second, STEPS - at), reference[at:])


@settings
@pytest.mark.parametrize("at", [0, 1, 15, 16, 50])
def test_state_crosses_to_torch_and_back(name, arguments, at):
    mine, torchs = build(ours, name, our_sgd(), arguments), torch_scheduler(name, arguments)
    trace(mine, at)
    trace(torchs, at)
    into_torch = torch_scheduler(name, arguments)
    into_torch.load_state_dict(bridge.scheduler_to_torch(mine.state_dict()))
    into_ours = build(ours, name, our_sgd(), arguments)
    into_ours.load_state_dict(torchs.state_dict())
    for i, group in enumerate(torchs.optimizer.param_groups):
        into_torch.optimizer.param_groups[i]["lr"] = group["lr"]
        into_ours.optimizer.param_groups[i]["lr"] = group["lr"]
    reference = trace(torchs)
    np.testing.assert_allclose(trace(into_torch), reference, rtol=1e-12, atol=0)
    np.testing.assert_allclose(trace(into_ours), reference, rtol=1e-12, atol=0)


@settings
@pytest.mark.parametrize("last_epoch", [0, 3, 14, 15, 16, 49])
def test_resumes_by_last_epoch_as_torch_does(name, arguments, last_epoch):
    done = torch_scheduler(name, arguments)
    trace(done, last_epoch + 1)
    schedulers = []
    for module, optimizer in ((ours, our_sgd()), (theirs, torch_sgd())):
        for group, source in zip(optimizer.param_groups, done.optimizer.param_groups, strict=True):
            group.update(lr=source["lr"], initial_lr=source["initial_lr"])
        schedulers.append(build(module, name, optimizer, arguments, last_epoch=last_epoch))
        optimizer.step()
    np.testing.assert_allclose(*map(trace, schedulers), rtol=1e-12, atol=0)


@settings
def test_a_rate_set_by_hand_fares_as_in_torch(name, arguments):
    traces = []
    for scheduler in (build(ours, name, our_sgd(), arguments), torch_scheduler(name, arguments)):
        trace(scheduler, 5)
        scheduler.optimizer.param_groups[0]["lr"] = 7.0
        scheduler.step()
        traces.append(trace(scheduler, 30))
    np.testing.assert_allclose(*traces, rtol=1e-12, atol=0)


def test_a_second_scheduler_starts_from_the_same_base_rate():
    sgd = our_sgd()
    first = ours.StepLR(sgd, 1, 0.5)
    trace(first, 4)
    assert ours.LambdaLR(sgd, lambda epoch: 1.0).base_lrs == list(RATES)


@driven
@settings
def test_preview_tells_the_future_and_changes_nothing(name, arguments, make):
    scheduler = build(ours, name, make(), arguments)
    trace(scheduler, 5)
    before = repr(scheduler.state_dict()), repr(scheduler.optimizer.param_groups)
    foretold = scheduler.preview(50)
    assert (repr(scheduler.state_dict()), repr(scheduler.optimizer.param_groups)) == before
    assert foretold.shape == (50, 2)
    assert np.array_equal(foretold, trace(scheduler, 50))


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
    if isinstance(arguments.get("lr_lambda"), list):
        arguments = {"lr_lambda": arguments["lr_lambda"][0]}
    curve = getattr(ours, name).curve(50, lr=RATES[0], **arguments)
    assert np.array_equal(curve, trace(build(ours, name, our_sgd(), arguments), 50)[:, 0])


def test_arrays_of_rates_keep_their_axes():
    sgd = SGD([Parameter(np.zeros((3, 2)))], lr=np.array([[1.0], [2.0], [4.0]]))
    scheduler = ours.StepLR(sgd, 1, 0.5)
    assert scheduler.preview(5).shape == (5, 1, 3, 1)
    scheduler.step()
    assert scheduler.get_last_lr()[0].tolist() == [[0.5], [1.0], [2.0]]


def test_a_tensor_is_filled_in_place():
    optimizer = torch_sgd(tensor=True)
    held = optimizer.param_groups[0]["lr"]
    ours.StepLR(optimizer, 1, 0.5).step()
    assert optimizer.param_groups[0]["lr"] is held
    assert held.item() == 0.05


def test_get_last_lr_cannot_corrupt_the_rates():
    scheduler = ours.ExponentialLR(our_sgd(), 0.5)
    scheduler.get_last_lr()[0] = 9.0
    assert scheduler.optimizer.param_groups[0]["lr"] == RATES[0]


def test_a_callable_object_is_saved_and_a_function_is_not():
    scheduler = ours.LambdaLR(our_sgd(), [InverseTime(0.3), lambda epoch: 1.0])
    saved = scheduler.state_dict()
    assert saved["lr_lambdas"] == [{"k": 0.3}, None]
    other = ours.LambdaLR(our_sgd(), [InverseTime(0.9), lambda epoch: 1.0])
    other.load_state_dict(saved)
    assert other.lr_lambdas[0].k == 0.3


def test_a_callable_without_attributes_is_saved_like_a_function():
    scheduler = ours.LambdaLR(our_sgd(), math.cos)
    assert scheduler.state_dict()["lr_lambdas"] == [None, None]
    scheduler.load_state_dict(scheduler.state_dict())


def test_a_state_without_its_callables_is_refused_and_changes_nothing():
    scheduler = ours.LambdaLR(our_sgd(), lambda epoch: 1.0)
    before = repr(scheduler.state_dict())
    saved = ours.LambdaLR(our_sgd(), lambda epoch: 0.5).state_dict()
    del saved["lr_lambdas"]
    with pytest.raises(ValueError, match="state_dict lacks lr_lambdas: it is not of LambdaLR"):
        scheduler.load_state_dict(saved)
    assert repr(scheduler.state_dict()) == before


@settings
def test_a_group_added_later_fares_as_in_torch(name, arguments):
    """Rescaling schedulers take it along; one that overwrites rates does not know its base."""
    mine, torchs = build(ours, name, our_sgd(), arguments), torch_scheduler(name, arguments)
    mine.optimizer.add_param_group({"params": Parameter(0.0), "lr": 0.7})
    late = torch.nn.Parameter(torch.zeros(()))
    torchs.optimizer.add_param_group({"params": late, "lr": 0.7})
    if name == "LambdaLR":
        with pytest.raises(ValueError, match="the 2 groups that this LambdaLR was made for, got 3"):
            mine.step()
    else:
        mine.step()
        torchs.step()
        np.testing.assert_allclose(trace(mine), trace(torchs), rtol=1e-12, atol=0)


REFUSALS = [
    ("StepLR", {"step_size": 0}, ValueError, "step_size must be >= 1, got 0"),
    ("StepLR", {"step_size": -3}, ValueError, "step_size must be >= 1, got -3"),
    ("StepLR", {"step_size": 1.5}, TypeError, "step_size must be an integer, got 1.5"),
    ("StepLR", {"step_size": True}, TypeError, "step_size must be an integer, got True"),
    ("StepLR", {"step_size": 2, "gamma": 0}, ValueError, "gamma must be finite and > 0, got 0"),
    ("StepLR", {"step_size": 2, "gamma": -0.1}, ValueError, "gamma must be finite and > 0"),
    ("StepLR", {"step_size": 2, "gamma": np.nan}, ValueError, "gamma must be finite and > 0"),
    ("StepLR", {"step_size": 2, "gamma": np.inf}, ValueError, "gamma must be finite and > 0"),
    ("StepLR", {"step_size": 2, "gamma": "0.1"}, TypeError, "gamma must be a number, got '0.1'"),
    ("MultiStepLR", {"milestones": [20, 10]}, ValueError, r"rising order, got \[20, 10\]"),
    ("MultiStepLR", {"milestones": [-1]}, ValueError, "milestones must be >= 0, got -1"),
    ("MultiStepLR", {"milestones": 5}, TypeError, "milestones must be an iterable of integers"),
    ("MultiStepLR", {"milestones": [1.5]}, TypeError, "milestones must be an integer, got 1.5"),
    ("MultiStepLR", {"milestones": [1], "gamma": 0.0}, ValueError, "gamma must be finite and > 0"),
    ("ExponentialLR", {"gamma": 0.0}, ValueError, "gamma must be finite and > 0, got 0.0"),
    ("ExponentialLR", {"gamma": None}, TypeError, "gamma must be a number, got None"),
    ("LambdaLR", {"lr_lambda": [abs]}, ValueError, "one callable per group, 2, got 1"),
    ("LambdaLR", {"lr_lambda": 0.5}, TypeError, "lr_lambda must be callable, .* got 0.5"),
    ("LambdaLR", {"lr_lambda": [abs, 0.5]}, TypeError, "lr_lambda must be callable, got 0.5"),
    ("ExponentialLR", {"gamma": 0.9, "last_epoch": -2}, ValueError, "last_epoch must be >= -1"),
    (
        "ExponentialLR",
        {"gamma": 0.9, "last_epoch": 1.0},
        TypeError,
        "last_epoch must be an integer",
    ),
    ("ExponentialLR", {"gamma": 0.9, "last_epoch": 3}, KeyError, "has no 'initial_lr'"),
]


@pytest.mark.parametrize(("name", "arguments", "error", "message"), REFUSALS, ids=steady)
def test_refuses(name, arguments, error, message):
    with pytest.raises(error, match=message):
        getattr(ours, name)(our_sgd(), **arguments)


@pytest.mark.parametrize("method", registry.methods("scheduler"), ids=lambda method: method.name)
def test_refuses_what_has_no_groups(method):
    arguments = dict(next(a for name, a in SETTINGS if name == method.name))
    arguments = {"lr_lambda": []} if "lr_lambda" in arguments else arguments
    with pytest.raises(TypeError, match="optimizer must have param_groups, got Parameter"):
        method.load()(Parameter(0.0), **arguments)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        ({"scheduler": "ExponentialLR"}, "state_dict must be of StepLR, got one of ExponentialLR"),
        ({"base_lrs": [0.1]}, "state_dict must be for 2 groups, got 1"),
        ({"step_size": None}, "state_dict lacks step_size: it is not of StepLR"),
        ({"scheduler": None, "milestones": {}}, "state_dict holds milestones: it is not of StepLR"),
    ],
)
def test_refuses_a_state_dict_that_does_not_fit(edit, message):
    scheduler = ours.StepLR(our_sgd(), 3)
    saved = {k: v for k, v in {**scheduler.state_dict(), **edit}.items() if v is not None}
    with pytest.raises(ValueError, match=message):
        scheduler.load_state_dict(saved)


@pytest.mark.parametrize("steps", [0, -1, 2.0])
def test_refuses_to_preview(steps):
    with pytest.raises((TypeError, ValueError), match="steps must be"):
        ours.StepLR(our_sgd(), 3).preview(steps)


@settings
def test_state_has_torchs_public_keys(name, arguments):
    mine = build(ours, name, our_sgd(), arguments).state_dict()
    torchs = torch_scheduler(name, arguments).state_dict()
    assert {k for k in torchs if not k.startswith("_")} == mine.keys() - {"_last_lr", "scheduler"}
    assert mine["scheduler"] == name
