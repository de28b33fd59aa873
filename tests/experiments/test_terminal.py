import io
import os
import sys
import time

import pytest

from optim_scratch.experiments import terminal


def test_what_can_be_printed_stays_and_all_else_is_written_out():
    assert terminal.shown("kätzchen ✓ 猫") == "kätzchen ✓ 猫"
    assert terminal.shown("a\x1b[2J\r\n\u202e\ud800b") == r"a\x1b[2J\r\n\u202e\ud800b"
    assert len(terminal.shown("x" * 10**6)) < 1000


class Broken(io.StringIO):
    """A standard stream whose last words cannot be written."""

    def __init__(self, file):
        super().__init__()
        self.file = file

    def flush(self):
        raise BrokenPipeError(32, "Broken pipe")

    def fileno(self):
        return self.file.fileno()


@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_a_stream_that_cannot_be_flushed_leads_nowhere(tmp_path, monkeypatch, name):
    other = {"stdout": "stderr", "stderr": "stdout"}[name]
    with (tmp_path / "log").open("wb", buffering=0) as file:
        monkeypatch.setattr(sys, name, Broken(file))
        monkeypatch.setattr(sys, other, None)  # as it is where the shell closed it
        terminal.settle()
        os.write(file.fileno(), b"what Python still holds")
    assert (tmp_path / "log").read_bytes() == b""


def test_a_line_is_said_where_there_is_no_stream(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    terminal.say("to nobody")
    assert not terminal.Unfailing(None).isatty()


def test_a_block_that_is_soon_over_is_not_told(capsys):
    with terminal.told("so long", 0.1):
        pass
    time.sleep(0.2)
    with terminal.told("it lasts", 0.01):
        time.sleep(0.3)
    assert capsys.readouterr().err == "it lasts\n"
