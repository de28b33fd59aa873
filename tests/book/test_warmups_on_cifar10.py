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


def ends_and_errors():
    """Return the means of the last five epochs in points, and their errors from the zigzag."""
    runs = results.read("article-003").query("seed == 0")
    rate = runs.pivot(index="epoch", columns="recipe", values="lr")
    accuracy = 100 * runs.pivot(index="epoch", columns="recipe", values="test_accuracy")
    change = accuracy.diff().where(rate > 0.6 * rate.shift()).loc[17:]
    return accuracy.loc[26:].mean(), change.std() / 10**0.5


def test_from_one_peak_the_three_schedules_end_level_and_from_three_base_rates_they_do_not():
    end, _ = ends_and_errors()
    assert np.ptp([end[name] for name in AFTERS]) < 0.5
    apart = [end[name] for name in ("step", "multistep", "exponential")]
    assert apart == sorted(apart)
    assert apart[2] - apart[0] > 1.5


def test_the_pair_that_differs_by_the_warmup_ends_level_within_two_errors():
    end, error = ends_and_errors()
    lead = end["warmup-exponential"] - end["exponential"]
    assert 0 < lead < 2 * np.hypot(error["warmup-exponential"], error["exponential"])


def test_the_warmup_is_behind_for_twenty_epochs():
    runs = results.read("article-003").query("seed == 0")
    accuracy = runs.pivot(index="epoch", columns="recipe", values="test_accuracy")
    lead = (accuracy["warmup-exponential"] - accuracy["exponential"]).to_numpy()
    means = lead.reshape(6, 5).mean(axis=1)
    assert (means[:4] < 0).all()
    assert (means[4:] > 0).all()


def test_the_run_without_warmup_has_the_better_first_epoch():
    runs = results.read("article-003").query("seed == 0 and epoch == 1").set_index("recipe")
    others = runs["test_accuracy"].drop("exponential")
    assert runs.loc["exponential", "test_accuracy"] > others.max()
