"""Ignite's wrapper takes torch's schedulers alone; a handler that steps ours needs no wrapper."""

import pytest
import torch
from every_scheduler import NAMES, STEPS, WITHOUT_METRIC, Torch, build, signal
from ignite.engine import Engine, Events
from ignite.handlers import Checkpoint, DiskSaver, LRScheduler

from optim_scratch import schedulers as plain
from optim_scratch.experiments import schedulers as accepted

# ignite reads get_lr and counts epochs by itself, which neither ours nor torch's compositions and
# SWALR, which counts its steps, can live with
WRAPPED = sorted({*WITHOUT_METRIC} - {"SequentialLR", "ChainedScheduler", "SWALR"})


def run(name, module, sgd, attach, steps=STEPS):
    """Train a network; return the rates, the scheduler, and what was attached."""
    network = torch.nn.Linear(3, 1)
    optimizer, rates = sgd(network)
    scheduler = build(name, module, optimizer)

    def update(engine, x):
        optimizer.zero_grad()
        network(x).square().mean().backward()
        optimizer.step()

    engine = Engine(update)
    handler = attach(engine, scheduler, name)
    engine.run(torch.randn(steps, 4, 3), max_epochs=1)
    return rates, scheduler, handler


def by_hand(engine, scheduler, name):
    @engine.on(Events.ITERATION_COMPLETED)
    def step():
        scheduler.step(*signal(name, engine.state.iteration - 1))


def after_each_update(engine, scheduler, name):
    with pytest.warns(UserWarning, match="Please make sure to attach scheduler to"):
        handler = LRScheduler(scheduler, use_legacy=True)
    engine.add_event_handler(Events.ITERATION_COMPLETED, handler)
    return handler


def before_each_update(engine, scheduler, name):
    engine.add_event_handler(Events.ITERATION_STARTED, LRScheduler(scheduler))


@pytest.mark.parametrize("module", [accepted, plain], ids=["accepted", "plain"])
@pytest.mark.parametrize("name", NAMES)
def test_a_handler_that_steps_gives_each_update_its_rate(name, module, sgd, expected):
    assert run(name, module, sgd, by_hand)[0] == expected(name)


@pytest.mark.parametrize("name", WRAPPED)
def test_ignites_wrapper_after_each_update_gives_the_next_its_rate(name, sgd, expected):
    rates, _, _ = run(name, accepted, sgd, after_each_update)
    assert rates == pytest.approx(expected(name), rel=1e-12)


def test_ignites_wrapper_before_each_update_is_a_factor_ahead_with_torchs_own_too(sgd, expected):
    ours, _, _ = run("ExponentialLR", accepted, sgd, before_each_update)
    torchs, _, _ = run("ExponentialLR", Torch(), sgd, before_each_update)
    assert ours == torchs == expected("ExponentialLR", STEPS + 1)[1:]


def test_ignites_wrapper_refuses_the_plain_class(sgd):
    with pytest.raises(TypeError, match=r"should be a subclass of torch\.optim\.lr_scheduler"):
        run("StepLR", plain, sgd, before_each_update)


@pytest.mark.parametrize("name", NAMES)
def test_a_checkpoint_holds_and_restores_the_schedule(name, sgd, state_after, tmp_path):
    _, scheduler, _ = run(name, accepted, sgd, by_hand, steps=5)
    save = {"scheduler": scheduler, "optimizer": scheduler.optimizer}
    checkpoint = Checkpoint(save, DiskSaver(tmp_path, require_empty=False))
    checkpoint(Engine(lambda engine, batch: None))
    saved = torch.load(tmp_path / checkpoint.last_checkpoint)
    assert saved["scheduler"] == state_after(name, 5)
    fresh = build(name, accepted, sgd(torch.nn.Linear(3, 1))[0])
    Checkpoint.load_objects({"scheduler": fresh, "optimizer": fresh.optimizer}, saved)
    assert fresh.state_dict() == scheduler.state_dict()
    assert fresh.optimizer.param_groups[0]["lr"] == scheduler.optimizer.param_groups[0]["lr"]


# ignite wraps torch's CosineAnnealingWarmRestarts once more, in something that has no state to save
@pytest.mark.parametrize("name", sorted({*WRAPPED} - {"CosineAnnealingWarmRestarts"}))
def test_the_wrappers_state_is_that_of_the_schedule(name, sgd):
    _, scheduler, handler = run(name, accepted, sgd, after_each_update, steps=5)
    assert handler.state_dict()["lr_scheduler"] == scheduler.state_dict()
    _, fresh, again = run(name, accepted, sgd, after_each_update, steps=1)
    again.load_state_dict(handler.state_dict())
    assert fresh.state_dict() == scheduler.state_dict()


@pytest.mark.parametrize("name", WRAPPED)
def test_a_simulation_leaves_the_schedule_alone(name, sgd):
    scheduler = build(name, accepted, sgd(torch.nn.Linear(3, 1))[0])
    before = scheduler.state_dict(), scheduler.optimizer.param_groups[0]["lr"]
    assert len(LRScheduler.simulate_values(STEPS, scheduler)) == STEPS
    assert (scheduler.state_dict(), scheduler.optimizer.param_groups[0]["lr"]) == before
