"""What is signSGD's and Lion's own; what they share with every optimizer is tested beside."""

import numpy as np
import pytest

from optim_scratch import Parameter
from optim_scratch.optimizers import Lion, SignSGD


def path(kind, gradients, start=0.0, **hyper):
    p = Parameter(np.full(np.shape(gradients[0]), start))
    optimizer, points = kind([p], **hyper), [p.data.copy()]
    for g in gradients:
        p.grad = g
        optimizer.step()
        points.append(p.data.copy())
    return np.array(points)


GRADIENTS = np.random.default_rng(0).standard_normal((40, 5)) ** 3


@pytest.mark.parametrize(
    ("kind", "hyper"), [(SignSGD, {}), (SignSGD, {"momentum": 0.9}), (Lion, {})]
)
def test_every_step_is_the_rate_up_or_down(kind, hyper):
    steps = np.diff(path(kind, GRADIENTS, lr=0.25, **hyper), axis=0)
    assert set(np.unique(steps)) == {-0.25, 0.25}


@pytest.mark.parametrize("kind", [SignSGD, Lion])
def test_where_the_gradient_is_zero_nothing_moves(kind):
    assert (path(kind, [[0.0]], lr=0.1) == 0).all()


def test_signs_of_gradients_and_of_their_mean():
    assert np.array_equal(np.diff(path(SignSGD, GRADIENTS, lr=1.0), axis=0), -np.sign(GRADIENTS))
    # m = 0.1 · 10, then 0.9 − 0.1 · 1: still above 0
    assert path(SignSGD, [[10.0], [-1.0]], lr=1.0, momentum=0.9)[-1] == -2
    assert path(SignSGD, [[10.0], [-1.0]], lr=1.0)[-1] == 0


def test_lion_weighs_the_newest_gradient_more_than_its_memory_does():
    # after a gradient of 10 the memory is 0.1: the direction is 0.09 + 0.1 g, the memory's own
    # sign would need 0.099 + 0.01 g
    # (and from a memory that already held −0.85, the direction would be 0.9 · 0.0905 − 0.085)
    assert path(Lion, [[10.0], [-0.85]], lr=1.0)[-1] == -2
    assert path(Lion, [[10.0], [-1.0]], lr=1.0)[-1] == 0


def test_lion_remembers_the_gradient_and_not_the_direction():
    p = Parameter([0.0])
    lion = Lion([p], lr=1.0, betas=(0.5, 0.75))
    for g in (4.0, -8.0):
        p.grad = [g]
        lion.step()
    assert lion.state[p]["exp_avg"] == 0.75 * 1.0 - 2.0


@pytest.mark.parametrize("kind", [SignSGD, Lion])
def test_decay_is_decoupled(kind):
    still = path(kind, [[0.0]] * 3, start=2.0, lr=0.1, weight_decay=0.5)
    np.testing.assert_allclose(still[:, 0], 2 * 0.95 ** np.arange(4), rtol=1e-14)
    assert np.array_equal(
        path(kind, GRADIENTS, start=2.0, lr=0.0, weight_decay=0.5)[-1], np.full(5, 2.0)
    )


def test_signums_buffer_is_a_mean():
    p = Parameter([0.0])
    signum = SignSGD([p], momentum=0.75)
    p.grad = [4.0]
    signum.step()
    assert signum.state[p]["momentum_buffer"] == 1.0
