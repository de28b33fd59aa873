"""What the page on mini-batches claims."""

import itertools

import numpy as np
import pytest

from optim_scratch import descend, problems
from optim_scratch.optimizers import SGD


@pytest.mark.parametrize("size", [1, 8, 64])
def test_a_batch_is_unbiased_with_a_variance_of_one_over_its_size(size) -> None:
    network = problems.SpiralMLP()
    n = len(network.targets)
    alone = problems.SpiralMLP(batch_size=1)
    every = np.stack(
        [
            alone._gradient(network.start, network.inputs[[i]], network.targets[[i]])
            for i in range(n)
        ]
    )
    draws = problems.SpiralMLP(batch_size=size).gradient(np.tile(network.start, (2000, 1)))
    exact, variance = network.gradient(network.start), every.var(axis=0).sum() / size
    np.testing.assert_allclose(every.mean(axis=0), exact, atol=1e-14)
    assert draws.var(axis=0).sum() == pytest.approx(variance, rel=0.1)
    assert np.sum((draws.mean(axis=0) - exact) ** 2) < 4 * variance / 2000


N, BATCHES = 256, (1, 4, 16, 256)


def regression():
    """Return the page's inputs and labels, their minimum, and the errors there."""
    rng = np.random.default_rng(0)
    inputs = rng.standard_normal((N, 8)) * np.geomspace(1, 0.3, 8)
    labels = inputs @ np.ones(8) + 0.5 * rng.standard_normal(N)
    best = np.linalg.lstsq(inputs, labels, rcond=None)[0]
    return inputs, labels, best, inputs @ best - labels


def mean_square(size):
    """Return the two parts of what independent draws do to E[eeᵀ]: −η A + η² C."""
    x = regression()[0]
    h, one = x.T @ x / N, np.eye(8)
    pair = np.einsum("ni,nj,nk,nl->ikjl", x, x, x, x).reshape(64, 64) / N
    whole = np.kron(h, h)
    return np.kron(h, one) + np.kron(one, h), whole + (pair - whole) / size


def descent(size, lr, epochs, shuffled, seed=5):
    """Return losses above the lowest from the minimum on, and those of the batches."""
    x, y, best, _ = regression()
    rng, w, whole, parts = np.random.default_rng(seed), best.copy(), [], []
    for _ in range(epochs):
        order = rng.permutation(N) if shuffled else rng.integers(N, size=N)
        for batch in order.reshape(-1, size):
            errors = x[batch] @ w - y[batch]
            whole.append(0.5 * np.mean((x @ (w - best)) ** 2))
            parts.append(0.5 * np.mean(errors**2))
            w = w - lr * x[batch].T @ errors / size
    half = len(parts) // 2
    return np.array(whole[half:]), np.array(parts[half:])


def test_without_replacement_the_variance_has_its_factor() -> None:
    population = np.random.default_rng(3).standard_normal(9)
    for size in (1, 2, 5, 9):
        means = [np.mean(batch) for batch in itertools.combinations(population, size)]
        expected = population.var() / size * (9 - size) / 8
        assert np.var(means) == pytest.approx(expected, abs=1e-14)


def test_at_the_minimum_the_errors_of_an_epoch_cancel() -> None:
    x, _, _, errors = regression()
    each = x * errors[:, None]
    np.testing.assert_allclose(each.sum(axis=0), 0, atol=1e-10)
    assert np.linalg.norm(each, axis=1).mean() > 0.1


def test_small_batches_have_a_lower_limit() -> None:
    """Exactly, in mean square: a fifth of 2/L for batches of one, and 2/L for large ones."""
    limits = [
        1 / np.linalg.eigvals(np.linalg.solve(*mean_square(size))).real.max() for size in BATCHES
    ]
    np.testing.assert_allclose(limits, (0.49, 1.31, 1.99, 2.22), atol=0.01)
    x = regression()[0]
    share = limits[0] * np.linalg.eigvalsh(x.T @ x / N)[-1] / 2
    assert 0.18 < share < 0.25


def test_the_limit_of_one_direction() -> None:
    """(2/h)·B/(B + v/h²) keeps the mean square, and a little more lets it grow."""
    s = np.random.default_rng(1).standard_normal(400) ** 2
    h, v = s.mean(), s.var()
    for size in (1, 3, 30):
        limit = 2 / h * size / (size + v / h**2)
        factor = [(1 - lr * h) ** 2 + lr**2 * v / size for lr in (0.99 * limit, 1.01 * limit)]
        assert factor[0] < 1 < factor[1]
    drawn = s[np.random.default_rng(2).integers(400, size=(200_000, 3))].mean(axis=1)
    at = 0.7 * 2 / h * 3 / (3 + v / h**2)
    expected = (1 - at * h) ** 2 + at**2 * v / 3
    assert np.mean((1 - at * drawn) ** 2) == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize(("size", "lr"), [(1, 0.01), (2, 0.02), (8, 0.05)])
def test_the_floor_of_independent_draws(size, lr) -> None:
    """ησ²/4B, against the exact stationary second moments."""
    x, _, _, errors = regression()
    each = x * errors[:, None]
    a, c = mean_square(size)
    kick = (each.T @ each / N / size).reshape(64)
    # with noise that grows with the error, but without the correlation of the two: small here
    v = np.linalg.solve(a - lr * c, lr * kick).reshape(8, 8)
    exact = 0.5 * np.sum(v * (x.T @ x / N))
    assert lr * np.sum(each**2) / N / (4 * size) == pytest.approx(exact, rel=0.06)


def test_shuffling_lowers_the_floor_and_faster() -> None:
    independent, shuffled = (
        [descent(8, lr, 200, kind)[0].mean() for lr in (0.05, 0.0125)] for kind in (False, True)
    )
    assert shuffled[0] < 0.35 * independent[0]
    assert independent[1] > 0.15 * independent[0]
    assert shuffled[1] < 0.1 * shuffled[0]
    x, _, _, errors = regression()
    h, u = np.linalg.eigh(x.T @ x / N)
    share = np.mean((x * errors[:, None] @ u) ** 2, axis=0)
    predicted = N / 12 * (0.0125 / 8) ** 2 * np.sum(h * share)
    assert predicted == pytest.approx(shuffled[1], rel=0.2)


def test_jumps_do_not_tell_and_a_quarter_of_the_rate_does() -> None:
    high, larger, low = ((8, 0.4), (32, 0.4), (8, 0.02))
    jumps = [descent(*case, 100, True)[1].std() for case in (high, larger, low)]
    assert jumps[1] == pytest.approx(jumps[0] / 2, rel=0.2)
    assert jumps[2] == pytest.approx(jumps[0], rel=0.2)
    level, quarter = (descent(8, lr, 100, True)[0].mean() for lr in (0.4, 0.1))
    assert quarter < level / 4
    assert descent(32, 0.4, 100, True)[0].mean() < level / 4
    assert descent(*low, 100, True)[0].mean() < 0.02 * level


def test_below_the_cliff_the_rate_per_example_decides() -> None:
    """With other seeds than the page's: the same accuracy after the same passes."""
    found = []
    for size in (16, 64, 256):
        digits = problems.Digits(batch_size=size, seed=range(10, 14))
        steps = 5 * 1024 // size
        end = descend(digits, SGD, steps, every=steps, lr=0.0013 * size).end
        found.append(digits.accuracy(end, "validation").mean())
    assert np.ptp(found) < 0.03
    assert 0.78 < min(found) < max(found) < 0.88


def test_the_smallest_batch_falls_off_first() -> None:
    right = []
    for size in (4, 16):
        digits = problems.Digits(batch_size=size, seed=range(10, 14))
        steps = 5 * 1024 // size
        end = descend(digits, SGD, steps, every=steps, lr=0.87).end
        right.append(digits.accuracy(end, "validation").mean())
    assert right[0] < 0.85 < 0.92 < right[1]


def test_in_five_passes_shuffling_makes_no_difference_to_the_digits() -> None:
    digits = problems.Digits(batch_size=16, seed=range(20, 40))
    dealt = descend(digits, SGD, 320, every=320, lr=0.3).end
    rng, w = np.random.default_rng(7), digits.start.copy()
    for _ in range(320):
        w -= 0.3 * digits.gradient(w, rng.integers(1024, size=(20, 16)))
    one, two = (digits.accuracy(end, "validation").mean() for end in (dealt, w))
    assert abs(one - two) < 0.01


def test_sorted_data_spoil_the_training_of_any_seed() -> None:
    for seed in range(3):
        digits = problems.Digits(seed=seed)
        order = np.argsort(digits.labels[:1024], kind="stable")
        w = digits.start.copy()
        for batch in np.tile(order.reshape(32, 32), (5, 1)):
            w -= 0.2 * digits.gradient(w, batch)
        shuffled = descend(digits, SGD, 160, lr=0.2, every=160).end
        right = digits.accuracy(np.stack([w, shuffled]), "validation")
        assert right[0] < 0.6 < 0.85 < right[1]
