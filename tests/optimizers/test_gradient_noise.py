"""What is GradientNoise's own; what wrappers share is tested beside."""

import numpy as np
import pytest

from optim_scratch import Parameter, RowSparse, descend, surfaces
from optim_scratch.optimizers import LBFGS, SGD, Adam, GradientNoise


def noises(steps, shape=(20_000,), **own):
    """The noise of each step: SGD of rate 1 on a loss without slope walks by it."""
    p = Parameter(np.zeros(shape))
    noisy, points = GradientNoise(SGD([p], lr=1.0), **own), [p.data.copy()]
    for _ in range(steps):
        p.grad = np.zeros(shape)
        noisy.step()
        points.append(p.data.copy())
    return -np.diff(points, axis=0)


@pytest.mark.parametrize("gamma", [0.0, 0.55, 2.0])
def test_the_variance_falls_by_the_law_and_begins_at_eta(gamma):
    z = noises(6, eta=0.3, gamma=gamma)
    law = 0.3 / np.arange(1, 7) ** gamma
    np.testing.assert_allclose(z.var(axis=1), law, rtol=0.05)
    assert np.abs(z.mean(axis=1) / np.sqrt(law / 20_000)).max() < 4
    scaled = z / np.sqrt(law)[:, None]
    assert np.mean(np.abs(scaled) < 1) == pytest.approx(0.6827, abs=0.01), "it is Gaussian"


def test_the_papers_gamma_is_the_default():
    assert GradientNoise(SGD([Parameter(0.0)])).own == {"eta": 0.01, "gamma": 0.55, "seed": 0}


def test_entries_steps_parameters_and_seeds_have_noise_of_their_own():
    z = noises(3, shape=(5000, 2))
    assert np.abs(np.corrcoef(z.reshape(3, -1))[np.triu_indices(3, 1)]).max() < 0.05
    assert abs(np.corrcoef(z[0].T)[0, 1]) < 0.06, "runs at once"
    assert not np.isclose(noises(1, seed=1), noises(1)).any()
    p, q = Parameter(np.zeros(100)), Parameter(np.zeros(100))
    noisy = GradientNoise(SGD([p, q], lr=1.0))
    p.grad, q.grad = np.zeros(100), np.zeros(100)
    noisy.step()
    assert not np.isclose(p.data, q.data).any()


def test_the_same_seed_has_the_same_noise_whatever_else_draws():
    first = noises(4, shape=(5,))
    np.random.default_rng(0).normal(size=100)
    assert np.array_equal(noises(4, shape=(5,)), first)


def test_a_resumed_run_is_the_run_that_went_on():
    def run(steps, noisy, p):
        for _ in range(steps):
            p.grad = p.data.copy()
            noisy.step()

    def fresh(seed):
        p = Parameter(np.ones(7))
        return p, GradientNoise(Adam([p], lr=0.1), eta=0.3, seed=seed)

    p, noisy = fresh(3)
    run(5, noisy, p)
    q, resumed = fresh(0)
    resumed.load_state_dict(noisy.state_dict())
    q.data[...] = p.data
    run(5, noisy, p)
    run(5, resumed, q)
    assert np.array_equal(p.data, q.data)


def test_gradients_are_themselves_after_the_step_and_after_one_that_fails():
    p = Parameter(np.ones(3, np.float32))
    noisy = GradientNoise(SGD([p], lr=0.1))
    gradient = np.arange(3, dtype=np.float32)
    p.grad = gradient
    noisy.step()
    assert p.grad is gradient
    assert gradient.tolist() == [0, 1, 2]
    noisy.param_groups[0]["lr"] = "0.1"
    with pytest.raises(TypeError, match="lr must be a real number"):
        noisy.step()
    assert p.grad is gradient


def test_the_closure_gives_the_gradient_that_gets_the_noise():
    p = Parameter(np.zeros(4))
    noisy = GradientNoise(SGD([p], lr=1.0), eta=0.01)

    def closure():
        p.grad = np.full(4, 5.0)
        return 7.0

    assert noisy.step(closure) == 7.0
    expected = noises(1, shape=(4,), eta=0.01)[0] + 5
    np.testing.assert_allclose(-p.data, expected, rtol=1e-12)


def test_all_looks_of_a_step_meet_the_same_noise():
    p, seen = Parameter(np.ones(3)), []
    noisy = GradientNoise(LBFGS([p], max_iter=3), eta=1.0)

    def closure():
        p.grad = np.zeros(3)
        seen.append(p.data.copy())
        return 0.0

    noisy.step(closure)
    assert len(seen) > 1
    # the slope is the same at each look, and so only the first step is taken along it
    z = noises(1, shape=(3,), eta=1.0)[0]
    way = seen[1] - seen[0]
    np.testing.assert_allclose(way / np.linalg.norm(way), -z / np.linalg.norm(z), rtol=1e-9)


def test_a_parameter_without_a_gradient_gets_no_noise():
    p, q = Parameter(np.zeros(2)), Parameter(np.zeros(2))
    noisy = GradientNoise(SGD([p, q], lr=1.0))
    q.grad = np.zeros(2)
    noisy.step()
    assert not p.data.any()
    assert q.data.all()
    assert p.grad is None


def test_refuses_a_gradient_of_some_rows():
    p = Parameter(np.zeros((3, 2)))
    noisy = GradientNoise(SGD([p]))
    p.grad = RowSparse([0], [[1.0, 1.0]], (3, 2))
    with pytest.raises(TypeError, match="GradientNoise takes no row-sparse gradient"):
        noisy.step()


def test_it_leaves_a_saddle_on_whose_ridge_plain_descent_stands_still():
    on_the_ridge = [1.0, 0.0]
    plain = descend(surfaces.saddle(), SGD, 100, start=on_the_ridge, lr=0.1)
    assert (plain.points[:, 1] == 0).all()
    noisy = descend(
        surfaces.saddle(),
        lambda params: GradientNoise(SGD(params, lr=0.1)),
        100,
        start=np.tile(on_the_ridge, (50, 1)),
    )
    away = noisy.end[:, 1]
    assert (np.abs(away) > 0.5).all()
    assert 10 < (away > 0).sum() < 40, "some to each side"
