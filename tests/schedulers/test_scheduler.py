"""What all schedulers share: plain numbers, states that load whole or not at all, previews."""

import copy
import io
import json
import pickle
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scheduling import (
    RATES,
    SETTINGS,
    InverseTime,
    build,
    our_sgd,
    same,
    steady,
    stepped,
    torch_sgd,
    trace,
)
from torch.optim.swa_utils import SWALR

from optim_scratch import Parameter
from optim_scratch import schedulers as ours
from optim_scratch.optimizers import SGD, Adam

settings = pytest.mark.parametrize(("name", "arguments"), SETTINGS, ids=steady)
ONE_GROUP = [
    (name, arguments)
    for name, arguments in SETTINGS
    if name == "MultiStepLR" or not any(isinstance(v, list) for v in arguments.values())
]
RUNS = np.array([[1.0], [2.0], [4.0]])


def reloaded(state):
    """What torch.load, which admits only plain things, makes of a saved state."""
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


def many_runs(**hyper):
    """Three runs at once, each with a rate of its own."""
    return stepped(SGD([Parameter(np.zeros((3, 2)))], lr=RUNS, momentum=0.9, **hyper))


# numbers of NumPy's

TYPED = [
    ("StepLR", {"step_size": 16, "gamma": 0.5}),
    ("MultiStepLR", {"milestones": [3, 20]}),
    ("CosineAnnealingLR", {"T_max": 20, "eta_min": 0.5}),
    ("CosineAnnealingWarmRestarts", {"T_0": 7, "T_mult": 2}),
    ("CyclicLR", {"base_lr": [0.25, 0.5], "max_lr": 1.0, "step_size_up": 200,
                  "step_size_down": 100, "base_momentum": 0.5, "max_momentum": 0.75}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 250, "div_factor": 16.0,
                    "final_div_factor": 64.0, "base_momentum": 0.5, "max_momentum": 0.75}),
    ("OneCycleLR", {"max_lr": 0.5, "epochs": 25, "steps_per_epoch": 24}),
    ("SWALR", {"swa_lr": 0.5, "anneal_epochs": 16}),
    ("WarmupLinearSchedule", {"warmup_steps": 16, "t_total": 200}),
    ("GradualWarmupScheduler", {"multiplier": 4, "total_epoch": 16}),
]  # fmt: skip


def typed(value):
    """The same in NumPy's smallest types."""
    if isinstance(value, list):
        return (
            np.array(value, dtype=np.uint8)
            if isinstance(value[0], int)
            else list(map(typed, value))
        )
    return np.uint8(value) if isinstance(value, int) else np.float32(value)


@pytest.mark.parametrize(("name", "arguments"), TYPED, ids=steady)
def test_numbers_of_numpys_are_kept_as_pythons(name, arguments):
    """They neither overflow, at step 256 of 8 bits, nor stand in what is saved."""
    optimizer = torch_sgd()
    steps = arguments.get("total_steps", 600)
    scheduler = build(name, {key: typed(value) for key, value in arguments.items()}, optimizer)
    same(trace(scheduler, steps), trace(build(name, arguments), steps))
    assert reloaded(scheduler.state_dict()) == scheduler.state_dict()
    assert reloaded(optimizer.state_dict()["param_groups"])
    json.dumps(scheduler.state_dict())


def test_a_plateau_keeps_pythons_numbers():
    optimizer = torch_sgd()
    scheduler = ours.ReduceLROnPlateau(optimizer, "min", np.float32(0.5), np.int64(0))
    for _ in range(3):
        scheduler.step(np.float32(1.0))
    assert reloaded([scheduler.state_dict(), optimizer.state_dict()["param_groups"]])


def test_a_function_may_return_numpys_numbers_or_a_tensor():
    for function in (lambda t: np.float64(0.5), lambda t: torch.tensor(0.5).double()):
        optimizer = torch_sgd()
        ours.LambdaLR(optimizer, function)
        assert [group["lr"] for group in optimizer.param_groups] == [0.05, 0.015]
        assert {type(group["lr"]) for group in optimizer.param_groups} == {float}


def test_a_rate_may_be_held_in_few_bits():
    held = torch.tensor(0.5, dtype=torch.bfloat16)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(2))], lr=held)
    scheduler = ours.ExponentialLR(optimizer, 0.5)
    stepped(optimizer)
    scheduler.step()
    assert held.item() == 0.25


def test_a_tensor_of_one_axis_is_filled_as_torch_fills_it():
    optimizer = torch.optim.Adam([torch.nn.Parameter(torch.zeros(2))], lr=torch.tensor([0.5]))
    scheduler = ours.ExponentialLR(optimizer, 0.5)
    stepped(optimizer)
    scheduler.step()
    assert scheduler.get_last_lr() == [0.25]
    assert optimizer.param_groups[0]["lr"].tolist() == [0.25]


# many runs at once


@pytest.mark.parametrize(("name", "arguments"), ONE_GROUP, ids=steady)
def test_many_runs_at_once_have_the_rates_of_each(name, arguments):
    foretold = build(name, arguments, many_runs()).preview(60)
    for run, lr in enumerate(RUNS[:, 0]):
        alone = getattr(ours, name).curve(60, lr=lr, **arguments)
        rates = foretold[:, 0, run, 0] if foretold.ndim == 4 else foretold[:, 0]
        same(rates, alone)


def test_a_plateau_drives_many_runs_at_once():
    scheduler = ours.ReduceLROnPlateau(many_runs(), factor=0.5, patience=0, min_lr=0.8)
    rates = scheduler.preview([1.0, 1.0, 1.0])[:, 0, :, 0]
    assert rates.tolist() == [[1, 2, 4], [1, 2, 4], [0.8, 1, 2], [0.8, 0.8, 1]]


def test_an_array_edited_in_place_is_not_a_base_rate():
    sgd = many_runs()
    cosine = ours.CosineAnnealingLR(sgd, 4)
    ours.SequentialLR(sgd, [ours.StepLR(sgd, 1), cosine], [1]).step()
    sgd.param_groups[0]["lr"] *= 0.5
    assert cosine.base_lrs[0].tolist() == RUNS.tolist()


# previews


def test_a_preview_names_what_there_is_to_see():
    scheduler = ours.StepLR(Adam([Parameter(0.0)]), 3)
    for key in ("momentum", "params"):
        with pytest.raises(ValueError, match=f"key must be an entry .*'lr', 'betas'.* got '{key}'"):
            scheduler.preview(3, key)


def test_groups_of_several_shapes_are_previewed():
    groups = [{"params": Parameter(np.zeros((3, 2))), "lr": RUNS}, {"params": Parameter(0.0)}]
    rates = ours.StepLR(SGD(groups, lr=8.0), 1, 0.5).preview(2)
    assert rates.shape == (2, 2, 3, 1)
    assert rates[1, :, :, 0].tolist() == [[0.5, 1, 2], [4, 4, 4]]


def test_betas_that_are_arrays_are_previewed():
    adam = Adam([Parameter(np.zeros((3, 2)))], betas=(0.9, RUNS / 8))
    cycle = ours.CyclicLR(adam, 0.1, 0.2, step_size_up=2, base_momentum=0.5, max_momentum=0.75)
    betas = cycle.preview(3, "betas")
    assert betas.shape == (3, 1, 2, 3, 1)
    assert betas[:, 0, 0, 0, 0].tolist() == [0.75, 0.625, 0.5]
    assert betas[2, 0, 1, :, 0].tolist() == (RUNS / 8)[:, 0].tolist()


def test_a_curve_needs_a_scheduler():
    with pytest.raises(TypeError, match="build must return a scheduler of optim_scratch, got None"):
        ours.curve(lambda optimizer: None, 5)


def test_param_names_of_torchs_are_no_hindrance():
    names = [("w", torch.nn.Parameter(torch.zeros(2)))]
    rates = ours.StepLR(torch.optim.SGD(names, lr=0.5), 1, 0.5).preview(3)
    assert rates[:, 0].tolist() == [0.5, 0.25, 0.125]


# states


def chained(first, second):
    sgd = our_sgd()
    return ours.ChainedScheduler([first(sgd), second(sgd)])


def sequence(first, second):
    sgd = our_sgd()
    return ours.SequentialLR(sgd, [first(sgd), second(sgd)], [4])


def gradual(first, second):
    sgd = our_sgd()
    return ours.GradualWarmupScheduler(sgd, *first, second(sgd))


def step(size):
    return lambda sgd: ours.StepLR(sgd, size)


def exponential(sgd):
    return ours.ExponentialLR(sgd, 0.5)


@pytest.mark.parametrize(
    ("make", "here", "there"),
    [
        (chained, (step(7), step(5)), (step(1), exponential)),
        (sequence, (step(7), step(5)), (step(1), exponential)),
        (gradual, ((3, 5), step(5)), ((2, 9), exponential)),
    ],
)
def test_a_state_that_fits_in_part_changes_nothing(make, here, there):
    scheduler, other = make(*here), make(*there)
    other.step()
    before = repr(scheduler.state_dict())
    with pytest.raises(ValueError, match="must be of StepLR, got one of ExponentialLR"):
        scheduler.load_state_dict(other.state_dict())
    assert repr(scheduler.state_dict()) == before


CYCLE = {"base_lr": 0.1, "max_lr": 0.2}


@pytest.mark.parametrize(
    ("name", "here", "there"),
    [
        ("LambdaLR", {"lr_lambda": lambda t: 1.0}, {"lr_lambda": InverseTime(0.5)}),
        ("CyclicLR", {**CYCLE, "scale_fn": lambda x: 1.0}, {**CYCLE, "scale_fn": InverseTime(0.5)}),
        ("CyclicLR", CYCLE, {**CYCLE, "scale_fn": InverseTime(0.5)}),
    ],
)
def test_attributes_need_a_callable_object_to_take_them(name, here, there):
    scheduler, other = build(name, here), build(name, there)
    other.step()
    before = repr(scheduler.state_dict())
    with pytest.raises(ValueError, match="must be a callable object to take them, or"):
        scheduler.load_state_dict(other.state_dict())
    assert repr(scheduler.state_dict()) == before


def test_a_state_with_too_many_callables_changes_nothing():
    scheduler = ours.LambdaLR(our_sgd(), InverseTime(0.5))
    state = {**scheduler.state_dict(), "lr_lambdas": [None] * 3, "last_epoch": 9}
    with pytest.raises(ValueError, match="'lr_lambdas'] must have 2 entries, got 3"):
        scheduler.load_state_dict(state)
    assert scheduler.last_epoch == 0


def test_a_state_without_base_rates_is_refused():
    scheduler = ours.StepLR(our_sgd(), 3)
    with pytest.raises(TypeError, match="'base_lrs'] must be a list with a number for each group"):
        scheduler.load_state_dict({**scheduler.state_dict(), "base_lrs": None})


def test_what_a_callable_remembers_is_saved_as_a_copy():
    function = InverseTime([0.5])
    scheduler = ours.LambdaLR(SGD([Parameter(0.0)]), lambda t: 1.0)
    scheduler.lr_lambdas = [function]
    state = scheduler.state_dict()
    scheduler.load_state_dict(state)
    state["lr_lambdas"][0]["k"].append(9.0)
    assert function.k == scheduler.lr_lambdas[0].k == [0.5]


@settings
def test_a_state_taken_apart_leaves_the_scheduler_alone(name, arguments):
    scheduler = build(name, arguments)
    before = repr(scheduler.state_dict())
    for value in scheduler.state_dict().values():
        if isinstance(value, list | dict):
            value.clear()
    assert repr(scheduler.state_dict()) == before


@pytest.mark.parametrize("carry", [lambda state: json.loads(json.dumps(state)), reloaded])
@settings
def test_a_state_outlives_a_file(name, arguments, carry):
    first, second = build(name, arguments), build(name, arguments)
    trace(first, 8)
    second.load_state_dict(carry(first.state_dict()))
    for old, new in zip(first.optimizer.param_groups, second.optimizer.param_groups, strict=True):
        new.update({key: value for key, value in old.items() if key != "params"})
    same(trace(second, 100), trace(first, 100))


@settings
def test_a_copy_goes_on_by_itself(name, arguments):
    scheduler = build(name, arguments)
    trace(scheduler, 5)
    twin = copy.deepcopy(scheduler)
    assert twin.optimizer is not scheduler.optimizer
    before = scheduler.get_last_lr()
    rates = trace(twin, 20)
    assert scheduler.get_last_lr() == before
    assert np.array_equal(rates, trace(scheduler, 20))


def test_a_scheduler_can_be_pickled_with_its_optimizer():
    scheduler = ours.CosineAnnealingWarmRestarts(our_sgd(), 5, 2)
    twin = pickle.loads(pickle.dumps(scheduler))
    assert np.array_equal(trace(twin, 20), trace(scheduler, 20))


# composed


def test_a_cycle_that_follows_in_a_chain_keeps_to_its_bounds():
    """Each member starts over from its own base rates."""
    sgd = our_sgd()
    fall = ours.ExponentialLR(sgd, 0.9)
    pair = ours.ChainedScheduler([fall, ours.CyclicLR(sgd, 0.01, 0.02, step_size_up=2)])
    whole = ours.SequentialLR(sgd, [ours.StepLR(sgd, 100), pair], [2])
    assert whole.preview(7)[2:, 0] == pytest.approx([0.01, 0.015, 0.02, 0.015, 0.01])


@pytest.mark.parametrize("depth", [1, 2])
def test_a_warmup_before_a_plateau_is_no_member(depth):
    sgd = our_sgd()
    member = ours.ReduceLROnPlateau(sgd)
    for _ in range(depth):
        member = ours.GradualWarmupScheduler(sgd, 2, 3, member)
    for make in (
        lambda: ours.SequentialLR(sgd, [member], []),
        lambda: ours.ChainedScheduler([member]),
    ):
        with pytest.raises(ValueError, match="must need no metric, got a GradualWarmupScheduler"):
            make()


def test_a_warmup_before_a_warmup_hands_its_metric_on():
    sgd = our_sgd()
    inner = ours.GradualWarmupScheduler(
        sgd, 2, 2, ours.ReduceLROnPlateau(sgd, factor=0.5, patience=0)
    )
    whole = ours.GradualWarmupScheduler(sgd, 2, 2, inner)
    rates = whole.preview(np.ones(9))[:, 0] / RATES[0]
    assert rates == pytest.approx([1, 1.5, 2, 2, 3, 4, 4, 2, 1, 0.5])


# long runs

LONG = 100_000


@pytest.mark.parametrize(
    ("name", "arguments", "height"),
    [
        ("StepLR", {"step_size": 7, "gamma": 0.9999}, lambda t: 0.9999 ** (t // 7)),
        ("ExponentialLR", {"gamma": 0.9999}, lambda t: 0.9999**t),
        ("LinearLR", {"start_factor": 0.5, "total_iters": LONG}, lambda t: 0.5 + t / LONG / 2),
        ("PolynomialLR", {"total_iters": LONG, "power": 2.0}, lambda t: (1 - t / LONG) ** 2),
        ("CosineAnnealingLR", {"T_max": 999}, lambda t: (1 + np.cos(np.pi * t / 999)) / 2),
    ],
)
def test_rescaling_does_not_drift(name, arguments, height):
    """Each step rounds once, and over 10⁵ of them little comes together."""
    scheduler = getattr(ours, name)(SimpleNamespace(param_groups=[{"lr": 1.0}]), **arguments)
    for t in range(LONG):
        if t % 1000 == 0:
            assert scheduler.get_last_lr()[0] == pytest.approx(height(t), rel=1e-9, abs=1e-10)
        scheduler.step()


@pytest.mark.parametrize("start", [1 / 3, 0.1, 0.7, 1.0])
@pytest.mark.parametrize("length", [1, 3, 4, 60, 199])
def test_a_line_to_0_does_not_end_below(start, length):
    """torch's often ends at -1e-17, a rate that no optimizer of ours would load."""
    line = {"start_factor": start, "end_factor": 0.0, "total_iters": length}
    rates = ours.LinearLR.curve(length + 3, **line)
    assert 0 <= rates.min() <= rates[length] < 1e-15


def test_ever_lower_cycles_may_be_many():
    """2 to the power of the cycle is no float from cycle 1025 on."""
    optimizer = SimpleNamespace(param_groups=[{"lr": 1.0}])
    cycle = ours.CyclicLR(optimizer, 0.1, 0.2, 1, mode="triangular2", cycle_momentum=False)
    for _ in range(3000):
        cycle.step()
    assert cycle.get_last_lr() == [0.1]


@pytest.mark.parametrize(("strategy", "function"), [("cos", "_cosine"), ("linear", "_linear")])
def test_an_swalr_of_torch_before_its_strategy_had_a_name_goes_on(strategy, function):
    """Up to 2.9 the state held the function itself."""
    sgd, expected = our_sgd(), our_sgd()
    theirs = SWALR(torch_sgd(), 0.05, anneal_epochs=7, anneal_strategy=strategy)
    state = theirs.state_dict()
    del state["_anneal_strategy"]
    state["anneal_func"] = getattr(SWALR, f"{function}_anneal")
    other = "linear" if strategy == "cos" else "cos"
    found = ours.SWALR(sgd, 0.05, anneal_epochs=3, anneal_strategy=other)
    found.load_state_dict(state)
    assert "anneal_func" not in found.state_dict()
    right = ours.SWALR(expected, 0.05, anneal_epochs=7, anneal_strategy=strategy)
    same(trace(found, 12), trace(right, 12))
    with pytest.raises((TypeError, ValueError), match="anneal"):
        found.load_state_dict(state | {"anneal_func": max})
