"""The claims of the chapter on loss surfaces."""

import numpy as np
import pytest

from optim_scratch import descend, surfaces
from optim_scratch.optimizers import SGD
from optim_scratch.problems import SpiralMLP


@pytest.mark.parametrize("index", range(4))
def test_a_minimum_of_himmelblau_holds_descent_up_to_2_over_its_curvature(index: int) -> None:
    surface = surfaces.himmelblau()
    minimum, shifts = np.array(surface.minima[index]), 1e-5 * np.eye(2)
    hessian = (surface.gradient(minimum + shifts) - surface.gradient(minimum - shifts)) / 2e-5
    limit = 2 / np.linalg.eigvalsh(hessian)[-1]
    rates = limit * np.array([[0.99], [1.01]])
    run = descend(surface, SGD, 3000, start=minimum + 1e-3, every=3000, lr=rates)
    below, above = np.linalg.norm(run.end - minimum, axis=-1)
    assert below < 1e-6
    assert above > 1e-2


def test_above_the_limit_a_run_hops_between_two_points_and_wider_at_a_higher_rate() -> None:
    surface = surfaces.himmelblau()
    sharpest = np.array(surface.minima[2])
    rates = np.array([[0.0150], [0.0155]])
    points = descend(surface, SGD, 3000, start=sharpest + 0.1, lr=rates).points
    np.testing.assert_allclose(points[-1], points[-3], atol=1e-9)
    hop = np.linalg.norm(points[-1] - points[-2], axis=-1)
    assert 0.1 < hop[0] < hop[1] < 1
    assert np.all(np.sum((points[-1] - sharpest) * (points[-2] - sharpest), axis=-1) < 0)


@pytest.mark.parametrize("angle", [5, 20, 45])
def test_no_scaling_of_two_coordinates_beats_equal_diagonals(angle: int) -> None:
    hessian = surfaces.ravine(20, angle).gradient(np.eye(2))
    scales = np.geomspace(0.05, 20, 4001)
    scaled = hessian * np.stack([np.ones_like(scales), scales], axis=-1)[:, None, :]
    scaled *= np.stack([np.ones_like(scales), scales], axis=-1)[:, :, None]
    low, high = np.linalg.eigvalsh(scaled).T
    best = scales[(high / low).argmin()]
    assert best == pytest.approx(np.sqrt(hessian[0, 0] / hessian[1, 1]), rel=2e-3)


def test_momentum_and_a_larger_rate_change_where_descent_ends() -> None:
    x = np.linspace(-5.5, 5.5, 40)
    grid = np.stack(np.meshgrid(x, x), axis=-1)
    lr = np.array([0.001, 0.01, 0.001]).reshape(3, 1, 1, 1)
    mu = np.array([0.0, 0.0, 0.9]).reshape(3, 1, 1, 1)
    run = descend(surfaces.himmelblau(), SGD, 1000, start=grid, every=1000, lr=lr, momentum=mu)
    quadrant = run.end > 0  # each minimum lies in one of its own
    moved = np.mean(np.any(quadrant[1:] != quadrant[0], axis=-1), axis=(1, 2))
    assert 0.01 < moved[0] < 0.04
    assert 0.18 < moved[1] < 0.24


def test_steps_to_leave_a_saddle_grow_like_the_logarithm_of_the_closeness() -> None:
    eta, distances = 0.1, 10.0 ** -np.arange(2, 10)
    start = np.stack([np.full(8, -1.5), distances], axis=-1)
    run = descend(surfaces.saddle(), SGD, 300, start=start, lr=eta)
    steps = (np.abs(run.points[..., 1]) > 0.5).argmax(axis=0)
    formula = np.log(0.5 / distances) / np.log(1 + eta)
    np.testing.assert_allclose(steps, formula, atol=3)


def test_noise_leaves_the_ridge_as_from_the_distance_it_is_worth() -> None:
    eta, sigma = 0.1, 1e-3
    surface = surfaces.noisy(surfaces.saddle(), sigma, seed=2)
    run = descend(surface, SGD, 250, start=np.tile([-1.5, 0.0], (2000, 1)), lr=eta)
    away = np.abs(run.points[..., 1]) > 0.5
    worth = 0.674 * sigma * np.sqrt(eta / (2 + eta))
    formula = np.log(0.5 / worth) / np.log(1 + eta)
    assert away[-1].all()
    assert abs(np.median(away.argmax(axis=0)) - formula) < 3


NETWORK = SpiralMLP(points=59)
TRAINED = descend(NETWORK, SGD, 1000, lr=0.1, momentum=0.9, every=10)


def test_random_planes_show_the_mean_curvature_and_hide_the_rest() -> None:
    hessian = NETWORK.hessian(TRAINED.points[5])
    frames = np.linalg.qr(np.random.default_rng(1).standard_normal((500, len(hessian), 2)))[0]
    true, seen = np.linalg.eigvalsh(hessian), np.linalg.eigvalsh(frames.mT @ hessian @ frames)
    assert seen.mean() == pytest.approx(true.mean(), rel=0.05)
    assert np.mean(true < -1e-3) > 0.1
    assert np.mean(seen < 0) < 0.01
    assert seen.max() < 0.1 * true[-1]


def test_negative_curvature_vanishes_with_the_errors() -> None:
    start, end = (np.linalg.eigvalsh(NETWORK.hessian(TRAINED.points[i])) for i in (0, -1))
    assert np.mean(start < -1e-3) > 0.15
    assert end[0] > -1e-3
    assert np.sum(end > 1e-3) <= 59  # the rank of what is left, one for each example


def test_a_random_walk_is_nearly_planar_too() -> None:
    moves = np.random.default_rng(1).standard_normal((20, *TRAINED.points.shape))
    walks = np.cumsum(moves, axis=1)
    shares = []
    for points in (TRAINED.points, *walks):
        moved = points - points.mean(axis=0)
        variances = np.linalg.eigvalsh(moved @ moved.T)
        shares.append(variances[-2:].sum() / variances.sum())
    assert shares[0] > 0.94
    assert np.mean(shares[1:]) == pytest.approx(6 / np.pi**2 * 1.25, abs=0.02)
