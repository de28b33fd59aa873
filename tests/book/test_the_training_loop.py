"""The claims of the chapter on the training loop, over more settings than it shows."""

import numpy as np
import pytest
import torch

from optim_scratch import Parameter, problems
from optim_scratch.optimizers import SGD


def without_zero_grad(theta, gradient, steps, **hyper):
    """Return the points of a descent whose gradients are never cleared."""
    p = Parameter(theta)
    optimizer, points = SGD([p], **hyper), [p.data.copy()]
    for t in range(steps):
        g = gradient(t, p.data)
        p.grad = g if p.grad is None else p.grad + g
        optimizer.step()
        points.append(p.data.copy())
    return np.array(points)


def test_a_forgotten_zero_grad_is_torchs_momentum_of_one():
    noise = np.random.default_rng(0).standard_normal((200, 5))
    h = np.linspace(0.1, 3.0, 5)
    ours = without_zero_grad(np.ones(5), lambda t, x: h * x + noise[t], 200, lr=0.1)[-1]
    theta = torch.ones(5, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([theta], lr=0.1, momentum=1.0)
    for row in noise:
        theta.grad = torch.from_numpy(h) * theta.detach() + torch.from_numpy(row)
        optimizer.step()
    theirs = theta.detach().numpy()
    assert np.abs(ours - theirs).max() <= 1e-12 * np.abs(theirs).max()


def test_weight_decay_enters_the_two_at_different_places():
    lr, h, decay = 0.1, 1.0, 0.5
    ours = without_zero_grad(np.ones(1), lambda t, x: h * x, 20, lr=lr, weight_decay=decay)[-1]
    theta, summed, x, buffer = 1.0, 0.0, 1.0, 0.0
    for _ in range(20):
        summed += h * theta
        theta -= lr * (summed + decay * theta)
        buffer += h * x + decay * x
        x -= lr * buffer
    assert ours[0] == pytest.approx(theta, rel=1e-12)
    assert abs(ours[0] - x) > 0.1


@pytest.mark.parametrize("lr", [1e-3, 0.1, 1.0, 3.9])
def test_it_keeps_its_energy_and_has_the_predicted_period(lr):
    x = without_zero_grad(np.ones(1), lambda t, x: x.copy(), 2000, lr=lr)[:, 0]
    energy = x[1:] ** 2 - (2 - lr) * x[1:] * x[:-1] + x[:-1] ** 2
    np.testing.assert_allclose(energy, energy[0], rtol=1e-9)
    omega = np.arccos(1 - lr / 2)
    steps = np.arange(len(x))
    basis = np.stack([np.cos(omega * steps), np.sin(omega * steps)], axis=1)
    fit = basis @ np.linalg.lstsq(basis, x, rcond=None)[0]
    np.testing.assert_allclose(x, fit, atol=1e-8)


@pytest.mark.parametrize(("lr", "h"), [(0.1, 1.0), (0.01, 5.0), (1.0, 1.0)])
def test_noise_adds_the_predicted_loss_per_step(lr, h):
    problem = problems.NoisyQuadratic([h], noise=2.0)
    losses = problem.expected_losses(np.full(20_000, lr), momentum=1.0)
    slope = np.polyfit(np.arange(len(losses)), losses, 1)[0]
    assert slope == pytest.approx(lr * 4 / (4 - lr * h), rel=1e-3)
    assert slope / problem.stationary_loss(lr) == pytest.approx(
        (4 - 2 * lr * h) / (4 - lr * h), 1e-3
    )


def test_with_momentum_it_diverges_at_every_rate():
    for momentum in (0.01, 0.5, 0.9, 0.99):
        for lr in np.geomspace(1e-6, 10, 30):
            roots = np.roots([1, lr - 2 - momentum, 1 + 2 * momentum, -momentum])
            assert np.abs(roots).max() > 1


def test_the_cubic_is_that_of_the_loop():
    lr, momentum = 0.03, 0.9
    x = without_zero_grad(np.ones(1), lambda t, x: x.copy(), 50, lr=lr, momentum=momentum)[:, 0]
    cubic = np.array([1, lr - 2 - momentum, 1 + 2 * momentum, -momentum])
    residual = sum(c * x[3 - k : len(x) - k] for k, c in enumerate(cubic))
    np.testing.assert_allclose(residual, 0, atol=1e-9)


def test_a_step_leaves_the_gradient_alone_in_torch_and_here():
    ours = Parameter([1.0, 2.0])
    theirs = torch.tensor([1.0, 2.0], requires_grad=True)
    ours.grad, theirs.grad = np.array([0.5, -0.5]), torch.tensor([0.5, -0.5])
    SGD([ours], lr=0.1, momentum=0.9, weight_decay=0.5).step()
    torch.optim.SGD([theirs], lr=0.1, momentum=0.9, weight_decay=0.5).step()
    assert ours.grad.tolist() == theirs.grad.tolist() == [0.5, -0.5]
