"""Where the docstrings say that torch does otherwise, it does."""

import pytest
import torch
from scheduling import our_sgd, torch_sgd
from torch.optim import lr_scheduler

from optim_scratch import schedulers as ours

T_0, EPOCHS = 4, 40


def restarts_resumed(module, optimizer, T_mult, epoch):
    """The rate of an epoch, in a run that is resumed there by `last_epoch`."""
    for group in optimizer.param_groups:
        group["initial_lr"] = 1.0
    restarts = module.CosineAnnealingWarmRestarts(optimizer, T_0, T_mult, last_epoch=epoch - 1)
    return restarts.get_last_lr()[0]


@pytest.mark.parametrize(("T_mult", "first"), [(1, None), (2, 2 * T_0), (3, 2 * T_0)])
def test_torchs_warm_restarts_resumed_by_last_epoch_go_wrong_from_twice_t_0_on(T_mult, first):
    right = ours.CosineAnnealingWarmRestarts.curve(EPOCHS, T_0=T_0, T_mult=T_mult)
    wrong = []
    for epoch in range(1, EPOCHS):
        assert restarts_resumed(ours, our_sgd(), T_mult, epoch) == pytest.approx(right[epoch])
        found = restarts_resumed(lr_scheduler, torch_sgd(), T_mult, epoch)
        if found != pytest.approx(right[epoch], abs=1e-12):
            wrong.append(epoch)
    assert (wrong[0] if wrong else None) == first


CYCLES = [
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1}),
    ("OneCycleLR", {"max_lr": 0.1, "total_steps": 10}),
]


@pytest.mark.parametrize(("name", "arguments"), CYCLES)
def test_torchs_cycles_admit_momentum_of_1_and_more(name, arguments):
    for momentum in (1.0, 1.5):
        sgd = torch_sgd()
        getattr(lr_scheduler, name)(sgd, **arguments, max_momentum=momentum)
        assert sgd.param_groups[0]["momentum"] == momentum
        with pytest.raises(ValueError, match="max_momentum must be finite and in"):
            getattr(ours, name)(our_sgd(), **arguments, max_momentum=momentum)


@pytest.mark.parametrize("momentum", [1.0, 1.5])
def test_with_such_momentum_sgd_never_settles(momentum):
    theta = torch.nn.Parameter(torch.tensor([1.0, -1.0], dtype=torch.float64))
    sgd = torch.optim.SGD([theta], lr=0.1, momentum=momentum)
    furthest = []
    for _ in range(200):
        sgd.zero_grad()
        (theta**2).sum().backward()
        sgd.step()
        furthest.append(float(theta.detach().abs().max()))
    assert max(furthest[-50:]) > 0.9
    if momentum > 1:
        assert furthest[-1] > 1e6
