"""What the chapter on weight decay claims."""

import numpy as np
import pytest

from optim_scratch import Parameter
from optim_scratch.optimizers import SGD, Adam, AdamW
from optim_scratch.problems import Digits


def mean_after(method, lr, lam, size, steps, runs=400):
    """The mean of weights that start at 1 and whose gradients are noise of a size."""
    w, rng = Parameter(np.ones(runs)), np.random.default_rng(7)
    optimizer = method([w], lr=lr, weight_decay=lam)
    for _ in range(steps):
        w.grad = size * rng.standard_normal(runs)
        optimizer.step()
    return w.data.mean()


@pytest.mark.parametrize("lam", [1e-6, 1e-3, 1.0])
def test_without_a_gradient_adams_penalty_pulls_at_the_full_rate(lam) -> None:
    assert mean_after(Adam, 1e-3, lam, 0.0, 100, runs=1) == pytest.approx(0.9, abs=0.01)


@pytest.mark.parametrize("size", [0.3, 3.0])
def test_with_noise_the_decay_is_divided_by_its_size(size) -> None:
    lam, lr, steps = 0.03, 1e-3, 3000
    expected = np.exp(-lr * lam * steps / size)
    assert mean_after(Adam, lr, lam, size, steps) == pytest.approx(expected, abs=0.02)
    assert mean_after(AdamW, lr, lam, size, steps) == pytest.approx(0.914, abs=0.02)


@pytest.mark.parametrize("lam", [0.5, 2.0, 10.0])
def test_the_fence(lam) -> None:
    w = Parameter([0.0, 0.0])
    adamw = AdamW([w], lr=0.01, weight_decay=lam)
    for _ in range(3000):
        w.grad = [-1e-3, 50.0]
        adamw.step()
    assert w.data == pytest.approx([1 / lam, -1 / lam], rel=1e-3)


def trained(method, lam):
    digits = Digits(seed=3)
    w = Parameter(digits.start)
    optimizer = method([w], lr=0.01, weight_decay=lam)
    for batch in digits.batches(epochs=10):
        w.grad = digits.gradient(w.data, batch)
        optimizer.step()
    weights = np.abs(w.data[: 64 * 32]).reshape(64, 32).mean(axis=1)
    black = digits.part("train")[0].max(axis=0) == 0
    return weights[black].mean(), weights[~black].mean(), black.sum()


def test_a_millionth_wipes_out_what_no_picture_uses() -> None:
    (unused, used, number), (gone, kept, _) = trained(Adam, 0), trained(Adam, 1e-6)
    assert number == 4
    assert unused > 0.08
    assert gone < 1e-3
    assert kept == pytest.approx(used, rel=0.03)
    assert trained(AdamW, 1e-6)[0] == pytest.approx(unused, rel=1e-3)


def test_momentum_multiplies_the_penalty() -> None:
    w = Parameter([1.0])
    sgd = SGD([w], lr=0.1, momentum=0.9, weight_decay=5e-4)
    for _ in range(2000):
        w.grad = [0.0]
        sgd.step()
    assert w.data[0] == pytest.approx((1 - 0.1 * 5e-3) ** 2000, rel=5e-3)


def test_without_momentum_penalty_and_decay_are_one() -> None:
    rng = np.random.default_rng(0)
    theta = rng.standard_normal(5)
    w = Parameter(theta)
    sgd = SGD([w], lr=0.1, weight_decay=0.3)
    for _ in range(20):
        g = rng.standard_normal(5)
        theta = (1 - 0.1 * 0.3) * theta - 0.1 * g
        w.grad = g
        sgd.step()
    np.testing.assert_allclose(w.data, theta, rtol=1e-12)


def accuracy(method, rate, lam, part, seeds=range(40, 52)):
    """Per cent of a part, with a quarter of the training labels wrong."""
    digits, rng = Digits(seed=seeds), np.random.default_rng(5)
    wrong = rng.permutation(1024)[:256]
    digits.labels = digits.labels.copy()
    digits.labels[wrong] = (digits.labels[wrong] + rng.integers(1, 10, 256)) % 10
    w = Parameter(digits.start)
    optimizer = method([w], lr=rate, weight_decay=lam)
    for t, batch in enumerate(digits.batches(20)):
        optimizer.param_groups[0]["lr"] = rate * (1 - t / 640)
        w.grad = digits.gradient(w.data, batch)
        optimizer.step()
    return 100 * digits.accuracy(w.data, part).mean()


def test_what_decay_is_worth_on_wrong_labels() -> None:
    """With other seeds and other wrong labels than the page's."""
    none, low = (accuracy(Adam, rate, 0.0, "test") for rate in (0.064, 0.008))
    penalty = accuracy(Adam, 0.064, 0.0032, "test")
    decoupled = accuracy(AdamW, 0.064, 0.32, "test")
    assert min(penalty, decoupled) - none > 2
    assert -0.5 < min(penalty, decoupled) - low < 2
    assert abs(penalty - decoupled) < 1


def test_a_decay_thirty_times_too_strong_ruins_the_run() -> None:
    for method, lam in ((Adam, 0.1), (AdamW, 10.0)):
        assert accuracy(method, 0.064, lam, "test", seeds=range(40, 43)) < 84


def test_the_numbers_of_the_text() -> None:
    assert pytest.approx(100_000) == 1 / (1e-3 * 1e-2)
    assert pytest.approx(0.05, abs=0.002) == 1 - (1 - 1e-5) ** 5000
    assert pytest.approx(0.24, abs=0.005) == 10 / (0.064 * 640)
    assert pytest.approx(2000) == (1 - 0.9) / (0.1 * 5e-4)
    assert 10 * (45_000 // 128) == 3510
    assert pytest.approx(33, abs=1) == 10 / (1e-4 * 3000)
