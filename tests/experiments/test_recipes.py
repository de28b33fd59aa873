from dataclasses import replace

import numpy as np
import pytest
import torch

from optim_scratch import optimizers, schedulers
from optim_scratch.experiments import models, recipes
from optim_scratch.experiments.assembly import scheduler_for
from optim_scratch.experiments.settings import Settings
from optim_scratch.optimizers import muon


def rates(name):
    recipe = recipes.find(name)
    described = {"scheduler": recipe.scheduler, **recipe.scheduler_arguments}
    late = recipe.scheduler_steps == "start"
    curve = schedulers.curve(
        lambda optimizer: scheduler_for(optimizer, described),
        recipe.epochs + late,
        lr=recipe.optimizer_arguments["lr"],
    )
    return curve[late:]


def test_the_table_is_that_of_the_article():
    for recipe in recipes.RECIPES:
        if recipe.suite not in ("article-003", "rate-and-schedule"):
            continue
        assert (recipe.epochs, recipe.batch_size) == (30, 128)
        assert recipe.validation_images == 0, "the article trains on all 50,000"
        assert recipe.optimizer_arguments["momentum"] == 0.9
        assert recipe.optimizer_arguments["weight_decay"] == 5e-4
    article = [recipe for recipe in recipes.RECIPES if recipe.suite == "article-003"]
    lrs = {recipe.name: recipe.lr for recipe in article}
    warm = {f"warmup-{name}": 0.001 for name in ("step", "multistep", "exponential")}
    assert lrs == {"constant": 0.01, "step": 0.01, "multistep": 0.02, "exponential": 0.04, **warm}


def test_two_more_complete_the_square_of_rate_and_schedule():
    square = {
        (recipes.find(name).scheduler, recipes.find(name).optimizer_arguments["lr"])
        for name in ("constant", "constant-004", "exponential", "exponential-001")
    }
    assert square == {(rule, lr) for rule in (None, "ExponentialLR") for lr in (0.01, 0.04)}
    arguments = recipes.find("exponential").scheduler_arguments
    assert recipes.find("exponential-001").scheduler_arguments == arguments


def test_optimizers_are_compared_on_equal_terms():
    compared = [recipe for recipe in recipes.RECIPES if recipe.suite == "optimizers"]
    lrs: dict[str, list[float]] = {}
    for recipe in compared:
        assert recipe.library == "optim_scratch", "the chapters' own code"
        assert (recipe.epochs, recipe.batch_size) == (10, 128)
        assert recipe.validation_images == 5000, "the rate is chosen on them"
        if recipe.optimizer == "AdamWScheduleFree":
            assert (recipe.scheduler, recipe.scheduler_arguments) == (None, {})
        else:
            assert recipe.scheduler == "CosineAnnealingLR"
            assert recipe.scheduler_arguments == {"T_max": 10}
        lrs.setdefault(recipe.optimizer, []).append(recipe.lr)
        assert recipe.name == f"{recipe.optimizer.lower()}-{recipe.lr:g}"
    for low, middle, high in lrs.values():
        assert middle / low == pytest.approx(10**0.5, rel=0.06)
        assert high / middle == pytest.approx(10**0.5, rel=0.06)


def test_muon_without_its_idea_steps_as_far_and_does_not_turn():
    recipe = recipes.find("muon-unturned-0.001")
    twin = recipes.find("muon-0.001")
    own = dict(recipe.optimizer_arguments)
    coefficients = own.pop("ns_coefficients")
    assert own == twin.optimizer_arguments
    assert replace(recipe, name=twin.name, suite=twin.suite, optimizer_arguments=own) == twin
    g = np.random.default_rng(0).normal(size=(128, 1152))
    unturned = muon.orthogonalized(g, coefficients)
    assert np.linalg.norm(unturned) == pytest.approx(128**0.5)
    assert np.allclose(unturned / g, unturned[0, 0] / g[0, 0])
    turned = np.linalg.norm(muon.orthogonalized(g))
    assert turned == pytest.approx(128**0.5, rel=0.15)


def test_matrices_are_for_those_that_want_them():
    flattened = {recipe.optimizer for recipe in recipes.RECIPES if recipe.flattened}
    assert flattened == {"Muon", "SOAP"}
    with pytest.raises(ValueError, match=r"flattened must be False with .* of torch's, got True"):
        replace(recipes.find("step"), flattened=True)


def test_rates_of_the_schedules():
    assert recipes.find("constant").scheduler is None
    assert rates("step") == pytest.approx([0.01] * 16 + [0.002] * 14)
    assert rates("multistep") == pytest.approx([0.02] * 10 + [0.01] * 10 + [0.005] * 10)
    assert rates("exponential") == pytest.approx([0.04 * 0.885**e for e in range(30)])
    rise = [0.0088, 0.0166, 0.0244, 0.0322, 0.04]
    halved = [0.04 / 2**k for k in range(5) for _ in range(5)]
    assert rates("warmup-step") == pytest.approx(
        [*rise, *[0.04] * 10, *[0.008] * 10, *[0.0016] * 5]
    )
    assert rates("warmup-multistep") == pytest.approx([*rise, *halved])
    assert rates("warmup-exponential") == pytest.approx(
        [*rise, *(0.04 * 0.885**e for e in range(25))]
    )


@pytest.mark.parametrize("recipe", recipes.RECIPES, ids=lambda recipe: recipe.name)
def test_a_recipe_names_what_exists(recipe):
    assert recipe.model in models.MODELS
    assert hasattr(torch.optim, recipe.optimizer) or recipe.optimizer in optimizers.__all__
    assert recipes.find(recipe.name) is recipe


def test_an_unknown_name_brings_the_nearest():
    with pytest.raises(ValueError, match="'multistp'; the nearest are: multistep"):
        recipes.find("multistp")
    with pytest.raises(ValueError, match="constant, step, multistep, exponential"):
        recipes.find("qqq")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 0),
        ("epochs", 1.5),
        ("batch_size", 0),
        ("validation_images", -1),
        ("scheduler_steps", "middle"),
        ("library", "jax"),
        ("flattened", 1),
    ],
)
def test_impossible_numbers_are_refused(name, value):
    with pytest.raises((ValueError, TypeError), match=rf"{name} .*{value}"):
        replace(recipes.find("step"), **{name: value})


def test_numbers_of_numpys_become_pythons():
    recipe = replace(recipes.find("step"), epochs=np.int64(3))
    threads = Settings(threads=np.int64(1)).threads
    assert [type(recipe.epochs), type(threads)] == [int, int]
