import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from optim_scratch.training import total_updates


def counted_loop(examples, batch_size, epochs, accumulation, drop_last):
    """Run the loop with torch's own loader, and count the updates and the examples in them."""
    data = torch.utils.data.TensorDataset(torch.arange(examples))
    loader = torch.utils.data.DataLoader(data, batch_size, drop_last=drop_last)
    updates, waiting = 0, 0
    for _ in range(epochs):
        for number, _batch in enumerate(loader, start=1):
            waiting += 1
            if number % accumulation == 0 or number == len(loader):
                updates, waiting = updates + 1, 0
    assert waiting == 0
    return updates


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 40), st.integers(1, 12), st.integers(1, 3), st.integers(1, 7), st.booleans())
def test_total_updates_is_what_a_loop_counts(examples, batch_size, epochs, accumulation, drop_last):
    if drop_last and examples < batch_size:
        return
    found = total_updates(
        examples, batch_size, epochs=epochs, accumulation=accumulation, drop_last=drop_last
    )
    assert found == counted_loop(examples, batch_size, epochs, accumulation, drop_last)
    assert isinstance(found, int)


def test_total_updates_of_cifar10():
    assert total_updates(50_000, 128) == 391
    assert total_updates(50_000, 128, drop_last=True) == 390
    assert total_updates(50_000, 128, epochs=30, accumulation=4) == 30 * 98


def test_total_updates_of_numpys_integers_do_not_overflow():
    found = total_updates(np.uint32(50_000), np.uint8(128), epochs=np.int8(100))
    assert (found, type(found)) == (39_100, int)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"examples": 0}, ValueError, "examples must be >= 1, got 0"),
        ({"examples": 10.0}, TypeError, "examples must be an integer, got 10.0"),
        ({"batch_size": 0}, ValueError, "batch_size must be >= 1, got 0"),
        ({"epochs": 0}, ValueError, "epochs must be >= 1, got 0"),
        ({"epochs": 2.5}, TypeError, "epochs must be an integer, got 2.5"),
        ({"accumulation": 0}, ValueError, "accumulation must be >= 1, got 0"),
        ({"drop_last": 1}, TypeError, "drop_last must be True or False, got 1"),
        ({"batch_size": 11, "drop_last": True}, ValueError, "at least batch_size 11 with drop_l"),
    ],
)
def test_total_updates_refuses(arguments, error, message):
    with pytest.raises(error, match=message):
        total_updates(**{"examples": 10, "batch_size": 2, **arguments})
