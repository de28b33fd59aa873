"""What is NAdam's own; what it shares with every optimizer is tested beside."""

import numpy as np

from optim_scratch import Parameter
from optim_scratch.optimizers import NAdam


def test_a_gradient_that_stays_is_followed_at_the_rate():
    """The weights of the mean and of the gradient amount to 1."""
    p = Parameter([0.0])
    nadam = NAdam([p], lr=0.1, betas=(0.5, 0.9), eps=0.0, momentum_decay=0.0)
    for _ in range(200):
        p.grad = np.array([3.0])
        before = p.data.copy()
        nadam.step()
    np.testing.assert_allclose(before - p.data, 0.1, rtol=1e-6)


def test_the_product_of_the_momenta_is_kept():
    p = Parameter([0.0])
    nadam = NAdam([p], betas=(0.9, 0.99), momentum_decay=0.5)
    for _ in range(3):
        p.grad = np.ones(1)
        nadam.step()
    mus = [0.9 * (1 - 0.5 * 0.96 ** (t * 0.5)) for t in (1, 2, 3)]
    np.testing.assert_allclose(nadam.state[p]["mu_product"], np.prod(mus), rtol=1e-14)


def test_the_first_step_looks_ahead():
    p = Parameter([0.0])
    p.grad = np.array([1.0])
    NAdam([p], lr=1.0, betas=(0.8, 0.5), eps=0.0, momentum_decay=0.0).step()
    # μ = 0.4 at every step, m = 0.2: m̂ = 0.4 · 0.2 / (1 − 0.16) + 0.6 / 0.6
    np.testing.assert_allclose(p.data, -(0.08 / 0.84 + 1), rtol=1e-14)
