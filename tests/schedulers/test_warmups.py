"""Schedules that torch has not, against their sources' formulas and numbers."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scheduling import OPTIMIZERS, RATES, build, hand_over, our_sgd, same, stepped, trace
from torch.optim import lr_scheduler

from optim_scratch import schedulers as ours
from optim_scratch.experiments import recipes
from optim_scratch.experiments.assembly import scheduler_for

FILE = json.loads((Path(__file__).parent / "transformers_rates.json").read_text())
NAMES = {
    "get_linear_schedule_with_warmup": "WarmupLinearSchedule",
    "get_cosine_schedule_with_warmup": "WarmupCosineSchedule",
    "get_cosine_with_hard_restarts_schedule_with_warmup": "WarmupCosineWithHardRestartsSchedule",
    "get_inverse_sqrt_schedule": "InverseSqrtSchedule",
    "get_wsd_schedule": "WarmupStableDecayLR",
}
ARGUMENTS = {
    "num_warmup_steps": "warmup_steps",
    "num_training_steps": "t_total",
    "num_cycles": "cycles",
    "num_stable_steps": "stable_steps",
    "num_decay_steps": "decay_steps",
}
SETTINGS = [
    ("WarmupLinearSchedule", {"warmup_steps": 10, "t_total": 60}),
    ("WarmupCosineSchedule", {"warmup_steps": 10, "t_total": 60}),
    ("WarmupCosineWithHardRestartsSchedule", {"warmup_steps": 5, "t_total": 60, "cycles": 3}),
    ("NoamLR", {"model_size": 64, "warmup_steps": 20}),
    ("InverseSqrtSchedule", {"warmup_steps": 20}),
    ("WarmupStableDecayLR", {"warmup_steps": 5, "stable_steps": 20, "decay_steps": 20}),
    ("REXLR", {"total_steps": 50}),
    ("GradualWarmupScheduler", {"multiplier": 8, "total_epoch": 10}),
]
settings = pytest.mark.parametrize(("name", "arguments"), SETTINGS, ids=str)


def rates_of(case):
    """A case's rates, ours and those of transformers."""
    arguments = {ARGUMENTS.get(k, k): v for k, v in case["arguments"].items()}
    steps = len(case["rates"])
    if case["name"] == "get_cosine_schedule_with_warmup":
        steps = arguments["t_total"] + 1  # after it theirs climbs back
    rates = getattr(ours, NAMES[case["name"]]).curve(steps, lr=FILE["lr"], **arguments)
    return rates, np.array(case["rates"][:steps])


@pytest.mark.parametrize("case", FILE["cases"], ids=lambda c: f"{c['name']}-{c['arguments']}")
def test_equals_the_numbers_of_transformers(case):
    rates, expected = rates_of(case)
    np.testing.assert_allclose(rates, expected, rtol=1e-12, atol=1e-17)
    assert (rates[0], rates.max()) == (expected[0], pytest.approx(FILE["lr"], rel=1e-12))
    assert rates[-1] == pytest.approx(expected[-1], rel=1e-12, abs=1e-17)


def test_the_numbers_are_of_a_named_version():
    assert FILE["transformers"] == "4.57.1"
    assert {case["name"] for case in FILE["cases"]} == set(NAMES)


# WarmupLinearSchedule and its kin


@given(st.integers(0, 60), st.integers(1, 200))
def test_a_linear_warmup_is_a_lambda(warmup, decay):
    total = warmup + decay

    def height(t):
        return t / warmup if t < warmup else max(0.0, (total - t) / decay)

    rates = ours.WarmupLinearSchedule.curve(250, warmup_steps=warmup, t_total=total)
    same(rates, ours.LambdaLR.curve(250, lr_lambda=height))


def test_the_first_update_of_a_warmup_from_0_does_nothing():
    rates = ours.WarmupLinearSchedule.curve(102, lr=0.3, warmup_steps=4, t_total=100)
    assert rates[:5].tolist() == pytest.approx([0.0, 0.075, 0.15, 0.225, 0.3])
    assert rates[[52, 100, 101]].tolist() == [0.15, 0.0, 0.0]


@given(st.integers(0, 50), st.integers(1, 100))
def test_warmup_and_cosine_meet_at_the_top(warmup, decay):
    rates = ours.WarmupCosineSchedule.curve(
        warmup + decay + 20, warmup_steps=warmup, t_total=warmup + decay
    )
    assert rates[warmup] == 1
    same(rates[:warmup], np.arange(warmup) / max(1, warmup))
    cosine = (1 + np.cos(np.pi * np.arange(decay) / decay)) / 2
    np.testing.assert_allclose(rates[warmup : warmup + decay], cosine, rtol=1e-9)
    assert not rates[warmup + decay :].any()


def test_hard_restarts_are_equally_long():
    rates = ours.WarmupCosineWithHardRestartsSchedule.curve(
        100, warmup_steps=10, t_total=100, cycles=3
    )
    assert np.flatnonzero(rates == 1).tolist() == [10, 40, 70]
    assert rates[[39, 69]] == pytest.approx((1 + math.cos(math.pi * 29 / 30)) / 2)


@given(st.integers(1, 1024), st.integers(1, 200))
def test_noam_is_the_papers_formula_from_its_first_update(d, W):
    k = np.arange(1, 301)
    same(
        ours.NoamLR.curve(300, model_size=d, warmup_steps=W),
        d**-0.5 * np.minimum(k**-0.5, k * W**-1.5),
    )


def test_noam_peaks_at_its_last_warmup_update():
    rates = ours.NoamLR.curve(10_000, model_size=512, warmup_steps=4000)
    assert int(rates.argmax()) + 1 == 4000
    assert rates.max() == pytest.approx(1 / math.sqrt(512 * 4000), rel=1e-12)
    assert rates[0] == pytest.approx(512**-0.5 * 4000**-1.5, rel=1e-12)


def test_the_inverse_root_is_noams_in_units_of_the_peak():
    noam = ours.NoamLR.curve(400, model_size=1, warmup_steps=50)
    root = ours.InverseSqrtSchedule.curve(401, warmup_steps=50)
    same(root[50:], noam[49:] / noam.max())


@pytest.mark.parametrize("decay", ["1-sqrt", "linear", "cosine"])
def test_the_stable_schedule_keeps_to_its_three_lengths(decay):
    rates = ours.WarmupStableDecayLR.curve(
        60, warmup_steps=10, stable_steps=20, decay_steps=15, decay_type=decay, min_lr_ratio=0.2
    )
    assert np.flatnonzero(rates == 1).tolist() == list(range(10, 31))
    assert rates[[0, 45, 59]] == pytest.approx([0.2, 0.2, 0.2])
    assert np.all(np.diff(rates[:11]) > 0)
    assert np.all(np.diff(rates[30:46]) < 0)
    assert rates[5] == pytest.approx(0.6)


def test_rex_is_the_papers_formula():
    u = np.minimum(1, np.arange(130) / 100)
    same(ours.REXLR.curve(130, total_steps=100), (1 - u) / (0.5 + 0.5 * (1 - u)))


# GradualWarmupScheduler

RISE = [0.0088, 0.0166, 0.0244, 0.0322, 0.04]
AFTER = {
    "warmup-step": [0.04] * 10 + [0.008] * 10 + [0.0016] * 5,
    "warmup-multistep": [r for r in (0.04, 0.02, 0.01, 0.005, 0.0025) for _ in range(5)],
    "warmup-exponential": [0.04 * 0.885 ** (e - 6) for e in range(6, 31)],
}


@pytest.mark.parametrize("name", AFTER)
@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS.keys())
def test_the_thirty_rates_of_the_articles_warmup_runs(name, make):
    recipe = recipes.find(name)
    assert recipe.scheduler_steps == "start"
    optimizer = make()
    for group in optimizer.param_groups:
        if isinstance(group["lr"], torch.Tensor):
            group["lr"].fill_(recipe.optimizer_arguments["lr"])
        else:
            group["lr"] = recipe.optimizer_arguments["lr"]
    scheduler = scheduler_for(
        optimizer, {"scheduler": recipe.scheduler, **recipe.scheduler_arguments}
    )
    stepped(optimizer)
    rates = []
    for _ in range(30):
        scheduler.step()
        rates.append(float(optimizer.param_groups[0]["lr"]))
    np.testing.assert_allclose(rates, RISE + AFTER[name], rtol=1e-12)


AFTERS = [
    ("StepLR", {"step_size": 3, "gamma": 0.5}),
    ("MultiStepLR", {"milestones": [0, 4]}),
    ("ExponentialLR", {"gamma": 0.9}),
    ("LambdaLR", {"lr_lambda": lambda t: 1 / (2 + t)}),
    ("MultiplicativeLR", {"lr_lambda": lambda t: 0.9}),
    ("ConstantLR", {"factor": 0.5, "total_iters": 3}),
    ("LinearLR", {"start_factor": 0.5, "total_iters": 4}),
    ("PolynomialLR", {"total_iters": 30, "power": 2.0}),
    ("CosineAnnealingLR", {"T_max": 20, "eta_min": 0.01}),
    ("CosineAnnealingWarmRestarts", {"T_0": 4, "T_mult": 2}),
    ("REXLR", {"total_steps": 25}),
    ("SWALR", {"swa_lr": 0.05, "anneal_epochs": 5}),
]


@pytest.mark.parametrize(("name", "arguments"), AFTERS, ids=lambda v: v if type(v) is str else "")
@pytest.mark.parametrize("multiplier", [1, 4.0])
@pytest.mark.parametrize("length", [1, 7])
def test_what_follows_begins_from_the_peak(name, arguments, multiplier, length):
    """Its rates are those that it has by itself from the peak as the base rate."""
    sgd = our_sgd()
    after = build(name, arguments, sgd)
    rates = trace(ours.GradualWarmupScheduler(sgd, multiplier, length, after), length + 31)[:, 0]
    t, low = np.arange(length + 1), 0 if multiplier == 1 else 1
    rise = RATES[0] * (low + (multiplier - low) * t / length)
    alone = getattr(ours, name).curve(30, lr=RATES[0] * multiplier, **arguments)
    np.testing.assert_allclose(rates, [*rise, *alone], rtol=1e-12)


def test_without_a_follower_the_rate_stays_at_the_peak():
    rates = ours.GradualWarmupScheduler.curve(50, lr=0.01, multiplier=3, total_epoch=5)
    assert rates[5:] == pytest.approx(0.03)


def test_a_composition_may_follow():
    sgd = our_sgd()
    pair = [ours.ConstantLR(sgd, 0.5, 2), ours.ExponentialLR(sgd, 0.1)]
    follow = ours.SequentialLR(sgd, [ours.ChainedScheduler(pair), ours.StepLR(sgd, 1, 0.5)], [3])
    rates = trace(ours.GradualWarmupScheduler(sgd, 2, 2, follow), 8)[:, 0]
    same(rates, RATES[0] * np.array([1, 1.5, 2, 1, 0.1, 0.02, 2, 1]))


def test_it_may_itself_be_composed():
    sgd = our_sgd()
    warm = ours.GradualWarmupScheduler(sgd, 2, 2, ours.StepLR(sgd, 1, 0.5))
    parts = [warm, ours.LambdaLR(sgd, lambda t: 7.0)]
    rates = trace(ours.SequentialLR(sgd, parts, [5]), 7)[:, 0]
    same(rates, RATES[0] * np.array([1, 1.5, 2, 2, 1, 7, 7]))


@pytest.mark.parametrize("multiplier", [1, 5])
def test_a_plateau_may_follow(multiplier):
    """It is asked from the epoch after the rise on, and counts from there."""
    sgd = our_sgd()
    plateau = ours.ReduceLROnPlateau(sgd, factor=0.5, patience=1)
    scheduler = ours.GradualWarmupScheduler(sgd, multiplier, 4, plateau)
    rates = []
    for _ in range(12):
        rates.append(sgd.param_groups[0]["lr"] / RATES[0])
        scheduler.step(metrics=1.0)
    low = 0 if multiplier == 1 else 1
    rise = [low + (multiplier - low) * t / 4 for t in range(4)]
    m = multiplier
    assert rates == pytest.approx([*rise, m, m, m, m / 2, m / 2, m / 4, m / 4, m / 8])
    assert plateau.last_epoch == 8


def test_a_warmup_before_a_plateau_is_previewed_with_metrics():
    sgd = our_sgd()
    plateau = ours.ReduceLROnPlateau(sgd, factor=0.5, patience=1)
    scheduler = ours.GradualWarmupScheduler(sgd, 5, 4, plateau)
    metrics = [1.0] * 12
    foretold = scheduler.preview(metrics)
    assert (scheduler.last_epoch, plateau.last_epoch) == (0, 0)
    rates = [[group["lr"] for group in sgd.param_groups]]
    for metric in metrics:
        scheduler.step(metrics=metric)
        rates.append(scheduler.get_last_lr())
    assert np.array_equal(foretold, rates)


def test_a_plateau_needs_its_metric_once_the_rise_is_over():
    sgd = our_sgd()
    scheduler = ours.GradualWarmupScheduler(sgd, 2, 3, ours.ReduceLROnPlateau(sgd))
    for _ in range(3):
        scheduler.step()
    with pytest.raises(TypeError, match="metrics must be a number, got None"):
        scheduler.step()


def warmup_before_a_plateau():
    sgd = our_sgd()
    plateau = ours.ReduceLROnPlateau(sgd, factor=0.5, patience=0)
    return ours.GradualWarmupScheduler(sgd, 2, 2, plateau)


@pytest.mark.parametrize("kind", [float, np.float32, torch.tensor, lambda x: torch.tensor([x])])
def test_a_metric_may_come_without_its_name(kind):
    by_name, without = warmup_before_a_plateau(), warmup_before_a_plateau()
    for metric in (3.0, 2.0, 9.0, 1.0, 1.5, 1.5):
        by_name.step(metrics=metric)
        without.step(kind(metric))
        assert without.get_last_lr() == by_name.get_last_lr()
        assert without.after_scheduler.best == by_name.after_scheduler.best


@pytest.mark.parametrize(
    ("unnamed", "message"),
    [
        ((3,), r"takes no epoch, got 3: .* say step\(metrics=3\)"),
        ((True,), "takes no epoch, got True"),
        ((np.int64(3),), "takes no epoch, got 3"),
        ((torch.tensor(3),), "takes no epoch, got 3"),
        ((3, 0.5), r"takes one metric and no epoch, got \(3, 0.5\)"),
        ((0.5, 0.25), "takes one metric and no epoch"),
    ],
)
@pytest.mark.parametrize("done", [0, 4])
def test_an_epoch_is_not_taken_for_a_metric(unnamed, message, done):
    """The package's step takes the epoch first."""
    scheduler = warmup_before_a_plateau()
    for _ in range(done):
        scheduler.step(1.0)
    before = scheduler.state_dict(), scheduler.get_last_lr()
    with pytest.raises(TypeError, match=message):
        scheduler.step(*unnamed)
    with pytest.raises(TypeError, match="takes one metric and no epoch"):
        scheduler.step(3, metrics=0.5)
    assert (scheduler.state_dict(), scheduler.get_last_lr()) == before
    scheduler.step(metrics=3)


def test_a_warmup_that_needs_no_metric_refuses_an_epoch():
    scheduler = ours.GradualWarmupScheduler(our_sgd(), 2, 3)
    for epoch in [(3,), (3.0,), (3, 0.5)]:
        with pytest.raises(TypeError, match=r"step\(\) takes no epoch, got"):
            scheduler.step(*epoch)
    scheduler.step(None)
    assert scheduler.last_epoch == 1


@pytest.mark.parametrize("at", [0, 3, 4, 5, 6, 11])
@pytest.mark.parametrize("kind", ["none", "step", "plateau"])
def test_gradual_warmup_resumes_from_its_state_dict(at, kind):
    def make():
        sgd = our_sgd()
        after = {
            "none": None,
            "step": ours.StepLR(sgd, 2, 0.5),
            "plateau": ours.ReduceLROnPlateau(sgd, factor=0.5, patience=1),
        }[kind]
        return ours.GradualWarmupScheduler(sgd, 3, 4, after)

    def run(scheduler, steps):
        rows = []
        for _ in range(steps):
            rows.append([group["lr"] for group in scheduler.optimizer.param_groups])
            scheduler.step(metrics=1.0)
        return rows

    full, first, second = make(), make(), make()
    reference = run(full, 20)
    run(first, at)
    second.load_state_dict(first.state_dict())
    hand_over(first.optimizer, second.optimizer)
    assert run(second, 20 - at) == reference[at:]


def test_a_state_with_another_follower_is_refused():
    def make(follower):
        sgd = our_sgd()
        return ours.GradualWarmupScheduler(sgd, 2, 3, follower and follower(sgd))

    bare, stepped = make(None), make(lambda sgd: ours.StepLR(sgd, 2))
    with pytest.raises(
        ValueError,
        match=r"'after_scheduler'\] has .*, for which there must be .* a scheduler, got None",
    ):
        bare.load_state_dict(stepped.state_dict())
    with pytest.raises(ValueError, match="must be of StepLR, got one of ExponentialLR"):
        stepped.load_state_dict(make(lambda sgd: ours.ExponentialLR(sgd, 0.5)).state_dict())


# all of them


@settings
def test_drives_every_optimizer_alike(name, arguments):
    traces = [trace(build(name, arguments, make()), 50) for make in OPTIMIZERS.values()]
    for other in traces[1:]:
        same(other, traces[0])


@settings
@pytest.mark.parametrize("at", [1, 20])
def test_resumes_from_its_state_dict(name, arguments, at):
    reference = trace(build(name, arguments), 48)
    first, second = build(name, arguments), build(name, arguments)
    trace(first, at)
    second.load_state_dict(first.state_dict())
    hand_over(first.optimizer, second.optimizer)
    same(trace(second, 48 - at), reference[at:])


@pytest.mark.parametrize(("name", "arguments"), SETTINGS[:-1], ids=str)
def test_resumes_by_last_epoch(name, arguments):
    """Gradual warmup has no `last_epoch`."""
    done, optimizer = build(name, arguments), our_sgd()
    trace(done, 11)
    hand_over(done.optimizer, optimizer)
    same(trace(build(name, arguments, optimizer, last_epoch=10), 35), trace(done, 35))


@settings
def test_preview_changes_nothing(name, arguments):
    scheduler = build(name, arguments)
    trace(scheduler, 3)
    before = repr(scheduler.state_dict()), repr(scheduler.optimizer.param_groups)
    foretold = scheduler.preview(40)
    assert (repr(scheduler.state_dict()), repr(scheduler.optimizer.param_groups)) == before
    same(foretold, trace(scheduler, 40)[:, [0, 3]])


@settings
def test_a_rate_set_by_hand_is_overwritten(name, arguments):
    scheduler, other = build(name, arguments), build(name, arguments)
    scheduler.optimizer.param_groups[0]["lr"] = 7.0
    scheduler.step()
    other.step()
    assert scheduler.get_last_lr() == other.get_last_lr()


def test_torchs_sequence_gives_the_same_gradual_warmup():
    """With torch's own classes: a line over W steps, its top once more, then the follower."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(()))], lr=0.04)
    line = lr_scheduler.LinearLR(optimizer, start_factor=1 / 40, total_iters=5)
    after = lr_scheduler.ExponentialLR(optimizer, 0.885)
    scheduler = lr_scheduler.SequentialLR(optimizer, [line, after], [6])
    rates = []
    for _ in range(30):
        optimizer.step()
        scheduler.step()
        rates.append(optimizer.param_groups[0]["lr"])
    np.testing.assert_allclose(rates, RISE + AFTER["warmup-exponential"], rtol=1e-12)
