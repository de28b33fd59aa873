"""Ctrl-C, SIGTERM and SIGHUP: each ends a run in order, cleaned up and with a message."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
CLEANING = 1.0
"""Seconds after a signal in which others are not heard: a terminal that closes sends several."""


class Stopped(KeyboardInterrupt):
    """A signal asks the process to end.

    Parameters
    ----------
    number : int
        The signal's.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


class Endings:
    """While it is entered, the signals that ask a process to end raise `Stopped`.

    A signal that is ignored stays so: a shell's background jobs ignore Ctrl-C, and `nohup` makes
    a run outlive its terminal. A signal that comes again after a second ends the process at once.
    Outside of the main thread, where Python admits no handlers, nothing changes.
    """

    def __init__(self) -> None:
        self.number, self.since = 0, 0.0
        self.waiting = False
        self.before: dict[int, Any] = {}

    def __enter__(self) -> "Endings":
        numbers = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
        if threading.current_thread() is threading.main_thread():
            heard = [n for n in numbers if signal.getsignal(n) is not signal.SIG_IGN]
            self.before = {number: signal.signal(number, self._hear) for number in heard}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        if not self.number:
            self.number, self.since = number, time.monotonic()
            if not self.waiting:
                raise Stopped(number)
        elif time.monotonic() - self.since > CLEANING:
            os._exit(128 + number)

    def check(self) -> None:
        """Raise `Stopped` if there was a signal, should what it raised have been lost."""
        if self.number:
            raise Stopped(self.number)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let a signal wait until the end of the block, which may not be left half done."""
        self.waiting = True
        try:
            yield
        finally:
            self.waiting = False
        self.check()
