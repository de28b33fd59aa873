"""One training epoch: this package's engine against the loop of the article.

Measured side by side on one thread, in processor time, so that other work on the machine counts
as little as it can. The article's loop prepares each image by itself in Python (pad, crop, flip,
to a tensor, normalise), collects batches with a DataLoader, and trains eagerly in float32.
"""

import time
from dataclasses import replace

import numpy as np
import torch
from PIL import Image, ImageOps
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, Dataset

from optim_scratch.experiments import batches, data, models, recipes, train
from optim_scratch.experiments.progress import Watcher

BATCH = 128


class PerImage(Dataset):
    """Images that are augmented one at a time, as Pillow pictures."""

    def __init__(self, images, labels, seed=0):
        self.images, self.labels = images, labels
        self.rng = np.random.default_rng(seed)
        self.mean = torch.tensor(batches.MEAN).view(3, 1, 1)
        self.std = torch.tensor(batches.STD).view(3, 1, 1)

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        picture = ImageOps.expand(Image.fromarray(self.images[index]), border=4, fill=0)
        left, top = self.rng.integers(0, 9, size=2)
        picture = picture.crop((left, top, left + 32, top + 32))
        if self.rng.random() < 0.5:
            picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1).contiguous()
        return (pixels.float().div(255) - self.mean) / self.std, int(self.labels[index])


def articles_loop(images):
    """Processor seconds of the article's loop over all the images."""
    network = models.build("vgg", 10, seed=0).train()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
    dataset = PerImage(images.train_images, images.train_labels)
    loader = DataLoader(dataset, batch_size=BATCH, shuffle=True, drop_last=True)
    start, total, correct = time.process_time(), 0.0, 0
    for inputs, targets in loader:
        optimizer.zero_grad()
        outputs = network(inputs)
        loss = cross_entropy(outputs, targets)
        loss.backward()
        optimizer.step()
        total += loss.item()
        correct += (outputs.argmax(1) == targets).sum().item()
    return time.process_time() - start


class Clock(Watcher):
    """Takes the processor time from a run's start to the last batch of its epoch."""

    def start(self, epochs, images, done):
        self.began = time.process_time()

    def batch(self, epoch, images, lr, loss, accuracy):
        self.seconds = time.process_time() - self.began


def our_loop(images, precision, library="torch"):
    """Processor seconds of the engine's training over the same images, without evaluation."""
    recipe, clock = replace(recipes.find("constant"), epochs=1, library=library), Clock()
    settings = train.Settings(precision=precision, threads=1)
    train.train(recipe, 0, images, settings, watcher=clock)
    return clock.seconds


def seconds(batches_each: int = 20, rounds: int = 3) -> dict[str, float]:
    """Processor seconds an epoch of 390 batches, by loop.

    The loops take turns; the best of several rounds, after one to warm up, counts.
    """
    images = data.synthetic(train=batches_each * BATCH, test=10)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    loops = {
        "article": lambda: articles_loop(images),
        "float32": lambda: our_loop(images, "float32"),
        "bfloat16": lambda: our_loop(images, "bfloat16"),
        "ours": lambda: our_loop(images, "float32", "optim_scratch"),
    }
    try:
        turns = [{name: loop() for name, loop in loops.items()} for _ in range(rounds + 1)]
    finally:
        torch.set_num_threads(threads)
    return {name: min(turn[name] for turn in turns[1:]) * 390 / batches_each for name in loops}


def measure() -> list[str]:
    """Time the loops; return a line for each of ours."""
    found = seconds()
    return [
        f"an epoch of the VGG, {precision:<8}: {found['article'] / found[precision]:.2f} times the "
        f"article's speed{target} {found[precision]:.1f} s for {found['article']:.1f} s"
        for precision, target in (("float32", ""), ("bfloat16", " (at least 2)"))
    ] + [
        f"an epoch with our SGD, float32: {found['ours'] / found['float32']:.2f} times as long as "
        f"with torch's (at most 1.3) {found['ours']:.1f} s for {found['float32']:.1f} s"
    ]


if __name__ == "__main__":
    print(*measure(), sep="\n")
