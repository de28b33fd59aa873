"""What reaches the terminal: only what can be printed, and never at the cost of a run."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO


def shown(text: str) -> str:
    r"""Return a text from elsewhere as it may be printed.

    A terminal obeys what it is sent: a file's name can move its cursor, rename its window or hide
    what stands before.

    Parameters
    ----------
    text : str
        A name, or a message that holds one.

    Returns
    -------
    str
        The same, with what cannot be printed (controls, line ends, halves of a pair of UTF-16)
        written as Python would, and ellipses for more than 1,000 characters.

    Examples
    --------
    >>> print(shown("cat\x1b[2J.png"))
    cat\x1b[2J.png
    """
    if len(text) > 1000:
        text = f"{text[:600]}…{text[-300:]}"
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text
    )


class Unfailing:
    """A stream that may break while who writes to it goes on.

    The reader of a pipe may leave, the disk of a log file may fill: neither stops a training.

    Parameters
    ----------
    stream : text file or None
        Where the text goes as long as it can.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """Write a text, or lose it."""
        if self.stream is not None:
            with suppress(OSError, ValueError):  # the second is that of a closed file
                self.stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Hand on what is written, or lose it."""
        if self.stream is not None:
            with suppress(OSError, ValueError):
                self.stream.flush()

    def isatty(self) -> bool:
        """Return whether it is a terminal."""
        return self.stream is not None and self.stream.isatty()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def say(text: str, stream: TextIO | None = None) -> None:
    """Print a line, on the error stream by default, if that is possible.

    Parameters
    ----------
    text : str
        The line.
    stream : text file, optional
        Where to.
    """
    print(text, file=Unfailing(stream or sys.stderr), flush=True)


@contextmanager
def told(text: str, after: float) -> Iterator[None]:
    """Print a line should the block last long.

    Parameters
    ----------
    text : str
        The line.
    after : float
        Seconds after which it is printed, on the error stream.
    """
    timer = threading.Timer(after, say, (text,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def settle() -> None:
    """Leave the standard streams so that Python's end cannot fail for what they still hold."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            with suppress(OSError, ValueError):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, stream.fileno())
                os.close(nowhere)
