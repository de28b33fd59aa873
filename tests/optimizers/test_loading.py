"""A saved optimizer is read whole, or refused and nothing changes."""

import copy

import numpy as np
import pytest
import torch
from methods import as_taken, cases, members, optimizers, single, stepped, take

from optim_scratch import Parameter, registry
from optim_scratch.optimizers import SGD, Adam

every = pytest.mark.parametrize("method", optimizers(), ids=lambda method: method.name)


def refuses(optimizer, saved, message="", error=(ValueError, TypeError)):
    """Loading is refused with a message, and changes nothing."""
    before = repr(optimizer.state_dict())
    with pytest.raises(error, match=message):
        optimizer.load_state_dict(saved)
    assert repr(optimizer.state_dict()) == before


@every
@pytest.mark.parametrize("saved", [{}, None, {"model": 0, "optimizer": 1}, [1], "state"])
def test_refuses_what_is_no_state_dict(method, saved):
    refuses(stepped(method), saved, "state_dict must be a dict with")


@every
def test_refuses_another_optimizers(method):
    saved = stepped(method).state_dict()
    saved["optimizer"] = "Another"
    refuses(stepped(method), saved, f"state_dict must be of {method.name}, got one of Another")


JUNK = [None, "3", -1, 2.5, np.nan, np.inf, True, 1j, [], {}, np.ones(7), object(), "2020-01-01"]


@every
def test_every_mutation_of_a_state_is_refused_or_harmless(method):
    """Each entry in turn is replaced by each kind of junk, or taken out."""
    optimizer = stepped(method)
    saved = optimizer.state_dict()
    for path in paths(saved):
        for junk in [*JUNK, ...]:
            mutant = copy.deepcopy(saved)
            put(mutant, path, junk)
            before = repr(optimizer.state_dict())
            try:
                optimizer.load_state_dict(mutant)
            except (ValueError, TypeError):
                assert repr(optimizer.state_dict()) == before, (path, junk)
                continue
            assert steps_soundly(optimizer), (path, junk)
            optimizer.load_state_dict(saved)


def paths(tree, head=()):
    """The paths to all that is in nested dicts and lists."""
    entries = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for key, value in entries:
        yield (*head, key)
        if isinstance(value, dict | list | tuple) and head[-1:] != ("params",):
            yield from paths(value, (*head, key))


def put(tree, path, value):
    """Replace what a path leads to; take it out if the value is ...."""
    *before, last = path
    for key in before:
        if isinstance(tree[key], tuple):
            tree[key] = list(tree[key])
        tree = tree[key]
    if value is ...:
        del tree[last]
    else:
        tree[last] = value


def steps_soundly(optimizer):
    """A twin of the optimizer takes a step that raises nothing, whatever numbers flow."""
    twin = copy.deepcopy(optimizer)

    def closure():
        for p in members(twin):
            p.grad = as_taken(twin, np.ones(p.shape))
        return sum(float(p.data.sum()) for p in members(twin))

    twin.step(closure)
    return all(p.data.dtype == np.float64 for p in members(twin))


@pytest.mark.parametrize(("method", "options"), cases(lambda method: not method.wraps))
def test_refuses_squares_below_0(method, options):
    """What is four times as large for a gradient twice as large, is one of squares."""
    optimizer, first = after_a_step(method, options, 1.0)
    second = after_a_step(method, options, 2.0)[1]
    for name, value in first.items():
        array = isinstance(value, np.ndarray) and value.any()
        if array and np.allclose(second[name], 4 * value, rtol=1e-9, atol=0.0):
            saved = optimizer.state_dict()
            saved["state"][0][name] = -value
            refuses(optimizer, saved, f"{name} must hold squares, none below 0")


def after_a_step(method, options, gradient):
    """An optimizer that has taken one step from zero, and the state of its parameter."""
    optimizer, p = single(method, options)
    p.data[...] = 0.0
    take(optimizer, p, np.full(p.shape, gradient))
    return optimizer, optimizer.state.get(p, {})


EDITS = [
    (lambda d: d.update(optimizer="Adam"), "state_dict must be of SGD, got one of Adam"),
    (lambda d: d.update(param_groups=3), "param_groups must be a list of dicts .*, got 3"),
    (lambda d: d["param_groups"][0].pop("params"), "param_groups must be a list of dicts"),
    (lambda d: d.update(state=[]), r"state must be a dict of dicts, got \[\]"),
    (lambda d: d["param_groups"].pop(), r"groups of \[1, 1\] parameters, got \[1\]"),
    (lambda d: d["param_groups"][0]["params"].append(7), r"got \[2, 1\]"),
    (lambda d: d["param_groups"][0].update(params=[1]), r"indices, each once, got \[1, 1\]"),
    (lambda d: d["param_groups"][1].pop("momentum"), "lacks momentum: it is not of SGD"),
    (lambda d: d["param_groups"][1].update(lr=-1.0), "lr must be finite and >= 0"),
    (lambda d: d["state"][0].update(momentum_buffer=np.zeros(5)), r"parameter's shape \(3,\)"),
    (lambda d: d["state"][0].update(exp_avg=np.zeros(3)), "'exp_avg', which SGD does not keep"),
    (lambda d: d["state"].update({5: {}}), "parameter 5, which is in no group"),
]


@pytest.mark.parametrize(("edit", "message"), EDITS)
def test_sgd_refuses_an_edited_state(edit, message):
    optimizer = stepped(registry.find("SGD"))
    saved = optimizer.state_dict()
    edit(saved)
    refuses(optimizer, saved, message)


ADAM_EDITS = [
    (lambda d: d["param_groups"][1].pop("betas"), "lacks betas: it is not of Adam"),
    (lambda d: d["param_groups"][1].update(betas=(0.9, 1.0)), r"betas\[1\] must be finite"),
    (lambda d: d["state"][1].pop("exp_avg"), "lacks exp_avg of parameter 1"),
    (lambda d: d["state"][1].update(exp_avg_sq=None), "lacks exp_avg_sq of parameter 1"),
    (lambda d: d["state"][0].update(exp_avg_sq=-np.ones(3)), "exp_avg_sq must hold squares"),
    (lambda d: d["state"][0].update(exp_avg_sq=np.ones(3) * 1j), "exp_avg_sq must hold real"),
    (lambda d: d["state"][0].update(exp_avg=["a", "b", "c"]), "exp_avg must hold real numbers"),
    (lambda d: d["state"][0].pop("step"), "lacks step of parameter 0"),
    (lambda d: d["state"][0].update(step=-1), "step must be a whole number >= 0, got -1"),
    (lambda d: d["state"][0].update(step=2.5), r"step must be a whole number >= 0, got 2\.5"),
    (lambda d: d["state"][0].update(step=np.ones(2)), "step must be a whole number"),
    (lambda d: d["state"][0].update(step=torch.ones(1)), "step must be a whole number"),
    (
        lambda d: d["state"][0].update(momentum_buffer=np.zeros(3)),
        "'momentum_buffer', which Adam does not keep: it keeps step, exp_avg, exp_avg_sq",
    ),
]


@pytest.mark.parametrize(("edit", "message"), ADAM_EDITS)
def test_adam_refuses_an_edited_state(edit, message):
    optimizer = stepped(registry.find("Adam"))
    saved = optimizer.state_dict()
    edit(saved)
    refuses(optimizer, saved, message)


FLAGS = [(SGD, "nesterov"), (SGD, "maximize"), (Adam, "amsgrad")]


@pytest.mark.parametrize(("kind", "flag"), FLAGS)
def test_a_flag_that_older_versions_of_torch_did_not_have_is_off(kind, flag):
    optimizer = kind([Parameter([1.0])], lr=0.1)
    saved = optimizer.state_dict()
    del saved["param_groups"][0][flag]
    optimizer.load_state_dict(saved)
    assert optimizer.param_groups[0][flag] is False


@pytest.mark.parametrize("kind", [SGD, Adam])
def test_what_schedulers_and_users_leave_in_a_group_is_loaded(kind):
    optimizer = kind([Parameter([1.0])], lr=0.1)
    saved = optimizer.state_dict()
    saved["param_groups"][0] |= {"initial_lr": torch.tensor(0.5), "lr_scale": 2, "foreach": None}
    optimizer.load_state_dict(saved)
    assert optimizer.param_groups[0]["initial_lr"] == 0.5
    assert optimizer.param_groups[0]["lr_scale"] == 2
    assert "foreach" not in optimizer.param_groups[0]


def test_infinities_and_nan_of_a_run_that_diverged_are_loaded():
    p = Parameter([1.0, 1.0])
    optimizer = Adam([p])
    p.grad = [np.inf, np.nan]
    optimizer.step()
    saved = optimizer.state_dict()
    optimizer.load_state_dict(saved)
    assert np.isnan(optimizer.state[p]["exp_avg_sq"]).tolist() == [False, True]
