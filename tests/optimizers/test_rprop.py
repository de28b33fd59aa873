"""What is Rprop's own; what it shares with every optimizer is tested beside."""

import numpy as np

from optim_scratch import Parameter
from optim_scratch.optimizers import Rprop


def moved(gradients, **hyper):
    p = Parameter([0.0])
    rprop, points = Rprop([p], **hyper), [0.0]
    for g in gradients:
        p.grad = [g]
        rprop.step()
        points.append(p.data.item())
    return np.diff(points), rprop.state[p]


def test_only_the_sign_counts():
    signs = np.sign(np.random.default_rng(0).standard_normal(50))
    sizes = np.exp(np.random.default_rng(1).standard_normal(50) * 5)
    assert np.array_equal(moved(signs)[0], moved(signs * sizes)[0])


def test_a_length_grows_while_the_sign_stays():
    np.testing.assert_allclose(moved([1] * 4, lr=0.1)[0], [-0.1, -0.12, -0.144, -0.1728])


def test_at_a_change_of_sign_it_is_cut_and_the_entry_waits():
    steps, state = moved([1, -1], lr=0.1)
    np.testing.assert_allclose(steps, [-0.1, 0.0])
    assert state["prev"] == 0, "it remembers a gradient of 0"
    assert state["step_size"] == 0.05


def test_after_waiting_the_length_stays_and_then_grows():
    np.testing.assert_allclose(moved([1, -1, -1, -1], lr=0.1)[0], [-0.1, 0.0, 0.05, 0.06])
    np.testing.assert_allclose(moved([1, -1, 1], lr=0.1)[0], [-0.1, 0.0, -0.05])


def test_lengths_stay_within_their_limits():
    limits = {"lr": 0.1, "step_sizes": (0.02, 0.15)}
    np.testing.assert_allclose(moved([1] * 20, **limits)[0][-1], -0.15)
    assert moved([1, -1] * 20, **limits)[1]["step_size"] == 0.02


def test_the_rate_is_only_the_first_length():
    p = Parameter([0.0])
    rprop = Rprop([p], lr=0.1)
    for lr in (0.1, 100.0, 0.0):
        rprop.param_groups[0]["lr"] = lr
        p.grad = [1.0]
        rprop.step()
    np.testing.assert_allclose(p.data, -0.364)


def test_a_gradient_that_is_not_a_number_is_not_hidden():
    with np.errstate(invalid="ignore"):
        assert np.isnan(moved([1.0, np.nan])[0][-1])


def test_many_gradients_of_one_sign_outweigh_one_that_cancels_them():
    """Why it fails on mini-batches: nine of 0.1 and one of −0.9 add up to nothing."""
    gradients = [0.1] * 9 + [-0.9]
    assert moved(gradients * 3, lr=1e-3)[0].sum() < -0.05
    assert abs(sum(gradients)) < 1e-12
