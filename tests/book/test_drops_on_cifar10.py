"""What the report on drops of the rate claims."""

import json

import numpy as np
import pytest

from optim_scratch.experiments import results

MEASURES = ("train_loss", "test_loss", "test_accuracy")


def watched(name):
    path = results.find(f"article-003/floor/{name}-seed0.json")
    return {epoch["epoch"]: epoch["looks"] for epoch in json.loads(path.read_text())["epochs"]}


def level_and_centre(name, measure, epochs):
    looks = [look for epoch in epochs for look in watched(name)[epoch]]
    return np.mean([look[measure] for look in looks]), looks[-1][f"average_{measure}"]


def article_003():
    return results.read("article-003").query("seed == 0").set_index(["recipe", "epoch"])


@pytest.mark.parametrize("name", ["constant", "step"])
def test_the_watched_epochs_are_those_of_the_record(name):
    runs = article_003()
    for epoch, looks in watched(name).items():
        for measure in MEASURES:
            assert looks[-1][measure] == runs.loc[(name, epoch), measure]


def test_the_runs_part_at_the_drop_and_not_before():
    runs = article_003()
    constant, step = runs.loc["constant"], runs.loc["step"]
    for name in MEASURES:
        assert (constant[name].loc[:16] == step[name].loc[:16]).all()
        assert constant[name].loc[17] != step[name].loc[17]


@pytest.mark.parametrize("measure", MEASURES)
def test_the_jump_was_predicted_in_part(measure):
    level, centre = level_and_centre("step", measure, [15, 16])
    found = article_003().loc[("step", 17), measure] - level
    assert 0.5 < 0.8 * (centre - level) / found < 0.8


@pytest.mark.parametrize("measure", MEASURES)
def test_what_the_rule_missed_is_what_the_centre_gained_without_the_drop(measure):
    level, early = level_and_centre("step", measure, [15, 16])
    late = level_and_centre("constant", measure, [17, 18])[1]
    missed = article_003().loc[("step", 17), measure] - (early + 0.2 * (level - early))
    looks = [look[measure] for epoch in (17, 18) for look in watched("step")[epoch]]
    assert missed == pytest.approx(late - early, abs=np.std(looks, ddof=1))


@pytest.mark.parametrize("measure", MEASURES)
def test_the_drop_shrank_the_floor_to_gamma_and_left_the_centre(measure):
    level, centre = level_and_centre("constant", measure, [17, 18])
    low, same = level_and_centre("step", measure, [17, 18])
    assert (low - same) / (level - centre) == pytest.approx(0.2, abs=0.02)
    assert same == pytest.approx(centre, abs=0.1 * abs(level - centre))
