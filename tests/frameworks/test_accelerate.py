"""Accelerate steps what it knows as torch's once an update, and saves it; others it leaves out."""

import pytest
import torch
from accelerate import Accelerator
from accelerate.scheduler import AcceleratedScheduler
from accelerate.state import AcceleratorState, GradientState
from every_scheduler import NAMES, STEPS, build, signal
from torch.utils.data import DataLoader

from optim_scratch import schedulers as plain
from optim_scratch.experiments import schedulers as accepted

ACCUMULATE = 2


@pytest.fixture(autouse=True)
def alone():
    """Each run is the first of its process."""
    yield
    AcceleratorState._reset_state(reset_partial_state=True)
    GradientState._reset_state()


class Run:
    """A run whose updates gather the gradients of two micro-batches each."""

    def __init__(self, name, module, sgd):
        self.name = name
        self.accelerator = Accelerator(cpu=True, gradient_accumulation_steps=ACCUMULATE)
        network = torch.nn.Linear(3, 1)
        optimizer, self.rates = sgd(network)
        data = DataLoader(torch.randn(ACCUMULATE * STEPS, 3), batch_size=1)
        self.plain = build(name, module, optimizer)
        prepared = self.accelerator.prepare(network, optimizer, data, self.plain)
        self.network, self.optimizer, self.data, self.scheduler = prepared

    def train(self, start=0, updates=STEPS):
        """Run some of the updates, each with the scheduler's step in every micro-batch."""
        for i, x in enumerate(self.data):
            if i // ACCUMULATE not in range(start, start + updates):
                continue
            with self.accelerator.accumulate(self.network):
                self.accelerator.backward(self.network(x).square().mean())
                self.optimizer.step()
                self.scheduler.step(*signal(self.name, i // ACCUMULATE))
                self.optimizer.zero_grad()


@pytest.mark.parametrize("name", NAMES)
def test_each_update_has_the_rate_of_the_schedule(name, sgd, expected):
    run = Run(name, accepted, sgd)
    run.train()
    assert run.rates == expected(name)
    assert isinstance(run.scheduler, AcceleratedScheduler)


@pytest.mark.parametrize("name", NAMES)
def test_a_checkpoint_holds_and_restores_the_schedule(name, sgd, expected, state_after, tmp_path):
    before, at = Run(name, accepted, sgd), 5
    before.train(updates=at)
    before.accelerator.save_state(tmp_path)
    assert torch.load(tmp_path / "scheduler.bin") == state_after(name, at)
    after = Run(name, accepted, sgd)
    after.accelerator.load_state(tmp_path)
    after.train(start=at)
    assert after.rates == expected(name)[at:]


def test_the_plain_class_is_left_out_without_a_word_of_accelerates(sgd, expected, tmp_path):
    """Its own warning tells: with two micro-batches an update, it steps before the optimizer."""
    run = Run("ExponentialLR", plain, sgd)
    with pytest.warns(UserWarning, match=r"scheduler.step\(\) came before any optimizer.step\(\)"):
        run.train()
    assert run.scheduler is run.plain
    assert run.rates == [expected("ExponentialLR", 2 * STEPS)[2 * i + 1] for i in range(STEPS)]
    run.accelerator.save_state(tmp_path)
    assert not list(tmp_path.glob("scheduler*"))
