"""The noise floor of a run, measured: what averaging its weights takes off the loss.

SGD's weights jitter about a slowly moving centre. Their mean over many steps is close to that
centre; the mean of their losses lies higher, by what the jitter costs.
``python -m optim_scratch.experiments.floor step 15 16 17`` watches three epochs of a recipe.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from optim_scratch.checks import Integer
from optim_scratch.experiments import data as sources
from optim_scratch.experiments import files, recipes
from optim_scratch.experiments.progress import Watcher
from optim_scratch.experiments.settings import Settings, limited_threads
from optim_scratch.experiments.terminal import say
from optim_scratch.experiments.train import Run


def measure(
    recipe: recipes.Recipe,
    seed: int,
    data: sources.Dataset,
    epochs: Sequence[int],
    settings: Settings | None = None,
    checkpoint: Path | None = None,
    looks: int = 10,
) -> dict[str, Any]:
    """Run a recipe and watch some of its epochs closely; the run itself is not changed by it.

    Parameters
    ----------
    recipe : Recipe
        What to train.
    seed : int
        As in `optim_scratch.experiments.train.train`.
    data : Dataset
        What to train on.
    epochs : sequence of int
        The epochs to watch, counted from 1, in rising order.
    settings : Settings, optional
        As in `optim_scratch.experiments.train.train`.
    checkpoint : Path, optional
        A checkpoint of that run, from before the first of these epochs, to save time.
    looks : int, >= 1
        How often to look in an epoch, evenly spaced; the last look is at its end.

    Returns
    -------
    dict
        The head of a record, and ``epochs``: for each of them ``epoch``, ``lr`` and ``looks``.
        A look holds ``step`` (of the epoch), loss and accuracy in evaluation mode, on the same
        images as a record's: ``train_…``, ``test_…`` at the present weights, and
        ``average_train_…``, ``average_test_…`` at the mean of the weights after each step since
        the first watched epoch began, or since the rate last changed.

    Raises
    ------
    TypeError, ValueError
        For epochs that are not in rising order or already behind, or looks below 1.
    """
    looks = Integer(1).check("looks", looks)
    if not epochs or list(epochs) != sorted(set(epochs)):
        raise ValueError(f"epochs must be in rising order, got {list(epochs)}")
    settings = settings or Settings()
    with limited_threads(settings.threads):
        run = Run(recipe, seed, data, settings)
        run.restore(checkpoint)
        if len(run.rows) >= epochs[0]:
            raise ValueError(f"epochs must begin after epoch {len(run.rows)}, got {list(epochs)}")
        eye, watched = _Eye(run, looks), []
        while len(run.rows) < epochs[-1]:
            if len(run.rows) + 1 in epochs:
                watched.append(eye.epoch())
            else:
                run.epoch(Watcher())
        return {**run.head(), "epochs": watched}


class _Eye:
    """Watches a run: keeps the mean of its weights, and evaluates them and it now and then."""

    def __init__(self, run: Run, looks: int) -> None:
        self.run, self.rate, self.averaged = run, 0.0, 0
        self.weights = list(run.model.parameters())
        self.means = [torch.zeros_like(p) for p in self.weights]
        steps = len(run.train_set) // run.recipe.batch_size
        self.at = {steps * (k + 1) // looks for k in range(looks)}

    def epoch(self) -> dict[str, Any]:
        """Train one epoch of the run and return what was seen."""
        self.step = 0
        self.looks: list[dict[str, Any]] = []
        update = self.run.update

        def watched(
            images: torch.Tensor, labels: torch.Tensor
        ) -> tuple[torch.Tensor, torch.Tensor]:
            found = update(images, labels)
            self._after_step()
            return found

        # torch's optimizers would take a hook; ours have none
        self.run.update = watched  # type: ignore[method-assign]
        try:
            row = self.run.epoch(Watcher())
        finally:
            self.run.update = update  # type: ignore[method-assign]
        return {"epoch": row["epoch"], "lr": row["lr"], "looks": self.looks}

    def _after_step(self) -> None:
        self.step += 1
        rate = self.run.optimizer.param_groups[0]["lr"]
        self.averaged = self.averaged + 1 if rate == self.rate else 1
        self.rate = rate
        with torch.no_grad():
            for mean, p in zip(self.means, self.weights, strict=True):
                # the mean of n numbers moves by (x − mean) / n when the n-th comes
                mean += (p - mean) / self.averaged
        if self.step in self.at:
            row: dict[str, Any] = {"step": self.step, **self._evaluate("")}
            with self._at_the_mean():
                row |= self._evaluate("average_")
            self.looks.append(row)
            self.run.model.train()

    def _evaluate(self, prefix: str) -> dict[str, Any]:
        row: dict[str, Any] = {}
        for name, images in (("train", self.run.seen_set), ("test", self.run.test_set)):
            loss, accuracy = self.run.evaluate(images)
            row |= {f"{prefix}{name}_loss": loss, f"{prefix}{name}_accuracy": accuracy}
        return row

    @contextmanager
    def _at_the_mean(self) -> Iterator[None]:
        kept = [p.detach().clone() for p in self.weights]
        self._put(self.means)
        try:
            yield
        finally:
            self._put(kept)

    @torch.no_grad()
    def _put(self, values: list[torch.Tensor]) -> None:
        for p, value in zip(self.weights, values, strict=True):
            p.copy_(value)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure from the command line, and write ``floor/<recipe>-seed<seed>.json`` of the suite."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("recipe", help="a name as `optim-lab list` gives it")
    add("epochs", type=int, nargs="+", help="which epochs to watch")
    add("--seed", type=int, default=0)
    add("--data", default="cifar10", help="as in `optim-lab run`")
    add("--device", default="cpu")
    add("--precision", default="float32")
    add("--threads", type=int, default=1)
    add("--checkpoint", type=Path, help="a checkpoint of the run, to save time")
    add("--results", type=Path, default=files.results_folder(), help="folder of the records")
    given = parser.parse_args(arguments)
    settings = Settings(given.device, given.precision, threads=given.threads)
    if advice := settings.advice():
        say(advice)
    recipe, images = recipes.find(given.recipe), sources.load(given.data)
    record = measure(recipe, given.seed, images, given.epochs, settings, given.checkpoint)
    path = given.results / recipe.suite / "floor" / f"{recipe.name}-seed{given.seed}.json"
    text = json.dumps(record, indent=1, allow_nan=False) + "\n"
    files.write_atomically(path, lambda file: file.write(text.encode()))
    print(f"{recipe.name} seed {given.seed}: epochs {given.epochs} -> {path}")


if __name__ == "__main__":
    main()
