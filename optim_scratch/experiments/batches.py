"""Images on the device: the split, the normalisation, the augmentation, the order of an epoch."""

from collections.abc import Iterator

import numpy as np
import torch

MEAN = (0.4914, 0.4822, 0.4465)
STD = (0.2023, 0.1994, 0.2010)
PAD = 4
SIDE = 32


def derived_seed(seed: int, epoch: int) -> int:
    """Return the seed of one epoch's randomness; epoch 0 is the initialisation.

    Each epoch has its own stream, so a resumed run needs no generator state to go on exactly.
    """
    return int(np.random.SeedSequence([seed, epoch]).generate_state(1, np.uint64)[0] >> 1)


def normalise(images: torch.Tensor) -> torch.Tensor:
    """Return bytes (n, 3, 32, 32) as float32 with the mean and deviation of CIFAR-10 removed."""
    mean = torch.tensor(MEAN, device=images.device).view(1, 3, 1, 1)
    std = torch.tensor(STD, device=images.device).view(1, 3, 1, 1)
    # (x / 255 − mean) / std, as one multiplication and one subtraction
    return images.float().mul_(1 / (255 * std)).sub_(mean / std)


class ImageSet:
    """Labelled images, kept as bytes on one device.

    Parameters
    ----------
    images : ndarray
        uint8, shape (n, 32, 32, 3).
    labels : ndarray
        Integers, shape (n,).
    device : torch.device
        Where they live from now on.
    """

    def __init__(self, images: np.ndarray, labels: np.ndarray, device: torch.device) -> None:
        self.images = torch.from_numpy(images).to(device)
        self.labels = torch.from_numpy(labels.astype(np.int64)).to(device)

    def __len__(self) -> int:
        return len(self.labels)

    def fixed(self, size: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Yield normalised images and labels in their order, `size` at a time."""
        for start in range(0, len(self), size):
            chosen = slice(start, start + size)
            yield normalise(self.images[chosen].permute(0, 3, 1, 2)), self.labels[chosen]

    def epoch(self, size: int, seed: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Yield an epoch's shuffled, augmented, normalised batches of exactly `size` images.

        Every image is padded with 4 black pixels, cropped at a random place and flipped with
        probability ½. The draws come from the CPU whatever the device, so they are the same.
        """
        rng = torch.Generator().manual_seed(seed)
        order = torch.randperm(len(self), generator=rng)
        corner = torch.randint(0, 2 * PAD + 1, (2, len(self)), generator=rng)
        flip = torch.rand(len(self), generator=rng) < 0.5
        for start in range(0, len(self) - size + 1, size):
            chosen = slice(start, start + size)
            index = order[chosen].to(self.images.device)
            pixels = crops(self.images[index], corner[:, chosen], flip[chosen])
            yield normalise(pixels.permute(0, 3, 1, 2)), self.labels[index]


def crops(images: torch.Tensor, corner: torch.Tensor, flip: torch.Tensor) -> torch.Tensor:
    """Return a 32×32 window of each image padded with 4 black pixels, flipped where asked.

    Parameters
    ----------
    images : Tensor
        uint8, shape (n, 32, 32, 3).
    corner : Tensor
        Row and column of each window's corner in the padded image, 0 to 8, shape (2, n).
    flip : Tensor
        Which windows to mirror left to right, bool, shape (n,).

    Returns
    -------
    Tensor
        uint8, shape (n, 32, 32, 3); permuted to channels first it is a channels-last tensor.
    """
    device = images.device
    padded = torch.nn.functional.pad(images, (0, 0, PAD, PAD, PAD, PAD))
    reach = torch.arange(SIDE)
    rows = corner[0, :, None] + reach
    columns = corner[1, :, None] + torch.where(flip[:, None], reach.flip(0), reach)
    number = torch.arange(len(images), device=device)[:, None, None]
    return padded[number, rows.to(device)[:, :, None], columns.to(device)[:, None, :]]


def hold_out(labels: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices that stay in the training set and those of the validation set.

    The split is the same for every seed and recipe, so that runs can be compared, and holds out
    equally many images of each class, as far as `count` divides.

    Raises
    ------
    ValueError
        When `count` leaves nothing to train on.
    """
    if not 0 <= count < len(labels):
        raise ValueError(f"validation_images must be in [0, {len(labels)}), got {count}")
    shuffled = np.random.default_rng(0).permutation(len(labels))
    # the k-th image of every class before the (k+1)-th of any
    rank = np.empty(len(labels), dtype=np.int64)
    for label in np.unique(labels):
        members = shuffled[labels[shuffled] == label]
        rank[members] = np.arange(len(members))
    order = shuffled[np.argsort(rank[shuffled], kind="stable")]
    return np.sort(order[count:]), np.sort(order[:count])
