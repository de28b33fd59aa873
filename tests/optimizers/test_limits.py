"""What each optimizer refuses, drawn from its own limits."""

import numpy as np
import pytest
import torch
from methods import describe, optimizers

from optim_scratch import Parameter
from optim_scratch.checks import Number
from optim_scratch.testing.values import refused

every = pytest.mark.parametrize("method", optimizers(), ids=lambda method: method.name)


def make(method, **options):
    """Return the optimizer on one parameter that it admits."""
    description = describe(method.name)
    shape = description.shapes[0]
    needed = {k: v for k, v in needs(method).items() if k not in options}
    return description.make(method.load(), [Parameter(np.zeros(shape))], **needed, **options)


def needs(method):
    """The arguments of the first setting, as a method may have some without default."""
    return describe(method.name).settings[0]


def arguments(method):
    """The limits of the constructor's arguments; what makes the class what it is, is none."""
    kind = method.load()
    return {name: limit for name, limit in kind.limits.items() if name not in kind.fixed}


@every
def test_limits_speak_of_each_argument_and_of_no_other(method):
    made = make(method)
    own = set(getattr(made, "own", made.defaults))
    assert own == set(method.load().limits)


@every
def test_refuses_what_its_limits_refuse(method):
    for name, kinds in arguments(method).items():
        for i, kind in enumerate(kinds if isinstance(kinds, tuple) else (kinds,)):
            for value, error in refused(kind):
                given, called = value, name
                if isinstance(kinds, tuple):
                    default = make(method).defaults[name]
                    given = (*default[:i], value, *default[i + 1 :])
                    called = f"{name}[{i}]"
                with pytest.raises(error, match=rf"^{called}".replace("[", r"\[") + " must be"):
                    make(method, **{name: given})


@every
def test_refuses_an_array_with_one_number_out_of_bounds(method):
    if not method.elementwise or method.wraps:
        return
    for name, kind in method.load().limits.items():
        if isinstance(kind, Number) and kind.low == 0:
            array = np.array([0.5, -0.5, 0.5])
            with pytest.raises(ValueError, match=f"^{name} must be finite"):
                describe(method.name).make(
                    method.load(), [Parameter(np.zeros(3))], **{**needs(method), name: array}
                )


@every
def test_refuses_a_tuple_of_another_length(method):
    for name, kinds in method.load().limits.items():
        if isinstance(kinds, tuple):
            n = len(kinds)
            for value in ((0.5,) * (n + 1), (0.5,) * (n - 1), ()):
                with pytest.raises(ValueError, match=f"^{name} must be a tuple of {n} numbers"):
                    make(method, **{name: value})
            for value in (0.9, "ab", None, {0.9, 0.99}, np.full(n, 0.9)):
                with pytest.raises(TypeError, match=f"^{name} must be a tuple of {n} numbers"):
                    make(method, **{name: value})


@every
def test_a_group_is_refused_as_the_constructor_refuses(method):
    optimizer = make(method)
    if method.name == "LBFGS":
        return
    for value, error in ((-0.1, ValueError), (np.nan, ValueError), ("0.1", TypeError)):
        late = {"params": Parameter(np.zeros(describe(method.name).shapes[0])), "lr": value}
        with pytest.raises(error, match=r"lr must be (a real number|finite)"):
            optimizer.add_param_group(late)
    assert len(optimizer.param_groups) == 1


@every
def test_an_unknown_hyper_parameter_gets_the_nearest(method):
    p = Parameter(np.zeros(describe(method.name).shapes[0]))
    with pytest.raises(ValueError, match=r"has no 'lrr': did you mean 'lr'"):
        describe(method.name).make(method.load(), [{"params": [p], "lrr": 0.1}], **needs(method))
    with pytest.raises(ValueError, match=r"has no 'qqqq': it has \["):
        describe(method.name).make(method.load(), [{"params": [p], "qqqq": 0.1}], **needs(method))


@every
@pytest.mark.parametrize(
    "number", [np.float64, np.array, lambda x: torch.tensor(x, dtype=torch.float64)]
)
def test_a_number_of_numpys_or_torchs_is_one_of_pythons(method, number):
    optimizer = make(method, lr=number(0.1)) if "lr" not in needs(method) else None
    if optimizer is None:
        made = describe(method.name).make
        p = Parameter(np.zeros(describe(method.name).shapes[0]))
        optimizer = made(method.load(), [p], **{**needs(method), "lr": number(0.1)})
    assert optimizer.param_groups[0]["lr"] == 0.1
    assert type(optimizer.param_groups[0]["lr"]) is float


@pytest.mark.parametrize("closure", [3, "loss", []])
@every
def test_refuses_a_closure_that_cannot_be_called(method, closure):
    with pytest.raises(TypeError, match="closure must be callable, got"):
        make(method).step(closure)
