"""The networks of the experiments."""

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import nn

from optim_scratch.checks import Choice, Integer


class VGG(nn.Module):
    """The small VGG of article 003: six convolutions, two linear layers, no bias anywhere.

    Three blocks of 3×3 convolutions (32; 64, 64; 128, 128, 128 channels), each closed by a 2×2
    max-pool, take an image from 32×32 to 4×4; two linear layers (2048 → 128 → classes) read the
    result. A ReLU follows every convolution and the first linear layer. There is neither batch
    normalisation nor dropout, and the initialisation is torch's default.

    Parameters
    ----------
    classes : int, default 10
        Number of classes, at least 2. With ten, the network has 688,224 parameters.
    """

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *_block(3, 32), *_block(32, 64, 64), *_block(64, 128, 128, 128)
        )
        self.classifier = nn.Sequential(
            nn.Linear(128 * 4 * 4, 128, bias=False),
            nn.ReLU(),
            nn.Linear(128, classes, bias=False),
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the logits, shape (batch, classes), of normalised images (batch, 3, 32, 32)."""
        logits: torch.Tensor = self.classifier(self.features(images).flatten(1))
        return logits


def _block(*channels: int) -> list[nn.Module]:
    """Return convolution and ReLU from each number of channels to the next, then a max-pool."""
    layers: list[nn.Module] = []
    for before, after in pairwise(channels):
        layers += [nn.Conv2d(before, after, 3, padding=1, bias=False), nn.ReLU()]
    return [*layers, nn.MaxPool2d(2)]


MODELS: dict[str, Callable[[int], nn.Module]] = {"vgg": VGG}


def build(name: str, classes: int, seed: int) -> nn.Module:
    """Return a freshly initialised network; torch's global generator is left as it was.

    Parameters
    ----------
    name : str
        A key of `MODELS`.
    classes : int
        Number of classes, at least 2.
    seed : int
        Seed of the initialisation.

    Raises
    ------
    TypeError, ValueError
        For an unknown name or fewer than two classes.
    """
    Choice(tuple(MODELS)).check("model", name)
    classes = Integer(2).check("classes", classes)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return MODELS[name](classes)
