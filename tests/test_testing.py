"""The battery for optimizers of the reader's own: ours pass it, and each fault is found."""

import copy
from typing import ClassVar

import numpy as np
import pytest
from methods import describe, optimizers

from optim_scratch import ladder, surfaces, testing
from optim_scratch.checks import FLAG, NOT_NEGATIVE, SHARE
from optim_scratch.descent import descend
from optim_scratch.optimizers import SGD, Adam, Lookahead, Muon, Optimizer
from optim_scratch.testing.battery import CHECKS, verdicts
from optim_scratch.testing.battery import MANY_RUNS as RUNS
from optim_scratch.testing.subject import Subject


class Ball(Optimizer):
    """Momentum, as a reader might write it."""

    limits: ClassVar = {"lr": NOT_NEGATIVE, "momentum": SHARE, "maximize": FLAG}

    def __init__(self, params, lr=0.01, momentum=0.9, *, maximize=False):
        super().__init__(params, {"lr": lr, "momentum": momentum, "maximize": maximize})

    def _begin(self, p, h):
        return {"buffer": np.zeros_like(p.data)}

    def _update(self, theta, g, state, h):
        b = state["buffer"]
        b *= h["momentum"]
        b += g
        theta -= h["lr"] * b


class WithoutLimit(Ball):
    def __init__(self, params, lr=0.01, nesterov=False):
        super().__init__(params, lr)


class AcceptingWords(Ball):
    def __init__(self, params, lr=0.01):
        super().__init__(params, float(lr))


class Misspelt(Ball):
    def _check_names(self, group):
        pass


class Uphill(Ball):
    def _update(self, theta, g, state, h):
        super()._update(theta, -g, state, h)


class Maximizer(Ball):
    def _update(self, theta, g, state, h):
        super()._update(theta, -g if h["maximize"] else g, state, h)


class Scribbling(Ball):
    def _update(self, theta, g, state, h):
        g *= h["lr"]
        theta -= g


class Doubling(Ball):
    def _begin(self, p, h):
        return {"buffer": np.zeros(p.shape)}


class Forgetful(Ball):
    def _step_group(self, group):
        super()._step_group(group)
        for p in group["params"]:
            p.data *= 1 - 0.1 * group["lr"]


class Silent(Ball):
    def step(self, closure=None):
        super().step(closure)


class Late(Ball):
    def step(self, closure=None):
        super().step()
        return None if closure is None else closure()


class Defaulting(Ball):
    def _update(self, theta, g, state, h):
        super()._update(theta, g, state, {**h, "lr": self.defaults["lr"]})


class Remembering(Ball):
    def _update(self, theta, g, state, h):
        self.count = getattr(self, "count", 0) + 1
        super()._update(theta, g / self.count, state, h)


class Living(Ball):
    def state_dict(self):
        params = [p for group in self.param_groups for p in group["params"]]
        saved = super().state_dict()
        return {**saved, "state": {i: self.state[p] for i, p in enumerate(params)}}


class Shallow(Ball):
    def __deepcopy__(self, memo):
        return copy.copy(self)


class Noisy(Ball):
    def _update(self, theta, g, state, h):
        super()._update(theta, g + np.random.default_rng().normal(size=g.shape), state, h)


class Normed(Ball):
    def _update(self, theta, g, state, h):
        super()._update(theta, g / (1 + np.linalg.norm(g)), state, h)


class Laid(Ball):
    def _update(self, theta, g, state, h):
        super()._update(theta, g.ravel("K").reshape(theta.shape), state, h)


FAULTS = {
    "every argument has its limits": WithoutLimit,
    "bad values are refused": AcceptingWords,
    "unknown names are refused": Misspelt,
    "it descends a bowl": Uphill,
    "maximize goes uphill": Maximizer,
    "gradients are left alone": Scribbling,
    "the dtype stays": Doubling,
    "without a gradient nothing moves": Forgetful,
    "the closure's loss comes back": Silent,
    "groups are by themselves": Defaulting,
    "runs can be repeated": Noisy,
    "a saved run goes on as it was": Remembering,
    "a saved state is a snapshot": Living,
    "a copy goes its own way": Shallow,
    RUNS: Normed,
    "memory layout does not matter": Laid,
}
DRAG_MORE_ALONG = {"runs can be repeated", "a saved run goes on as it was",
                   "groups are by themselves", "every argument has its limits",
                   "bad values are refused"}  # fmt: skip
"""Faults that others of the checks find too."""


def failures(kind):
    subject = Subject(kind, {}, ((3,), (4, 2), ()))
    return {verdict.check for verdict in verdicts(subject) if verdict.passed is False}


@pytest.mark.parametrize("method", optimizers(), ids=lambda method: method.name)
def test_ours_pass(method):
    if method.rows:
        pytest.skip("is given rows, and no dense gradients")
    description = describe(method.name)
    options = {"shapes": description.shapes, **description.settings[0]}
    if not description.alike:  # it draws noise, for each run another
        options["without"] = [RUNS, "maximize goes uphill"]
    kind = method.load()
    if method.wraps:
        testing.check(lambda p, **rest: description.make(kind, p, **rest), **options)
    else:
        testing.check(kind, **options)


def test_there_is_a_fault_for_each_check():
    assert FAULTS.keys() == CHECKS.keys()


@pytest.mark.parametrize("check", FAULTS)
def test_each_fault_is_found(check):
    found = failures(FAULTS[check])
    assert check in found
    assert found == {check} or check in DRAG_MORE_ALONG


def test_a_closure_that_is_called_late_is_found():
    found = [v for v in testing.examine(Late, digits=False).failed if "closure" in v.check]
    assert "after the parameters have moved" in str(found[0])


def test_check_raises_with_a_line_for_each_fault():
    testing.check(Ball)
    with pytest.raises(AssertionError, match="Doubling fails:\nFAILED   the dtype stays: state"):
        testing.check(Doubling)


def test_what_is_left_out_is_said_to_be():
    report = testing.examine(Normed, digits=False, without=[RUNS])
    assert report.passed
    assert f"skipped  {RUNS}: left out on request" in str(report)


def test_the_curves_are_those_of_single_descents():
    report = testing.examine(Ball, middle=0.1, digits=False)
    assert [curve.surface for curve in report.curves][:2] == [
        surfaces.ravine(20).name, surfaces.ravine(20, 45).name,
    ]  # fmt: skip
    for curve, surface in zip(report.curves[:3], testing.measuring.GROUND, strict=False):
        for i in (0, 8, 12, 20):
            losses = descend(surface, Ball, 500, lr=float(curve.rates[i])).losses
            there = np.flatnonzero(losses <= 0.01 * losses[0])
            assert np.isnan(curve.steps[i]) if not len(there) else curve.steps[i] == there[0]
    rate, steps = report.curves[0].best
    assert steps == np.nanmin(report.curves[0].steps)
    assert rate in report.curves[0].rates


def test_one_that_is_not_elementwise_has_the_curves_of_single_runs():
    together = testing.examine(SGD, middle=0.1, digits=False).curves

    class Single(SGD):
        elementwise = False

    alone = testing.examine(Single, middle=0.1, digits=False).curves
    for one, other in zip(together, alone, strict=True):
        assert np.array_equal(one.steps, other.steps, equal_nan=True)


def test_a_surface_that_nobody_descends():
    report = testing.examine(Uphill, digits=False)
    assert np.isnan(report.curves[0].best[0])
    assert "none arrives within 500 steps" in str(report)


def test_the_line_is_the_ladders():
    """The committed one: the same protocol on the same seeds."""
    report = testing.examine(Ball, middle=0.1)
    committed = ladder.row("SGD momentum 0.9")
    assert report.row.rate == committed.rate
    assert np.allclose(report.row.validation, committed.validation, atol=0.01)
    assert np.allclose(report.row.accuracies, committed.accuracies, atol=0.01)
    assert report.row.state == 1
    assert str(report).splitlines()[-1].startswith("Ball ")


def test_the_figure_has_a_panel_for_each_measurement():
    report = testing.examine(Adam, digits=False)
    (ax,) = report.figure().axes
    assert len(ax.lines) == len(report.curves)
    row = ladder.row("Adam")
    _left, right = testing.Report("Adam", report.verdicts, report.curves, row).figure().axes
    assert len(right.lines) == 3
    with pytest.raises(ValueError, match="nothing to draw"):
        testing.Report("Adam", report.verdicts).figure()


def test_one_that_takes_no_arrays_though_it_should_is_measured_one_by_one():
    report = testing.examine(AcceptingWords, middle=0.1, digits=False)
    assert RUNS in {verdict.check for verdict in report.failed}
    whole = testing.examine(Ball, middle=0.1, digits=False)
    assert np.array_equal(report.curves[0].steps, whole.curves[0].steps, equal_nan=True)


def test_one_that_cannot_be_measured_still_has_a_report():
    class Picky(Ball):
        def _update(self, theta, g, state, h):
            if theta.shape == (21, 2):
                raise RuntimeError("no pairs, please")
            super()._update(theta, g, state, h)

    (failed,) = testing.examine(Picky, digits=False).failed
    assert str(failed) == "FAILED   it can be measured: RuntimeError: no pairs, please"


def test_an_error_is_told_with_the_line_that_raised_it():
    class OneForAll(Ball):
        kept = 0.0

        def _update(self, theta, g, state, h):
            self.kept = self.kept + np.add(g, 0)
            theta -= h["lr"] * self.kept

    failed = {v.check: v.words for v in testing.examine(OneForAll, digits=False).failed}
    assert failed["it descends a bowl"] == (
        "ValueError: operands could not be broadcast together with shapes (3,) (4,2) , "
        "in _update: self.kept = self.kept + np.add(g, 0)"
    )


def test_a_changed_gradient_is_no_fault_of_groups_or_of_many_runs():
    assert failures(Scribbling) == {"gradients are left alone"}


def test_one_that_wants_matrices_has_no_surfaces():
    report = testing.examine(Muon, shapes=[(4, 2)], digits=False)
    assert report.curves == ()
    assert report.passed


def test_a_function_may_make_it():
    report = testing.examine(
        lambda params, lr: Lookahead(SGD(params, lr=lr)), middle=0.1, name="ahead", digits=False
    )
    assert str(report).startswith("ahead\n")
    assert report.passed


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: testing.check(3), TypeError, "optimizer must be a class, or a function"),
        (lambda: testing.check(lambda p, lr: p), TypeError, "must make an Optimizer, got list"),
        (lambda: testing.check(SGD, shapes=[]), ValueError, "shapes must hold at least one"),
        (lambda: testing.check(SGD, without=["the dtype"]), ValueError, "'the dtype stays'"),
        (lambda: testing.examine(SGD, middle=-1, digits=False), ValueError, "middle must be"),
        (lambda: testing.examine(SGD, middle=0, digits=False), ValueError, "middle must be > 0"),
        (lambda: testing.check(SGD, lr="fast"), TypeError, "lr must be a real number"),
    ],
)
def test_refusals(call, error, message):
    with pytest.raises(error, match=message):
        call()
