"""What is SOAP's own; what it shares with every optimizer is tested beside."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from methods import SOAPReference, distance

from optim_scratch import Parameter
from optim_scratch.optimizers import SOAP, Adam
from optim_scratch.optimizers.soap import eigenvectors, power_iteration

NEVER = 10**9


def run(start, gradients, kind=SOAP, **options):
    """The points, and the optimizer with its parameter."""
    p = Parameter(start)
    optimizer = kind([p], **{"lr": 0.1, "weight_decay": 0.0, **options})
    points = [p.data.copy()]
    for gradient in gradients:
        p.grad = gradient
        optimizer.step()
        points.append(p.data.copy())
    return points, optimizer, p


def multiplied(matrices, tensor):
    """A tensor with a matrix multiplied along each axis."""
    letters = "abc"[: tensor.ndim]
    pairs = ",".join(f"{letter.upper()}{letter}" for letter in letters)
    return np.einsum(f"{pairs},{letters}->{letters.upper()}", *matrices, tensor)


@pytest.mark.parametrize("shape", [(4, 4), (4, 2), (2, 3, 4)])
def test_in_a_basis_that_stays_it_is_adam(shape, rng):
    start, gradients = rng.normal(size=shape), rng.normal(size=(20, *shape))
    options = {"betas": (0.8, 0.9), "eps": 0.0}
    points, soap, p = run(start, gradients, precondition_frequency=NEVER, **options)
    bases = [soap.state[p][f"Q_{axis}"] for axis in range(len(shape))]
    turned = [basis.T for basis in bases]
    # the first gradient finds the basis; Adam is shown the others, turned
    shown = [multiplied(turned, gradient) for gradient in gradients[1:]]
    path = run(multiplied(turned, start), shown, Adam, **options)[0]
    for ours, adams in zip(points[1:], path, strict=True):
        np.testing.assert_allclose(ours, multiplied(bases, adams), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    ("shape", "options"),
    [((), {}), ((5,), {}), ((5, 5), {"max_precond_dim": 4}), ((5,), {"precondition_1d": False})],
)
def test_without_a_basis_it_is_adam(shape, options, rng):
    start, gradients = rng.normal(size=shape), rng.normal(size=(20, *shape))
    adams = {"betas": (0.8, 0.9), "eps": 0.0}
    points = run(start, gradients, **adams, **options)[0]
    path = run(start, gradients[1:], Adam, **adams)[0]
    np.testing.assert_allclose(points[1:], path, rtol=1e-12)


def test_the_first_gradient_finds_the_basis_and_moves_nothing(rng):
    gradient = rng.normal(size=(3, 4))
    points, soap, p = run(np.ones((3, 4)), [gradient], weight_decay=0.5)
    assert np.array_equal(points[1], points[0])
    u, _, v = np.linalg.svd(gradient)  # the largest first
    state = soap.state[p]
    np.testing.assert_allclose(abs(u.T @ state["Q_0"]), np.eye(3), atol=1e-12)
    np.testing.assert_allclose(abs(v @ state["Q_1"])[:3, :3], np.eye(3), atol=1e-12)
    np.testing.assert_allclose(state["GG_0"], 0.05 * gradient @ gradient.T, rtol=1e-12)
    np.testing.assert_allclose(state["GG_1"], 0.05 * gradient.T @ gradient, rtol=1e-12)
    assert not state["exp_avg"].any()
    assert not state["exp_avg_sq"].any()


def test_epsilon_stands_beside_the_root_before_its_bias_is_corrected():
    points, *_ = run([0.0], [[1.0], [1.0]], betas=(0.9, 0.75), eps=0.5)
    # √v = √0.25, and η √(1 − β₂) / (1 − β₁)
    np.testing.assert_allclose(points[-1], -0.1 * 0.5 / 0.1 * 0.1 / (0.5 + 0.5))


def test_decay_is_taken_off_the_new_point():
    points, *_ = run([2.0], [[1.0], [1.0]], eps=0.0, weight_decay=0.5)
    np.testing.assert_allclose(points[-1], (2.0 - 0.1) * (1 - 0.1 * 0.5))


def test_other_axes_are_no_matter(rng):
    """Turned gradients are turned steps, as Adam's are not."""
    gradients = rng.normal(size=(30, 4, 4))
    left, right = (np.linalg.qr(rng.normal(size=(4, 4)))[0] for _ in range(2))
    plain = run(np.zeros((4, 4)), gradients)[0]
    turned = run(np.zeros((4, 4)), [left @ g @ right for g in gradients])[0]
    np.testing.assert_allclose(left @ np.array(plain) @ right, turned, atol=1e-10)


@pytest.mark.parametrize(
    ("shape", "options"),
    [
        ((4, 2), {}),
        ((5, 1), {}),
        ((2, 3, 1), {}),
        ((4,), {"precondition_1d": True}),
        ((2, 3, 4), {"merge_dims": True, "max_precond_dim": 6}),
    ],
)
@pytest.mark.usefixtures("float64")
def test_equals_the_reference_from_one_basis(shape, options, rng):
    """Where the first gradient has less than full rank, no two programs find the same basis."""
    start, gradients = rng.normal(size=shape), rng.normal(size=(60, *shape))
    p, q = Parameter(start), torch.nn.Parameter(torch.tensor(start))
    options |= {"lr": 0.1, "precondition_frequency": 7, "shampoo_beta": 0.9}
    ours, theirs = SOAP([p], **options), SOAPReference([q], **options)
    for t, gradient in enumerate(gradients):
        p.grad, q.grad = gradient, torch.tensor(gradient)
        ours.step()
        theirs.step()
        if t == 0:
            bases = [ours.state[p][f"Q_{i}"] for i in range(len(theirs.state[q]["Q"]))]
            theirs.state[q]["Q"] = [torch.tensor(basis) for basis in bases]
        assert distance([p.data], [q.detach().numpy()]) < 1e-12


def test_a_basis_serves_some_steps(rng):
    p = Parameter(np.zeros((3, 3)))
    soap = SOAP([p], precondition_frequency=4)
    bases = []
    for gradient in rng.normal(size=(9, 3, 3)):
        p.grad = gradient
        soap.step()
        bases.append(soap.state[p]["Q_0"].copy())
    changed = [not np.array_equal(a, b) for a, b in pairwise(bases)]
    assert [t for t, new in enumerate(changed, start=1) if new] == [4, 8]


def test_the_basis_turns_to_where_gradients_are_independent(rng):
    """Gradients of one covariance: in time L is diagonal in the basis."""
    mix = rng.normal(size=(4, 4))
    gradients = mix @ rng.normal(size=(2000, 4, 4))
    _, soap, p = run(np.zeros((4, 4)), gradients, shampoo_beta=0.999, precondition_frequency=5)
    state = soap.state[p]
    led = state["Q_0"].T @ state["GG_0"] @ state["Q_0"]
    np.testing.assert_allclose(led, np.diag(np.diag(led)), atol=1e-3 * led.max())
    assert np.all(np.diff(np.diag(led)) < 0)
    np.testing.assert_allclose(state["Q_0"].T @ state["Q_0"], np.eye(4), atol=1e-12)


def test_power_iterations_come_to_the_eigenvectors_in_their_order(rng):
    basis = np.linalg.qr(rng.normal(size=(4, 4)))[0]
    matrix = (basis * [8.0, 4.0, 2.0, 1.0]) @ basis.T
    q, orders = np.eye(4), []
    for _ in range(60):
        q, order = power_iteration(matrix, q)
        orders.append(order.tolist())
    np.testing.assert_allclose(abs(basis.T @ q), np.eye(4), atol=1e-12)
    np.testing.assert_allclose(abs(eigenvectors(matrix).T @ q), np.eye(4), atol=1e-12)
    assert orders[-1] == [0, 1, 2, 3]
    _, order = power_iteration(np.diag([1.0, 3.0, 2.0]), np.eye(3))
    assert order.tolist() == [1, 2, 0]


def test_mean_squares_stay_with_their_directions():
    """Where the order of the eigenvalues turns round, so does the order of V."""
    p = Parameter(np.zeros((2, 2)))
    soap = SOAP([p], betas=(0.0, 0.9), shampoo_beta=0.1, precondition_frequency=1, eps=0.0)
    for sizes in ([2.0, 1.0], [2.0, 1.0], [1.0, 30.0]):
        p.grad = np.diag(sizes)
        soap.step()
    # V is of G' in the basis before: 0.1 s², 0.9 of the first and 0.1 of the second of each
    expected = np.diag([0.09 * 1.0 + 0.1 * 900.0, 0.09 * 4.0 + 0.1 * 1.0])
    np.testing.assert_allclose(soap.state[p]["exp_avg_sq"], expected, atol=1e-12)
    np.testing.assert_allclose(abs(soap.state[p]["Q_0"]), [[0.0, 1.0], [1.0, 0.0]], atol=1e-12)


def test_merged_axes_are_those_of_the_matrix(rng):
    gradients = rng.normal(size=(15, 5, 3, 2, 2))
    merged = run(np.ones((5, 3, 2, 2)), gradients, merge_dims=True, max_precond_dim=12)[0]
    matrix = run(np.ones((5, 12)), gradients.reshape(15, 5, 12))[0]
    assert np.array_equal(np.reshape(merged, (16, 5, 12)), matrix)
    vector = run(np.ones(6), gradients[:, 0, :, :, 0].reshape(15, 6), precondition_1d=True)[0]
    whole = run(np.ones((3, 2)), gradients[:, 0, :, :, 0], merge_dims=True)[0]
    assert np.array_equal(np.reshape(whole, (16, 6)), vector)


def test_a_parameter_counts_its_own_steps(rng):
    """One whose gradient comes late moves as if nothing had been before."""
    gradients = rng.normal(size=(5, 3, 3))
    alone = run(np.zeros((3, 3)), gradients)[0]
    p, q = Parameter(np.zeros(2)), Parameter(np.zeros((3, 3)))
    soap = SOAP([p, q], lr=0.1, weight_decay=0.0)
    for late in [None, None, *gradients]:
        p.grad, q.grad = np.ones(2), late
        soap.step()
    assert np.array_equal(q.data, alone[-1])


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_bases_are_orthogonal_to_the_digits_of_their_dtype(dtype, rng):
    p = Parameter(np.zeros((6, 3), dtype))
    soap = SOAP([p], precondition_frequency=1)
    for _ in range(5):
        p.grad = rng.normal(size=(6, 3))
        soap.step()
    q = soap.state[p]["Q_0"].astype(float)
    np.testing.assert_allclose(q.T @ q, np.eye(6), atol=4 * np.finfo(dtype).eps)


@pytest.mark.parametrize("value", [np.inf, np.nan])
@pytest.mark.parametrize("at", [0, 1])
def test_infinities_and_nan_flow(value, at):
    gradients = np.ones((4, 2, 2))
    gradients[at] = value
    points, *_ = run(np.ones((2, 2)), gradients, precondition_frequency=1)
    assert np.isnan(points[-1]).all()


def test_refuses_a_saved_matrix_with_a_square_below_0(rng):
    _, soap, _ = run(np.ones((2, 3)), rng.normal(size=(3, 2, 3)))
    saved = soap.state_dict()
    saved["state"][0]["GG_1"][2, 2] = -1.0
    with pytest.raises(ValueError, match="GG_1 must hold squares, none below 0"):
        soap.load_state_dict(saved)
