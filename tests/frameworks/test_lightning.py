"""Lightning steps ours once an update or epoch, gives a plateau its metric, and resumes both."""

import pytest
import torch
from every_scheduler import METRICS, NAMES, STEPS, WITH_METRIC, WITHOUT_METRIC, build
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import LearningRateMonitor
from lightning.pytorch.loggers import CSVLogger
from lightning.pytorch.utilities.exceptions import MisconfigurationException
from torch.utils.data import DataLoader

from optim_scratch import schedulers as plain
from optim_scratch.experiments import schedulers as accepted

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*isinstance.treespec, LeafSpec:FutureWarning"),
    pytest.mark.filterwarnings("ignore:The '.*_dataloader' does not have many workers"),
    pytest.mark.filterwarnings("ignore:A `OneCycleLR` scheduler is using 'interval'"),
    pytest.mark.filterwarnings("ignore:The number of training batches"),
]


class Network(LightningModule):
    """One layer, and the scheduler under test."""

    def __init__(self, make, sgd, **config):
        super().__init__()
        self.make, self.sgd, self.config = make, sgd, config
        self.layer = torch.nn.Linear(3, 1)

    def configure_optimizers(self):
        optimizer, self.rates = self.sgd(self.layer)
        self.scheduler = self.make(optimizer)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": self.scheduler, **self.config},
        }

    def training_step(self, x):
        return self.layer(x).square().mean()

    def validation_step(self, x):
        self.log("metric", METRICS[self.current_epoch])


def trainer(folder, **more):
    quiet = {"enable_progress_bar": False, "enable_model_summary": False, "logger": False}
    return Trainer(accelerator="cpu", default_root_dir=folder, num_sanity_val_steps=0,
                   **{"enable_checkpointing": False, **quiet, **more})  # fmt: skip


def batches(count):
    return DataLoader(torch.randn(count, 3), batch_size=1)


def network(name, module, sgd):
    """A scheduler with a metric goes by epochs, others by updates."""
    interval = "epoch" if name == WITH_METRIC else "step"
    return Network(
        lambda optimizer: build(name, module, optimizer), sgd, interval=interval, monitor="metric"
    )


def fit(net, folder, epochs, updates_an_epoch, ckpt_path=None, **more):
    run = trainer(folder, max_epochs=epochs, **more)
    micro = updates_an_epoch * more.get("accumulate_grad_batches", 1)
    run.fit(net, batches(micro), batches(1), ckpt_path=ckpt_path)
    return run


@pytest.mark.parametrize("accumulate", [1, 2])
@pytest.mark.parametrize("name", WITHOUT_METRIC)
def test_each_update_has_the_rate_of_the_schedule(name, accumulate, sgd, expected, tmp_path):
    net = network(name, accepted, sgd)
    fit(net, tmp_path, 3, STEPS // 3, accumulate_grad_batches=accumulate)
    assert net.rates == expected(name)


@pytest.mark.parametrize("name", NAMES)
def test_each_epoch_has_the_rate_of_the_schedule(name, sgd, expected, tmp_path):
    net = network(name, accepted, sgd)
    net.config["interval"] = "epoch"
    fit(net, tmp_path, STEPS, 2)
    assert net.rates == [rate for rate in expected(name) for _ in range(2)]


@pytest.mark.parametrize("name", NAMES)
def test_a_checkpoint_holds_and_restores_the_schedule(name, sgd, expected, state_after, tmp_path):
    at = 6
    before = network(name, accepted, sgd)
    before.config["interval"] = "epoch"
    file = tmp_path / "half.ckpt"
    fit(before, tmp_path, at, 1).save_checkpoint(file)
    assert torch.load(file)["lr_schedulers"] == [state_after(name, at)]
    after = network(name, accepted, sgd)
    after.config["interval"] = "epoch"
    fit(after, tmp_path, STEPS, 1, ckpt_path=file)
    assert after.rates == expected(name)[at:]


def test_a_warmup_hands_the_metric_on(sgd, tmp_path):
    def make(optimizer):
        after = accepted.ReduceLROnPlateau(optimizer, factor=0.5, patience=0)
        return accepted.GradualWarmupScheduler(optimizer, 4, 3, after)

    net = Network(make, sgd, interval="epoch", monitor="metric", reduce_on_plateau=True)
    fit(net, tmp_path, STEPS, 1)
    alone = make(sgd(torch.nn.Linear(3, 1))[0])
    assert net.rates == alone.preview(METRICS)[:STEPS, 0].tolist()


def test_the_rates_are_logged_under_their_names(sgd, expected, tmp_path):
    net = network("ExponentialLR", accepted, sgd)
    monitor = LearningRateMonitor("step")
    logger = CSVLogger(tmp_path)
    fit(net, tmp_path, 1, STEPS, logger=logger, callbacks=[monitor], log_every_n_steps=1)
    assert monitor.lrs == {"lr-SGD": expected("ExponentialLR")}


@pytest.mark.parametrize("name", ["StepLR", WITH_METRIC])
def test_the_plain_class_is_refused(name, sgd, tmp_path):
    net = network(name, plain, sgd)
    with pytest.raises(MisconfigurationException, match="doesn't follow PyTorch's LRScheduler API"):
        fit(net, tmp_path, 1, 1)
