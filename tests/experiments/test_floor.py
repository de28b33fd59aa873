import json
from dataclasses import replace

import pytest
import torch

from optim_scratch.experiments import floor, train
from optim_scratch.experiments.train import Run, Settings


@pytest.mark.parametrize("library", ["torch", "optim_scratch"])
def test_watching_leaves_the_run_as_it_is(recipe, images, library):
    recipe = replace(recipe, library=library)
    watched = floor.measure(recipe, 3, images, [1, 3], looks=2)["epochs"]
    rows = train.train(recipe, 3, images)["epochs"]
    assert [epoch["epoch"] for epoch in watched] == [1, 3]
    for epoch in watched:
        row, last = rows[epoch["epoch"] - 1], epoch["looks"][-1]
        assert epoch["lr"] == row["lr"]
        assert [look["step"] for look in epoch["looks"]] == [2, 4]
        for name in ("train_loss", "train_accuracy", "test_loss", "test_accuracy"):
            assert last[name] == row[name]


def test_the_mean_is_that_of_the_weights_after_each_step(recipe, images):
    run = Run(replace(recipe, scheduler=None, scheduler_arguments={}), 0, images, Settings())
    seen = []
    run.optimizer.register_step_post_hook(
        lambda *_: seen.append([p.detach().clone() for p in run.model.parameters()])
    )
    eye = floor._Eye(run, looks=1)
    eye.epoch()
    eye.epoch()
    assert len(seen) == 8
    for mean, *weights in zip(eye.means, *seen, strict=True):
        torch.testing.assert_close(mean, torch.stack(weights).mean(0))


def test_the_mean_starts_anew_when_the_rate_changes(recipe, images):
    for epoch in floor.measure(recipe, 0, images, [1, 2], looks=4)["epochs"]:
        first, second = epoch["looks"][:2]
        assert first["average_train_loss"] == first["train_loss"]
        assert second["average_train_loss"] != second["train_loss"]


@pytest.mark.parametrize("epochs", [[], [2, 1], [2, 2], [0, 1]])
def test_epochs_must_rise_from_1(recipe, images, epochs):
    with pytest.raises(ValueError, match="epochs must"):
        floor.measure(recipe, 0, images, epochs)


def test_looks_must_be_at_least_1(recipe, images):
    with pytest.raises(ValueError, match="looks must be >= 1"):
        floor.measure(recipe, 0, images, [1], looks=0)


def test_the_command_writes_what_it_measured(tmp_path, capsys):
    floor.main(["step", "1", "--data", "synthetic:130", "--results", str(tmp_path)])
    written = json.loads((tmp_path / "article-003" / "floor" / "step-seed0.json").read_text())
    assert [epoch["epoch"] for epoch in written["epochs"]] == [1]
    assert len(written["epochs"][0]["looks"]) == 1  # an epoch of one update has one look
    assert "epochs [1]" in capsys.readouterr().out
