"""What is SGDW's own; what it shares with every optimizer is tested beside."""

import numpy as np
import pytest

from optim_scratch import Parameter
from optim_scratch.optimizers import SGD, SGDW

GRADIENTS = np.random.default_rng(0).standard_normal((60, 4))


def end(kind, gradients=GRADIENTS, **hyper):
    p = Parameter(np.ones(4))
    optimizer = kind([p], **hyper)
    for g in gradients:
        p.grad = g
        optimizer.step()
    return p.data


def test_without_momentum_it_is_sgd_with_a_penalty():
    hyper = {"lr": 0.1, "weight_decay": 0.3}
    np.testing.assert_allclose(end(SGDW, **hyper), end(SGD, **hyper), rtol=1e-12)


def test_with_momentum_it_is_not():
    hyper = {"lr": 0.1, "weight_decay": 0.3, "momentum": 0.9}
    assert not np.allclose(end(SGDW, **hyper), end(SGD, **hyper), rtol=1e-2)


def test_a_weight_without_gradient_shrinks_by_the_rate_times_the_decay():
    still = end(SGDW, np.zeros((50, 4)), lr=0.1, momentum=0.9, weight_decay=0.2)
    np.testing.assert_allclose(still, 0.98**50, rtol=1e-12)


def test_sgds_penalty_is_ten_times_as_strong_at_momentum_nine_tenths():
    nothing = np.zeros((4000, 4))
    penalty = end(SGD, nothing, lr=0.1, momentum=0.9, weight_decay=5e-4)
    decoupled = end(SGDW, nothing, lr=0.1, momentum=0.9, weight_decay=5e-3)
    np.testing.assert_allclose(penalty, decoupled, rtol=0.02)


def test_decay_does_not_enter_the_buffer():
    p = Parameter(np.ones(4))
    sgdw = SGDW([p], lr=0.1, momentum=0.9, weight_decay=0.5)
    p.grad = np.zeros(4)
    sgdw.step()
    assert (sgdw.state[p]["momentum_buffer"] == 0).all()


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_at_rate_zero_decay_does_nothing(momentum):
    assert (end(SGDW, lr=0.0, momentum=momentum, weight_decay=0.5) == 1).all()
