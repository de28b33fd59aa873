"""The Trainer steps any scheduler once an update, and what is torch's plateau after evaluation."""

import numpy as np
import pytest
import torch
from every_scheduler import METRICS, NAMES, STEPS, WITH_METRIC, WITHOUT_METRIC, build
from torch.utils.data import Dataset
from transformers import (
    Trainer,
    TrainingArguments,
    get_cosine_with_hard_restarts_schedule_with_warmup,
)

from optim_scratch import schedulers as plain
from optim_scratch.experiments import schedulers as accepted


class Network(torch.nn.Module):
    """One layer and its loss."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(3, 1)

    def forward(self, x, labels):
        y = self.layer(x)
        return {"loss": (y - labels).square().mean(), "logits": y}


class Samples(Dataset):
    """Made-up samples."""

    def __init__(self, count):
        self.x = torch.randn(count, 3)

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        return {"x": self.x[i], "labels": torch.zeros(1)}


def trainer(name, module, sgd, folder, accumulate=1, start=0, **more):
    """An epoch is one update; evaluations find the metrics from `start` on."""
    network = Network()
    optimizer, rates = sgd(network)
    metrics = iter(METRICS[start:])
    arguments = TrainingArguments(
        folder, use_cpu=True, num_train_epochs=STEPS, per_device_train_batch_size=1,
        gradient_accumulation_steps=accumulate, report_to="none", disable_tqdm=True,
        metric_for_best_model="metric", dataloader_pin_memory=False,
        **{"save_strategy": "no", **more},
    )  # fmt: skip
    made = Trainer(
        network,
        arguments,
        train_dataset=Samples(accumulate),
        eval_dataset=Samples(1),
        compute_metrics=lambda _: {"metric": next(metrics)},
        optimizers=(optimizer, build(name, module, optimizer)),
    )
    return made, rates


def evaluation(name):
    return {"eval_strategy": "epoch"} if name == WITH_METRIC else {}


@pytest.mark.parametrize("accumulate", [1, 2])
@pytest.mark.parametrize("name", NAMES)
def test_each_update_has_the_rate_of_the_schedule(name, accumulate, sgd, expected, tmp_path):
    made, rates = trainer(name, accepted, sgd, tmp_path, accumulate, **evaluation(name))
    made.train()
    assert rates == expected(name)


@pytest.mark.parametrize("name", NAMES)
def test_a_checkpoint_holds_and_restores_the_schedule(name, sgd, expected, state_after, tmp_path):
    at = 5
    made, _ = trainer(name, accepted, sgd, tmp_path, save_strategy="epoch", **evaluation(name))
    made.train()
    saved = tmp_path / f"checkpoint-{at}"
    assert torch.load(saved / "scheduler.pt") == state_after(name, at)
    again, rates = trainer(name, accepted, sgd, tmp_path, start=at, **evaluation(name))
    again.train(resume_from_checkpoint=saved)
    assert rates == expected(name)[at:]


@pytest.mark.parametrize("name", WITHOUT_METRIC)
def test_the_plain_class_works_as_the_trainer_asks_no_class_of_it(name, sgd, expected, tmp_path):
    made, rates = trainer(name, plain, sgd, tmp_path)
    made.train()
    assert rates == expected(name)


def test_the_plain_plateau_gets_no_metric(sgd, tmp_path):
    made, _ = trainer(WITH_METRIC, plain, sgd, tmp_path, **evaluation(WITH_METRIC))
    with pytest.raises(TypeError, match="metrics must be a number, got None"):
        made.train()


def test_hard_restarts_have_its_rates_but_one_after_a_rise_as_long_as_the_run():
    def theirs(warmup, total, cycles):
        sgd = torch.optim.SGD([torch.nn.Parameter(torch.zeros(()))], lr=1.0)
        height = get_cosine_with_hard_restarts_schedule_with_warmup(sgd, warmup, total, cycles)
        return [height.lr_lambdas[0](t) for t in range(20)]

    def ours(warmup, total, cycles):
        schedule = plain.WarmupCosineWithHardRestartsSchedule
        return schedule.curve(20, warmup_steps=warmup, t_total=total, cycles=cycles)

    for case in [(0, 10, 1), (2, 10, 1), (2, 10, 3), (9, 10, 2), (3, 15, 4)]:
        assert ours(*case).tolist() == pytest.approx(theirs(*case), abs=1e-12)
    gap = ours(10, 10, 2) - theirs(10, 10, 2)
    assert gap[10] == -1
    assert not gap.any(where=np.arange(20) != 10)
