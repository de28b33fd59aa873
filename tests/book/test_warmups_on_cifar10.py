"""What the report on the article's warmups claims."""

import numpy as np
import pytest

from optim_scratch import schedulers
from optim_scratch.experiments import results

AFTERS = {
    "warmup-step": lambda o: schedulers.StepLR(o, 10, 0.2),
    "warmup-multistep": lambda o: schedulers.MultiStepLR(o, [5, 10, 15, 20, 25], 0.5),
    "warmup-exponential": lambda o: schedulers.ExponentialLR(o, 0.885),
}


def planned(name):
    def build(optimizer):
        after = AFTERS[name](optimizer)
        return schedulers.GradualWarmupScheduler(optimizer, 40, 5, after_scheduler=after)

    return schedulers.curve(build, 31, lr=0.001)[1:]


@pytest.mark.parametrize("name", AFTERS)
def test_the_records_were_trained_with_the_planned_rates(name):
    runs = results.read("article-003").query("recipe == @name")
    assert len(runs)
    for _, run in runs.groupby("seed"):
        assert run["lr"].to_numpy() == pytest.approx(planned(name), rel=1e-12)


def by_seed(measure="test_accuracy"):
    """Return a table of the two seeds that all six runs have: recipes and seeds by epochs."""
    runs = results.read("article-003").query("seed < 2")
    return runs.pivot_table(measure, "epoch", ["recipe", "seed"])


def ends():
    """Return the means of the last five epochs in points, recipes by seeds."""
    return 100 * by_seed().loc[26:].mean().unstack()


def test_from_one_peak_the_three_schedules_end_level_and_from_three_base_rates_they_do_not():
    means = ends().mean(axis=1)
    assert np.ptp([means[name] for name in AFTERS]) < 0.5
    apart = [means[name] for name in ("step", "multistep", "exponential")]
    assert apart == sorted(apart)
    assert apart[2] - apart[0] == pytest.approx(2, abs=0.3)


def test_with_both_seeds_the_warmup_with_the_higher_peak_ends_higher():
    for kind in ("step", "multistep"):
        assert (ends().loc[f"warmup-{kind}"] > ends().loc[kind]).all()
        assert (by_seed("lr")[f"warmup-{kind}"].max() > by_seed("lr")[kind].max()).all()


def test_the_pair_that_differs_by_the_warmup_ends_level():
    lead = ends().loc["warmup-exponential"] - ends().loc["exponential"]
    assert lead.to_list() == pytest.approx([0.5, -0.1], abs=0.06)
    peaks = by_seed("lr").max().unstack()
    assert peaks.loc["warmup-exponential"].to_list() == pytest.approx(peaks.loc["exponential"])


def test_the_warmup_is_behind_for_twenty_epochs():
    table = by_seed()
    lead = (table["warmup-exponential"] - table["exponential"]).to_numpy()
    means = 100 * lead.reshape(6, 5, 2).mean(axis=1)
    assert (means[:4] < -0.4).all()
    assert np.abs(means[4:]).max() < 0.6


def test_the_run_without_warmup_has_the_better_first_epoch():
    first = 100 * by_seed().loc[1].unstack()
    others = first.drop("exponential")
    assert (first.loc["exponential"] > others.max()).all()
    lead = first.loc["exponential"] - first.loc["warmup-exponential"]
    assert lead.round().isin([7, 8, 9, 10]).all()
