"""What is Adamax's own; what it shares with every optimizer is tested beside."""

import numpy as np

from optim_scratch import Parameter
from optim_scratch.optimizers import Adamax


def lengths(gradients, **hyper):
    p = Parameter([0.0])
    adamax, points = Adamax([p], **hyper), [0.0]
    for g in gradients:
        p.grad = [g]
        adamax.step()
        points.append(p.data.item())
    return np.abs(np.diff(points)), adamax.state[p]


def test_the_first_step_has_one_length_for_gradients_of_any_size():
    p = Parameter([0.0, 0.0])
    p.grad = [1e-3, -1e6]
    Adamax([p], lr=0.1, eps=0.0).step()
    np.testing.assert_allclose(p.data, [-0.1, 0.1], rtol=1e-14)


def test_no_step_is_longer_than_the_rate_by_more_than_the_bound():
    """Nearly reached where gradients shrink as the maximum does, so that the mean is above it."""
    bound = 0.1 * (1 - 0.9) / (1 - 0.9 / 0.99)
    cauchy = np.random.default_rng(0).standard_cauchy(300)
    assert lengths(cauchy, lr=0.1, betas=(0.9, 0.99), eps=0.0)[0].max() <= bound
    worst = lengths(0.99 ** np.arange(300), lr=0.1, betas=(0.9, 0.99), eps=0.0)[0].max()
    assert 0.109 < worst <= bound * (1 + 1e-12)


def test_where_the_maximum_forgets_before_the_mean_no_step_is_bounded():
    steps = lengths([1.0] + [0.0] * 20, lr=0.1, betas=(0.9, 0.5), eps=0.0)[0]
    np.testing.assert_allclose(steps[10:] / steps[9:-1], 0.9 / 0.5, rtol=0.1)
    assert steps[-1] > 100 * 0.1


def test_a_large_gradient_is_remembered_and_shrinks_by_beta2():
    _, state = lengths([8.0, 0.0, 0.0], betas=(0.9, 0.5), eps=0.0)
    assert state["exp_inf"] == 2.0
    _, state = lengths([8.0, 5.0, 0.0], betas=(0.9, 0.5), eps=0.0)
    assert state["exp_inf"] == 2.5


def test_eps_enters_the_maximum():
    _, state = lengths([0.0, 0.0], eps=0.25)
    assert state["exp_inf"] == 0.25
    _, state = lengths([1.0], eps=0.25)
    assert state["exp_inf"] == 1.25


def test_the_mean_is_corrected_and_the_maximum_is_not():
    steps, state = lengths([1.0, 1.0, 1.0], lr=0.1, betas=(0.5, 0.9), eps=0.0)
    np.testing.assert_allclose(steps, 0.1, rtol=1e-12)
    assert state["exp_avg"] == 0.875
