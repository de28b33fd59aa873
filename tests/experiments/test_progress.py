import io

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
    assert first == "step seed 0: goes on after epoch 1"
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
