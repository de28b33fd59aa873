"""What is RMSprop's own; what it shares with every optimizer is tested beside."""

import numpy as np
import pytest
import torch

from optim_scratch import Parameter
from optim_scratch.optimizers import RMSprop


def test_the_first_step_has_one_length_for_gradients_of_any_size():
    p = Parameter([0.0, 0.0, 0.0])
    p.grad = np.array([1e-3, -7.0, 1e8])
    RMSprop([p], lr=0.1, alpha=0.96, eps=0.0).step()
    # v = (1 − α) g², so each step is η / √(1 − α) = 0.1 / 0.2
    np.testing.assert_allclose(p.data, [-0.5, 0.5, -0.5], rtol=1e-14)


def test_eps_stands_beside_the_root():
    p = Parameter([0.0])
    p.grad = np.array([1.0])
    RMSprop([p], lr=1.0, alpha=0.0, eps=1.0).step()
    assert p.data == -0.5


def test_centred_a_gradient_that_stays_has_no_spread_and_eps_alone_is_left():
    p = Parameter([0.0])
    rmsprop = RMSprop([p], lr=1.0, alpha=0.5, eps=0.25, centered=True)
    for _ in range(60):
        p.grad = np.array([1.0])
        before = p.data.copy()
        rmsprop.step()
    # v − m² → 1 − 1, so the step is g / ε
    np.testing.assert_allclose(before - p.data, 4.0, rtol=1e-6)


@pytest.mark.usefixtures("float64")
def test_centred_without_eps_a_constant_gradient_is_0_over_0_here_and_in_torch():
    p, q = Parameter([0.0]), torch.nn.Parameter(torch.zeros(1))
    ours = RMSprop([p], alpha=0.5, eps=0.0, centered=True)
    theirs = torch.optim.RMSprop([q], alpha=0.5, eps=0.0, centered=True)
    for _ in range(70):
        p.grad, q.grad = np.ones(1), torch.ones(1)
        ours.step()
        theirs.step()
    assert not np.isfinite(p.data).any()
    assert not torch.isfinite(q).any()


def test_momentum_and_centring_may_be_switched_on_in_mid_run():
    p = Parameter([0.0])
    rmsprop = RMSprop([p], lr=0.1)
    p.grad = np.ones(1)
    rmsprop.step()
    assert rmsprop.state[p]["momentum_buffer"] is None
    rmsprop.param_groups[0].update(momentum=0.9, centered=True)
    rmsprop.step()
    assert rmsprop.state[p]["momentum_buffer"].shape == rmsprop.state[p]["grad_avg"].shape == (1,)
