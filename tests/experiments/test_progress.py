import io

import pytest

from optim_scratch.experiments import progress

ROW = {"epoch": 2, "lr": 0.01, "train_loss": 1.25, "train_accuracy": 0.5, "test_loss": 1.5}
ROW |= {"test_accuracy": 0.45, "train_seconds": 10.0}


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_file_gets_a_line_an_epoch():
    stream = io.StringIO()
    watcher = progress.watcher("step seed 0", stream)
    watcher.start(epochs=3, images=1000, done=1)
    watcher.batch(2, 500, 0.01, 1.3, 0.4)
    watcher.epoch(ROW)
    watcher.stop()
    first, second = stream.getvalue().splitlines()
    assert first == "step seed 0: goes on after epoch 1, 3 epochs of 1000 images"
    assert second.startswith(
        "step seed 0: epoch 2/3, lr 0.01, train 1.250 50.0%, test 1.500 45.0%, 100 images/s, 0 min"
    )


def test_a_terminal_gets_a_bar_with_everything():
    stream = Terminal()
    watcher = progress.watcher("step seed 0", stream)
    watcher.start(epochs=3, images=1000, done=1)
    watcher.bar.mininterval = 0
    watcher.bar.ncols, watcher.bar.dynamic_ncols = 80, None
    watcher.epoch(ROW)
    watcher.batch(3, 500, 0.01, 1.3, 0.4)
    watcher.stop()
    drawn = stream.getvalue().split("\r")[-1]
    for part in (
        "step seed 0 00:00 ",
        " img/s, ",
        "epoch 3/3 lr 0.01 train 1.30 40% test 1.50 45%",
    ):
        assert part in drawn


def test_a_file_hears_soon_and_every_few_minutes(monkeypatch):
    now = 0.0
    monkeypatch.setattr(progress.time, "perf_counter", lambda: now)
    stream = io.StringIO()
    watcher = progress.watcher("step seed 0", stream)
    watcher.start(epochs=2, images=1000, done=0)
    told = []
    for now in range(0, 1000, 10):
        watcher.batch(1, max(now, 1), 0.01, 1.3, 0.4)
        told.append((now, len(stream.getvalue().splitlines())))
    assert [n for _, n in told if n == 1] == [1, 1], "one at once"
    times = [b for (b, m), (_, n) in zip(told[1:], told, strict=False) if m > n]
    assert times == [20, 200, 380, 560, 740, 920]
    assert stream.getvalue().splitlines()[2] == (
        "step seed 0: epoch 1/2, 200 of 1000 images, lr 0.01, running 1.300 40.0%, 30 min 0 s left"
    )
    watcher.epoch({**ROW, "epoch": 1})
    watcher.batch(2, 20, 0.01, 1.3, 0.4)
    assert stream.getvalue().splitlines()[-1].startswith("step seed 0: epoch 1/2, lr 0.01, train")


def test_nothing_is_said_of_a_run_that_is_complete():
    stream = io.StringIO()
    progress.watcher("step seed 0", stream).start(epochs=2, images=1000, done=2)
    assert stream.getvalue() == ""


class Broken(io.StringIO):
    def __init__(self, terminal):
        super().__init__()
        self.terminal = terminal

    def isatty(self):
        return self.terminal

    def write(self, text):
        raise OSError(32, "Broken pipe")

    def flush(self):
        raise OSError(32, "Broken pipe")


@pytest.mark.parametrize("terminal", [True, False])
def test_a_stream_that_breaks_stops_nothing(terminal):
    watcher = progress.watcher("step seed 0", Broken(terminal))
    watcher.start(epochs=3, images=1000, done=1)
    watcher.batch(3, 500, 0.01, 1.3, 0.4)
    watcher.epoch(ROW)
    watcher.stop()
