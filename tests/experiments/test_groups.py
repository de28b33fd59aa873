import pytest
import torch
from torch import nn

from optim_scratch.experiments.groups import module_groups


def network():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4)),
        nn.ReLU(),
        nn.Linear(4, 4),
        nn.Linear(4, 2, bias=False),
    )


def test_rates_fall_towards_the_input_and_vectors_do_not_decay():
    first, _, second, last = model = network()
    groups = module_groups(model, 1.0, 0.5, weight_decay=0.01)
    assert [(g["lr"], g["weight_decay"]) for g in groups] == [
        (0.25, 0.01), (0.25, 0.0), (0.5, 0.01), (0.5, 0.0), (1.0, 0.01),
    ]  # fmt: skip
    expected = [
        [first[0].weight],
        [first[0].bias, first[1].weight, first[1].bias],
        [second.weight],
        [second.bias],
        [last.weight],
    ]
    found = [[id(p) for p in group["params"]] for group in groups]
    assert found == [[id(p) for p in members] for members in expected]


def test_torch_takes_them_and_moves_what_is_not_frozen():
    model = network()
    before = [p.clone() for p in model.parameters()]
    model(torch.randn(8, 3)).sum().backward()
    groups = module_groups(model, 0.1, frozen=1, weight_decay=0.1)
    sgd = torch.optim.SGD(groups, lr=0.1, momentum=0.9)
    for _ in range(2):
        sgd.zero_grad()
        model(torch.randn(8, 3)).square().sum().backward()
        sgd.step()
    moved = [not torch.equal(p, q) for p, q in zip(model.parameters(), before, strict=True)]
    assert moved == [False] * 4 + [True] * 3
    assert [p.requires_grad for p in model.parameters()] == moved
    assert all(p.grad is None for p in model[0].parameters())


def test_what_needs_no_gradient_gets_no_group():
    model = network()
    model[2].weight.requires_grad_(False)
    listed = [id(p) for group in module_groups(model, 0.1) for p in group["params"]]
    assert id(model[2].weight) not in listed
    assert len(listed) == 6


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            {"layers": torch.tensor(1.0)},
            TypeError,
            "layers must be an iterable of modules, got a t",
        ),
        ({"layers": [nn.Linear(2, 2)] * 2}, ValueError, "layers must hold each parameter once"),
        ({"layers": [3]}, TypeError, "layers must hold modules, got int"),
        ({"frozen": 3}, ValueError, "frozen must leave one of 3 layers, got 3"),
        ({"lr": torch.ones(2)}, TypeError, "lr must be a real number, got tensor"),
        ({"lr": -1}, ValueError, "lr must be finite and >= 0, got -1"),
        ({"decay": 1.5}, ValueError, r"decay must be finite and in \(0, 1\], got 1.5"),
        ({"weight_decay": -1}, ValueError, "weight_decay must be finite and >= 0, got -1"),
    ],
)
def test_refuses_and_freezes_nothing(arguments, error, message):
    model = network()
    with pytest.raises(error, match=message):
        module_groups(**{"layers": model, "lr": 0.1, "frozen": 1, **arguments})
    assert all(p.requires_grad for p in model.parameters()) or "weight_decay" in arguments


def test_layers_may_come_from_a_generator():
    model = network()
    assert len(module_groups(model.children(), 0.1)) == len(module_groups(model, 0.1)) == 5


def test_what_is_refused_freezes_nothing():
    model = network()
    with pytest.raises(ValueError, match="weight_decay must be finite and >= 0, got -1"):
        module_groups(model, 0.1, weight_decay=-1, frozen=1)
    assert all(p.requires_grad for p in model.parameters())


def test_refuses_when_nothing_is_left_to_train():
    with pytest.raises(ValueError, match="a parameter that needs a gradient, got none"):
        module_groups(network().requires_grad_(False), 0.1)
