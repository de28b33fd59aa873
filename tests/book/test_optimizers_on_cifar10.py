"""What the report on fourteen optimizers claims."""

import json

import numpy as np
import pytest

from optim_scratch.experiments import models, recipes, results

RUNS = results.read("optimizers")
ENDS = 100 * RUNS.query("epoch == 10").set_index(["recipe", "seed"])["validation_accuracy"]
CONTROL = results.read("directions").query("epoch == 10").groupby("recipe")["validation_accuracy"]
CONTROL = 100 * CONTROL.mean()
TRIED: dict[str, list[recipes.Recipe]] = {}
for each in recipes.RECIPES:
    if each.suite == "optimizers" and (each.name, 0) in ENDS:
        TRIED.setdefault(each.optimizer, []).append(each)
CHOSEN = {
    name: max(of_it, key=lambda recipe: ENDS[recipe.name, 0]).name for name, of_it in TRIED.items()
}
MATRICES = {"Muon", "SOAP"}
CLOSE = [
    "RAdam",
    "SGD",
    "LAMB",
    "NAdam",
    "Lookahead",
    "Lion",
    "AdamWScheduleFree",
    "AdamW",
    "Prodigy",
    "Adam",
]


def mean(name, epoch=10, measure="validation_accuracy"):
    return 100 * RUNS.query("recipe == @CHOSEN[@name] and epoch == @epoch")[measure].mean()


def test_fourteen_methods_were_run_at_three_rates_and_the_best_with_three_seeds():
    assert len(TRIED) == 14
    for name, of_it in TRIED.items():
        assert len(of_it) == (2 if name == "Lookahead" else 3)
        assert ENDS[CHOSEN[name]].index.to_list() == [0, 1, 2]
    record = results.find("optimizers/lookahead-0.3-seed0.json")
    assert json.loads(record.read_text())["diverged"]
    control = results.read("directions").query("epoch == 10").groupby("recipe")["seed"].count()
    assert control.to_dict() == {
        "muon-unturned-0.0003": 1, "muon-unturned-0.001": 3, "muon-unturned-0.003": 1,
    }  # fmt: skip


def test_all_runs_are_of_one_precision_and_one_core():
    assert {
        (record["settings"]["precision"], record["settings"]["threads"], record["images"]["train"])
        for suite in ("optimizers", "directions")
        for record in results.records(suite)
    } == {("bfloat16", 1, 45_000)}


def test_two_are_five_points_ahead_and_both_see_matrices():
    best = max(mean(name) for name in TRIED if name not in MATRICES)
    for name in MATRICES:
        assert mean(name) - best == pytest.approx(5, abs=1)
        assert abs(mean(name, 3) - mean("SGD")) < 1.5, "after three epochs where momentum ends"
        gap = mean(name, measure="train_accuracy") - mean(name)
        assert round(gap) in (6, 7), "six to seven points"


def test_half_of_the_lead_is_the_turn():
    assert mean("Muon") - CONTROL["muon-unturned-0.001"] == pytest.approx(5, abs=0.5)
    assert abs(CONTROL["muon-unturned-0.001"] - mean("RAdam")) < 1
    assert CONTROL["muon-unturned-0.003"] < 12, "it guesses"
    assert ENDS["muon-0.001", 0] - ENDS["muon-0.003", 0] < 2
    lost = mean("Muon") - CONTROL["muon-unturned-0.001"]
    of_the_lead = lost / (mean("Muon") - mean("AdamW"))
    assert of_the_lead == pytest.approx(0.5, abs=0.1)


def test_they_are_ahead_by_the_clock():
    shortest = {
        name: RUNS[RUNS.recipe.isin([r.name for r in of_it])].train_seconds.min()
        for name, of_it in TRIED.items()
    }
    assert shortest["Muon"] / shortest["SGD"] == pytest.approx(1.3, abs=0.1)
    assert shortest["SOAP"] / shortest["SGD"] == pytest.approx(2.1, abs=0.2)
    assert mean("SOAP", 5) > mean("SGD") + 1, "after half the epochs"


def test_among_the_others_a_factor_of_three_costs_more_than_the_choice():
    apart = [mean(name) for name in CLOSE]
    assert np.ptp(apart) < 5
    assert set(sorted(TRIED, key=mean)[-12:]) == {*CLOSE, *MATRICES}
    for name in set(TRIED) - {*CLOSE, *MATRICES}:
        assert max(ENDS[recipe.name].max() for recipe in TRIED[name]) < min(apart)
    lost = []
    for name in CLOSE:
        places = [recipe.name for recipe in TRIED[name]]
        best = places.index(CHOSEN[name])
        next_to_it = [places[i] for i in (best - 1, best + 1) if 0 <= i < len(places)]
        lost += [ENDS[CHOSEN[name], 0] - ENDS[place, 0] for place in next_to_it]
    assert np.mean(np.array(lost) > np.ptp(apart)) > 0.8, sorted(lost)
    assert max(lost) == pytest.approx(13, abs=0.5)


def test_a_warmup_inside_bears_three_times_adams_rate():
    assert abs(ENDS["radam-0.001", 0] - ENDS["adam-0.001", 0]) < 1
    assert ENDS["adam-0.003", 0] - ENDS["adam-0.001", 0] == pytest.approx(-10, abs=0.5)
    assert ENDS["radam-0.003", 0] - ENDS["radam-0.001", 0] == pytest.approx(5, abs=0.5)


def test_after_one_epoch_adaptive_methods_are_ahead_of_momentum_and_after_ten_one_is():
    for name in set(TRIED) - {"SGD", "Lookahead"} - MATRICES:
        assert mean(name, 1) > mean("SGD", 1)
        assert (mean(name) > mean("SGD") + 1) == (name == "RAdam")
    assert mean("RAdam") - mean("SGD") == pytest.approx(2, abs=0.2)
    assert min(TRIED, key=mean) == "Adagrad"
    assert all(mean(name, 1) > max(mean(n, 1) for n in set(TRIED) - MATRICES) for name in MATRICES)


def test_which_methods_did_best_at_an_end_of_what_was_tried():
    rates = {
        name: sorted(
            r.lr for r in recipes.RECIPES if r.suite == "optimizers" and r.optimizer == name
        )
        for name in TRIED
    }
    at = {name: rates[name].index(recipes.find(CHOSEN[name]).lr) for name in TRIED}
    assert {name for name, k in at.items() if k == 2} == {"RAdam", "LAMB", "Lion", "RMSprop"}
    assert {name for name, k in at.items() if k == 0} == {"SOAP", "Prodigy"}


def test_what_5000_pictures_leave():
    assert 100 * np.sqrt(0.75 * 0.25 / 5000) == pytest.approx(0.6, abs=0.02)


def test_what_other_pages_say_of_these_runs():
    assert abs(mean("Lookahead") - mean("SGD")) < 1
    assert abs(mean("LAMB") - mean("SGD")) < 1
    assert abs(mean("AdamWScheduleFree") - mean("AdamW")) < 1.2
    assert abs(mean("AdamW") - mean("Prodigy")) < 1
    assert CHOSEN["Prodigy"] == "prodigy-0.3"
    assert mean("AdamW") - ENDS["prodigy-1", 0] == pytest.approx(7, abs=0.6)


def test_in_which_layers_the_controls_steps_are_as_long_as_muons():
    short = [min(len(p), p[0].numel()) for p in models.build("vgg", 10, seed=0).parameters()]
    assert short.count(128) == len(short) / 2 == 4
    assert max(short) == 128
    assert 3 < (128 / short[-1]) ** 0.5 < 4
