from dataclasses import replace

import numpy as np
import pytest
import torch

from optim_scratch.experiments import (
    batches,
    checkpoint,
    identity,
    machine,
    models,
    results,
    settings,
    train,
)
from optim_scratch.experiments.data import synthetic
from optim_scratch.experiments.progress import Watcher


class Interrupts(Watcher):
    """Ctrl-C in the middle of an epoch."""

    def __init__(self, epoch):
        self.at = epoch

    def batch(self, epoch, images, lr, loss, accuracy):
        if epoch == self.at:
            raise KeyboardInterrupt


def test_an_interrupted_run_ends_bit_identical(recipe, images, tmp_path, without_times):
    whole = train.train(recipe, 5, images, checkpoint=tmp_path / "whole.pt")
    for epoch in (2, 3):
        with pytest.raises(KeyboardInterrupt):
            train.train(recipe, 5, images, None, tmp_path / "parts.pt", Interrupts(epoch))
    parts = train.train(recipe, 5, images, checkpoint=tmp_path / "parts.pt")
    assert without_times(parts) == without_times(whole)
    run = identity.identity(recipe, 5, images, train.Settings())
    a, b = (checkpoint.load(tmp_path / name, run, "cpu") for name in ("whole.pt", "parts.pt"))
    for name, weight in a["model"].items():
        assert torch.equal(weight, b["model"][name])
    for index, state in a["optimizer"]["state"].items():
        buffer = b["optimizer"]["state"][index]["momentum_buffer"]
        assert torch.equal(state["momentum_buffer"], buffer)
    assert a["scheduler"] == b["scheduler"]


def test_a_finished_run_is_not_trained_further(recipe, images, tmp_path):
    first = train.train(recipe, 0, images, checkpoint=tmp_path / "a.pt")
    again = train.train(recipe, 0, images, None, tmp_path / "a.pt", Interrupts(4))
    assert again == first


def test_the_record(recipe, images):
    record = train.train(recipe, 1, images)
    assert results.checked(record) is record
    assert [row["epoch"] for row in record["epochs"]] == [1, 2, 3]
    assert [row["lr"] for row in record["epochs"]] == pytest.approx([0.01, 0.002, 0.0004])
    assert record["images"] == {"train": 60, "train_evaluated": 60, "validation": 10, "test": 30}
    assert all(row["validation_loss"] is not None for row in record["epochs"])
    assert (record["data"], record["checksum"]) == ("synthetic", images.checksum)
    assert record["parameters"] == 688_224
    assert record["versions"]["torch"] == torch.__version__
    assert record["device_name"]


def test_a_scheduler_may_step_at_the_start_of_an_epoch(recipe, images):
    record = train.train(replace(recipe, scheduler_steps="start"), 1, images)
    assert [row["lr"] for row in record["epochs"]] == pytest.approx([0.002, 0.0004, 0.00008])


def test_a_scheduler_may_be_made_of_others_and_resumes(recipe, images, tmp_path, without_times):
    after = {"scheduler": "ExponentialLR", "gamma": 0.5}
    arguments = {"multiplier": 4, "total_epoch": 1, "after_scheduler": after}
    recipe = replace(
        recipe, scheduler="GradualWarmupScheduler", scheduler_arguments=arguments, epochs=4
    )
    whole = train.train(recipe, 5, images)
    rates = [row["lr"] for row in whole["epochs"]]
    assert rates == pytest.approx([0.01, 0.04, 0.04, 0.02])
    for epoch in (2, 4):
        with pytest.raises(KeyboardInterrupt):
            train.train(recipe, 5, images, None, tmp_path / "parts.pt", Interrupts(epoch))
    parts = train.train(recipe, 5, images, checkpoint=tmp_path / "parts.pt")
    assert without_times(parts) == without_times(whole)


def test_a_record_without_a_newer_field_is_that_of_its_run(recipe, images):
    record = train.train(replace(recipe, epochs=1), 1, images)
    run = identity.identity(replace(recipe, epochs=1), 1, images, train.Settings())
    assert identity.differences(record, run) == []
    for newer in ("scheduler_steps", "library"):
        del record["recipe"][newer]
        assert identity.differences(record, run) == []
    record["recipe"]["batch_size"] = 16
    assert identity.differences(record, run) == ["batch_size 16, not 15"]


def test_nothing_held_out_is_recorded_as_none(recipe, images):
    recipe = replace(recipe, validation_images=0, epochs=1)
    record = train.train(recipe, 1, images)
    assert record["images"]["train"] == 70
    assert record["epochs"][0]["validation_loss"] is None


def test_training_figures_are_taken_over_a_fixed_part(recipe, images, monkeypatch):
    monkeypatch.setattr(train, "EVALUATED_TRAIN_IMAGES", 20)
    record = train.train(replace(recipe, epochs=1), 1, images)
    assert record["images"]["train_evaluated"] == 20
    assert record["epochs"][0]["train_accuracy"] * 20 % 1 == pytest.approx(0)


def test_numbers_are_those_of_a_plain_loop(recipe, images, monkeypatch):
    """The engine against a loop without any of its devices: layout, running sums, batches."""
    monkeypatch.setattr(train, "EVALUATION_BATCH", 7)  # leaves an incomplete batch of 2
    row = train.train(replace(recipe, epochs=1), 2, images)["epochs"][0]
    network = models.build("vgg", 10, batches.derived_seed(2, 0))
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
    stay, _ = batches.hold_out(images.train_labels, 10)
    device = torch.device("cpu")
    part = batches.ImageSet(images.train_images[stay], images.train_labels[stay], device)
    losses = []
    for pixels, labels in part.epoch(15, batches.derived_seed(2, 1)):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(network(pixels.contiguous()), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    tests = torch.from_numpy(images.test_images).permute(0, 3, 1, 2).contiguous()
    labels = torch.from_numpy(images.test_labels.astype(np.int64))
    with torch.no_grad():
        logits = network(batches.normalise(tests))
    assert row["running_loss"] == pytest.approx(np.mean(losses), rel=1e-5)
    expected = torch.nn.functional.cross_entropy(logits, labels).item()
    assert row["test_loss"] == pytest.approx(expected, rel=1e-5)
    assert row["test_accuracy"] == pytest.approx((logits.argmax(1) == labels).float().mean().item())


def test_it_learns(recipe):
    arguments = {"lr": 0.02, "momentum": 0.9, "weight_decay": 5e-4}
    recipe = replace(recipe, batch_size=16, optimizer_arguments=arguments, scheduler=None)
    last = train.train(recipe, 0, synthetic(650, 50))["epochs"][-1]
    assert last["running_loss"] < 2.0, "guessing costs log 10 = 2.303"
    assert last["running_accuracy"] > 0.2


def test_seeds_differ_and_repeat(recipe, images, without_times):
    recipe = replace(recipe, epochs=1)
    a, b, c = (without_times(train.train(recipe, seed, images)) for seed in (0, 0, 1))
    assert a == b
    assert a["epochs"] != c["epochs"]


def test_divergence_is_recorded_and_ends_the_run(recipe, images, tmp_path):
    arguments = {**recipe.optimizer_arguments, "lr": 1e12}
    recipe = replace(recipe, optimizer_arguments=arguments)
    record = train.train(recipe, 0, images, checkpoint=tmp_path / "a.pt")
    assert record["diverged"]["epoch"] == 1
    assert 1 < record["diverged"]["step"] <= 4
    assert record["epochs"] == []
    assert results.load(results.write(record, tmp_path)) == record
    assert not (tmp_path / "a.pt").exists()


def test_the_step_of_divergence_is_the_first_not_finite():
    assert train._finite([1.0, 2.0], 20) == [1.0, 2.0]
    for bad in (float("nan"), float("inf")):
        with pytest.raises(train.DivergenceError) as found:
            train._finite([1.0, bad, float("nan")], 20)
        assert found.value.step == 22


def test_bfloat16_keeps_weights_in_float32(recipe, images, tmp_path):
    settings = train.Settings(precision="bfloat16")
    record = train.train(replace(recipe, epochs=1), 0, images, settings, tmp_path / "a.pt")
    exact = train.train(replace(recipe, epochs=1), 0, images)
    assert record["settings"]["precision"] == "bfloat16"
    run = identity.identity(replace(recipe, epochs=1), 0, images, settings)
    weights = checkpoint.load(tmp_path / "a.pt", run, "cpu")["model"].values()
    assert {weight.dtype for weight in weights} == {torch.float32}
    mixed, whole = record["epochs"][0]["test_loss"], exact["epochs"][0]["test_loss"]
    assert mixed != whole
    assert mixed == pytest.approx(whole, rel=1e-2)


def test_a_slow_machine_is_looked_at_between_its_batches(recipe, images, monkeypatch):
    seen = []
    watcher = Watcher()
    watcher.batch = lambda epoch, images, *_: seen.append(images)
    one = replace(recipe, epochs=1)
    quick = train.train(one, 0, images, None, None, watcher)
    assert seen == [60]
    monkeypatch.setattr(train, "LONGEST_WAIT", 0.0)
    slow = train.train(one, 0, images, None, None, watcher)
    assert seen == [60, 15, 30, 45, 60]
    assert slow["epochs"][0]["running_loss"] == quick["epochs"][0]["running_loss"]


def test_the_precision_of_auto_is_recorded(recipe, images):
    record = train.train(replace(recipe, epochs=1), 0, images, train.Settings(precision="auto"))
    fastest = "bfloat16" if machine.has_bfloat16("cpu") else "float32"
    assert record["settings"]["precision"] == fastest


def test_threads_are_given_back(recipe, images):
    torch.set_num_threads(2)
    seen = []
    watcher = Watcher()
    watcher.epoch = lambda row: seen.append(torch.get_num_threads())
    train.train(replace(recipe, epochs=1), 0, images, train.Settings(threads=1), None, watcher)
    assert (seen, torch.get_num_threads()) == ([1], 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"precision": "float16"},
            "precision must be one of 'float32', 'bfloat16', 'auto', got 'float16'",
        ),
        ({"threads": 0}, "threads must be >= 1, got 0"),
        ({"device": "abacus"}, "device 'abacus' cannot be used"),
        ({"device": "meta"}, "device 'meta' cannot be used"),
        ({"threads": 99_999}, r"threads must be <= \d+, got 99999"),
    ],
)
def test_settings_that_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        train.Settings(**arguments)


def test_compiling_without_a_compiler_is_refused(monkeypatch):
    monkeypatch.setattr(settings.shutil, "which", lambda name: None)
    with pytest.raises(ValueError, match=r"needs a C\+\+ compiler"):
        train.Settings(compiled=True)


def test_runs_that_are_refused(recipe, images):
    with pytest.raises(ValueError, match="seed must be >= 0, got -1"):
        train.train(recipe, -1, images)
    with pytest.raises(ValueError, match="batch_size must be at most the 60 training images"):
        train.train(replace(recipe, batch_size=61), 0, images)


@pytest.mark.parametrize(
    ("scheduler", "message"),
    [
        ("StepLRs", "scheduler must be one of ours, got 'StepLRs'"),
        ("ReduceLROnPlateau", "scheduler must need no metric, got ReduceLROnPlateau"),
    ],
)
def test_schedulers_are_refused_before_an_epoch_is_trained(recipe, images, scheduler, message):
    recipe = replace(recipe, scheduler=scheduler, scheduler_arguments={})
    with pytest.raises(ValueError, match=message):
        train.train(recipe, 0, images)


def test_checkpoints_of_another_run_and_damaged_ones(recipe, images, tmp_path):
    path = tmp_path / "a.pt"
    train.train(replace(recipe, epochs=1), 0, images, checkpoint=path)
    with pytest.raises(ValueError, match=r"belongs to another run \(epochs 1, not 3\)"):
        train.train(recipe, 0, images, checkpoint=path)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(ValueError, match="is damaged"):
        train.train(replace(recipe, epochs=1), 0, images, checkpoint=path)


def test_a_flipped_bit_anywhere_in_a_checkpoint_is_found(recipe, images, tmp_path):
    path, run = tmp_path / "a.pt", identity.identity(recipe, 0, images, train.Settings())
    checkpoint.save(path, run, {"rows": [], "model": {"weight": torch.arange(300.0)}})
    whole = path.read_bytes()
    assert checkpoint.load(path, run, "cpu")["model"]["weight"].sum() == 299 * 150
    for place in np.linspace(0, len(whole) - 1, 200).astype(int):
        spoilt = bytearray(whole)
        spoilt[place] ^= 1 << (place % 8)
        path.write_bytes(spoilt)
        with pytest.raises(ValueError, match=r"a\.pt is damaged"):
            pytest.fail(f"byte {place}: {checkpoint.load(path, run, 'cpu')}")


def test_a_checkpoint_of_another_version_is_told_and_swept(recipe, images, tmp_path, monkeypatch):
    run = identity.identity(recipe, 0, images, train.Settings())
    paths = {}
    for version in (run["optim_scratch"], "0.0.9"):
        older = {**run, "optim_scratch": version}
        paths[version] = tmp_path / checkpoint.name_of(older)
        checkpoint.save(paths[version], older, {})
    mine, theirs = paths.values()
    assert mine != theirs
    with pytest.raises(ValueError, match=r"another run \(optim_scratch 0\.0\.9, not 0\.1\.0\)"):
        checkpoint.load(theirs, run, "cpu")
    for name in ("step-seed0-abc.pt", "step-seed1-abc.fresh", mine.with_suffix(".fresh").name):
        (tmp_path / name).touch()
    checkpoint.sweep(tmp_path)
    assert len(list(tmp_path.iterdir())) == 5, "they may be in use"
    monkeypatch.setattr(checkpoint, "FORGOTTEN", -1.0)
    checkpoint.sweep(tmp_path)
    assert set(tmp_path.iterdir()) == {mine, mine.with_suffix(".fresh")}


def test_checkpoints_are_named_after_all_that_shapes_a_run(recipe, images):
    def name(recipe=recipe, seed=0, images=images, **settings):
        own = identity.identity(recipe, seed, images, train.Settings(**settings))
        return checkpoint.name_of(own)

    others = [
        name(seed=1),
        name(replace(recipe, batch_size=10)),
        name(images=synthetic(60, 30)),
        name(threads=2),
        name(precision="bfloat16"),
    ]
    assert name() == name()
    assert len({name(), *others}) == 6
    assert name().startswith("step-seed0-")
