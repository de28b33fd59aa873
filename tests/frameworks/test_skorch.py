"""Skorch makes a scheduler from its class, and gives what is torch's plateau its score."""

import numpy as np
import pytest
import torch
from every_scheduler import ARGUMENTS, METRICS, NAMES, STEPS, WITH_METRIC, build
from skorch import NeuralNetRegressor
from skorch.callbacks import Callback, LRScheduler

from optim_scratch import schedulers as plain
from optim_scratch.experiments import schedulers as accepted

# the others are made of schedulers, or take no last_epoch: a function makes them
BY_CLASS = [name for name in ARGUMENTS if name != "GradualWarmupScheduler"]


class Rates(Callback):
    """Keeps the rate of each update."""

    def on_train_begin(self, net, **kwargs):
        self.rates_ = getattr(self, "rates_", [])

    def on_batch_begin(self, net, training, **kwargs):
        if training:
            self.rates_.append(net.optimizer_.param_groups[0]["lr"])


def score(net):
    return METRICS[len(net.history) - 1]


def regressor(scheduler, epochs=STEPS):
    return NeuralNetRegressor(
        torch.nn.Linear,
        module__in_features=3,
        module__out_features=1,
        optimizer__momentum=0.9,
        lr=0.1,
        max_epochs=epochs,
        batch_size=2,
        train_split=None,
        callbacks=[("rates", Rates()), ("schedule", scheduler)],
        callbacks__print_log=None,
    )


def rates_of(net, samples=2):
    x = np.random.default_rng(0).normal(size=(samples, 3)).astype(np.float32)
    net.partial_fit(x, np.zeros((samples, 1), np.float32))
    return dict(net.callbacks_)["rates"].rates_


@pytest.mark.parametrize("name", BY_CLASS)
def test_each_epoch_has_the_rate_of_the_schedule(name, expected):
    policy = getattr(accepted, name)
    net = regressor(LRScheduler(policy, monitor=score, **ARGUMENTS[name]))
    assert rates_of(net) == expected(name)
    assert net.history[:, "event_lr"] == expected(name)


@pytest.mark.parametrize("name", BY_CLASS)
def test_each_update_has_the_rate_of_the_schedule(name, expected):
    updates = iter(METRICS)
    policy = getattr(accepted, name)
    monitor = {"monitor": lambda net: next(updates)}
    net = regressor(LRScheduler(policy, step_every="batch", **monitor, **ARGUMENTS[name]), epochs=3)
    assert rates_of(net, samples=2 * STEPS // 3) == expected(name)


@pytest.mark.parametrize("name", NAMES)
def test_a_function_may_make_the_scheduler(name, expected):
    def policy(optimizer, last_epoch):
        return build(name, accepted, optimizer)

    assert rates_of(regressor(LRScheduler(policy, monitor=score))) == expected(name)


def test_a_second_call_of_partial_fit_goes_on(expected):
    net = regressor(LRScheduler(accepted.ExponentialLR, gamma=0.8), epochs=STEPS // 2)
    rates_of(net)
    assert rates_of(net) == pytest.approx(expected("ExponentialLR"), rel=1e-12)


def test_a_simulation_shows_the_schedule(expected):
    rates = LRScheduler(accepted.StepLR, **ARGUMENTS["StepLR"]).simulate(STEPS, 0.1)
    assert rates.tolist() == expected("StepLR")


def test_the_plain_plateau_gets_no_score():
    def policy(optimizer, last_epoch):
        return build(WITH_METRIC, plain, optimizer)

    with pytest.raises(TypeError, match="metrics must be a number, got None"):
        rates_of(regressor(LRScheduler(policy, monitor=score)))
