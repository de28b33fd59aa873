"""What the chapter on Adam's relatives claims."""

import numpy as np
import pytest

from optim_scratch import Parameter, descend, ladder, surfaces
from optim_scratch.optimizers import AdaBelief, Adam, Adamax, Adan, NAdam, RAdam
from optim_scratch.problems import Digits


def drift(method, ratio) -> float:
    """How far a step goes on average, at the rate 1, against noise of size 1."""
    rng = np.random.default_rng(7)
    w = Parameter(np.zeros(1500))
    optimizer = method([w], lr=1.0)
    for t in range(500):
        if t == 200:
            start = w.data.mean()
        w.grad = rng.standard_normal(1500) + ratio
        optimizer.step()
    return (start - w.data.mean()) / 300


@pytest.mark.parametrize(
    ("method", "factor"), [(Adam, 1), (Adamax, 0.37), (NAdam, 1), (AdaBelief, 1.09), (Adan, 0.47)]
)
def test_under_noise_each_is_adam_at_another_rate(method, factor) -> None:
    assert drift(method, 0.2) == pytest.approx(0.2 * factor, rel=0.06)


def test_without_noise_adabelief_goes_its_own_way() -> None:
    assert drift(Adam, 10) == pytest.approx(1, abs=0.01)
    assert drift(NAdam, 10) == pytest.approx(1, abs=0.01)
    assert drift(AdaBelief, 10) > 5


@pytest.mark.parametrize("beta1", [0.5, 0.9])
def test_the_constant_of_adabelief(beta1) -> None:
    noise, m, off = np.random.default_rng(0).standard_normal((2000, 400)), np.zeros(400), []
    for g in noise:
        m = beta1 * m + (1 - beta1) * g
        off.append(np.mean((g - m) ** 2))
    assert np.mean(off[100:]) == pytest.approx(2 * beta1**2 / (1 + beta1), rel=0.01)
    assert (0.9 + 0.95) * 0.9**0.5 > 1.083 == pytest.approx((1.9 / 2 / 0.81) ** 0.5, abs=5e-4)


def test_adabelief_on_the_digits_is_adam_with_longer_steps() -> None:
    digits, quotients = Digits(seed=4), []
    w, shadow = Parameter(digits.start), Parameter(digits.start)
    adam, belief = Adam([w], lr=0.016), AdaBelief([shadow], lr=0.016)
    for batch in digits.batches(6):
        w.grad = shadow.grad = digits.gradient(w.data, batch)
        before = w.data.copy(), shadow.data.copy()
        adam.step()
        belief.step()
        one, other = w.data - before[0], shadow.data - before[1]
        seen = np.abs(one) > 1e-5
        quotients.append(other[seen] / one[seen])
    low, middle, high = np.quantile(np.concatenate(quotients[32:]), [0.05, 0.5, 0.95])
    assert low > 1.05
    assert middle == pytest.approx(1.09, abs=0.02)
    assert high < 1.3


def factor(t, beta2=0.999) -> tuple[float, float]:
    """RAdam's number of squares and its factor, from the class: steps at a steady gradient."""
    end = 2 / (1 - beta2) - 1
    rho = end - 2 * t * beta2**t / (1 - beta2**t)
    if rho <= 5:
        return rho, 0.0
    return rho, ((rho - 4) * (rho - 2) * end / ((end - 4) * (end - 2) * rho)) ** 0.5


def test_radams_steps_are_a_warmup() -> None:
    w, moved = Parameter([0.0]), [0.0]
    radam = RAdam([w], lr=1.0)
    for _ in range(1000):
        w.grad, before = [0.3], w.data[0]
        radam.step()
        moved.append(before - w.data[0])
    np.testing.assert_allclose(moved[1:6], 0.3)
    for t in (6, 100, 160, 300, 500, 1000):
        assert moved[t] == pytest.approx(factor(t)[1], rel=1e-6)
    assert moved[160] < 0.3
    assert moved[300] == pytest.approx(0.4, abs=0.04)
    assert moved[500] < 0.5
    for t in (100, 300, 1000):
        assert moved[t] == pytest.approx((t / 2000) ** 0.5, rel=0.1)


def test_radam_withholds_as_much_as_a_linear_warmup() -> None:
    t = np.arange(6, 6001)
    withheld = sum(1 - factor(each)[1] for each in t)
    assert withheld == pytest.approx(np.sum(1 - np.minimum(1, t / 2000)), rel=0.05)


def test_adamax_after_a_spike() -> None:
    lengths = {}
    for method in (Adam, Adamax):
        rng, w, moved = np.random.default_rng(3), Parameter(np.zeros(200)), []
        optimizer = method([w], lr=1.0)
        for t in range(600):
            w.grad, before = rng.standard_normal(200), w.data.copy()
            if t == 300:
                w.grad = np.full(200, 100.0)
            optimizer.step()
            moved.append(np.sqrt(np.mean((w.data - before) ** 2)))
        lengths[method] = np.mean(moved[200:300]) / np.mean(moved[450:550]), max(moved[300:])
    assert 4 < lengths[Adam][0] < 6
    assert 25 < lengths[Adamax][0] < 35
    assert lengths[Adam][1] > 1.3
    assert lengths[Adamax][1] < 1.1
    assert pytest.approx(3.16, abs=0.01) == (1 - 0.9) / (1 - 0.999) ** 0.5


@pytest.mark.parametrize("angle", [0, 45])
def test_nadam_brakes(angle) -> None:
    valley = surfaces.ravine(20, angle)
    adam, nadam = (descend(valley, m, 100, lr=0.5).final_loss for m in (Adam, NAdam))
    assert nadam < 0.01 * adam


def test_the_divisor_of_adan() -> None:
    g = np.random.default_rng(0).standard_normal(200_000)
    variance = np.var(g[1:] + 0.92 * np.diff(g))
    assert variance == pytest.approx(1.92**2 + 0.92**2, rel=0.01)
    assert 4.45 < variance < 4.6


def lost(method, rate, warmup=1):
    digits = Digits(seed=range(60, 80))
    w = Parameter(digits.start)
    optimizer = method([w], lr=rate)
    for t, batch in enumerate(digits.batches(10)):
        optimizer.param_groups[0]["lr"] = rate * min(1, (t + 1) / warmup) * (1 - t / 320)
        w.grad = digits.gradient(w.data, batch)
        optimizer.step()
    return digits.loss(w.data, "test").mean()


def test_a_wrong_rate_costs_more_than_a_line_gains() -> None:
    """With other seeds than the page's, at its rates."""
    adam = lost(Adam, 0.064)
    rates = {Adamax: 0.128, NAdam: 0.064, RAdam: 0.256, AdaBelief: 0.032, Adan: 0.064}
    gains = {method: adam - lost(method, rate) for method, rate in rates.items()}
    assert lost(Adam, 0.128) - adam > max(gains.values())
    assert gains[RAdam] == pytest.approx(adam - lost(Adam, 0.064, warmup=32), abs=0.006)
    assert abs(gains[AdaBelief]) < 0.01


def test_the_ladders_lines() -> None:
    read = {row.name: row.accuracies.mean(axis=1) for row in ladder.rows()}
    for name in ("Adamax", "NAdam", "AdaBelief", "Adan"):
        assert abs(read[name][-1] - read["Adam"][-1]) < 0.004
    assert read["RAdam"][0] < read["Adam"][0] - 0.2
