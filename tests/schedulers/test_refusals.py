"""What schedulers refuse, in one table: the argument, the value, what is allowed."""

import math
import re
from types import SimpleNamespace

import pytest
from scheduling import SETTINGS as SIMPLE
from scheduling import our_adam, our_sgd, steady

from optim_scratch import Parameter, registry
from optim_scratch import schedulers as ours
from optim_scratch.optimizers import SGD

nan, inf = math.nan, math.inf
STEP, EXP, COS, LIN = {"step_size": 2}, {"gamma": 0.9}, {"T_max": 5}, {"total_iters": 5}
CYCLE, ONE = {"base_lr": 0.1, "max_lr": 0.2}, {"max_lr": 0.1, "total_steps": 10}
WARM, WSD = {"warmup_steps": 2, "t_total": 9}, {
    "warmup_steps": 1, "stable_steps": 1, "decay_steps": 1,
}  # fmt: skip
RESTARTS, NOAM = {"T_0": 3}, {"model_size": 4, "warmup_steps": 2}
GRADUAL, SWA = {"multiplier": 2, "total_epoch": 3}, {"swa_lr": 0.1}
POSITIVE, FACTOR = "must be finite and > 0", "must be finite and in (0, 1]"

TABLE = [
    ("StepLR", {"step_size": 0}, ValueError, "step_size must be >= 1, got 0"),
    ("StepLR", {"step_size": -3}, ValueError, "step_size must be >= 1, got -3"),
    ("StepLR", {"step_size": 1.5}, TypeError, "step_size must be an integer, got 1.5"),
    ("StepLR", {"step_size": True}, TypeError, "step_size must be an integer, got True"),
    ("StepLR", {**STEP, "gamma": 0}, ValueError, f"gamma {POSITIVE}, got 0"),
    ("StepLR", {**STEP, "gamma": -0.1}, ValueError, f"gamma {POSITIVE}"),
    ("StepLR", {**STEP, "gamma": nan}, ValueError, f"gamma {POSITIVE}"),
    ("StepLR", {**STEP, "gamma": inf}, ValueError, f"gamma {POSITIVE}"),
    ("StepLR", {**STEP, "gamma": "0.1"}, TypeError, "gamma must be a real number, got '0.1'"),
    ("MultiStepLR", {"milestones": [20, 10]}, ValueError, "rising order, got [20, 10]"),
    ("MultiStepLR", {"milestones": [-1]}, ValueError, "milestones must be >= 0, got -1"),
    ("MultiStepLR", {"milestones": 5}, TypeError, "milestones must be an iterable of integers"),
    ("MultiStepLR", {"milestones": [1.5]}, TypeError, "milestones must be an integer, got 1.5"),
    ("MultiStepLR", {"milestones": [1], "gamma": 0.0}, ValueError, f"gamma {POSITIVE}"),
    ("ExponentialLR", {"gamma": 0.0}, ValueError, f"gamma {POSITIVE}, got 0.0"),
    ("ExponentialLR", {"gamma": None}, TypeError, "gamma must be a real number, got None"),
    ("ExponentialLR", {**EXP, "last_epoch": -2}, ValueError, "last_epoch must be >= -1"),
    ("ExponentialLR", {**EXP, "last_epoch": 1.0}, TypeError, "last_epoch must be an integer"),
    ("ExponentialLR", {**EXP, "last_epoch": 3}, KeyError, "has no 'initial_lr'"),
    ("LambdaLR", {"lr_lambda": [abs]}, ValueError, "one callable per group, 2, got 1"),
    ("LambdaLR", {"lr_lambda": [abs] * 3}, ValueError, "one callable per group, 2, got 3"),
    ("LambdaLR", {"lr_lambda": 0.5}, TypeError, "a sequence of callables, got 0.5"),
    ("LambdaLR", {"lr_lambda": [abs, 0.5]}, TypeError, "lr_lambda must be callable, got 0.5"),
    ("MultiplicativeLR", {"lr_lambda": [abs]}, ValueError, "one callable per group, 2, got 1"),
    ("MultiplicativeLR", {"lr_lambda": 0.5}, TypeError, "a sequence of callables, got 0.5"),
    ("MultiplicativeLR", {"lr_lambda": [None, abs]}, TypeError, "must be callable, got None"),
    ("ConstantLR", {"factor": 0}, ValueError, f"factor {FACTOR}, got 0"),
    ("ConstantLR", {"factor": 1.1}, ValueError, f"factor {FACTOR}, got 1.1"),
    ("ConstantLR", {"factor": -0.5}, ValueError, f"factor {FACTOR}, got -0.5"),
    ("ConstantLR", {"factor": nan}, ValueError, f"factor {FACTOR}, got nan"),
    ("ConstantLR", {"total_iters": 0}, ValueError, "total_iters must be >= 1, got 0"),
    ("ConstantLR", {"total_iters": 2.0}, TypeError, "total_iters must be an integer, got 2.0"),
    ("LinearLR", {"start_factor": 0}, ValueError, f"start_factor {FACTOR}, got 0"),
    ("LinearLR", {"start_factor": 2}, ValueError, f"start_factor {FACTOR}, got 2"),
    ("LinearLR", {"end_factor": 1.5}, ValueError, "end_factor must be finite and in [0, 1]"),
    ("LinearLR", {"end_factor": -0.1}, ValueError, "end_factor must be finite and in [0, 1]"),
    ("LinearLR", {"end_factor": "1"}, TypeError, "end_factor must be a real number, got '1'"),
    ("LinearLR", {"total_iters": 0}, ValueError, "total_iters must be >= 1, got 0"),
    ("PolynomialLR", {"total_iters": 0}, ValueError, "total_iters must be >= 1, got 0"),
    ("PolynomialLR", {"total_iters": "5"}, TypeError, "total_iters must be an integer, got '5'"),
    ("PolynomialLR", {"power": 0}, ValueError, f"power {POSITIVE}, got 0"),
    ("PolynomialLR", {"power": -1.0}, ValueError, f"power {POSITIVE}, got -1.0"),
    ("CosineAnnealingLR", {"T_max": 0}, ValueError, "T_max must be >= 1, got 0"),
    ("CosineAnnealingLR", {"T_max": -5}, ValueError, "T_max must be >= 1, got -5"),
    ("CosineAnnealingLR", {"T_max": 10.0}, TypeError, "T_max must be an integer, got 10.0"),
    ("CosineAnnealingLR", {**COS, "eta_min": -1}, ValueError, "eta_min must be finite and >= 0"),
    ("CosineAnnealingLR", {**COS, "eta_min": nan}, ValueError, "eta_min must be finite and >= 0"),
    ("CosineAnnealingLR", {**COS, "eta_min": None}, TypeError, "eta_min must be a real number"),
    ("CosineAnnealingWarmRestarts", {"T_0": 0}, ValueError, "T_0 must be >= 1, got 0"),
    ("CosineAnnealingWarmRestarts", {"T_0": 1.5}, TypeError, "T_0 must be an integer, got 1.5"),
    ("CosineAnnealingWarmRestarts", {**RESTARTS, "T_mult": 0}, ValueError, "T_mult must be >= 1"),
    ("CosineAnnealingWarmRestarts", {**RESTARTS, "T_mult": 1.5}, TypeError, "T_mult must be an"),
    ("CosineAnnealingWarmRestarts", {**RESTARTS, "eta_min": -1}, ValueError, "eta_min must be"),
    ("CosineAnnealingWarmRestarts", {**RESTARTS, "last_epoch": 2}, KeyError, "no 'initial_lr'"),
    ("CosineAnnealingWarmRestarts", {**RESTARTS, "last_epoch": -2}, ValueError, "last_epoch must"),
    ("CyclicLR", {"base_lr": 0.3, "max_lr": 0.2}, ValueError, "base_lr must be <= max_lr, got 0.3"),
    ("CyclicLR", {**CYCLE, "base_lr": [0.1]}, ValueError, "base_lr must hold one value per group"),
    ("CyclicLR", {**CYCLE, "max_lr": [0.2] * 3}, ValueError, "one value per group, 2, got 3"),
    ("CyclicLR", {**CYCLE, "base_lr": -0.1}, ValueError, "base_lr must be finite and >= 0"),
    ("CyclicLR", {**CYCLE, "max_lr": inf}, ValueError, "max_lr must be finite and >= 0"),
    ("CyclicLR", {**CYCLE, "max_lr": "0.2"}, TypeError, "max_lr must be a real number, got '0.2'"),
    ("CyclicLR", {**CYCLE, "step_size_up": 0}, ValueError, "step_size_up must be >= 1, got 0"),
    ("CyclicLR", {**CYCLE, "step_size_up": 2.0}, TypeError, "step_size_up must be an integer"),
    ("CyclicLR", {**CYCLE, "step_size_down": 0}, ValueError, "step_size_down must be >= 1"),
    ("CyclicLR", {**CYCLE, "mode": "sine"}, ValueError, "mode must be one of 'triangular', "),
    ("CyclicLR", {**CYCLE, "scale_mode": "epochs"}, ValueError, "scale_mode must be one of"),
    ("CyclicLR", {**CYCLE, "gamma": 0}, ValueError, f"gamma {POSITIVE}, got 0"),
    ("CyclicLR", {**CYCLE, "scale_fn": 0.5}, TypeError, "scale_fn must be callable, got 0.5"),
    ("CyclicLR", {**CYCLE, "cycle_momentum": 1}, TypeError, "cycle_momentum must be True or False"),
    ("CyclicLR", {**CYCLE, "base_momentum": 0.95}, ValueError, "<= max_momentum, got 0.95 and 0.9"),
    ("CyclicLR", {**CYCLE, "max_momentum": 1.0}, ValueError, "max_momentum must be finite"),
    ("CyclicLR", {**CYCLE, "base_momentum": [0.8]}, ValueError, "base_momentum must hold one"),
    ("CyclicLR", {**CYCLE, "last_epoch": 4}, KeyError, "has no 'initial_lr'"),
    ("CyclicLR", {**CYCLE, "last_epoch": -2}, ValueError, "last_epoch must be >= -1, got -2"),
    ("OneCycleLR", {"max_lr": 0.1}, ValueError, "total_steps must be given, or both epochs and"),
    ("OneCycleLR", {"max_lr": 0.1, "epochs": 3}, ValueError, "epochs=3, steps_per_epoch=None"),
    ("OneCycleLR", {"max_lr": 0.1, "steps_per_epoch": 3}, ValueError, "total_steps must be given"),
    ("OneCycleLR", {**ONE, "total_steps": 0}, ValueError, "total_steps must be >= 1, got 0"),
    ("OneCycleLR", {**ONE, "total_steps": 10.0}, TypeError, "total_steps must be an integer"),
    (
        "OneCycleLR", {"max_lr": 0.1, "epochs": 0, "steps_per_epoch": 5}, ValueError,
        "epochs must be >= 1, got 0",
    ),
    (
        "OneCycleLR", {"max_lr": 0.1, "epochs": 5, "steps_per_epoch": 0.5}, TypeError,
        "steps_per_epoch must be an integer, got 0.5",
    ),
    ("OneCycleLR", {**ONE, "max_lr": 0}, ValueError, f"max_lr {POSITIVE}, got 0"),
    ("OneCycleLR", {**ONE, "max_lr": [0.1]}, ValueError, "max_lr must hold one value per group"),
    ("OneCycleLR", {**ONE, "pct_start": 1.1}, ValueError, "pct_start must be finite and in [0, 1]"),
    ("OneCycleLR", {**ONE, "pct_start": -0.1}, ValueError, "pct_start must be finite and in"),
    (
        "OneCycleLR", {**ONE, "pct_start": 0.6, "three_phase": True}, ValueError,
        "pct_start must be finite and in [0, 0.5]",
    ),
    ("OneCycleLR", {**ONE, "three_phase": None}, TypeError, "three_phase must be True or False"),
    ("OneCycleLR", {**ONE, "anneal_strategy": "exp"}, ValueError, "anneal_strategy must be one of"),
    ("OneCycleLR", {**ONE, "cycle_momentum": "no"}, TypeError, "cycle_momentum must be True or"),
    ("OneCycleLR", {**ONE, "base_momentum": 0.99}, ValueError, "base_momentum must be <="),
    ("OneCycleLR", {**ONE, "max_momentum": 1}, ValueError, "max_momentum must be finite and in"),
    ("OneCycleLR", {**ONE, "div_factor": 0}, ValueError, f"div_factor {POSITIVE}, got 0"),
    ("OneCycleLR", {**ONE, "final_div_factor": -1}, ValueError, f"final_div_factor {POSITIVE}"),
    ("OneCycleLR", {**ONE, "last_epoch": 3}, KeyError, "'max_lr', 'max_momentum'"),
    ("ReduceLROnPlateau", {"mode": "median"}, ValueError, "mode must be one of 'min', 'max'"),
    ("ReduceLROnPlateau", {"factor": 1.0}, ValueError, "must be finite and in (0, 1), got 1.0"),
    ("ReduceLROnPlateau", {"factor": 0}, ValueError, "must be finite and in (0, 1), got 0"),
    ("ReduceLROnPlateau", {"patience": -1}, ValueError, "patience must be >= 0, got -1"),
    ("ReduceLROnPlateau", {"patience": 2.5}, TypeError, "patience must be an integer, got 2.5"),
    ("ReduceLROnPlateau", {"threshold": -0.1}, ValueError, "threshold must be finite and >= 0"),
    ("ReduceLROnPlateau", {"threshold_mode": "absolute"}, ValueError, "one of 'rel', 'abs'"),
    ("ReduceLROnPlateau", {"cooldown": -2}, ValueError, "cooldown must be >= 0, got -2"),
    ("ReduceLROnPlateau", {"min_lr": [0.1]}, ValueError, "min_lr must hold one value per group"),
    ("ReduceLROnPlateau", {"min_lr": -1}, ValueError, "min_lr must be finite and >= 0, got -1"),
    ("ReduceLROnPlateau", {"min_lr": None}, TypeError, "min_lr must be a real number, got None"),
    ("ReduceLROnPlateau", {"eps": nan}, ValueError, "eps must be finite and >= 0, got nan"),
    ("SWALR", {"swa_lr": -0.1}, ValueError, "swa_lr must be finite and >= 0, got -0.1"),
    ("SWALR", {"swa_lr": [0.1]}, ValueError, "swa_lr must hold one value per group, 2, got 1"),
    ("SWALR", {**SWA, "last_epoch": -2}, ValueError, "last_epoch must be >= -1, got -2"),
    ("SWALR", {**SWA, "anneal_epochs": -1}, ValueError, "anneal_epochs must be >= 0, got -1"),
    ("SWALR", {**SWA, "anneal_epochs": 1.0}, TypeError, "anneal_epochs must be an integer"),
    ("SWALR", {**SWA, "anneal_strategy": "cosine"}, ValueError, "must be one of 'cos', 'linear'"),
    ("WarmupLinearSchedule", {**WARM, "warmup_steps": -1}, ValueError, "warmup_steps must be >= 0"),
    ("WarmupLinearSchedule", {**WARM, "t_total": 1}, ValueError, "t_total must be >= 2, got 1"),
    ("WarmupLinearSchedule", {**WARM, "t_total": 9.0}, TypeError, "t_total must be an integer"),
    ("WarmupLinearSchedule", {"warmup_steps": 0, "t_total": 0}, ValueError, "t_total must be >= 1"),
    ("WarmupCosineSchedule", {**WARM, "t_total": 1}, ValueError, "t_total must be >= 2, got 1"),
    ("WarmupCosineSchedule", {**WARM, "warmup_steps": 0.1}, TypeError, "warmup_steps must be an"),
    ("WarmupCosineSchedule", {**WARM, "cycles": 0}, ValueError, f"cycles {POSITIVE}, got 0"),
    (
        "WarmupCosineWithHardRestartsSchedule", {**WARM, "cycles": -1}, ValueError,
        f"cycles {POSITIVE}, got -1",
    ),
    (
        "WarmupCosineWithHardRestartsSchedule", {**WARM, "warmup_steps": 10}, ValueError,
        "t_total must be >= 10, got 9",
    ),
    (
        "WarmupCosineWithHardRestartsSchedule", {**WARM, "t_total": None}, TypeError,
        "t_total must be an integer, got None",
    ),
    ("NoamLR", {**NOAM, "warmup_steps": 0}, ValueError, "warmup_steps must be >= 1, got 0"),
    ("NoamLR", {**NOAM, "model_size": 0}, ValueError, "model_size must be >= 1, got 0"),
    ("NoamLR", {**NOAM, "model_size": 512.0}, TypeError, "model_size must be an integer"),
    ("InverseSqrtSchedule", {"warmup_steps": -1}, ValueError, "warmup_steps must be >= 0, got -1"),
    ("InverseSqrtSchedule", {"warmup_steps": 1, "timescale": 0}, ValueError, "timescale must be"),
    ("InverseSqrtSchedule", {"warmup_steps": None}, TypeError, "warmup_steps must be an integer"),
    ("WarmupStableDecayLR", {**WSD, "warmup_steps": -1}, ValueError, "warmup_steps must be >= 0"),
    ("WarmupStableDecayLR", {**WSD, "stable_steps": -1}, ValueError, "stable_steps must be >= 0"),
    ("WarmupStableDecayLR", {**WSD, "decay_steps": 0}, ValueError, "decay_steps must be >= 1"),
    ("WarmupStableDecayLR", {**WSD, "decay_type": "sqrt"}, ValueError, "decay_type must be one of"),
    ("WarmupStableDecayLR", {**WSD, "min_lr_ratio": 1.5}, ValueError, "min_lr_ratio must be"),
    ("REXLR", {"total_steps": 0}, ValueError, "total_steps must be >= 1, got 0"),
    ("REXLR", {"total_steps": 1e3}, TypeError, "total_steps must be an integer, got 1000.0"),
    ("GradualWarmupScheduler", {**GRADUAL, "multiplier": 0.5}, ValueError, "multiplier must be"),
    ("GradualWarmupScheduler", {**GRADUAL, "multiplier": nan}, ValueError, "multiplier must be"),
    ("GradualWarmupScheduler", {**GRADUAL, "total_epoch": 0}, ValueError, "total_epoch must be"),
    ("GradualWarmupScheduler", {**GRADUAL, "total_epoch": 5.0}, TypeError, "total_epoch must be"),
    (
        "GradualWarmupScheduler", {**GRADUAL, "after_scheduler": "StepLR"}, TypeError,
        "a member must be a scheduler of optim_scratch, got str",
    ),
    ("SequentialLR", {"schedulers": [], "milestones": []}, ValueError, "at least one scheduler"),
    ("SequentialLR", {"schedulers": 3, "milestones": []}, TypeError, "a sequence of schedulers"),
    ("SequentialLR", {"schedulers": ["StepLR"], "milestones": []}, TypeError, "got str"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments", "error", "message"), TABLE, ids=steady)
def test_refuses(name, arguments, error, message):
    sgd = our_sgd()
    before = repr(sgd.param_groups)
    with pytest.raises(error, match=re.escape(message)):
        getattr(ours, name)(sgd, **arguments)
    assert repr(sgd.param_groups) == before


def test_the_table_is_long_and_leaves_no_scheduler_out():
    assert len(TABLE) >= 100
    named = {name for name, *_ in TABLE} | {"ChainedScheduler"}  # which has tests of its own
    assert named == {method.name for method in registry.methods("scheduler")}


# refusals that take more than an argument


def plain(**more):
    return SimpleNamespace(param_groups=[{"lr": 0.1, "params": [], **more}])


@pytest.mark.parametrize(("kind", "arguments"), [("CyclicLR", CYCLE), ("OneCycleLR", ONE)])
def test_cycling_the_momentum_needs_one(kind, arguments):
    with pytest.raises(ValueError, match="cycle_momentum=True needs an optimizer with momentum or"):
        getattr(ours, kind)(plain(), **arguments)
    getattr(ours, kind)(plain(), **arguments, cycle_momentum=False)
    getattr(ours, kind)(plain(momentum=0.9), **arguments)
    getattr(ours, kind)(our_adam(), **arguments)


def test_one_cycle_is_not_longer_than_its_total():
    scheduler = ours.OneCycleLR(our_sgd(), 0.1, total_steps=3)
    for _ in range(3):
        scheduler.step()
    with pytest.raises(ValueError, match="total_steps must be the number of updates, got 3"):
        scheduler.step()


def both(first, second):
    return [ours.StepLR(first, 2), ours.StepLR(second, 3)]


MADE_OF_OTHERS = {
    "SequentialLR": lambda optimizer, parts: ours.SequentialLR(optimizer, parts, [3]),
    "ChainedScheduler": lambda optimizer, parts: ours.ChainedScheduler(parts, optimizer),
}


@pytest.mark.parametrize("make", MADE_OF_OTHERS.values(), ids=MADE_OF_OTHERS.keys())
def test_members_drive_one_optimizer_need_no_metric_and_come_once(make):
    sgd = our_sgd()
    with pytest.raises(ValueError, match="the same optimizer, but StepLR drives another"):
        make(sgd, both(sgd, our_sgd()))
    with pytest.raises(ValueError, match="must need no metric, got a ReduceLROnPlateau"):
        make(sgd, [ours.StepLR(sgd, 2), ours.ReduceLROnPlateau(sgd)])
    one = ours.StepLR(sgd, 2)
    with pytest.raises(ValueError, match="schedulers must not hold a scheduler twice"):
        make(sgd, [one, one])
    with pytest.raises(ValueError, match="schedulers must not hold a scheduler twice"):
        make(sgd, [one, ours.ChainedScheduler([one, ours.ExponentialLR(sgd, 0.5)])])
    with pytest.raises(TypeError, match="must be a scheduler of optim_scratch, got int"):
        make(sgd, [one, 5])


def test_a_chain_needs_members_of_one_optimizer():
    with pytest.raises(ValueError, match="schedulers must hold at least one scheduler, got none"):
        ours.ChainedScheduler([])
    with pytest.raises(ValueError, match="the same optimizer, but StepLR drives another"):
        ours.ChainedScheduler(both(our_sgd(), our_sgd()))
    with pytest.raises(TypeError, match="schedulers must be a sequence of schedulers, got 7"):
        ours.ChainedScheduler(7)


@pytest.mark.parametrize(
    ("milestones", "error", "message"),
    [
        ([], ValueError, "milestones must be one fewer than the 2 schedulers, got 0"),
        ([3, 5], ValueError, "milestones must be one fewer than the 2 schedulers, got 2"),
        ([0], ValueError, "each of milestones must be >= 1, got 0"),
        ([2.0], TypeError, "each of milestones must be an integer, got 2.0"),
        (3, TypeError, "milestones must be an iterable of integers, got 3"),
    ],
)
def test_a_sequence_needs_its_milestones(milestones, error, message):
    sgd = our_sgd()
    with pytest.raises(error, match=re.escape(message)):
        ours.SequentialLR(sgd, both(sgd, sgd), milestones)


def test_milestones_of_a_sequence_rise():
    sgd = our_sgd()
    parts = [*both(sgd, sgd), ours.StepLR(sgd, 4)]
    for milestones in ([5, 3], [3, 3]):
        with pytest.raises(ValueError, match="milestones must rise"):
            ours.SequentialLR(sgd, parts, milestones)


@pytest.mark.parametrize(("kind", "arguments"), [("CyclicLR", CYCLE), ("OneCycleLR", ONE)])
def test_what_has_rates_of_its_own_does_not_follow_a_warmup(kind, arguments):
    sgd = our_sgd()
    after = getattr(ours, kind)(sgd, **arguments)
    with pytest.raises(ValueError, match=f"must go by the base rate, got a {kind}"):
        ours.GradualWarmupScheduler(sgd, 2, 3, after)
    with pytest.raises(ValueError, match=f"must go by the base rate, got a {kind}"):
        ours.GradualWarmupScheduler(sgd, 2, 3, ours.ChainedScheduler([after]))


def test_a_follower_drives_the_same_optimizer():
    with pytest.raises(ValueError, match="the same optimizer, but StepLR drives another"):
        ours.GradualWarmupScheduler(our_sgd(), 2, 3, ours.StepLR(our_sgd(), 2))


@pytest.mark.parametrize("epoch", [-1, -0.5, math.nan, math.inf])
def test_warm_restarts_refuse_an_impossible_epoch(epoch):
    scheduler = ours.CosineAnnealingWarmRestarts(our_sgd(), 3)
    with pytest.raises(ValueError, match="epoch must be finite and >= 0"):
        scheduler.step(epoch)


ARGUMENTS = {
    **dict(reversed(SIMPLE)), "ReduceLROnPlateau": {}, "WarmupLinearSchedule": WARM,
    "WarmupCosineSchedule": WARM, "WarmupCosineWithHardRestartsSchedule": WARM, "NoamLR": NOAM,
    "InverseSqrtSchedule": {"warmup_steps": 2}, "WarmupStableDecayLR": WSD,
    "REXLR": {"total_steps": 5}, "GradualWarmupScheduler": GRADUAL,
}  # fmt: skip


@pytest.mark.parametrize("name", ARGUMENTS)
def test_refuses_what_has_no_groups(name):
    arguments = ARGUMENTS[name]
    arguments = {"lr_lambda": []} if "lr_lambda" in arguments else arguments
    with pytest.raises(TypeError, match="optimizer must have param_groups, got Parameter"):
        getattr(ours, name)(Parameter(0.0), **arguments)


@pytest.mark.parametrize("name", ARGUMENTS)
def test_refuses_a_state_that_is_none(name):
    scheduler = getattr(ours, name)(our_sgd(), **ARGUMENTS[name])
    before = repr(scheduler.state_dict())
    for state in (None, [], 3):
        with pytest.raises(ValueError, match="state_dict must be a dict with names for keys"):
            scheduler.load_state_dict(state)
    for state in ({}, {"last_epoch": 3}):
        with pytest.raises(ValueError, match=f"it is not of {name}"):
            scheduler.load_state_dict(state)
    assert repr(scheduler.state_dict()) == before


@pytest.mark.parametrize("steps", [0, -1, 2.0])
def test_refuses_to_preview(steps):
    with pytest.raises((TypeError, ValueError), match="steps must be"):
        ours.StepLR(our_sgd(), 3).preview(steps)


@pytest.mark.parametrize("metrics", [5, None])
def test_a_plateau_is_previewed_with_metrics(metrics):
    with pytest.raises(TypeError, match="metrics must be an iterable of numbers"):
        ours.ReduceLROnPlateau(our_sgd()).preview(metrics)


def test_a_plateau_has_no_curve_without_metrics():
    with pytest.raises(TypeError, match="metrics must be an iterable of numbers, got 30"):
        ours.ReduceLROnPlateau.curve(30)


def test_refusals_hold_for_one_group_too():
    with pytest.raises(ValueError, match="T_max must be >= 1, got 0"):
        ours.CosineAnnealingLR(SGD([Parameter(0.0)]), T_max=0)
