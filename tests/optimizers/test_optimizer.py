"""What every optimizer of the registry shares: groups, state, refusals."""

import copy

import numpy as np
import pytest
import torch

from optim_scratch import Parameter, registry
from optim_scratch.optimizers import SGD, Adam, Optimizer

OPTIMIZERS = [method.load() for method in registry.methods("optimizer")]

every = pytest.mark.parametrize("kind", OPTIMIZERS, ids=lambda kind: kind.__name__)


REMEMBERING = {"SGD": {"momentum": 0.9}}
"""Settings with which a method that can do without a state has one."""


def stepped(kind, steps=3):
    """An optimizer with two groups and a state, after some steps."""
    options = REMEMBERING.get(kind.__name__, {})
    parameters = [Parameter([1.0, 2.0]), Parameter(np.ones((2, 3)))]
    optimizer = kind([{"params": [p]} for p in parameters], lr=0.1, **options)
    for _ in range(steps):
        for p in parameters:
            p.grad = np.ones(p.shape)
        optimizer.step()
    return optimizer


@every
@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ([], ValueError, "params must hold at least one parameter"),
        ([{"params": []}], ValueError, "an empty group"),
        ([np.zeros(2)], TypeError, "params must hold our Parameter objects, got numpy.ndarray"),
        ([torch.nn.Parameter(torch.zeros(2))], TypeError, "got torch.nn.parameter.Parameter"),
        ([Parameter(0.0)] * 2, ValueError, "twice"),
        ([{"lr": 0.1}], ValueError, 'the key "params"'),
        (5, TypeError, "params must be a Parameter, or an iterable of them or of groups, got 5"),
        ([{"params": None}], TypeError, "params must be a Parameter, .* got None"),
        ([{"params": Parameter(0.0)}, Parameter(0.0)], TypeError, "must be a dict, got Parameter"),
    ],
    ids=["none", "empty group", "array", "torchs", "twice", "no params", "number", "null", "mixed"],
)
def test_refuses_parameters(kind, params, error, message):
    with pytest.raises(error, match=message):
        kind(params)


@every
def test_refuses_a_parameter_of_another_group(kind):
    p = Parameter(0.0)
    optimizer = kind([p])
    with pytest.raises(ValueError, match="twice"):
        optimizer.add_param_group({"params": p})
    assert len(optimizer.param_groups) == 1


@every
@pytest.mark.parametrize(
    ("lr", "error", "message"),
    [
        (-0.1, ValueError, r"lr must be finite and >= 0, got -0\.1"),
        (np.nan, ValueError, "lr must be finite and >= 0, got nan"),
        (np.inf, ValueError, "lr must be finite"),
        ("0.1", TypeError, "lr must be a real number"),
        (None, TypeError, "lr must be a real number"),
        (0.1j, TypeError, "lr must be a real number"),
        (True, TypeError, "lr must be a real number"),
        (np.array([0.1, -0.1]), ValueError, "lr must be finite and >= 0"),
    ],
    ids=repr,
)
def test_refuses_a_rate(kind, lr, error, message):
    with pytest.raises(error, match=message):
        kind([Parameter([0.0, 0.0])], lr=lr)
    with pytest.raises(error, match=message):
        kind([{"params": Parameter([0.0, 0.0]), "lr": lr}])
    optimizer = kind([Parameter(0.0)])
    with pytest.raises(error, match=message):
        optimizer.add_param_group({"params": Parameter([0.0, 0.0]), "lr": lr})
    assert len(optimizer.param_groups) == 1


@every
@pytest.mark.parametrize("shape", [(3,), (2, 1), (1, 1, 2), (2, 2, 2)])
def test_refuses_arrays_that_do_not_broadcast(kind, shape):
    with pytest.raises(
        ValueError, match=r"lr of shape .* does not broadcast to a parameter's \(2,\)"
    ):
        kind([Parameter([0.0, 0.0])], lr=np.full(shape, 0.1))


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"momentum": 1.0}, ValueError, r"momentum must be finite and in \[0, 1\), got 1\.0"),
        ({"momentum": -0.1}, ValueError, r"momentum must be finite and in \[0, 1\), got -0\.1"),
        ({"momentum": np.nan}, ValueError, "momentum must be finite"),
        (
            {"momentum": np.array([0.5, 1.5])},
            ValueError,
            r"momentum must be finite and in \[0, 1\)",
        ),
        ({"momentum": "a"}, TypeError, "momentum must be a real number"),
        ({"dampening": -0.1}, ValueError, r"dampening must be finite and in \[0, 1\]"),
        ({"dampening": 1.1}, ValueError, r"dampening must be finite and in \[0, 1\]"),
        ({"weight_decay": -1.0}, ValueError, "weight_decay must be finite and >= 0"),
        ({"nesterov": True}, ValueError, "nesterov=True needs momentum > 0"),
        (
            {"nesterov": True, "momentum": 0.9, "dampening": 0.1},
            ValueError,
            r"nesterov=True needs .* dampening 0, got momentum 0\.9 and dampening 0\.1",
        ),
        (
            {"nesterov": True, "momentum": np.array([0.9, 0.0])},
            ValueError,
            "nesterov=True needs momentum > 0",
        ),
        ({"nesterov": 1}, TypeError, "nesterov must be True or False, got 1"),
        ({"maximize": None}, TypeError, "maximize must be True or False, got None"),
    ],
    ids=str,
)
def test_sgd_refuses(options, error, message):
    with pytest.raises(error, match=message):
        SGD([Parameter([0.0, 0.0])], **options)


NOT_TWO = "betas must be a tuple of 2 numbers, got "


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"betas": (1.0, 0.9)}, ValueError, r"betas\[0\] must be .* in \[0, 1\), got 1\.0"),
        ({"betas": (0.9, 1.0)}, ValueError, r"betas\[1\] must be .* in \[0, 1\), got 1\.0"),
        ({"betas": (-0.1, 0.9)}, ValueError, r"betas\[0\] must be finite and in \[0, 1\)"),
        ({"betas": (0.9, -0.1)}, ValueError, r"betas\[1\] must be finite and in \[0, 1\)"),
        ({"betas": (np.nan, 0.9)}, ValueError, r"betas\[0\] must be finite"),
        ({"betas": (0.9, np.inf)}, ValueError, r"betas\[1\] must be finite"),
        ({"betas": (0.9, np.array([0.5, 1.0]))}, ValueError, r"betas\[1\] must be finite and in"),
        ({"betas": (0.9, np.full(3, 0.5))}, ValueError, r"betas\[1\] of shape \(3,\) does not"),
        ({"betas": ("a", 0.9)}, TypeError, r"betas\[0\] must be a real number"),
        ({"betas": (0.9, None)}, TypeError, r"betas\[1\] must be a real number"),
        ({"betas": (0.9, True)}, TypeError, r"betas\[1\] must be a real number"),
        ({"betas": (0.9,)}, ValueError, NOT_TWO + r"\(0\.9,\)"),
        ({"betas": (0.9, 0.99, 0.999)}, ValueError, NOT_TWO),
        ({"betas": ()}, ValueError, NOT_TWO),
        ({"betas": 0.9}, TypeError, NOT_TWO + r"0\.9"),
        ({"betas": "ab"}, TypeError, NOT_TWO + "'ab'"),
        ({"betas": None}, TypeError, NOT_TWO + "None"),
        ({"betas": {0.9, 0.99}}, TypeError, NOT_TWO),
        ({"betas": np.array([0.9, 0.99])}, TypeError, NOT_TWO),
        ({"eps": -1e-8}, ValueError, "eps must be finite and >= 0, got -1e-08"),
        ({"eps": np.nan}, ValueError, "eps must be finite"),
        ({"eps": "1e-8"}, TypeError, "eps must be a real number"),
        ({"eps": (1e-8, 1e-8, 1e-8)}, ValueError, r"eps of shape \(3,\) does not broadcast"),
        ({"weight_decay": -1.0}, ValueError, "weight_decay must be finite and >= 0"),
        ({"weight_decay": None}, TypeError, "weight_decay must be a real number"),
        ({"amsgrad": 1}, TypeError, "amsgrad must be True or False, got 1"),
        ({"amsgrad": np.array([True, False])}, TypeError, "amsgrad must be True or False"),
        ({"maximize": None}, TypeError, "maximize must be True or False, got None"),
    ],
    ids=str,
)
def test_adam_refuses(options, error, message):
    with pytest.raises(error, match=message):
        Adam([Parameter([0.0, 0.0])], **options)
    with pytest.raises(error, match=message):
        Adam([{"params": Parameter([0.0, 0.0]), **options}])


@every
def test_groups_take_defaults_and_may_overrule_them(kind):
    first, second = Parameter(0.0), Parameter(0.0)
    optimizer = kind([{"params": first, "lr": 0.5}, {"params": (p for p in [second])}], lr=0.1)
    assert [group["lr"] for group in optimizer.param_groups] == [0.5, 0.1]
    assert [group["params"] for group in optimizer.param_groups] == [[first], [second]]
    assert all(set(optimizer.defaults) < set(group) for group in optimizer.param_groups)


@every
def test_a_late_group_is_moved_too(kind):
    optimizer = kind([Parameter(0.0)], lr=0.1)
    late = Parameter(1.0)
    optimizer.add_param_group({"params": late})
    late.grad = np.ones(())
    optimizer.step()
    assert late.data < 1.0


@every
def test_zero_grad(kind):
    p = Parameter([1.0, 2.0])
    optimizer = kind([p])
    p.grad = np.ones(2)
    optimizer.zero_grad(set_to_none=False)
    assert np.array_equal(p.grad, np.zeros(2))
    optimizer.zero_grad()
    assert p.grad is None
    optimizer.step()  # a parameter without gradient stays where it is
    assert p.data.tolist() == [1.0, 2.0]
    assert optimizer.state == {}


@every
def test_closure_is_called_once_before_the_step_and_its_loss_returned(kind):
    p = Parameter(1.0)
    optimizer = kind([p], lr=0.1)
    seen = []

    def closure():
        seen.append(float(p.data))
        p.grad = np.ones(())
        return 42.0

    assert optimizer.step(closure) == 42.0
    assert seen == [1.0]
    assert p.data < 1.0
    assert optimizer.step() is None


@every
def test_resumes_exactly(kind):
    full, half = stepped(kind, 10), stepped(kind, 5)
    resumed = stepped(kind, 0)
    resumed.load_state_dict(half.state_dict())
    for group, source in zip(resumed.param_groups, half.param_groups, strict=True):
        for p, q in zip(group["params"], source["params"], strict=True):
            p.data[...] = q.data
            p.grad = np.ones(p.shape)
    for _ in range(5):
        resumed.step()
    for a, b in zip(full.param_groups, resumed.param_groups, strict=True):
        assert np.array_equal(a["params"][0].data, b["params"][0].data)


@every
def test_an_array_of_rates_is_copied(kind):
    rates = np.array([0.1, 0.2])
    optimizer = kind([Parameter([0.0, 0.0])], lr=rates)
    rates[:] = 9.0
    assert optimizer.param_groups[0]["lr"].tolist() == [0.1, 0.2]


@every
def test_a_state_dict_is_a_snapshot(kind):
    optimizer = stepped(kind)
    saved = optimizer.state_dict()
    before = copy.deepcopy(saved)
    for group in optimizer.param_groups:
        group["lr"] = 9.0
        for p in group["params"]:
            p.grad = np.ones(p.shape)
    optimizer.step()
    assert repr(saved) == repr(before)


@every
@pytest.mark.parametrize(
    ("saved", "found"),
    [
        ({}, r"\{\}"),
        (None, "None"),
        ({"model": 0, "optimizer": 1}, r"keys \['model', 'optimizer'\]"),
    ],
)
def test_refuses_what_is_no_state_dict(kind, saved, found):
    with pytest.raises(ValueError, match=f"with state and param_groups, got {found}"):
        stepped(kind).load_state_dict(saved)


@every
@pytest.mark.parametrize(
    "number", [np.float64, np.array, lambda x: torch.tensor(x, dtype=torch.float64)]
)
def test_a_number_of_numpys_or_torchs_is_one_of_pythons(kind, number):
    """It takes the parameter's precision, as a float does, and does not change its arithmetic."""
    ends = []
    for lr in (0.1, number(0.1)):
        p = Parameter(np.ones(3, np.float32))
        optimizer = kind([p], lr=lr, **REMEMBERING.get(kind.__name__, {}))
        for gradient in np.random.default_rng(0).normal(size=(20, 3)):
            p.grad = gradient
            optimizer.step()
        ends.append(p.data)
    assert np.array_equal(*ends)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda d: d.update(optimizer="Adam"), "state_dict must be of SGD, got one of Adam"),
        (lambda d: d.update(param_groups=3), "param_groups must be a list of dicts .*, got 3"),
        (lambda d: d["param_groups"][0].pop("params"), "param_groups must be a list of dicts"),
        (lambda d: d.update(state=[]), r"state must be a dict of dicts, got \[\]"),
        (lambda d: d["param_groups"].pop(), r"groups of \[1, 1\] parameters, got \[1\]"),
        (lambda d: d["param_groups"][0]["params"].append(7), r"got \[2, 1\]"),
        (lambda d: d["param_groups"][1].pop("momentum"), "lacks momentum: it is not of SGD"),
        (lambda d: d["param_groups"][1].update(lr=-1.0), "lr must be finite and >= 0"),
        (lambda d: d["state"][0].update(momentum_buffer=np.zeros(3)), r"parameter's shape \(2,\)"),
        (lambda d: d["state"][0].update(exp_avg=np.zeros(2)), "'exp_avg', which SGD does not keep"),
        (lambda d: d["state"].update({5: {}}), "parameter 5, which is in no group"),
    ],
)
def test_refuses_a_state_dict_that_does_not_fit_and_changes_nothing(edit, message):
    refuses_an_edited_state_dict(stepped(SGD), edit, message)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda d: d.update(optimizer="SGD"), "state_dict must be of Adam, got one of SGD"),
        (lambda d: d["param_groups"][1].pop("betas"), "lacks betas: it is not of Adam"),
        (lambda d: d["param_groups"][1].update(betas=(0.9, 1.0)), r"betas\[1\] must be finite"),
        (lambda d: d["param_groups"][1].update(betas=(0.9,)), "betas must be a tuple of 2"),
        (
            lambda d: d["param_groups"][1].update(decoupled_weight_decay=True),
            "must be of Adam, got one with decoupled weight decay",
        ),
        (lambda d: d["state"][0].update(exp_avg_sq=np.zeros(3)), r"parameter's shape \(2,\)"),
        (lambda d: d["state"][1].pop("exp_avg"), "lacks exp_avg of parameter 1"),
        (lambda d: d["state"][1].update(exp_avg_sq=None), "lacks exp_avg_sq of parameter 1"),
        (lambda d: d["state"][0].pop("step"), "lacks step of parameter 0"),
        (lambda d: d["state"][0].update(step=-1), "step must be a whole number >= 0, got -1"),
        (lambda d: d["state"][0].update(step=2.5), r"step must be a whole number >= 0, got 2\.5"),
        (lambda d: d["state"][0].update(step=np.nan), "step must be a whole number"),
        (lambda d: d["state"][0].update(step=np.inf), "step must be a whole number"),
        (lambda d: d["state"][0].update(step="3"), "step must be a whole number >= 0, got '3'"),
        (lambda d: d["state"][0].update(step=True), "step must be a whole number"),
        (lambda d: d["state"][0].update(step=np.ones(2)), "step must be a whole number"),
        (lambda d: d["state"][0].update(step=torch.ones(1)), "step must be a whole number"),
        (
            lambda d: d["state"][0].update(momentum_buffer=np.zeros(2)),
            "'momentum_buffer', which Adam does not keep: it keeps step, exp_avg, exp_avg_sq",
        ),
    ],
)
def test_adam_refuses_a_state_dict_that_does_not_fit_and_changes_nothing(edit, message):
    refuses_an_edited_state_dict(stepped(Adam), edit, message)


def refuses_an_edited_state_dict(optimizer, edit, message):
    saved = optimizer.state_dict()
    edit(saved)
    before = repr(optimizer.state_dict())
    with pytest.raises(ValueError, match=message):
        optimizer.load_state_dict(saved)
    assert repr(optimizer.state_dict()) == before


def test_an_optimizer_that_is_not_elementwise_refuses_arrays():
    class Whole(SGD):
        elementwise = False

    with pytest.raises(ValueError, match="lr must be one number: Whole is not elementwise"):
        Whole([Parameter([0.0, 0.0])], lr=np.array([0.1, 0.2]))


def test_the_base_cannot_step():
    p = Parameter(0.0)
    p.grad = np.ones(())
    with pytest.raises(NotImplementedError, match="_update"):
        Optimizer([p], {"lr": 0.1, "maximize": False}).step()
