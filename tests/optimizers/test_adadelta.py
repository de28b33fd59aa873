"""What is Adadelta's own; what it shares with every optimizer is tested beside."""

import numpy as np
import pytest

from optim_scratch import Parameter
from optim_scratch.optimizers import Adadelta


def descended(unit, eps, steps=50):
    """The path on ½ x², with x measured in another unit, told in the first one."""
    p = Parameter([3.0 * unit])
    adadelta, points = Adadelta([p], eps=eps), []
    for _ in range(steps):
        p.grad = p.data / unit**2
        adadelta.step()
        points.append(p.data.item() / unit)
    return np.array(points)


@pytest.mark.parametrize("unit", [1e-3, 1e3])
def test_units_make_no_difference_but_to_eps(unit):
    """Without ε the parameter's unit cancels, but for a first mean square of steps, to be given."""
    p, q = Parameter([0.0]), Parameter([0.0])
    one, other = Adadelta([p], eps=0.0), Adadelta([q], eps=0.0)
    for optimizer, w, scale in ((one, p, 1.0), (other, q, unit)):
        optimizer.state[w] = {"step": 1, "square_avg": np.array([scale**-2.0]),
                              "acc_delta": np.array([scale**2.0 * 1e-4])}  # fmt: skip
    for g in np.random.default_rng(0).standard_normal(40):
        p.grad, q.grad = [g], [g / unit]
        one.step()
        other.step()
        np.testing.assert_allclose(q.data / unit, p.data, rtol=1e-10)


def test_eps_is_what_knows_units():
    assert descended(1.0, 1e-6, 400)[-1] < 1.5
    assert descended(1e3, 1e-6, 400)[-1] > 2.99


@pytest.mark.parametrize(("rho", "eps"), [(0.9, 1e-6), (0.5, 1e-4)])
def test_eps_sets_the_first_step(rho, eps):
    p = Parameter([0.0, 0.0])
    p.grad = [1e3, -1e6]
    Adadelta([p], rho=rho, eps=eps).step()
    length = (eps / (1 - rho)) ** 0.5
    np.testing.assert_allclose(p.data, [-length, length], rtol=1e-6)


def test_without_eps_it_never_moves():
    p = Parameter([1.0])
    p.grad = [2.0]
    Adadelta([p], eps=0.0).step()
    assert p.data == 1.0


def test_its_steps_grow_from_the_steps_before():
    lengths = -np.diff(descended(1.0, 1e-6, 150))
    assert (np.diff(lengths) > 0).all()
    assert lengths[-1] > 1.3 * lengths[0]


def test_the_rate_multiplies_the_step_and_is_not_remembered():
    p, q = Parameter([0.0]), Parameter([0.0])
    half, whole = Adadelta([p], lr=0.5), Adadelta([q])
    for g in (1.0, -2.0, 0.5):
        p.grad = q.grad = [g]
        half.step()
        whole.step()
    np.testing.assert_allclose(p.data, q.data / 2, rtol=1e-14)
    assert half.state[p]["acc_delta"] == whole.state[q]["acc_delta"]
