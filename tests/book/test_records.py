"""The committed records are those of the recipes, trained at the rates of their schedules."""

from dataclasses import asdict

import pytest

from optim_scratch import schedulers
from optim_scratch.experiments import recipes, results
from optim_scratch.experiments.assembly import scheduler_for

UNFINISHED = ("optimizers", "directions")
"""A suite whose runs are recorded one by one."""


def rates(recipe):
    lr, late = recipe.lr, recipe.scheduler_steps == "start"
    if recipe.scheduler is None:
        return [lr] * recipe.epochs
    described = {"scheduler": recipe.scheduler, **recipe.scheduler_arguments}
    curve = schedulers.curve(
        lambda optimizer: scheduler_for(optimizer, described), recipe.epochs + late, lr=lr
    )
    return curve[late:].tolist()


@pytest.mark.parametrize("name", [recipe.name for recipe in recipes.RECIPES])
def test_records_hold_the_recipes_and_their_rates(name):
    records = [
        record
        for record in results.records(recipes.find(name).suite)
        if record["recipe"]["name"] == name
    ]
    if not records and recipes.find(name).suite in UNFINISHED:
        pytest.skip("not run yet, as the pages say")
    assert records
    expected = rates(recipes.find(name))
    for record in records:
        kept = results.through_json(asdict(recipes.Recipe(**record["recipe"])))
        assert kept == results.through_json(asdict(recipes.find(name)))
        done = record["diverged"]["epoch"] - 1 if record["diverged"] else len(expected)
        assert [row["lr"] for row in record["epochs"]] == pytest.approx(expected[:done], rel=1e-9)
