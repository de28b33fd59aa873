"""What the report on the VGG on CIFAR-10 claims."""

import re
from pathlib import Path

import nbformat
import numpy as np
import pytest

from optim_scratch.experiments import models, recipes, results

NINE = [r.name for r in recipes.RECIPES if r.suite in ("article-003", "rate-and-schedule")]
RUNS = results.read("article-003").merge(results.read("rate-and-schedule"), how="outer")
SEEDS = [seed for seed, part in RUNS.groupby("seed") if part["recipe"].nunique() == len(NINE)]
ACCURACY = 100 * RUNS.query("seed in @SEEDS").pivot_table(
    "test_accuracy", "epoch", ["recipe", "seed"]
)
ENDS = ACCURACY.loc[26:].mean().unstack()
PEAK = RUNS.groupby("recipe")["lr"].max()
HIGH = ["exponential", "warmup-step", "warmup-multistep", "warmup-exponential"]
PAGE = Path(__file__).parents[2] / "book/experiments/vgg-on-cifar10.ipynb"


def printed():
    """Return what the page's cells print."""
    cells = [c for c in nbformat.read(PAGE, as_version=4).cells if c.cell_type == "code"]
    return "\n".join(o.text for c in cells for o in c.outputs if o.get("name") == "stdout")


def gain(one, other, first=26, last=30):
    """Return by how much a recipe is ahead of another, seed by seed."""
    part = ACCURACY.loc[first:last].mean()
    return part[one] - part[other]


def jump(recipe, epoch):
    """Return the change of the accuracy in an epoch, seed by seed."""
    return (ACCURACY[recipe].loc[epoch] - ACCURACY[recipe].loc[epoch - 1]).to_numpy()


def test_all_nine_have_at_least_two_seeds():
    assert len(NINE) == 9
    assert SEEDS[:2] == [0, 1]
    assert len(ENDS) == 9


def test_all_runs_are_of_the_same_pictures_and_precision():
    told = {
        (record["data"], record["settings"]["precision"], *record["images"].values())
        for suite in ("article-003", "rate-and-schedule")
        for record in results.records(suite)
        if record["seed"] in SEEDS
    }
    assert len(told) == 1
    assert {"cifar10-jpeg75", "bfloat16", 50_000, 0, 10_000} == set(told.pop())


def test_the_recipes_are_as_told():
    for name in NINE:
        recipe = recipes.find(name)
        assert (recipe.epochs, recipe.batch_size, recipe.validation_images) == (30, 128, 0)
        assert recipe.optimizer == "SGD"
        assert recipe.optimizer_arguments["momentum"] == 0.9
        assert (recipe.scheduler_steps == "start") == name.startswith("warmup")


def test_a_layer_of_torchs_first_weights_keeps_a_third_of_the_mean_square():
    torch = pytest.importorskip("torch")
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        layer = torch.nn.Linear(2000, 2000, bias=False)
        x = torch.randn(200, 2000)
        ratio = float(layer(x).square().mean() / x.square().mean())
    assert ratio == pytest.approx(1 / 3, rel=0.02)


def test_the_network_has_no_biases_and_no_normalisation():
    network = models.build("vgg", classes=10, seed=0)
    kinds = {type(m).__name__ for m in network.modules() if not list(m.children())}
    assert kinds == {"Conv2d", "Linear", "MaxPool2d", "ReLU"}
    assert all(p.ndim > 1 for p in network.parameters())


def test_seeds_pair_the_runs_until_their_rates_part():
    measures = [name for name in results.MEASURES if not name.startswith("validation")]
    table = RUNS.set_index(["recipe", "seed", "epoch"])[measures].sort_index()
    for one, other, last in (
        ("constant", "step", 16), ("warmup-step", "warmup-multistep", 10),
        ("warmup-step", "warmup-exponential", 6), ("constant", "exponential-001", 1),
        ("constant-004", "exponential", 1),
    ):  # fmt: skip
        for seed in SEEDS:
            same = (table.loc[one, seed] == table.loc[other, seed]).all(axis=1)
            assert same.loc[:last].all()
            assert not same.loc[last + 1 :].any()


def test_seeds_of_a_setting_are_close_and_settings_are_not():
    assert np.ptp(ENDS, axis=1).max() < 1
    assert np.ptp(ENDS.mean(axis=1)) > 8
    assert set(ENDS.mean(axis=1).nsmallest(2).index) == {"exponential-001", "constant-004"}


@pytest.mark.parametrize(
    ("one", "other", "least", "most"),
    [
        ("constant", "exponential-001", 5, 6.5),
        ("exponential", "constant-004", 5, 6.5),
        ("constant", "constant-004", 3, 4.5),
        ("exponential", "exponential-001", 7.5, 8.5),
        ("exponential", "constant", 2, 3),
    ],
)
def test_neither_the_rate_nor_the_schedule_wins_alone(one, other, least, most):
    assert gain(one, other).between(least, most).all()


def test_what_the_rates_add_up_to():
    rates = RUNS.query("seed == 0").pivot_table("lr", "epoch", "recipe") / 0.01
    sums = rates.sum()
    assert sums["exponential-001"] == pytest.approx(8.5, abs=0.05)
    assert 1 < sums["exponential"] / sums["constant"] < 1.2
    assert rates["exponential"].loc[:10].sum() > sums["exponential"] / 2, "most of it early"
    warm, cold = (rates[name].loc[6:] for name in ("warmup-exponential", "exponential"))
    assert (warm > cold).all()
    assert PEAK.max() == pytest.approx(0.04)


def test_kept_at_004_the_network_is_early_and_does_not_come_to_rest():
    course = ACCURACY.T.groupby("recipe").mean().T
    assert course["constant-004"].loc[10] > course["constant"].loc[10] + 3
    assert course["constant-004"].loc[26:].mean() < course["constant"].loc[26:].mean() - 3


def test_a_jump_is_seen_with_one_seed_and_not_with_the_other():
    with_0, with_1 = jump("step", 17)[:2]
    assert with_0 == pytest.approx(4.8, abs=0.1)
    assert 0 < with_1 < 1
    assert jump("step", 16)[1] > 2, "the epoch before happened to be high"
    assert gain("step", "constant", 17, 21).mean() == pytest.approx(2, abs=0.3)
    assert gain("step", "constant")[0] == pytest.approx(1 / 3, abs=0.1)
    assert gain("step", "constant")[1] == pytest.approx(0.1, abs=0.05)


def test_early_the_rate_counts_most():
    early = gain("multistep", "constant", 1, 10)
    assert (early.round() == 6).all()
    falls = [("step", 17), ("multistep", 21), ("warmup-step", 26)]
    assert all(jump(*fall).mean() < early.min() for fall in falls)
    risen = PEAK.index[(PEAK > 0.011) & (PEAK.index != "constant-004")]
    ahead = ENDS.loc[risen].mean(axis=1) - ENDS.loc["constant"].mean()
    assert len(risen) == 5
    assert ahead.between(1.5, 3).all()


def test_how_the_rate_falls_hardly_matters():
    assert (PEAK[HIGH].round(6) == 0.04).all()
    ends = ENDS.loc[HIGH]
    assert np.ptp(ends.to_numpy()) < 1
    assert np.ptp(ends.mean(axis=1)) < np.ptp(ends, axis=1).max()


def test_a_warmup_bought_nothing():
    warm = ("warmup-exponential", "exponential")
    assert gain(*warm)[0] == pytest.approx(0.5, abs=0.1)
    assert gain(*warm)[1] < 0
    assert (gain(*warm, 1, 5).round().between(-8, -7)).all()


def test_what_the_page_prints_is_of_these_records():
    for name in NINE:
        shown = re.search(rf"^{name} +highest rate [\d.]+: ([\d.]+) % \((.*)\)", printed(), re.M)
        assert float(shown[1]) == pytest.approx(ENDS.loc[name].mean(), abs=0.051)
        seeds = [float(value) for value in shown[2].split(", ")]
        assert seeds == pytest.approx(ENDS.loc[name].to_list(), abs=0.051)
