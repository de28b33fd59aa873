"""What the person at the screen sees of a run."""

import sys
import time
from typing import Any, TextIO, cast

from tqdm import tqdm

from optim_scratch.experiments.terminal import Unfailing

LINE = "{desc} {remaining} {rate_noinv_fmt}{postfix} {bar}"
"""A terminal of 80 columns shows all of it; what is left over goes to the bar."""


FIRST_WAIT, LATER_WAIT = 15.0, 180.0
"""Seconds of silence of a log file: at the beginning of a run, and later."""


class Watcher:
    """Is told how a run goes, and says nothing; the others say it their way."""

    def start(self, epochs: int, images: int, done: int) -> None:
        """Learn that so many epochs of so many images lie ahead, some done before."""

    def batch(self, epoch: int, images: int, lr: float, loss: float, accuracy: float) -> None:
        """Learn the running loss and accuracy, so many images into an epoch."""

    def epoch(self, row: dict[str, Any]) -> None:
        """Learn an epoch's row, as the record will hold it."""

    def stop(self) -> None:
        """Learn that the run has ended, one way or another."""


class Bar(Watcher):
    """One bar for the whole run: epoch, rate, losses, accuracies, images per second, time left.

    Parameters
    ----------
    title : str
        What stands before the bar.
    stream : text file
        Where it is drawn.
    """

    def __init__(self, title: str, stream: TextIO) -> None:
        self.title, self.stream, self.test = title, stream, ""

    def start(self, epochs: int, images: int, done: int) -> None:
        """Draw the bar, the epochs done before already filled."""
        self.epochs, self.images = epochs, images
        self.bar = tqdm(
            total=epochs * images, initial=done * images, desc=self.title, file=self.stream,
            unit=" img", unit_scale=True, dynamic_ncols=True, smoothing=0.05, bar_format=LINE,
        )  # fmt: skip

    def batch(self, epoch: int, images: int, lr: float, loss: float, accuracy: float) -> None:
        """Move the bar."""
        now = f"epoch {epoch}/{self.epochs} lr {lr:.3g} train {loss:.2f} {accuracy:.0%}"
        self.bar.set_postfix_str(now + self.test, refresh=False)
        self.bar.update((epoch - 1) * self.images + images - self.bar.n)

    def epoch(self, row: dict[str, Any]) -> None:
        """Show the test images' loss and accuracy from now on."""
        self.test = f" test {row['test_loss']:.2f} {row['test_accuracy']:.0%}"
        self.bar.update(row["epoch"] * self.images - self.bar.n)

    def stop(self) -> None:
        """Leave the bar as it stands."""
        self.bar.close()


class Lines(Watcher):
    """One line an epoch, and one every few minutes of a long one, for log files.

    Parameters
    ----------
    title : str
        What each line begins with.
    stream : text file
        Where the lines go.
    """

    def __init__(self, title: str, stream: TextIO) -> None:
        self.title, self.stream = title, stream

    def start(self, epochs: int, images: int, done: int) -> None:
        """Say that the run begins, or where it goes on."""
        self.epochs, self.images, self.done = epochs, images, done
        self.began = time.perf_counter()
        if done < epochs:
            where = f"goes on after epoch {done}" if done else "begins"
            self._print(f"{where}, {epochs} epochs of {images} images")
        self.next = self.began + FIRST_WAIT

    def batch(self, epoch: int, images: int, lr: float, loss: float, accuracy: float) -> None:
        """Print a line if the last one was long ago."""
        if time.perf_counter() >= self.next:
            self._print(
                f"epoch {epoch}/{self.epochs}, {images} of {self.images} images, lr {lr:.3g}, "
                f"running {loss:.3f} {accuracy:.1%}, {self._left(epoch - 1 + images / self.images)}"
            )

    def epoch(self, row: dict[str, Any]) -> None:
        """Print the epoch's line."""
        self._print(
            f"epoch {row['epoch']}/{self.epochs}, lr {row['lr']:.3g}, "
            f"train {row['train_loss']:.3f} {row['train_accuracy']:.1%}, "
            f"test {row['test_loss']:.3f} {row['test_accuracy']:.1%}, "
            f"{self.images / max(row['train_seconds'], 0.01):.0f} images/s, "
            f"{self._left(row['epoch'])}"
        )

    def _print(self, text: str) -> None:
        self.next = time.perf_counter() + LATER_WAIT
        print(f"{self.title}: {text}", file=self.stream, flush=True)

    def _left(self, epochs: float) -> str:
        """Return the time left after so many epochs, the last of them perhaps in part."""
        each = (time.perf_counter() - self.began) / (epochs - self.done)
        left = each * (self.epochs - epochs)
        return f"{left // 60:.0f} min {left % 60:.0f} s left"


def watcher(title: str, stream: TextIO | None = None) -> Watcher:
    """Return a bar for a terminal, lines for anything else; by default on the error stream."""
    safe = cast(TextIO, Unfailing(stream or sys.stderr))
    return Bar(title, safe) if safe.isatty() else Lines(title, safe)
