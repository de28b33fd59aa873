"""What is RAdam's own; what it shares with every optimizer is tested beside."""

import numpy as np
import pytest

from optim_scratch import Parameter
from optim_scratch.optimizers import Adam, RAdam
from optim_scratch.optimizers.radam import rectification


def steps(gradient, count, **hyper):
    p = Parameter([0.0])
    radam, points = RAdam([p], **hyper), [0.0]
    for _ in range(count):
        p.grad = [gradient]
        radam.step()
        points.append(p.data.item())
    return -np.diff(points)


@pytest.mark.parametrize(("beta2", "first"), [(0.999, 6), (0.99, 6), (0.9, 6), (0.8, 7), (0.7, 10)])
def test_when_the_denominator_is_known(beta2, first):
    """ρ_t grows by nearly one a step, so that it passes 5 at the sixth or soon after."""
    known = [t for t in range(1, 200) if rectification(t, beta2)[1]]
    rho = [(2 / (1 - beta2) - 1) - 2 * t * beta2**t / (1 - beta2**t) for t in range(1, 200)]
    assert known == [t for t, each in enumerate(rho, start=1) if each > 5]
    assert known[0] == first


def test_with_a_small_beta2_never():
    assert not any(rectification(t, 2 / 3)[1] for t in range(1, 1000))


def test_the_first_steps_are_momentums_in_units_of_the_gradient():
    np.testing.assert_allclose(steps(0.02, 5, lr=0.1), 0.002, rtol=1e-12)
    np.testing.assert_allclose(steps(20.0, 5, lr=0.1), 2.0, rtol=1e-12)


def test_then_they_are_adams_times_a_warmup():
    found = steps(20.0, 3000, lr=0.1, eps=0.0)[5:]
    expected = [0.1 * rectification(t, 0.999)[0] for t in range(6, 3001)]
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert found[0] < 0.1 * 0.05
    assert (np.diff(found) > 0).all()
    assert 0.09 < found[-1] < 0.1


def test_in_the_end_it_is_adam():
    rng, p, q = np.random.default_rng(0), Parameter([0.0]), Parameter([0.0])
    radam, adam = RAdam([p], betas=(0.9, 0.99), eps=0.0), Adam([q], betas=(0.9, 0.99), eps=0.0)
    for _ in range(3000):
        p.grad = q.grad = rng.standard_normal(1)
        before = p.data.copy(), q.data.copy()
        radam.step()
        adam.step()
    np.testing.assert_allclose(p.data - before[0], q.data - before[1], rtol=1e-6)


def test_rectification_of_many_runs_is_that_of_each():
    betas = np.array([0.0, 0.6, 0.9, 0.99, 0.999])
    for t in (1, 5, 6, 9, 50):
        r, known = rectification(t, betas)
        for i, beta2 in enumerate(betas.tolist()):
            one, its = rectification(t, beta2)
            assert known[i] == its
            assert not its or r[i] == pytest.approx(one, rel=1e-14)


def test_runs_at_once_are_rectified_each_when_its_own_denominator_is_known():
    betas, rng = np.array([[0.6], [0.8], [0.999]]), np.random.default_rng(0)
    rows = Parameter(np.zeros((3, 2)))
    runs = [Parameter(np.zeros(2)) for _ in betas]
    together = RAdam([rows], lr=0.1, betas=(0.9, betas))
    alone = [RAdam([p], lr=0.1, betas=(0.9, b)) for p, b in zip(runs, betas[:, 0], strict=True)]
    for _ in range(8):  # from the seventh on the second and the third are, and never the first
        rows.grad = rng.standard_normal((3, 2))
        together.step()
        for p, g, radam in zip(runs, rows.grad, alone, strict=True):
            p.grad = g
            radam.step()
        # ρ is a difference of numbers near 2000, in which it shows how NumPy and Python round β₂ᵗ
        np.testing.assert_allclose(rows.data, [p.data for p in runs], rtol=1e-12)
