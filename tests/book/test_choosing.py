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
    "RMSprop": "rmsprop-0.001", "RAdam": "radam-0.001", "Lion": "lion-0.0001",
    "Adagrad": "adagrad-0.01",
}  # fmt: skip


def accuracy(name, epoch, part="validation"):
    return 100 * RUNS.loc[(BEST[name], epoch), f"{part}_accuracy"]


def test_momentum_is_first_of_eight_by_a_hair() -> None:
    last = sorted(BEST, key=lambda name: -accuracy(name, 10))
    assert last[:3] == ["SGD", "NAdam", "AdamW"]
    assert accuracy("SGD", 10) - accuracy("AdamW", 10) < 2 * 0.6 * 2**0.5
    assert accuracy("SGD", 10) - accuracy(last[5], 10) == pytest.approx(3, abs=0.5)


def test_adaptive_methods_are_ahead_after_one_epoch_only() -> None:
    for name in set(BEST) - {"SGD"}:
        assert 6 < accuracy(name, 1) - accuracy("SGD", 1) < 16
        assert accuracy(name, 10) < accuracy("SGD", 10)


def test_the_gap_to_the_training_images() -> None:
    gaps = {name: accuracy(name, 10, "train") - accuracy(name, 10) for name in ("SGD", "Adam")}
    assert 0 < gaps["Adam"] - gaps["SGD"] < 1


def test_a_number_from_5000_images() -> None:
    assert 100 * np.sqrt(0.75 * 0.25 / 5000) == pytest.approx(0.6, abs=0.02)


def test_missing_the_rate_costs_little_downwards_and_may_cost_all_upwards() -> None:
    lost = {factor: [] for factor in (-2, -1, 1, 2)}
    for row in ladder.rows():
        means = 100 * row.validation.mean(axis=0)
        for factor, found in lost.items():
            if 0 <= row.best + factor < len(means):
                found.append(means[row.best] - means[row.best + factor])
    assert np.median(lost[-1]) < 1
    assert np.median(lost[-2]) < 1.5
    assert np.quantile(lost[-2], 0.9) < 3
    assert np.quantile(lost[2], 0.9) > 50


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
