import numpy as np
import pytest
import torch

from optim_scratch.experiments.batches import (
    MEAN,
    STD,
    ImageSet,
    crops,
    derived_seed,
    hold_out,
    normalise,
)


def numbered(count):
    """Images of one colour each, its number, labelled with it."""
    images = np.broadcast_to(
        np.arange(count, dtype=np.uint8)[:, None, None, None], (count, 32, 32, 3)
    )
    return ImageSet(images.copy(), np.arange(count), torch.device("cpu"))


def test_crops_equal_padding_cutting_and_flipping_one_by_one():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (40, 32, 32, 3), dtype=np.uint8)
    corner, flip = rng.integers(0, 9, (2, 40)), rng.random(40) < 0.5
    found = crops(*map(torch.from_numpy, (images, corner, flip))).numpy()
    for image, row, column, mirrored, window in zip(images, *corner, flip, found, strict=True):
        padded = np.pad(image, ((4, 4), (4, 4), (0, 0)))
        expected = padded[row : row + 32, column : column + 32]
        np.testing.assert_array_equal(window, expected[:, ::-1] if mirrored else expected)


def test_normalising_is_the_articles():
    pixels = torch.arange(256, dtype=torch.uint8).repeat(12).reshape(1, 3, 32, 32)
    mean, std = (torch.tensor(v, dtype=torch.float64).view(1, 3, 1, 1) for v in (MEAN, STD))
    expected = (pixels.double() / 255 - mean) / std
    torch.testing.assert_close(normalise(pixels).double(), expected, atol=1e-6, rtol=1e-6)


def test_batches_are_channels_last_whole_and_without_repetition():
    batches = list(numbered(50).epoch(size=16, seed=1))
    assert [len(labels) for _, labels in batches] == [16, 16, 16]
    assert all(x.is_contiguous(memory_format=torch.channels_last) for x, _ in batches)
    labels = torch.cat([labels for _, labels in batches])
    assert len(labels.unique()) == 48
    # an image keeps its label: undo the normalisation at the centre, which no crop pads
    middle = torch.cat([x[:, 0, 16, 16] for x, _ in batches]) * 255 * STD[0] + 255 * MEAN[0]
    assert torch.equal(middle.round().long(), labels)


def test_an_epochs_randomness_is_its_seeds():
    images = numbered(64)

    def draw(seed):
        return torch.cat([x.flatten() for x, _ in images.epoch(32, seed)])

    assert torch.equal(draw(derived_seed(0, 1)), draw(derived_seed(0, 1)))
    seeds = {derived_seed(seed, epoch) for seed in range(4) for epoch in range(4)}
    assert len(seeds) == 16
    assert not torch.equal(draw(derived_seed(0, 1)), draw(derived_seed(0, 2)))


def test_augmentation_uses_every_corner_and_both_sides():
    images = np.zeros((2000, 32, 32, 3), dtype=np.uint8)
    images[:, 10, 12] = 255
    bright = [x[:, 0].flatten(1).argmax(1) for x, _ in ImageSet(
        images, np.zeros(2000), torch.device("cpu")).epoch(500, 0)]  # fmt: skip
    rows, columns = torch.cat(bright) // 32, torch.cat(bright) % 32
    assert set(rows.tolist()) == set(range(6, 15))
    assert set(columns.tolist()) == {*range(8, 17), *(31 - c for c in range(8, 17))}
    assert 0.45 < ((columns >= 17).float().mean() + (columns >= 15).float().mean()) / 2 < 0.56


def test_fixed_batches_keep_order_and_the_incomplete_last():
    sizes = [len(labels) for _, labels in numbered(50).fixed(20)]
    labels = torch.cat([labels for _, labels in numbered(50).fixed(20)])
    assert sizes == [20, 20, 10]
    assert torch.equal(labels, torch.arange(50))


def test_held_out_images_are_apart_balanced_and_always_the_same():
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(10), 100))
    stay, held = hold_out(labels, 200)
    assert np.array_equal(np.sort(np.concatenate([stay, held])), np.arange(1000))
    assert np.bincount(labels[held]).tolist() == [20] * 10
    assert np.array_equal(hold_out(labels, 200)[1], held)
    assert len(hold_out(labels, 0)[1]) == 0


@pytest.mark.parametrize("count", [-1, 1000])
def test_holding_out_too_many_is_refused(count):
    with pytest.raises(ValueError, match=rf"validation_images .*{count}"):
        hold_out(np.zeros(1000, dtype=int), count)
