"""Room 1, the loop, of the bug museum."""

import numpy as np
import torch
from museum import checked, close, exhibit, rooms


@exhibit("The loss oscillates and never settles")
def test_zero_grad(shown):
    (_, wrong, right), eta = shown[0], 0.1
    theta = [1.0, 1.0 - eta]  # the recursion of momentum 1
    while len(theta) <= 200:
        theta.append((2 - eta) * theta[-1] - theta[-2])
    close(wrong, np.abs(theta[181:]).max(), 1e-6)
    close(right, (1 - eta) ** 181, 1e-6)


@exhibit("Weight decay changes p.grad")
def test_decay(shown):
    w = torch.tensor([2.0])
    w.grad = torch.tensor([1.0])
    torch.optim.SGD([w], lr=0.1, weight_decay=0.5).step()
    close(shown[0][1:], [1 + 0.5 * 2, w.grad.item()])


@exhibit("Gradient accumulation does not match the large batch")
def test_accumulation(shown):
    close(shown[0][1:], [4, 1])


@exhibit("BatchNorm stops updating after the first evaluation")
def test_train_once(shown):
    norm = torch.nn.BatchNorm1d(2)
    norm.eval()
    norm(torch.ones(8, 2))
    assert norm.num_batches_tracked.item() == 0
    assert shown[0][1:] == (1, 3)


@exhibit("Adam trains like SGD")
def test_not_adam(shown):
    (_, wrong, right), g = shown[0], np.array([1.0, 0.001])
    close(wrong, 0.01 * (g + 0.9 * g), 1e-6)
    close(right, [0.01, 0.01], 1e-4)


@exhibit("The loss explodes at the first step of Adam")
def test_adam_too_fast(shown):
    torch.manual_seed(0)
    start = torch.nn.Linear(2048, 128).weight.abs().max().item()
    close(shown[0][1:], [0.1 / start, 0.001 / start], 1e-3)


def test_no_exhibit_of_the_room_is_without_a_check():
    assert checked(globals()) == rooms()["Room 1: the loop"]
