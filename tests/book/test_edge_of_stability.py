"""What the page on the edge of stability claims."""

from types import SimpleNamespace

import numpy as np
import pytest

from optim_scratch import descend, problems, surfaces
from optim_scratch.optimizers import SGD


def edge(network, start, lr) -> float:
    """Return the sharpness after 3,000 steps of full-batch descent."""
    return network.sharpness(descend(network, SGD, 3000, lr=lr, start=start, every=3000).end)


@pytest.mark.parametrize("lr", [0.2, 0.25, 0.4, 0.8])
def test_a_network_settles_at_the_edge_of_stability(lr) -> None:
    network = problems.SpiralMLP(points=59)
    # the spirals have 59 points so that no symmetry leaves the run to rounding errors
    assert edge(network, network.start, lr) * lr == pytest.approx(2, rel=0.1)
    assert edge(network, network.start + 1e-9, lr) * lr == pytest.approx(2, rel=0.1)


def test_a_swing_lowers_the_sharpness_but_not_the_quadratic_models() -> None:
    network, lr = problems.SpiralMLP(points=59), 0.2
    here = descend(network, SGD, 530, lr=lr, every=530).end
    g, H = network.gradient(here), network.hessian(here)
    sharpest = np.linalg.eigh(H)[1][:, -1]
    model = SimpleNamespace(
        value=lambda t: network.value(here) + (t - here) @ g + (t - here) @ H @ (t - here) / 2,
        gradient=lambda t: g + H @ (t - here),
    )
    pushed = {"steps": 40, "lr": lr, "start": here + 0.01 * sharpest}
    real, quadratic = descend(network, SGD, **pushed), descend(model, SGD, **pushed)
    assert network.sharpness(here) > 2 / lr > network.sharpness(real.end)
    assert real.final_loss < 0.03
    assert quadratic.final_loss > 1e5


def test_other_starts_settle_there_too() -> None:
    network, lrs = problems.SpiralMLP(points=59), np.array([0.2, 0.4, 0.8])
    starts = np.stack([problems.SpiralMLP(seed=seed).start for seed in range(8)])
    runs = descend(network, SGD, 4000, lr=lrs[:, None, None], start=starts, every=4000)
    alive = np.nonzero(runs.diverged_at < 0)
    products = [network.sharpness(runs.end[i, j]) * lrs[i] for i, j in zip(*alive, strict=True)]
    assert len(products) == 23
    np.testing.assert_allclose(products, 2, rtol=0.1)


def test_the_swings_say_how_far_the_sharpness_falls() -> None:
    def slope(theta, delta=1e-3):
        u = delta * np.linalg.eigh(network.hessian(theta))[1][:, -1]
        both = network.gradient(theta + u) + network.gradient(theta - u)
        return np.sum(((both - 2 * network.gradient(theta)) / delta**2) ** 2)

    network, lr = problems.SpiralMLP(points=59), 0.2
    here = descend(network, SGD, 530, lr=lr, every=530).end
    u = np.linalg.eigh(network.hessian(here))[1][:, -1]
    path = descend(network, SGD, 40, lr=lr, start=here + 0.01 * u).points
    bottom = path[18]
    swings = np.sum(((path - here) @ u) ** 2)
    most, least = (lr / 2 * swings * slope(theta) for theta in (here, bottom))
    fall = network.sharpness(here) - network.sharpness(bottom)
    assert least < fall < most < 2 * least


def test_rosenbrock_above_the_limit_rests_where_the_curvature_is_two_over_the_rate() -> None:
    def curvature(x, y):
        hessian = [[2 - 400 * (y - x**2) + 800 * x**2, -400 * x], [-400 * x, 200]]
        return np.linalg.eigvalsh(hessian)[1]

    lr = 1.05 * 2 / curvature(1, 1)
    run = descend(surfaces.rosenbrock(), SGD, 20_000, lr=lr)
    assert curvature(*run.points[-2:].mean(axis=0)) == pytest.approx(2 / lr, rel=1e-3)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_digits_do_not_reach_the_edge_and_grow_flatter(seed) -> None:
    digits, lr = problems.Digits(batch_size=None, seed=seed), 0.4
    run = descend(digits, SGD, 600, lr=lr, every=40)
    sharpness = [digits.sharpness(theta) for theta in run.points]
    assert max(sharpness) * lr < 1.5
    assert sharpness[-1] < 0.8 * sharpness[0]


def test_a_swing_of_constant_width_is_one_at_two_over_the_rate() -> None:
    """Sharpness that rises with each step and falls with each swing circles around 2/η."""
    lr, rise, slope = 0.2, 1e-3, 100.0
    swing, sharpness, seen = 0.5 * (2 * rise / (lr * slope)) ** 0.5, 10.0, []
    for _ in range(2000):
        swing *= 1 - lr * sharpness
        sharpness += rise - lr / 2 * swing**2 * slope
        seen.append(sharpness)
    assert np.mean(seen) == pytest.approx(2 / lr, rel=0.01)
    assert min(seen) < 2 / lr < max(seen)
