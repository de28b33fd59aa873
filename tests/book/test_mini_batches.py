"""What the page on mini-batches claims."""

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


def test_four_times_the_batch_bears_four_times_the_rate() -> None:
    """With other seeds than the page's: at a rate scaled with the batch, the same accuracy."""
    found = []
    for size, rate in ((4, 0.08), (16, 0.32), (64, 1.26)):
        digits = problems.Digits(batch_size=size, seed=range(10, 14))
        steps = 5 * 1024 // size
        end = descend(digits, SGD, steps, every=steps, lr=rate).end
        found.append(digits.accuracy(end, "validation").mean())
    assert np.ptp(found) < 0.02
    assert min(found) > 0.92


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
