"""What the chapter on schedules with a warmup claims."""

from math import cos, pi, sqrt
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from optim_scratch import Parameter, schedulers
from optim_scratch.optimizers import SGD, Adam
from optim_scratch.problems import Digits


def fall(t):
    """Return how much of the fall is done, of 1000 updates with 100 of warmup."""
    return (t - 100) / 900


SHAPES = {
    "WarmupLinearSchedule": lambda t: t / 100 if t < 100 else 1 - fall(t),
    "WarmupCosineSchedule": lambda t: t / 100 if t < 100 else (1 + cos(pi * fall(t))) / 2,
    "NoamLR": lambda t: 10 * min((t + 1) ** -0.5, (t + 1) * 100**-1.5),
    "InverseSqrtSchedule": lambda t: t / 100 if t < 100 else sqrt(100 / t),
    "WarmupStableDecayLR": lambda t: min(1, t / 100) if t < 800 else 1 - sqrt((t - 800) / 200),
}
SETTINGS = {
    "WarmupLinearSchedule": {"t_total": 1000},
    "WarmupCosineSchedule": {"t_total": 1000},
    "NoamLR": {"model_size": 1, "lr": 10},
    "WarmupStableDecayLR": {"stable_steps": 700, "decay_steps": 200},
}


@pytest.mark.parametrize("name", SHAPES)
def test_one_line_each_gives_the_schedulers_rates(name):
    kind = getattr(schedulers, name)
    rates = kind.curve(1000, warmup_steps=100, **SETTINGS.get(name, {}))
    assert rates == pytest.approx([SHAPES[name](t) for t in range(1000)], abs=1e-12)
    assert (rates[-1] < 0.01) == (name not in {"NoamLR", "InverseSqrtSchedule"})


def test_the_first_update_of_a_linear_warmup_has_the_rate_0():
    rates = schedulers.WarmupLinearSchedule.curve(11, lr=0.1, warmup_steps=4, t_total=10)
    assert rates[:2].tolist() == [0, 0.025]
    assert rates[[4, 10]].tolist() == [0.1, 0]


def test_noams_peak():
    rates = schedulers.NoamLR.curve(8000, model_size=512, warmup_steps=4000)
    assert rates.argmax() + 1 == 4000
    assert rates.max() == pytest.approx((512 * 4000) ** -0.5)


def test_gradual_warmup_is_torchs_line_and_another_schedule():
    def gradual(optimizer):
        after = schedulers.StepLR(optimizer, 10, 0.1)
        return schedulers.GradualWarmupScheduler(optimizer, 8, 5, after)

    lr_scheduler = torch.optim.lr_scheduler
    optimizer, used = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.8), []
    rise = lr_scheduler.LinearLR(optimizer, start_factor=1 / 8, total_iters=5)
    after = lr_scheduler.StepLR(optimizer, 10, 0.1)
    both = lr_scheduler.SequentialLR(optimizer, [rise, after], milestones=[6])
    for _ in range(30):
        used.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        both.step()
    assert schedulers.curve(gradual, 30, lr=0.1) == pytest.approx(used, rel=1e-12)


@pytest.mark.parametrize(("length", "last"), [(100, 0.105), (80, 0.0004)])
def test_a_second_schedule_that_is_given_the_whole_length_does_not_arrive(length, last):
    def joined(optimizer):
        rise = schedulers.LinearLR(optimizer, start_factor=0.05, total_iters=20)
        cosine = schedulers.CosineAnnealingLR(optimizer, T_max=length)
        return schedulers.SequentialLR(optimizer, [rise, cosine], milestones=[20])

    assert schedulers.curve(joined, 100, lr=1.0)[-1] == pytest.approx(last, rel=0.05)


def test_the_flaw_takes_the_rate_back_to_the_base_rate():
    def planned(optimizer):
        after = schedulers.StepLR(optimizer, 10, 0.2)
        return schedulers.GradualWarmupScheduler(optimizer, 40, 5, after_scheduler=after)

    optimizer = SimpleNamespace(param_groups=[{"lr": 0.001}])
    stale = schedulers.StepLR(optimizer, 10, 0.2).get_last_lr()[0]
    assert schedulers.curve(planned, 31, lr=0.001)[6] / stale == pytest.approx(40)


def test_both_mistakes_of_the_unit():
    linear = schedulers.WarmupLinearSchedule.curve
    assert linear(90, warmup_steps=100, t_total=1000).max() < 1  # never arrives
    epochs = linear(9000, warmup_steps=5, t_total=90)
    assert epochs[5] == 1
    assert epochs[90:].max() == 0
    again = schedulers.curve(lambda o: schedulers.CosineAnnealingLR(o, T_max=90), 200, lr=1.0)
    assert again[[90, 180]] == pytest.approx([0, 1], abs=1e-12)


def stale(optimizer):
    """Return a gradual warmup that is handed the rate of before the rise."""
    s = schedulers
    after = s.CosineAnnealingLR.curve(899, lr=1.0, T_max=900)
    factors = [*(1 + 9 * np.arange(101) / 100), *after]
    return s.LambdaLR(optimizer, lambda t: factors[min(t, 999)])


def too_long(optimizer):
    """Return a warmup and a cosine that is given the whole length."""
    rise = schedulers.LinearLR(optimizer, start_factor=0.01, total_iters=100)
    after = schedulers.CosineAnnealingLR(optimizer, T_max=1000)
    return schedulers.SequentialLR(optimizer, [rise, after], milestones=[100])


def test_the_three_logs_are_what_their_mistakes_print():
    once_an_epoch = schedulers.WarmupCosineSchedule.curve(3, lr=0.1, warmup_steps=100, t_total=1000)
    logs = {
        "a": schedulers.curve(stale, 1000, lr=0.01),
        "b": schedulers.curve(too_long, 1000, lr=0.1),
        "c": np.repeat(once_an_epoch, 400),  # batches an epoch
    }
    page = (Path(__file__).parents[2] / "book/schedulers/warmup.ipynb").read_text(encoding="utf-8")
    for name, rates in logs.items():
        row = " | ".join(f"{rates[update - 1]:.3f}" for update in (1, 100, 101, 102, 500, 1000))
        assert f"| ({name}) | {row} |" in page
    right = schedulers.WarmupCosineSchedule.curve(1000, lr=0.1, warmup_steps=100, t_total=1000)
    assert f"{right[499]:.3f}" == "0.059"
    assert f"{right[999]:.3f}" == "0.000"


def test_two_over_one_less_beta2_is_as_long_as_radams_warmup():
    """Compare the updates left out, the sum of one less the factor."""
    for beta2 in (0.99, 0.999):
        steps = 100_000
        most = 2 / (1 - beta2) - 1
        k = np.arange(1, steps)
        n = most - 2 * k * beta2**k / (1 - beta2**k)
        room = (n - 4) * (n - 2) * most / ((most - 4) * (most - 2) * n)
        radam = np.sum(1 - np.sqrt(np.where(n > 5, room, 0)))
        line = np.sum(1 - np.minimum(1, k * (1 - beta2) / 2))
        assert radam == pytest.approx(line, rel=0.1)


def test_the_sums_of_noams_fall_and_of_its_squares():
    """The sum grows like 2√k and the squares' like ln k; those of 1/k stay finite."""
    k = np.arange(1.0, 1e6 + 1)
    assert np.sum(k**-0.5) == pytest.approx(2e3, rel=0.01)
    assert np.sum(k**-1.0) == pytest.approx(np.log(1e6) + 0.5772, rel=1e-4)
    assert np.sum(k**-2.0) == pytest.approx(pi**2 / 6, rel=1e-5)


@pytest.mark.parametrize(("length", "most"), [(8, 40), (64, 248), (2048, 4376)])
def test_what_the_short_test_costs(length, most):
    cost, tried = 8 + 32, 8
    while tried < length:
        tried *= 2
        cost += tried + 32
    assert cost == most


LENGTHS = np.array([1, 2, 4, 8, 16, 32, 64])


def weights(method, peak, seeds, factors):
    """Yield the weights of all seeds and lengths, update by update."""
    data = Digits(seed=seeds)
    shape = (len(seeds), len(LENGTHS), data.size)
    w = Parameter(np.broadcast_to(data.start, shape).copy())
    optimizer = method([w], lr=np.ones((len(LENGTHS), 1)))
    for factor, batch in zip(factors, data.batches(5), strict=False):
        optimizer.param_groups[0]["lr"] = peak * factor[:, None]
        w.grad = data.gradient(w.data, batch)
        optimizer.step()
        yield w.data


@pytest.mark.parametrize(
    ("method", "peak", "least", "most"),
    [(Adam, 0.2, 8, 8), (SGD, 1.5, 64, 64), (SGD, 2.4, None, None)],
)
def test_the_short_test_finds_the_length(method, peak, least, most):
    """With other seeds than the chapter's."""
    t = np.arange(1, 161)[:, None]
    rise, seeds = np.minimum(1, t / LENGTHS), range(60, 80)
    first = Digits(seed=seeds).value(Digits(seed=seeds).start)
    losses = np.array([Digits().value(w) for w in weights(method, peak, seeds, rise[:96])])
    tested = np.arange(96)[:, None, None] < LENGTHS + 32
    highest = np.median(np.where(tested, losses, 0).max(axis=0) / first, axis=0)
    calm = LENGTHS[(highest < 1.2) & (LENGTHS >= 8)]
    if least is None:
        assert not len(calm)
        return
    assert least <= calm[0] <= most
    down = np.minimum(rise, (160 - t) / (160 - LENGTHS))
    *_, ends = weights(method, peak, range(60, 80), down)
    right = Digits().accuracy(ends, "validation").mean(axis=0)
    assert right[calm[0] == LENGTHS][0] > right.max() - 0.01
