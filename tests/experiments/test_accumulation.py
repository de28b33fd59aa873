import copy

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy, mse_loss

from optim_scratch.experiments.accumulation import accumulate, accumulated_step


def network(*, batch_norm=False, dropout=0.0, seed=0):
    torch.manual_seed(seed)
    norm = nn.BatchNorm2d(4) if batch_norm else nn.GroupNorm(2, 4)
    layers = [nn.Conv2d(3, 4, 3), norm, nn.ReLU(), nn.Dropout(dropout), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(4 * 36, 5)).double()


def batch(size=23):
    generator = torch.Generator().manual_seed(1)
    inputs = torch.randn(size, 3, 8, 8, generator=generator, dtype=torch.float64)
    return inputs, torch.randint(5, (size,), generator=generator)


def gradients(model):
    return [p.grad.clone() for p in model.parameters()]


def difference(model, micro_batch, inputs, targets):
    """How far the accumulated gradient lies from the large batch's, relative to its size."""
    model.zero_grad()
    cross_entropy(model(inputs), targets).backward()
    large = gradients(model)
    accumulate(model, cross_entropy, inputs, targets, micro_batch)
    pairs = zip(gradients(model), large, strict=True)
    scale = max(g.abs().max() for g in large)
    return max((a - b).abs().max() for a, b in pairs) / scale


@pytest.mark.parametrize("micro_batch", [1, 4, 7, 22, 23, 100])
def test_the_accumulated_gradient_is_the_large_batchs(micro_batch):
    assert difference(network(), micro_batch, *batch()) < 1e-12


def test_batch_norm_breaks_it_and_eval_mode_mends_it():
    model = network(batch_norm=True)
    assert difference(model, 4, *batch()) > 0.05
    assert difference(model, 23, *batch()) < 1e-12
    model.eval()
    assert difference(model, 4, *batch()) < 1e-12


def test_dropout_draws_other_masks():
    model = network(dropout=0.5)
    torch.manual_seed(3)
    assert difference(model, 4, *batch()) > 0.05


def test_it_returns_the_mean_loss_and_drops_older_gradients():
    model, (inputs, targets) = network(), batch()
    expected = cross_entropy(model(inputs), targets).item()
    accumulate(model, cross_entropy, inputs, targets, 5)
    first = gradients(model)
    assert accumulate(model, cross_entropy, inputs, targets, 5) == pytest.approx(expected)
    assert all(torch.equal(a, b) for a, b in zip(first, gradients(model), strict=True))


def test_it_takes_any_mean_loss():
    model, (inputs, _) = network(), batch()
    value = accumulate(model, mse_loss, inputs, torch.zeros(23, 5).double(), 10)
    assert value == pytest.approx((model(inputs) ** 2).mean().item())


@pytest.mark.parametrize("max_norm", [None, 0.05])
def test_a_step_over_micro_batches_is_that_of_the_large_batch(max_norm):
    ours, inputs, targets = network(), *batch()
    theirs = copy.deepcopy(ours)
    a, b = (torch.optim.SGD(m.parameters(), lr=0.1, momentum=0.9) for m in (ours, theirs))
    for _ in range(5):
        found = accumulated_step(ours, a, cross_entropy, inputs, targets, 6, max_norm=max_norm)
        b.zero_grad()
        loss = cross_entropy(theirs(inputs), targets)
        loss.backward()
        if max_norm:
            norm = torch.nn.utils.clip_grad_norm_(theirs.parameters(), max_norm)
            assert norm > max_norm
        b.step()
        assert found == pytest.approx(loss.item(), rel=1e-12)
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(p, q, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"micro_batch": 0}, ValueError, "micro_batch must be >= 1, got 0"),
        ({"micro_batch": 2.0}, TypeError, "micro_batch must be an integer, got 2.0"),
        ({"targets": torch.zeros(3)}, ValueError, "must be as many, at least 1, got 23 and 3"),
        ({"inputs": torch.zeros(0), "targets": torch.zeros(0)}, ValueError, "got 0 and 0"),
        ({"inputs": [[1.0]] * 23}, TypeError, "inputs must be a tensor, got list"),
        ({"targets": torch.tensor(1)}, ValueError, "targets must have examples along the first"),
        ({"model": cross_entropy}, TypeError, "model must be a module, got function"),
        ({"loss": 3}, TypeError, "loss must be callable, got 3"),
        (
            {"loss": lambda a, b: 1.0},
            TypeError,
            "loss must return a tensor of one number .*, got 1.0",
        ),
        ({"loss": lambda a, b: a}, TypeError, "loss must return a tensor of one number with"),
        ({"loss": lambda a, b: a.sum().detach()}, TypeError, "loss must return a tensor of one n"),
        ({"optimizer": 3}, TypeError, "optimizer must have a step, got int"),
        ({"optimizer": torch.optim.SGD}, TypeError, "optimizer must have a step, got type"),
        ({"max_norm": 0.0}, ValueError, "max_norm must be finite and > 0, got 0.0"),
        ({"max_norm": "1"}, TypeError, "max_norm must be a real number, got '1'"),
    ],
)
def test_refuses(arguments, error, message):
    model, (inputs, targets) = network(), batch()
    sgd = torch.optim.SGD(model.parameters(), lr=0.1)
    given = {"model": model, "optimizer": sgd, "loss": cross_entropy, "micro_batch": 4}
    with pytest.raises(error, match=message):
        accumulated_step(**{**given, "inputs": inputs, "targets": targets, **arguments})
