"""What the page on choosing an optimizer claims."""

import re
from pathlib import Path

import nbformat
import numpy as np
import pytest

from optim_scratch import ladder
from optim_scratch.experiments import results

PAGE = Path(__file__).parents[2] / "book/practice/choosing.ipynb"
RUNS = results.read("optimizers")
SHOWN = ["muon-0.001", "radam-0.003", "sgd-0.03", "nadam-0.001", "adamw-0.001", "adam-0.001"]


def mean(recipe, epoch=10, part="validation"):
    return 100 * RUNS.query("recipe == @recipe and epoch == @epoch")[f"{part}_accuracy"].mean()


def test_the_lines_are_in_order_and_as_far_apart_as_told() -> None:
    means = [mean(recipe) for recipe in SHOWN]
    assert means == sorted(means, reverse=True)
    assert means[0] - means[-1] == pytest.approx(10, abs=0.5)
    assert mean("sgd-0.03") - mean("adam-0.001") == pytest.approx(2.5, abs=0.3)
    assert mean("sgd-0.03") - mean("adamw-0.001") == pytest.approx(2, abs=0.4)
    assert mean("radam-0.003") - mean("sgd-0.03") == pytest.approx(2, abs=0.4)
    assert abs(mean("sgd-0.03") - mean("nadam-0.001")) < 0.5
    assert mean("muon-0.001") - mean("radam-0.003") == pytest.approx(5, abs=0.9)


def test_half_of_muons_lead_over_adamw_is_its_turn() -> None:
    control = results.read("directions").query("epoch == 10 and recipe == 'muon-unturned-0.001'")
    even = 100 * control["validation_accuracy"].mean()
    lead = mean("muon-0.001") - mean("adamw-0.001")
    assert (mean("muon-0.001") - even) / lead == pytest.approx(0.5, abs=0.1)


def test_momentum_is_behind_after_one_epoch_and_better_than_adam_on_all_images_after_ten() -> None:
    for recipe in set(SHOWN) - {"sgd-0.03"}:
        assert mean(recipe, 1) > mean("sgd-0.03", 1) + 5
    assert mean("sgd-0.03", part="train") > mean("adam-0.001", part="train")


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


def test_every_piece_of_advice_has_its_support() -> None:
    text = "\n".join(
        cell.source for cell in nbformat.read(PAGE, as_version=4).cells
        if cell.cell_type == "markdown"
    )  # fmt: skip
    table = text.partition("| advice |")[2].partition("## First numbers")[0]
    lines = [line for line in table.splitlines()[2:] if line.startswith("|")]
    assert len(lines) == 6
    for line in lines:
        assert re.search(r"\]\(|cite:|our VGG|ladder", line), line
