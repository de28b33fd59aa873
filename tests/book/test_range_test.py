"""What the chapter on the range test claims."""

from functools import cache

import numpy as np
import pytest

from optim_scratch import Parameter
from optim_scratch.optimizers import SGD, Adam
from optim_scratch.problems import Digits, NoisyQuadratic
from optim_scratch.training import lr_range_test

SEEDS = range(20, 25)  # not the page's


@pytest.mark.parametrize("steps", [100, 400, 1600])
def test_the_fall_of_a_range_test_is_the_tests_and_its_wall_comes_late(steps) -> None:
    h, rates = 10.0, np.geomspace(1e-4, 0.4, steps)
    losses = NoisyQuadratic([h], 1.0).expected_losses(rates)[:-1]
    g = np.log(rates[1] / rates[0])
    fall = rates[np.gradient(losses, np.log(rates)).argmin()]
    assert fall == pytest.approx(g / (2 * h), rel=0.08)
    seen = rates[losses > 100 * np.interp(2 / h, rates, losses)][0] / (2 / h)
    assert seen == pytest.approx(1 + np.sqrt(g * np.log(100) / 2), rel=0.2)
    assert seen > 1


def test_a_long_test_has_its_lowest_loss_far_below_the_limit() -> None:
    rates = np.geomspace(1e-4, 0.4, 1600)
    losses = NoisyQuadratic([10.0], 1.0).expected_losses(rates)[:-1]
    lowest = losses.argmin()
    assert 50 < 0.2 / rates[lowest] < 80
    four = rates[lowest:][losses[lowest:] > 4 * losses[lowest]][0]
    assert four == pytest.approx(0.012, abs=1e-3)


MAKES = {
    "SGD": lambda p: SGD(p, lr=1.0),
    "momentum": lambda p: SGD(p, lr=1.0, momentum=0.9),
    "Adam": lambda p: Adam(p, lr=1.0),
}


@cache
def readings(name: str, steps: int) -> tuple[float, float]:
    """Return the medians of the steepest fall and of the rate of the lowest loss."""
    found = []
    for seed in SEEDS:
        data = Digits(seed=seed)
        w, batches = Parameter(data.start), data.batches(epochs=99)
        optimizer = MAKES[name]([w])

        def update(data=data, w=w, batches=batches, optimizer=optimizer):
            batch = next(batches)
            w.grad = data.gradient(w.data, batch)
            z = data.scores(w.data, data.images[batch])
            right = z[np.arange(len(batch)), data.labels[batch]]
            optimizer.step()
            return float(np.mean(np.logaddexp.reduce(z, axis=-1) - right))

        test = lr_range_test(optimizer, update, low=1e-3, high=10.0, steps=steps)
        found.append((test.suggestion, test.rates[test.smoothed.argmin()]))
    steepest, lowest = np.median(found, axis=0)
    return steepest, lowest


@pytest.mark.parametrize("name", ["momentum", "Adam"])
def test_twice_the_updates_suggest_about_half_the_rate(name) -> None:
    falls = [readings(name, steps)[0] for steps in (50, 100, 200, 400, 800)]
    ratios = np.array(falls[:-1]) / falls[1:]
    assert (ratios > 1.25).all()
    assert 1.8 < np.prod(ratios) ** 0.25 < 2.8


BEST = {"SGD": 0.7, "momentum": 0.2, "Adam": 0.03}


@pytest.mark.parametrize("name", MAKES)
def test_the_lowest_loss_settles_a_little_above_the_best_rate(name) -> None:
    short, long = (readings(name, steps)[1] for steps in (50, 800))
    assert short > 2 * BEST[name]
    assert 0.8 < long / BEST[name] < 2.2
    assert 1 / 2 < 0.5 * long / BEST[name] < 1.1  # what the page advises


@pytest.mark.parametrize("name", MAKES)
def test_the_best_rates_are_those_and_a_falling_one_bears_twice(name) -> None:
    many, rates = Digits(seed=SEEDS), BEST[name] * np.array([0.5, 1, 2, 4])
    w = Parameter(np.repeat(many.start, 8, axis=1).reshape(len(SEEDS), 2, 4, -1))
    optimizer = MAKES[name]([w])
    for t, batch in enumerate(many.batches(5)):
        shares = np.array([1, 1 - t / 160])[:, None]
        optimizer.param_groups[0]["lr"] = (shares * rates)[..., None]
        w.grad = many.gradient(w.data, batch)
        optimizer.step()
    constant, falling = np.median(many.loss(w.data, "validation"), axis=0)
    assert constant.argmin() in (0, 1)
    assert falling.argmin() == 2
    assert constant[3] > 2 * constant.min()
