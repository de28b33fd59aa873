"""What the page on how far one run can be trusted claims."""

import math

import numpy as np
import pytest

from optim_scratch import ladder
from optim_scratch.exercises.one_run import effects, seeds
from optim_scratch.experiments import recipes, results

RUNS = results.read("article-003").merge(results.read("rate-and-schedule"), how="outer")
RUNS = RUNS.query("seed < 2")
ACCURACY = 100 * RUNS.pivot_table("test_accuracy", "epoch", ["recipe", "seed"])
ENDS = ACCURACY.loc[26:].mean().unstack()
SHORT = results.read("optimizers").query("epoch == 10").groupby("recipe")["validation_accuracy"]
SPREADS = 100 * SHORT.std()[SHORT.count() == 3]
MOMENTUM = ladder.row("SGD momentum 0.9").accuracies[-1]


def test_the_formula_is_two_standard_errors():
    rng = np.random.default_rng(0)
    s, delta = 0.87, 1.0
    n = math.ceil(8 * s**2 / delta**2)
    assert n == 7
    means = rng.normal(0, s, (2, 20_000, n)).mean(axis=2)
    assert (means[1] - means[0]).std() == pytest.approx(s * (2 / n) ** 0.5, rel=0.02)
    assert delta >= 2 * s * (2 / n) ** 0.5
    assert delta < 2 * s * (2 / (n - 1)) ** 0.5


def test_how_often_the_least_number_of_runs_and_twice_as_many_show_it():
    rng = np.random.default_rng(0)
    for found, true, share in ((2, 0, 0.046), (2, 2, 0.5), (2, 2 * 2**0.5, 0.8)):
        drawn = true + rng.normal(size=100_000)  # in units of the standard error
        shown = (np.abs(drawn) > found) if true == 0 else (drawn > found)
        assert shown.mean() == pytest.approx(share, abs=0.01)


def test_the_spread_of_short_runs():
    s = np.sqrt((SPREADS**2).mean())
    assert len(SPREADS) >= 9
    assert 0.7 < s < 1
    assert [math.ceil(8 * (s / delta) ** 2) for delta in (2, 1)] == [2, 6 if s < 0.8660 else 7]
    assert 2 * s == pytest.approx(1.8, abs=0.05), "exercise 6: two runs of each"
    assert 2**0.5 * s == pytest.approx(1.2, abs=0.06), "how far two runs are apart"
    assert math.ceil(16 * s**2 / 2**2) == 4


def test_the_verdict_depends_on_epoch_and_seed():
    lead = ACCURACY["step"] - ACCURACY["constant"]
    assert (lead.loc[17] > 1).all()
    assert lead.loc[30, 0] > 1
    assert max(lead.loc[29, 0], *lead.loc[29:30, 1]) < 0


def test_what_wobbles_are_the_weights():
    for _, run in RUNS[RUNS["recipe"] == "constant"].set_index("epoch").groupby("seed"):
        change = 100 * run[["test_accuracy", "train_accuracy"]].diff().loc[17:]
        assert change.corr().iloc[0, 1] > 0.8
        assert change["test_accuracy"].std() / 2**0.5 == pytest.approx(2 / 3, abs=0.05)
    p = ACCURACY.loc[30, "constant"].mean() / 100
    assert 100 * (p * (1 - p) / 10_000) ** 0.5 == pytest.approx(0.4, abs=0.01)


def test_the_spread_of_long_runs_and_a_seed_that_is_lucky_for_most():
    apart = ENDS[1] - ENDS[0]
    assert len(apart) == 9
    s = np.sqrt((apart**2).mean() / 2)
    last = ACCURACY.loc[30].unstack()
    assert s == pytest.approx(np.sqrt(((last[1] - last[0]) ** 2).mean() / 2), rel=0.1)
    assert s < np.sqrt((SPREADS**2).mean())
    assert 2**0.5 * s == pytest.approx(0.5, abs=0.05), "how far two runs are apart"
    assert (apart < 0).sum() == 8


def test_the_pair_is_level_as_far_as_two_runs_can_tell():
    apart = (ENDS[1] - ENDS[0])[["constant", "step"]]
    s = np.sqrt((apart**2).mean() / 2)
    assert s > 0.5
    assert math.ceil(8 * s**2 / 0.5**2) == 10
    assert 2 * s == pytest.approx(1, abs=0.1), "what two runs of each would have shown"
    lead = ENDS.loc["step"] - ENDS.loc["constant"]
    assert lead.to_list() == pytest.approx([0.25, 0.07], abs=0.02)
    assert lead.mean() == pytest.approx(0.2, abs=0.05)


def test_a_decay_and_a_rate_that_harm_alone_and_help_together():
    ends = ENDS.mean(axis=1)
    assert ends["constant"] - ends["exponential-001"] > 5
    assert ends["constant"] - ends["constant-004"] > 3
    assert ends["exponential"] - ends["constant"] == pytest.approx(2.4, abs=0.1)
    grid = ends[["constant", "constant-004", "exponential-001", "exponential"]].to_numpy()
    schedule, rate, diagonal = effects(grid.reshape(2, 2))
    assert abs(schedule) < 0.3
    assert schedule + rate == pytest.approx(diagonal)
    first = [recipes.find(name).optimizer_arguments["lr"] for name in ("constant", "exponential")]
    assert first == [0.01, 0.04]
    of_the_article = [r.name for r in recipes.RECIPES if r.suite == "article-003"][:4]
    assert ends[of_the_article].idxmax() == "exponential", "the best of the runs without warmup"


def not_ahead(name, n, together, draws=20_000):
    """Return how often momentum's mean of n seeds is not above another's, as simulated."""
    other = ladder.row(name).accuracies[-1]
    i, j = np.random.default_rng(5).integers(20, size=(2, draws, n))
    second = other[i if together else j]
    return ((MOMENTUM[i] - second).mean(axis=1) < 1e-9).mean()


def test_momentum_is_better_on_the_digits():
    for name, least, most in (("Adam", 0.3, 0.35), ("SGD", 0.35, 0.5), ("Adagrad", 0.4, 0.51)):
        lead, half = ladder.row("SGD momentum 0.9").lead(ladder.row(name))
        assert least < 100 * lead < most
        assert lead > half


def test_how_often_one_run_misleads_on_the_digits():
    for name in ("Adam", "SGD", "Adagrad"):
        assert 0.24 < not_ahead(name, 1, together=False) < 0.35
    assert not_ahead("Adam", 5, together=False) == pytest.approx(1 / 9, abs=0.01)


def test_where_the_same_seeds_help_on_the_digits():
    for n in (1, 5):
        gains = {
            name: not_ahead(name, n, together=False) - not_ahead(name, n, together=True)
            for name in ("Adagrad", "Adam", "SGD")
        }
        assert gains["Adagrad"] > 0.01
        assert max(gains["Adam"], gains["SGD"]) < 0
    for name in ("Adagrad", "Adam", "SGD"):
        other = ladder.row(name).accuracies[-1]
        assert abs(np.corrcoef(MOMENTUM, other)[0, 1]) < 0.45, "could be chance with twenty"


def test_a_spread_of_three_values_is_often_too_small():
    found = np.random.default_rng(1).normal(size=(100_000, 3)).std(axis=1, ddof=1)
    assert (found < 0.5).mean() == pytest.approx(1 - np.exp(-1 / 4), abs=0.005)


def test_the_numbers_of_the_exercises():
    assert seeds(0.3, 0.3) == 8
    assert 10_000 - 78 * 128 == 16, "the last pictures"
