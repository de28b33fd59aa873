"""The claims of the chapter on the training loop, on other seeds and settings than it shows."""

import numpy as np
import pytest
import torch

from optim_scratch import Parameter
from optim_scratch.optimizers import SGD
from optim_scratch.problems import Digits
from optim_scratch.schedulers import StepLR

OTHERS = range(20, 40)


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


def cosine(a, b):
    """Return the cosine of the angle between vectors."""
    return np.sum(a * b, axis=-1) / np.linalg.norm(a, axis=-1) / np.linalg.norm(b, axis=-1)


def test_the_first_loss_is_near_the_logarithm_of_the_number_of_classes():
    many = Digits(seed=OTHERS)
    assert np.all(np.abs(many.value(many.start) - np.log(10)) < 0.25)


def test_the_loss_falls_by_rate_times_squared_slope():
    whole = Digits(batch_size=None, seed=7)
    g = whole.gradient(whole.start)
    for rate in (1e-4, 1e-3):
        fall = whole.value(whole.start) - whole.value(whole.start - rate * g)
        assert fall == pytest.approx(rate * g @ g, rel=10 * rate)
    sideways = np.random.default_rng(0).standard_normal((200, g.size))
    sideways *= np.linalg.norm(g) / np.linalg.norm(sideways, axis=1, keepdims=True)
    ends = whole.value(whole.start - 1e-3 * sideways)  # no other direction does better
    assert np.all(ends > whole.value(whole.start - 1e-3 * g))


def test_more_pictures_point_straighter_and_a_single_one_mostly_downhill():
    whole = Digits(batch_size=None, seed=3)
    g = whole.gradient(whole.start)
    mean = []
    for size in (1, 8, 32, 128):
        few = Digits(batch_size=size, seed=3)
        each = np.array([few.gradient(few.start, batch) for batch in few.batches()])
        np.testing.assert_allclose(each.mean(axis=0), g, atol=1e-12)
        mean.append(np.degrees(np.arccos(cosine(each, g))).mean())
        assert np.mean(cosine(each, g) > 0) > 0.7
    assert 90 > mean[0] > mean[1] > mean[2] > mean[3]
    assert 35 < mean[2] < 55


def test_without_zero_grad_the_digits_lead_for_two_epochs_and_then_lose():
    many, whole = Digits(seed=OTHERS), Digits(batch_size=None, seed=OTHERS)
    batches = list(many.batches(epochs=6))
    broken = without_zero_grad(
        many.start, lambda t, theta: many.gradient(theta, batches[t]), len(batches), lr=0.1
    )
    w, right = Parameter(many.start), [many.start]
    sgd = SGD([w], lr=0.1)
    for batch in batches:
        w.grad = many.gradient(w.data, batch)
        sgd.step()
        right.append(w.data.copy())
    losses = [np.array([many.value(at)[:, 0] for at in run[::4]]) for run in (broken, right)]
    assert np.all(losses[0][1:17] < losses[1][1:17])
    assert np.median(losses[0][16]) < 0.4 * np.median(losses[1][16])
    assert np.median(losses[0][-1]) > 2 * np.median(losses[1][-1])
    steps = np.array(broken[:-1]) - np.array(broken[1:])  # along the sum of gradients
    slopes = np.array([whole.gradient(at) for at in broken[32:-1:8]])
    turned = cosine(steps[32::8], slopes)
    assert abs(np.mean(turned)) < 0.05
    assert 0.4 < np.mean(turned < 0) < 0.55


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


@pytest.mark.parametrize("lr", [1e-3, 0.1, 1.0, 3.9])
def test_on_a_parabola_it_keeps_its_energy_and_has_the_predicted_period(lr):
    x = without_zero_grad(np.ones(1), lambda t, x: x.copy(), 2000, lr=lr)[:, 0]
    energy = x[1:] ** 2 - (2 - lr) * x[1:] * x[:-1] + x[:-1] ** 2
    np.testing.assert_allclose(energy, energy[0], rtol=1e-9)
    omega = np.arccos(1 - lr / 2)
    steps = np.arange(len(x))
    basis = np.stack([np.cos(omega * steps), np.sin(omega * steps)], axis=1)
    fit = basis @ np.linalg.lstsq(basis, x, rcond=None)[0]
    np.testing.assert_allclose(x, fit, atol=1e-8)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_right_loop_learns_one_batch_at_one_of_three_rates_but_not_at_a_tiny_one(seed):
    digits, ends = Digits(seed=seed), []
    one = next(iter(digits.batches()))
    for lr in (0.001, 0.01, 0.1, 1):
        theta = digits.start.copy()
        for _ in range(300):
            theta -= lr * digits.gradient(theta, one)
        z = digits.scores(theta, digits.images[one])
        right = z[np.arange(len(one)), digits.labels[one]]
        ends.append(np.mean(np.log(np.exp(z).sum(axis=1)) - right))
    assert ends[0] > 1.5
    assert ends[3] < 0.05


def test_a_third_of_a_rate_that_explodes_can_still_be_too_much_and_a_ninth_is_not():
    many, higher = Digits(seed=OTHERS), []
    for lr in (4, 4 / 3, 4 / 9):
        theta = many.start.copy()
        for batch in many.batches():
            theta -= lr * many.gradient(theta, batch)
        higher.append(np.sum(many.value(theta) > many.value(many.start)))
    assert higher[0] == len(OTHERS)
    assert 0 < higher[1] < 10
    assert higher[2] == 0


def test_without_zero_grad_a_third_of_the_rate_falls_at_first():
    """So a lower rate is no check for it."""
    many = Digits(seed=OTHERS)
    batches = list(many.batches(epochs=2))
    points = without_zero_grad(
        many.start, lambda t, theta: many.gradient(theta, batches[t]), 64, lr=0.1 / 3
    )
    first, second, third = (many.value(at) for at in points[::32])
    assert np.all(second < first)
    assert np.all(third < second)


def test_labels_drawn_by_lot_are_learned_by_heart():
    lot = Digits(hidden=64, seed=1)
    lot.labels = lot.labels.copy()
    lot.labels[:1024] = np.random.default_rng(1).integers(10, size=1024)
    w = Parameter(lot.start)
    sgd = SGD([w], lr=0.5)
    for batch in lot.batches(epochs=500):
        w.grad = lot.gradient(w.data, batch)
        sgd.step()
    assert lot.accuracy(w.data, "train") > 0.99
    assert lot.accuracy(w.data, "test") < 0.2


@pytest.mark.parametrize("seed", [1, 2])
def test_a_scheduler_called_once_a_batch_switches_the_run_off(seed):
    digits = Digits(seed=seed)
    w, losses = Parameter(digits.start), []
    sgd = SGD([w], lr=0.5)
    scheduler = StepLR(sgd, step_size=8, gamma=0.1)
    for batch in digits.batches(epochs=12):
        w.grad = digits.gradient(w.data, batch)
        sgd.step()
        scheduler.step()
        losses.append(float(digits.value(w.data)))
    assert losses[31] - losses[-1] < 0.001
    assert losses[-1] > 1
