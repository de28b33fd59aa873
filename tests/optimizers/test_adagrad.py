"""What is Adagrad's own; what it shares with every optimizer is tested beside."""

import numpy as np
import pytest

from optim_scratch import Parameter
from optim_scratch.optimizers import Adagrad


def path(gradients, **hyper):
    p = Parameter(np.zeros(np.shape(gradients[0])))
    adagrad, points = Adagrad([p], **hyper), []
    for g in gradients:
        p.grad = g
        adagrad.step()
        points.append(p.data.copy())
    return np.array(points)


GRADIENTS = np.random.default_rng(0).standard_normal((30, 4))


@pytest.mark.parametrize("scale", [1e-6, 3.0, 1e9])
def test_the_scale_of_the_gradient_makes_no_difference(scale):
    ours = path(GRADIENTS, lr=0.1, eps=0.0)
    np.testing.assert_allclose(path(scale * GRADIENTS, lr=0.1, eps=0.0), ours, rtol=1e-12)


def test_steps_under_one_gradient_fall_like_one_over_the_root_of_t():
    steps = -np.diff(path(np.full((100, 1), 5.0), lr=0.1, eps=0.0), axis=0, prepend=0)[:, 0]
    np.testing.assert_allclose(steps, 0.1 / np.sqrt(np.arange(1, 101)), rtol=1e-12)


def test_a_rare_entry_steps_as_far_as_a_common_one_did_when_it_was_new():
    gradients = np.ones((100, 2))
    gradients[:-1, 1] = 0
    steps = np.diff(path(gradients, lr=0.1), axis=0, prepend=0)
    np.testing.assert_allclose(steps[99], [-0.01, -0.1], rtol=1e-9)
    assert (steps[:-1, 1] == 0).all(), "without a gradient it stays"


def test_eps_stands_beside_the_root_and_the_sum_may_begin_above_zero():
    assert path([[1.0]], lr=1.0, eps=1.0).item() == -0.5
    hyper = {"lr": 1.0, "eps": 0.0, "initial_accumulator_value": 3.0}
    assert path([[1.0]], **hyper).item() == -0.5


def test_the_rate_falls_from_the_second_step_on():
    hyper = {"lr": 1.0, "eps": 0.0, "lr_decay": 1.0}
    steps = -np.diff(path(np.ones((3, 1)), **hyper), axis=0, prepend=0)[:, 0]
    np.testing.assert_allclose(steps, [1, 1 / 2 / 2**0.5, 1 / 3 / 3**0.5], rtol=1e-14)


def test_the_sums_are_there_at_once_as_in_torch():
    p, late = Parameter([1.0]), Parameter([1.0, 2.0])
    adagrad = Adagrad([p], initial_accumulator_value=0.25)
    adagrad.add_param_group({"params": late, "initial_accumulator_value": 0.5})
    assert adagrad.state[p]["sum"].tolist() == [0.25]
    assert adagrad.state[late]["sum"].tolist() == [0.5, 0.5]


def test_with_eps_zero_an_entry_without_gradients_is_not_a_number():
    with np.errstate(invalid="ignore"):
        assert np.isnan(path([[0.0]], eps=0.0)).all()
