"""What is Shampoo's own; what it shares with every optimizer is tested beside."""

from functools import reduce
from itertools import pairwise

import numpy as np
import pytest

from optim_scratch import Parameter
from optim_scratch.optimizers import Adagrad, Shampoo
from optim_scratch.optimizers.shampoo import inverse_root


def run(gradients, dtype=np.float64, **options):
    """The points from 0, and the optimizer with its parameter."""
    p = Parameter(np.zeros(np.shape(gradients[0]), dtype))
    shampoo = Shampoo([p], **{"lr": 1.0, **options})
    points = [p.data.copy()]
    for gradient in gradients:
        p.grad = gradient
        shampoo.step()
        points.append(p.data.copy())
    return points, shampoo, p


def power(matrix, exponent):
    """A power of a symmetric matrix, by another decomposition than the package's."""
    u, s, _ = np.linalg.svd(matrix)
    return (u * s**exponent) @ u.T


def factors(gradients, eps):
    """What the definition says of each axis: ε I + Σ G₍ᵢ₎ G₍ᵢ₎ᵀ, entry by entry."""
    found = []
    for axis, n in enumerate(gradients[0].shape):
        matrix = eps * np.eye(n)
        for gradient in gradients:
            slices = np.moveaxis(gradient, axis, 0)
            matrix += [[np.sum(a * b) for b in slices] for a in slices]
        found.append(matrix)
    return found


@pytest.mark.parametrize("shape", [(5,), (4, 3), (2, 3, 4), (2, 2, 2, 3)])
def test_a_step_is_the_root_of_the_kronecker_product(shape, rng):
    """P^(−1/2k) ⊗ … of all factors, one matrix of all entries of a parameter."""
    gradients = rng.normal(size=(6, *shape))
    points, shampoo, p = run(gradients, matrix_eps=0.1)
    matrices = factors(gradients, 0.1)
    for axis, matrix in enumerate(matrices):
        np.testing.assert_allclose(shampoo.state[p][f"pre_cond_{axis}"], matrix, rtol=1e-12)
    whole = power(reduce(np.kron, matrices), -1 / (2 * len(shape)))
    step = (points[-1] - points[-2]).ravel()
    np.testing.assert_allclose(step, -whole @ gradients[-1].ravel(), rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_the_matrices_bound_the_sum_of_all_outer_products(rank, rng):
    """Lemma 8 of the paper: ε I + Σ g gᵀ / r ⪯ L^(1/2) ⊗ R^(1/2), what Adagrad would keep."""
    gradients = [rng.normal(size=(4, rank)) @ rng.normal(size=(rank, 3)) for _ in range(5)]
    left, right = factors(gradients, 0.01)
    whole = 0.01 * np.eye(12) + sum(np.outer(g, g) for g in gradients) / rank
    gap = np.kron(power(left, 0.5), power(right, 0.5)) - whole
    assert np.linalg.eigvalsh(gap).min() > -1e-12


def test_the_first_step_is_orthogonal_as_muons_is(rng):
    gradient = 100 * rng.normal(size=(4, 4))
    points, *_ = run([gradient], matrix_eps=1e-12)
    u, _, v = np.linalg.svd(gradient)
    np.testing.assert_allclose(points[1], -u @ v, atol=1e-9)


@pytest.mark.parametrize("options", [{}, {"momentum": 0.9}, {"preconditioning_compute_steps": 3}])
def test_other_axes_are_no_matter(options, rng):
    """Turned gradients are turned steps: no direction is better than another."""
    gradients = rng.normal(size=(8, 4, 3))
    left, right = (np.linalg.qr(rng.normal(size=(n, n)))[0] for n in (4, 3))
    options |= {"matrix_eps": 0.1}
    plain = run(gradients, **options)[0]
    turned = run([left @ g @ right for g in gradients], **options)[0]
    for a, b in zip(plain, turned, strict=True):
        np.testing.assert_allclose(left @ a @ right, b, atol=1e-11)


def test_the_diagonal_of_a_vector_is_adagrad(rng):
    gradients = rng.normal(size=(10, 6))
    points = run(gradients, lr=0.1, matrix_eps=0.01, max_precond_dim=5)[0]
    p = Parameter(np.zeros(6))
    adagrad = Adagrad([p], lr=0.1, initial_accumulator_value=0.01, eps=0.0)
    for gradient, point in zip(gradients, points[1:], strict=True):
        p.grad = gradient
        adagrad.step()
        np.testing.assert_allclose(point, p.data, rtol=1e-12)


def test_a_long_axis_has_a_diagonal_and_the_others_their_matrices(rng):
    gradients = rng.normal(size=(5, 4, 3))
    points, shampoo, p = run(gradients, matrix_eps=0.1, max_precond_dim=3)
    left, right = factors(gradients, 0.1)
    assert shampoo.state[p]["pre_cond_0"].shape == shampoo.state[p]["inv_pre_cond_0"].shape == (4,)
    assert shampoo.state[p]["pre_cond_1"].shape == (3, 3)
    rows = np.diag(left)[:, None] ** -0.25
    step = -rows * gradients[-1] @ power(right, -0.25)
    np.testing.assert_allclose(points[-1] - points[-2], step, rtol=1e-11)


def test_roots_serve_some_steps_of_which_the_first_computes_them(rng):
    gradients = rng.normal(size=(5, 4, 3))
    options = {"matrix_eps": 0.1, "preconditioning_compute_steps": 3}
    points, shampoo, p = run(gradients, **options)
    for t, known in enumerate([1, 1, 1, 4, 4]):
        left, right = factors(gradients[:known], 0.1)
        step = -power(left, -0.25) @ gradients[t] @ power(right, -0.25)
        np.testing.assert_allclose(points[t + 1] - points[t], step, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(shampoo.state[p]["pre_cond_0"], factors(gradients, 0.1)[0])


def test_a_parameter_counts_its_own_steps(rng):
    """One whose gradient comes late has its root at once."""
    gradients = rng.normal(size=(3, 4, 3))
    alone = run(gradients, preconditioning_compute_steps=2, matrix_eps=0.1)[0]
    p, q = Parameter(np.zeros(2)), Parameter(np.zeros((4, 3)))
    shampoo = Shampoo([p, q], lr=1.0, preconditioning_compute_steps=2, matrix_eps=0.1)
    for late in [None, *gradients]:
        p.grad, q.grad = np.ones(2), late
        shampoo.step()
    assert np.array_equal(q.data, alone[-1])


def test_momentum_is_of_gradients_and_the_matrices_are_not_of_it(rng):
    gradients = rng.normal(size=(4, 3, 2))
    points = run(gradients, matrix_eps=0.1, momentum=0.8)[0]
    mean = 0.0
    for t, gradient in enumerate(gradients):
        mean = 0.8 * mean + 0.2 * gradient
        left, right = factors(gradients[: t + 1], 0.1)
        step = -power(left, -0.25) @ mean @ power(right, -0.25)
        np.testing.assert_allclose(points[t + 1] - points[t], step, rtol=1e-11)


@pytest.mark.parametrize(("dtype", "longest"), [(np.float32, 2.0), (np.float64, 1.1)])
def test_a_direction_without_gradient_is_not_made_of_rounding(dtype, longest, rng):
    """In it an eigenvalue is ε, and comes out as anything of the size of rounding errors.

    In float32 these are 100, below 0 too, and a gradient's own rounding is 1e-4 in that direction,
    which two roots of ε multiply by 1000.
    """
    gradients = [1000 * np.outer(rng.normal(size=20), np.arange(1.0, 9.0)) for _ in range(3)]
    points, *_ = run(gradients, dtype, matrix_eps=1e-6)
    for before, after in pairwise(points):
        assert np.linalg.norm((after - before).astype(float), ord=2) < longest


@pytest.mark.parametrize("shape", [(2,), (3, 3)])
@pytest.mark.parametrize("value", [np.inf, np.nan])
def test_infinities_and_nan_flow(shape, value):
    points, *_ = run([np.full(shape, value), np.ones(shape)])
    assert np.isnan(points[-1]).all()


def test_roots_and_powers_undo_each_other(rng):
    half = rng.normal(size=(5, 7))
    matrix = half @ half.T
    for k in (2, 4, 6):
        root = inverse_root(matrix, k, 1e-12)
        np.testing.assert_allclose(np.linalg.matrix_power(root, k) @ matrix, np.eye(5), atol=1e-9)


def test_refuses_a_parameter_without_axis():
    with pytest.raises(ValueError, match=r"params of Shampoo must have an axis, got one of .*\(\)"):
        Shampoo([Parameter(np.zeros(3)), Parameter(1.0)])
    shampoo = Shampoo([Parameter(np.zeros(3))])
    with pytest.raises(ValueError, match="must have an axis"):
        shampoo.add_param_group({"params": Parameter(1.0)})
    assert len(shampoo.param_groups) == 1


def test_refuses_a_saved_matrix_with_a_square_below_0():
    _, shampoo, _ = run([np.ones((2, 3))])
    saved = shampoo.state_dict()
    saved["state"][0]["pre_cond_1"][0, 0] = -1.0
    with pytest.raises(ValueError, match="pre_cond_1 must hold squares, none below 0"):
        shampoo.load_state_dict(saved)
