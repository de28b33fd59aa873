"""What the page on choosing an optimizer claims."""

import re
from pathlib import Path

import nbformat
import numpy as np
import pytest

from optim_scratch import ladder
from optim_scratch.experiments import results

PAGE = Path(__file__).parents[2] / "book/practice/choosing.ipynb"
RUNS = results.read("optimizers").query("seed == 0").set_index(["recipe", "epoch"])
BEST = {
    "SGD": "sgd-0.03", "NAdam": "nadam-0.001", "AdamW": "adamw-0.001", "Adam": "adam-0.001",
    "RMSprop": "rmsprop-0.001", "RAdam": "radam-0.003", "Lion": "lion-0.0003",
    "Adagrad": "adagrad-0.01",
}  # fmt: skip


def accuracy(name, epoch, part="validation"):
    return 100 * RUNS.loc[(BEST[name], epoch), f"{part}_accuracy"]


def test_each_is_shown_at_the_best_of_its_three_rates() -> None:
    ends = 100 * RUNS.xs(10, level="epoch").validation_accuracy
    for name, recipe in BEST.items():
        of_it = ends[[each for each in ends.index if each.split("-")[0] == name.lower()]]
        assert len(of_it) == 3
        assert of_it.idxmax() == recipe
        highest = max(of_it.index, key=lambda each: float(each.split("-", 1)[1]))
        assert (highest == recipe) == (name in {"RAdam", "Lion", "RMSprop"})


def test_one_is_ahead_of_momentum_and_three_are_level_with_it() -> None:
    last = sorted(BEST, key=lambda name: -accuracy(name, 10))
    assert last[0] == "RAdam"
    assert set(last[1:5]) == {"SGD", "NAdam", "Lion", "AdamW"}
    assert accuracy("SGD", 10) - accuracy("AdamW", 10) < 2 * 0.6 * 2**0.5
    assert accuracy(last[0], 10) - accuracy(last[4], 10) == pytest.approx(3, abs=0.5)


def test_a_warmup_inside_bears_three_times_adams_rate() -> None:
    ends = 100 * RUNS.xs(10, level="epoch").validation_accuracy
    assert abs(ends["radam-0.001"] - ends["adam-0.001"]) < 1
    assert ends["adam-0.003"] - ends["adam-0.001"] == pytest.approx(-10, abs=0.5)
    assert ends["radam-0.003"] - ends["radam-0.001"] == pytest.approx(5, abs=0.5)


def test_adaptive_methods_are_ahead_after_one_epoch() -> None:
    for name in set(BEST) - {"SGD"}:
        assert 6 < accuracy(name, 1) - accuracy("SGD", 1) < 16
        assert (accuracy(name, 10) > accuracy("SGD", 10)) == (name == "RAdam")


def test_the_gap_to_the_training_images() -> None:
    gaps = {name: accuracy(name, 10, "train") - accuracy(name, 10) for name in BEST}
    assert 0 < gaps["Adam"] - gaps["SGD"] < 1
    assert max(gaps, key=gaps.get) == "RAdam"


def test_a_number_from_5000_images() -> None:
    assert 100 * np.sqrt(0.75 * 0.25 / 5000) == pytest.approx(0.6, abs=0.02)


FAMILIES = {
    "SGD": ["SGD", "SGD momentum 0.9", "SGD Nesterov 0.9", "SGDW"],
    "Adam": ["Adam", "AdamW", "NAdam", "RAdam", "Adamax", "Yogi", "AdaBelief", "Adan"],
}


def lost(family, places):
    found = []
    for row in map(ladder.row, FAMILIES[family]):
        means = 100 * row.validation.mean(axis=0)
        found.append(means[row.best] - means[row.best + places])
    return np.array(found)


@pytest.mark.parametrize("family", FAMILIES)
def test_downwards_the_families_hardly_differ(family) -> None:
    assert lost(family, -2).max() < 2
    assert lost(family, -3).max() <= 3


def test_the_middle_of_three_is_near_the_best() -> None:
    best, missed = [], []
    for row in map(ladder.row, FAMILIES["SGD"] + FAMILIES["Adam"]):
        means = 100 * row.validation.mean(axis=0)
        for five in np.lib.stride_tricks.sliding_window_view(means, 5):
            if five[2] >= max(five[0], five[4]):
                best.append(int(five.argmax()) - 2)
                missed.append(five.max() - five[2])
    assert [best.count(place) for place in (-2, -1, 0, 1, 2)] == [0, 3, 12, 9, 0]
    assert max(missed) < 1


def test_four_times_too_high_breaks_one_family_and_worsens_the_other() -> None:
    assert lost("SGD", 2).min() > 40
    assert lost("Adam", 2).min() > 2
    assert lost("Adam", 2).max() < 11


def test_lbfgs_is_two_points_better_at_a_tenth_than_at_one() -> None:
    row = ladder.row("LBFGS")
    means = 100 * row.validation.mean(axis=0)
    assert row.rates[row.best] == pytest.approx(0.125)
    assert row.rates[row.best + 3] == pytest.approx(1.0)
    assert means[row.best] - means[row.best + 3] == pytest.approx(2, abs=0.5)


def test_adam_and_adamw_differ_by_a_hair_and_by_more_than_a_point() -> None:
    found = {record["recipe"]["name"]: record["recipe"] for record in results.records("optimizers")}
    assert found["adamw-0.001"]["optimizer_arguments"] == {"lr": 0.001, "weight_decay": 0.01}
    assert found["adam-0.001"]["optimizer_arguments"] == {"lr": 0.001}
    epochs = np.arange(10)
    rates = 0.001 * (1 + np.cos(np.pi * epochs / 10)) / 2
    assert 1 - np.prod((1 - 0.01 * rates) ** (45_000 // 128 + 1)) == pytest.approx(0.02, abs=0.003)
    assert accuracy("AdamW", 10) - accuracy("Adam", 10) == pytest.approx(1.5, abs=0.1)


def test_every_piece_of_advice_has_its_support() -> None:
    text = "\n".join(
        cell.source for cell in nbformat.read(PAGE, as_version=4).cells
        if cell.cell_type == "markdown"
    )  # fmt: skip
    table = text.partition("| advice |")[2].partition("## First numbers")[0]
    lines = [line for line in table.splitlines()[2:] if line.startswith("|")]
    assert len(lines) == 5
    for line in lines:
        assert re.search(r"\]\(|cite:|our VGG|ladder", line), line


def test_a_second_seed_moves_by_about_a_point() -> None:
    ends = results.read("optimizers").query("epoch == 10").set_index(["recipe", "seed"])
    ends = 100 * ends.validation_accuracy
    for name in ("SGD", "NAdam", "AdamW", "Adam"):
        assert abs(ends[BEST[name], 0] - ends[BEST[name], 1]) < 1.5
