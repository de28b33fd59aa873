import pytest
import torch
from torch import nn
from torch.nn import functional as f

from optim_scratch.experiments import models


def test_number_of_parameters():
    network = models.build("vgg", classes=10, seed=0)
    assert sum(p.numel() for p in network.parameters()) == 688_224


def test_layers_in_their_order():
    kinds = [m for m in models.VGG().modules() if not isinstance(m, nn.Sequential | models.VGG)]
    conv, relu, pool, linear = nn.Conv2d, nn.ReLU, nn.MaxPool2d, nn.Linear
    assert [type(m) for m in kinds] == [
        *(conv, relu, pool),
        *(conv, relu, conv, relu, pool),
        *(conv, relu, conv, relu, conv, relu, pool),
        *(linear, relu, linear),
    ]


def test_the_graph_is_the_articles():
    """The count of parameters cannot see a missing ReLU; the function it computes can."""
    network = models.build("vgg", classes=10, seed=1)
    images = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    *kernels, first, second = list(network.parameters())
    x = images
    for i, kernel in enumerate(kernels):
        x = torch.clamp(f.conv2d(x, kernel, padding=1), min=0)
        if i in (0, 2, 5):
            x = f.max_pool2d(x, 2)
    expected = torch.clamp(x.reshape(4, 2048) @ first.T, min=0) @ second.T
    torch.testing.assert_close(network(images), expected)


def test_the_seed_decides_and_the_global_generator_is_left_alone():
    before = torch.random.get_rng_state()
    a, b, c = (list(models.build("vgg", 10, seed).parameters()) for seed in (3, 3, 4))
    assert all(torch.equal(p, q) for p, q in zip(a, b, strict=True))
    assert not any(torch.equal(p, q) for p, q in zip(a, c, strict=True))
    assert torch.equal(torch.random.get_rng_state(), before)


def test_refusals():
    with pytest.raises(ValueError, match="model must be one of 'vgg', got 'resnet'"):
        models.build("resnet", 10, 0)
    with pytest.raises(ValueError, match="classes must be >= 2, got 1"):
        models.build("vgg", 1, 0)
