"""What the page on gradient descent claims."""

import numpy as np
import pytest

from optim_scratch import descend, problems, surfaces
from optim_scratch.optimizers import SGD


@pytest.mark.parametrize("condition", [10, 100, 1000])
def test_steps_at_the_best_rate(condition) -> None:
    rho = (condition - 1) / (condition + 1)
    expected = int(np.ceil(np.log(1e-6) / np.log(rho)))
    ravine = surfaces.ravine(condition, 30)
    run = descend(ravine, SGD, expected, lr=2 / (condition + 1), start=(1.0, 1.0))
    error = np.linalg.norm(run.points, axis=-1) / np.sqrt(2)
    assert error[-1] <= 1e-6 < error[-2]


def test_the_path_turns_with_the_ravine() -> None:
    paths = [descend(surfaces.ravine(20, angle), SGD, 60, lr=0.09) for angle in (0, 45)]
    np.testing.assert_allclose(paths[0].losses, paths[1].losses, rtol=1e-12)


@pytest.mark.parametrize("seed", [7, 8, 9])
def test_the_digits_break_within_two_notches_of_the_limit_of_the_first_weights(seed) -> None:
    digits = problems.Digits(seed=seed)
    limit = 2 / digits.sharpness(digits.start)
    rates = limit * np.array([0.25, 1.0, 3.0])
    run = descend(digits, SGD, 160, lr=rates[:, None], every=160)
    few, right, broken = digits.accuracy(run.end, "validation")
    assert right > 0.9 > 0.5 > broken
    assert right > few


def test_a_loss_growing_by_a_factor_tells_the_curvature() -> None:
    h = 2.2 / 0.3
    bowl = problems.NoisyQuadratic([h], 0.0, start=[(2 * 5.0 / h) ** 0.5])
    losses = descend(bowl, SGD, 4, lr=0.3).losses
    np.testing.assert_allclose(losses, [5.0, 7.2, 10.4, 14.9, 21.5], rtol=0.01)


def test_a_round_bowl_penalty_gives_the_step() -> None:
    """The minimum of the plane plus the penalty, searched for, is the step."""
    g, eta = np.array([3.0, -1.0]), 0.1
    moves = np.stack(np.meshgrid(*[np.linspace(-1, 1, 401)] * 2), axis=-1)
    model = moves @ g + np.sum(moves**2, axis=-1) / (2 * eta)
    best = moves[np.unravel_index(model.argmin(), model.shape)]
    np.testing.assert_allclose(best, -eta * g, atol=0.003)
