"""The protocol: how a line of the ladder is measured."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from optim_scratch.optimizers import SGD, Optimizer, Wrapper
from optim_scratch.parameter import Array, Parameter, RowSparse
from optim_scratch.problems import Digits

from .entries import Entry

TUNING = (1000, 1001, 1002, 1003, 1004)
FRESH = tuple(range(20))
MARKS = (1, 5, 20)
RATES = 11
FACTOR = 2.0
POINT = 0.01

PROTOCOL: dict[str, Any] = {
    "network": "Digits(hidden=32)",
    "batch_size": 32,
    "tuning_seeds": list(TUNING),
    "fresh_seeds": list(FRESH),
    "epochs": list(MARKS),
    "rates": RATES,
    "factor": FACTOR,
    "best": "highest mean accuracy on validation, then lowest mean loss there",
    "width": "neighbouring rates whose mean accuracy on validation is within 0.01 of the best",
    "diverged": "counts as chance: accuracy 0.1, loss ln 10",
}
"""What is the same for every line; the committed file holds it too."""


def rates(middle: float) -> Array:
    """Return the rates that are tried around a middle one, each twice the one before."""
    return middle * FACTOR ** (np.arange(RATES) - RATES // 2)


class Run:
    """One optimizer at work on one or many networks at once."""

    def __init__(self, entry: Entry, digits: Digits, rate: float | Array) -> None:
        self.entry, self.digits, self.looks = entry, digits, 0
        lead = (len(digits.seeds), np.size(rate)) if digits.many else ()
        start = np.broadcast_to(digits.start, (*lead, digits.size)).copy()
        self.lead = lead
        self.parameters = [Parameter(piece) for piece in self._cut(start)]
        lr = np.asarray(rate)[:, None] if digits.many else rate
        self.optimizers = entry.optimizers(self.parameters, lr)
        method = entry.of()
        self.closure, self.wants_loss = method.closure, method.closure and not method.wraps
        self.rows = method.rows

    def _cut(self, theta: Array) -> list[Array]:
        """Return the pieces that a vector of all weights has for the optimizer."""
        if not self.entry.pieces:
            return [theta]
        cut = self.digits.weights.split(theta)
        shapes = self.digits.weights.shapes
        return [piece.reshape(shape) for piece, shape in zip(cut, shapes, strict=True)]

    def _joined(self, pieces: Sequence[Array]) -> Array:
        return self.digits.weights.join(pieces, self.lead)

    def step(self, batch: Array) -> None:
        """Take one step on a mini-batch, at which the optimizer may look as often as it likes."""

        def look() -> float:
            theta = self._joined([p.data for p in self.parameters])
            gradient = self.digits.gradient(theta, batch)
            for p, piece in zip(self.parameters, self._cut(gradient), strict=True):
                p.grad = RowSparse.of(piece) if self.rows else piece
            self.looks += 1
            # where nothing depends on the loss, its time is not to count
            return loss_of(self.digits, theta, batch) if self.wants_loss else 0.0

        if self.closure:
            self.optimizers[0].step(look)
            return
        look()
        for optimizer in self.optimizers:
            optimizer.step()

    def point(self) -> Array:
        """Return all weights where the method says that they are to be evaluated."""
        owner = {
            p: optimizer
            for optimizer in self.optimizers
            for group in optimizer.param_groups
            for p in group["params"]
        }
        return self._joined([owner[p].point(p) for p in self.parameters])


def loss_of(digits: Digits, theta: Array, batch: Array) -> float:
    """Return the mean loss of one network on a mini-batch."""
    with np.errstate(all="ignore"):
        z = digits.scores(theta, digits.images[batch])
        z = z - z.max(axis=-1, keepdims=True)
        right = z[np.arange(len(batch)), digits.labels[batch]]
        return float((np.log(np.exp(z).sum(axis=-1)) - right).mean())


def trained(
    run: Run, marks: Sequence[int], before_step: Callable[[Run, int], None] | None = None
) -> list[Array]:
    """Train, and return the weights after the epochs in `marks`."""
    found, count = [], 0
    for epoch in range(max(marks)):
        for batch in run.digits.batches(1, first=epoch):
            if before_step is not None:
                before_step(run, count)
            run.step(batch)
            count += 1
        if epoch + 1 in marks:
            found.append(run.point().copy())
    return found


def points(
    entry: Entry, lrs: Array, seeds: Sequence[int], marks: Sequence[int] = MARKS
) -> list[Array]:
    """Return the weights after some epochs, of every seed at every rate: (seeds, rates, d) each.

    Elementwise methods take all of them at once, others one after the other.
    """
    if entry.of().elementwise:
        digits = Digits(batch_size=entry.batch_size, seed=list(seeds))
        return trained(Run(entry, digits, lrs), marks)
    runs = [
        [trained(Run(entry, Digits(batch_size=entry.batch_size, seed=seed), float(lr)), marks)
         for lr in lrs]
        for seed in seeds
    ]  # fmt: skip
    return [np.array([[each[i] for each in row] for row in runs]) for i in range(len(marks))]


def judged(digits: Digits, theta: Array, losses: str, accuracies: str) -> tuple[Array, Array]:
    """Return loss and accuracy on a part each; of runs that diverged, those of chance."""
    with np.errstate(all="ignore"):
        loss = digits.loss(theta, losses)  # type: ignore[arg-type]
        accuracy = digits.accuracy(theta, accuracies)  # type: ignore[arg-type]
    lost = ~np.isfinite(loss)
    return np.where(lost, np.log(10), loss), np.where(lost, 0.1, accuracy)


def best(accuracy: Array, loss: Array) -> int:
    """Return which rate is best, from tables of shape (seeds, rates)."""
    means = np.round(accuracy.mean(axis=0), 6), loss.mean(axis=0)
    return int(np.lexsort((means[1], -means[0]))[0])


def measured(
    name: str, lrs: Array, after: Callable[[Array, Sequence[int], Sequence[int]], list[Array]]
) -> dict[str, Any]:
    """Return a line: `after(rates, seeds, epochs)` are the weights after some epochs."""
    digits = Digits()
    [last] = after(lrs, TUNING, MARKS[-1:])
    loss, accuracy = judged(digits, last, "validation", "validation")
    chosen = best(accuracy, loss)
    final = [
        judged(digits, theta[:, 0], "train", "test") for theta in after(lrs[[chosen]], FRESH, MARKS)
    ]
    return {
        "name": name,
        "rates": significant(lrs),
        "validation_accuracy": np.round(accuracy, 4).tolist(),
        "validation_loss": significant(loss),
        "best": chosen,
        "train_loss": significant(np.array([loss for loss, _ in final])),
        "test_accuracy": np.round([accuracy for _, accuracy in final], 4).tolist(),
    }


def line(entry: Entry) -> dict[str, Any]:
    """Return all that is measured of an optimizer."""
    row = measured(
        entry.name, rates(entry.middle), lambda lrs, seeds, marks: points(entry, lrs, seeds, marks)
    )
    run, ratio = timed(entry, row["rates"][row["best"]])
    pictures = run.looks * (entry.batch_size or len(run.digits.part("train")[1]))
    return row | {
        "method": entry.method,
        "settings": entry.settings,
        "state": round(kept(run.optimizers) / run.digits.size, 4),
        "passes": round(pictures / len(run.digits.part("train")[1]) / MARKS[-1], 2),
        "time": round(ratio, 2),
    }


def kept(optimizers: Sequence[Optimizer]) -> int:
    """Return how many numbers optimizers remember, those that they remember once left out."""
    total = 0
    for optimizer in optimizers:
        for state in optimizer.state.values():
            arrays = [array for entry in state.values() for array in _arrays(entry)]
            total += sum(array.size for array in arrays if array.size > 1)
        if isinstance(optimizer, Wrapper):
            total += kept([optimizer.optimizer])
    return total


def _arrays(entry: Any) -> list[Array]:
    several = entry if isinstance(entry, list | tuple) else [entry]
    return [each for each in several if isinstance(each, np.ndarray)]


def timed(entry: Entry, rate: float, times: int = 3) -> tuple[Run, float]:
    """Train one network, and return the run and its time, in units of SGD's beside it.

    Each step, the gradient and the update, counts with the shortest time of three runs.
    """
    plain = Entry("SGD", "SGD", lambda p, lr: SGD(p, lr=lr), 0.1)
    ours, theirs = [], []
    for _ in range(times):
        theirs.append(_seconds(Run(plain, Digits(seed=0), 0.1)))
        run = Run(entry, Digits(batch_size=entry.batch_size, seed=0), rate)
        ours.append(_seconds(run))
    return run, float(np.min(ours, axis=0).sum() / np.min(theirs, axis=0).sum())


def _seconds(run: Run) -> list[float]:
    found = []
    for batch in run.digits.batches(MARKS[-1]):
        begin = time.perf_counter()
        run.step(batch)
        found.append(time.perf_counter() - begin)
    return found


def significant(array: Any, digits: int = 6) -> Any:
    """Return an array as lists of numbers of so many digits."""
    if np.ndim(array) == 0:
        return float(f"{float(array):.{digits}g}")
    return [significant(each, digits) for each in array]
