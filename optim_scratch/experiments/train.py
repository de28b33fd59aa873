"""Training: a recipe, a seed and a dataset become a record."""

import math
import re
import time
import warnings
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from optim_scratch.checks import Integer
from optim_scratch.experiments import bridge, models, results
from optim_scratch.experiments import checkpoint as checkpoints
from optim_scratch.experiments.assembly import optimizer_for, scheduler_for
from optim_scratch.experiments.batches import ImageSet, derived_seed, hold_out
from optim_scratch.experiments.data import Dataset
from optim_scratch.experiments.driver import Driver
from optim_scratch.experiments.identity import head, identity
from optim_scratch.experiments.progress import Watcher
from optim_scratch.experiments.recipes import Recipe
from optim_scratch.experiments.settings import Settings as Settings
from optim_scratch.experiments.settings import limited_threads
from optim_scratch.schedulers.first_step import WARNING

EVALUATED_TRAIN_IMAGES = 10_000
EVALUATION_BATCH = 500
LOOK_EVERY = 20
LONGEST_WAIT = 10.0
"""Batches and seconds from one look at the losses to the next."""


class DivergenceError(Exception):
    """The loss is no longer finite.

    Parameters
    ----------
    step : int
        The update of the epoch, counted from 1, whose loss was the first such.
    """

    def __init__(self, step: int) -> None:
        super().__init__(f"the loss is not finite at step {step}")
        self.step = step


def train(
    recipe: Recipe,
    seed: int,
    data: Dataset,
    settings: Settings | None = None,
    checkpoint: Path | None = None,
    watcher: Watcher | None = None,
) -> dict[str, Any]:
    """Run a recipe to its end, or to where it diverges, and return its record.

    Parameters
    ----------
    recipe : Recipe
        What to train.
    seed : int
        Seed of the initialisation and of every epoch, at least 0. The randomness of epoch e
        depends on the seed and e alone.
    data : Dataset
        What to train on.
    settings : Settings, optional
        How; by default on the CPU, in float32, with one thread.
    checkpoint : Path, optional
        Where to save after every epoch, and to go on from if it is there. On a CPU a resumed
        run ends bit-identical to an uninterrupted one with the same settings.
    watcher : Watcher, optional
        Is told how the run goes.

    Returns
    -------
    dict
        A record, as `optim_scratch.experiments.results` describes it.

    Raises
    ------
    TypeError, ValueError
        For a negative seed, too few images for one batch, or a checkpoint of another run.
    """
    seed = Integer(0).check("seed", seed)
    settings, watcher = settings or Settings(), watcher or Watcher()
    with limited_threads(settings.threads):
        run = Run(recipe, seed, data, settings)
        run.restore(checkpoint)
        record = run.head()
        watcher.start(recipe.epochs, len(run.train_set), len(run.rows))
        try:
            while len(run.rows) < recipe.epochs:
                row = run.epoch(watcher)
                run.save(checkpoint)
                watcher.epoch(row)
        except DivergenceError as end:
            record["diverged"] = {"epoch": len(run.rows) + 1, "step": end.step}
        finally:
            watcher.stop()
    return results.checked({**record, "epochs": run.rows})


class Run:
    """A network, its optimizer and scheduler, its images, and the epochs done so far.

    Parameters
    ----------
    recipe, seed, data, settings
        As in `train`.

    Attributes
    ----------
    rows : list of dict
        What was recorded of each epoch that is done.
    model : torch.nn.Module
        The network.
    optimizer : torch.optim.Optimizer or Driver
        Moves its parameters: torch's, or ours in their memory.
    scheduler : LRScheduler or None
        One of ours; drives the optimizer's rate.
    train_set, seen_set, validation_set, test_set
        The images, each an `ImageSet`: for training; the fixed ones of them that are evaluated;
        held out; for testing.

    Raises
    ------
    TypeError, ValueError
        As `train` does.
    """

    def __init__(self, recipe: Recipe, seed: int, data: Dataset, settings: Settings) -> None:
        self.recipe, self.seed, self.data, self.settings = recipe, seed, data, settings
        self.identity = identity(recipe, seed, data, settings)
        self.device = torch.device(settings.device)
        self.rows: list[dict[str, Any]] = []
        self._place_images()
        self.model = models.build(recipe.model, len(data.classes), derived_seed(seed, 0))
        self.model.to(device=self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.network = torch.compile(self.model) if settings.compiled else self.model
        self.optimizer = optimizer_for(recipe, self.model)
        self.scheduler = None
        if recipe.scheduler is not None:
            described = {"scheduler": recipe.scheduler, **recipe.scheduler_arguments}
            self.scheduler = scheduler_for(self.optimizer, described)
            if self.scheduler._needs_metric():
                raise ValueError(f"scheduler must need no metric, got {recipe.scheduler}")

    def _place_images(self) -> None:
        """Put the images on the device once, split as the recipe asks."""
        data, device = self.data, self.device
        stay, held = hold_out(data.train_labels, self.recipe.validation_images)
        if len(stay) < self.recipe.batch_size:
            raise ValueError(
                f"batch_size must be at most the {len(stay)} training images, "
                f"got {self.recipe.batch_size}"
            )
        seen = np.sort(np.random.default_rng(0).permutation(stay)[:EVALUATED_TRAIN_IMAGES])
        images, labels = data.train_images, data.train_labels
        self.train_set = ImageSet(images[stay], labels[stay], device)
        self.seen_set = ImageSet(images[seen], labels[seen], device)
        self.validation_set = ImageSet(images[held], labels[held], device)
        self.test_set = ImageSet(data.test_images, data.test_labels, device)

    def epoch(self, watcher: Watcher) -> dict[str, Any]:
        """Train for one epoch, evaluate, step the scheduler; return and keep the epoch's row."""
        number = len(self.rows) + 1
        self._step_scheduler("start")
        rate = float(self.optimizer.param_groups[0]["lr"])
        start = time.perf_counter()
        running = self.train_epoch(number, rate, watcher)
        middle = time.perf_counter()
        # a method that averages is evaluated at its average
        ours = self.optimizer if isinstance(self.optimizer, Driver) else None
        with ours.at_point() if ours else nullcontext():
            train = self.evaluate(self.seen_set)
            validation = self.evaluate(self.validation_set)
            test = self.evaluate(self.test_set)
        end = time.perf_counter()
        self._step_scheduler("end")
        row: dict[str, Any] = {"epoch": number, "lr": rate}
        pairs = {"running": running, "train": train, "validation": validation, "test": test}
        for name, (loss, accuracy) in pairs.items():
            row |= {f"{name}_loss": loss, f"{name}_accuracy": accuracy}
        row |= {"train_seconds": round(middle - start, 2)}
        row |= {"evaluation_seconds": round(end - middle, 2)}
        self.rows.append(row)
        return row

    def _step_scheduler(self, now: str) -> None:
        """Step the scheduler if the recipe's steps at the "start", or the "end", of an epoch."""
        if self.scheduler is None or self.recipe.scheduler_steps != now:
            return
        with warnings.catch_warnings():
            if now == "start":  # the first rate is skipped on purpose
                warnings.filterwarnings("ignore", re.escape(WARNING))
            self.scheduler.step()

    def train_epoch(self, number: int, rate: float, watcher: Watcher) -> tuple[float, float]:
        """Train for one epoch; return mean loss and accuracy of its batches, before each update."""
        self.model.train()
        size, seed = self.recipe.batch_size, derived_seed(self.seed, number)
        losses: list[float] = []
        recent: list[torch.Tensor] = []
        correct = torch.zeros((), dtype=torch.int64, device=self.device)
        last, looked = len(self.train_set) // size, time.perf_counter()
        for step, (images, labels) in enumerate(self.train_set.epoch(size, seed), start=1):
            loss, logits = self.update(images, labels)
            recent.append(loss.detach())
            correct += (logits.detach().argmax(1) == labels).sum()
            # a look costs a GPU its queue, so there is one every few batches, and on a slow machine
            # one every few seconds
            late = time.perf_counter() - looked > LONGEST_WAIT
            if step % LOOK_EVERY == 0 or step == last or late:
                looked = time.perf_counter()
                losses += _finite(torch.stack(recent).tolist(), len(losses))
                recent.clear()
                accuracy = int(correct) / (step * size)
                watcher.batch(number, step * size, rate, sum(losses) / step, accuracy)
        return sum(losses) / last, int(correct) / (last * size)

    def update(
        self, images: torch.Tensor, labels: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Move the network once; return loss and logits of the batch before that."""
        looks: list[tuple[torch.Tensor, torch.Tensor]] = []

        def look() -> torch.Tensor:  # called more than once by methods that look again
            logits = self._logits(images)
            loss = cross_entropy(logits, labels)
            self.optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            looks.append((loss, logits))
            return loss

        self.optimizer.step(look)  # type: ignore[arg-type]
        return looks[0]

    def _logits(self, images: torch.Tensor) -> torch.Tensor:
        mixed = self.settings.precision == "bfloat16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=mixed):
            logits: torch.Tensor = self.network(images)
        return logits.float()

    def evaluate(self, images: ImageSet) -> tuple[float, float] | tuple[None, None]:
        """Return mean loss and accuracy over all images of a set, or None for an empty one."""
        if not len(images):
            return None, None
        self.model.eval()
        loss, correct = 0.0, 0
        with torch.no_grad():
            for pixels, labels in images.fixed(EVALUATION_BATCH):
                logits = self._logits(pixels)
                loss += float(cross_entropy(logits, labels, reduction="sum"))
                correct += int((logits.argmax(1) == labels).sum())
        if not math.isfinite(loss):
            raise DivergenceError(len(self.train_set) // self.recipe.batch_size)
        return loss / len(images), correct / len(images)

    def head(self) -> dict[str, Any]:
        """Return the record without its epochs."""
        images = {
            "train": len(self.train_set),
            "train_evaluated": len(self.seen_set),
            "validation": len(self.validation_set),
            "test": len(self.test_set),
        }
        parameters = sum(p.numel() for p in self.model.parameters())
        return head(self.identity, self.data, images, parameters)

    def save(self, path: Path | None) -> None:
        """Write all that a resumed run needs."""
        if path is not None:
            scheduler = None if self.scheduler is None else self.scheduler.state_dict()
            state = {
                "rows": self.rows,
                "model": self.model.state_dict(),
                "optimizer": bridge.with_tensors(self.optimizer.state_dict()),
                "scheduler": bridge.with_tensors(scheduler),
            }
            checkpoints.save(path, self.identity, state)

    def restore(self, path: Path | None) -> None:
        """Go on from a checkpoint, if there is one."""
        if path is not None and path.exists():
            state = checkpoints.load(path, self.identity, self.settings.device)
            self.rows = state["rows"]
            self.model.load_state_dict(state["model"])
            self.optimizer.load_state_dict(state["optimizer"])
            if self.scheduler is not None:
                self.scheduler.load_state_dict(state["scheduler"])


def _finite(losses: list[float], before: int) -> list[float]:
    """Return the losses that follow `before` others, or raise for the first not finite."""
    for i, loss in enumerate(losses, start=1):
        if not math.isfinite(loss):
            raise DivergenceError(before + i)
    return losses
