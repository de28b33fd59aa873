"""What the page on schedules that drop the rate claims."""

import warnings

import numpy as np
import pytest

from optim_scratch.schedulers import ConstantLR, LambdaLR, LinearLR, MultiplicativeLR, PolynomialLR


@pytest.mark.parametrize(("first", "last", "whole"), [(0.1, 1.0, 7), (1.0, 0.0, 7), (0.5, 0.2, 1)])
def test_the_ratio_of_a_line(first, last, whole):
    t = np.arange(1, whole + 1)
    rise = last - first
    ratios = (whole * first + t * rise) / (whole * first + (t - 1) * rise)
    line = LinearLR.curve(whole + 1, start_factor=first, end_factor=last, total_iters=whole)
    assert first * np.cumprod(ratios) == pytest.approx(line[1:], abs=1e-12)
    straight = first + rise * t / whole
    assert line[1:] == pytest.approx(straight, abs=1e-12)


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_the_ratio_of_a_power(power):
    t, whole = np.arange(1, 10), 9
    ratios = ((whole - t) / (whole - t + 1)) ** power
    fall = PolynomialLR.curve(12, total_iters=whole, power=power)
    assert np.cumprod(ratios) == pytest.approx(fall[1:10], abs=1e-12)
    assert not fall[9:].any()  # a ratio cannot leave 0


def test_a_curve_that_lambda_lr_overwrites_can_be_rescaled_too():
    curve = LambdaLR.curve(30, lr_lambda=lambda t: 1 / (1 + t / 5))
    rescaled = MultiplicativeLR.curve(30, lr_lambda=lambda t: (4 + t) / (5 + t))
    assert rescaled == pytest.approx(curve, rel=1e-12)


def test_a_linear_decay_has_two_names():
    line = LinearLR.curve(12, start_factor=1, end_factor=0, total_iters=9)
    assert line == pytest.approx(PolynomialLR.curve(12, total_iters=9), abs=1e-12)


@pytest.mark.parametrize("kind", [LinearLR, ConstantLR])
def test_left_at_its_defaults_it_rises_from_a_third(kind):
    rates = kind.curve(30)
    assert rates[0] == pytest.approx(1 / 3)
    assert rates[5:] == pytest.approx(1)
    assert (np.diff(rates) >= 0).all()
    with pytest.raises(ValueError, match="factor"):
        kind.curve(3, **{"start_factor" if kind is LinearLR else "factor": 0})


def test_a_ratio_is_not_asked_for_the_first_epoch():
    asked = []
    MultiplicativeLR.curve(4, lr_lambda=lambda epoch: asked.append(epoch) or 0.5)
    assert asked == [1, 2, 3]


def test_get_lr_is_not_the_rate_in_use():
    torch = pytest.importorskip("torch")
    sgd = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.01)
    schedule = torch.optim.lr_scheduler.StepLR(sgd, 16, 0.2)
    for _ in range(16):
        sgd.step()
        schedule.step()
    with warnings.catch_warnings(action="ignore"):
        assert schedule.get_lr() == pytest.approx([0.0004])
    assert schedule.get_last_lr() == pytest.approx([0.002])
