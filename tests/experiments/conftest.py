import io
import signal
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest

if find_spec("torch") is None:
    collect_ignore_glob = ["*.py"]
else:
    import torch
    from PIL import Image

    from optim_scratch.experiments import data, recipes


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A project folder of the test's own: nothing is read from or written to the real one."""
    folder = tmp_path / "home"
    monkeypatch.setenv("OPTIM_LAB_HOME", str(folder))
    return folder


@pytest.fixture(autouse=True)
def nothing_ignored():
    """Tests started by nohup, or in the background of a script, would not hear their signals."""
    own = {
        "SIGINT": signal.default_int_handler,
        "SIGTERM": signal.SIG_DFL,
        "SIGHUP": signal.SIG_DFL,
    }
    before = {name: signal.signal(getattr(signal, name), handler) for name, handler in own.items()}
    yield
    for name, handler in before.items():
        signal.signal(getattr(signal, name), handler)


@pytest.fixture(autouse=True)
def one_thread():
    """Small tensors on many threads wait more than they work, the more so beside other tests."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def images():
    return data.synthetic(train=70, test=30, seed=0)


@pytest.fixture
def recipe():
    """Three epochs of four updates, with a drop of the rate after each."""
    return replace(
        recipes.find("step"),
        epochs=3,
        batch_size=15,
        validation_images=10,
        scheduler_arguments={"step_size": 1, "gamma": 0.2},
    )


@pytest.fixture
def picture():
    """Makes a JPEG of one colour, as bytes."""

    def make(colour, size=(32, 32)):
        file = io.BytesIO()
        Image.new("RGB", size, colour).save(file, "JPEG", quality=95)
        return file.getvalue()

    return make


@pytest.fixture
def folder_files(picture):
    """Two classes, two training images and a test image each."""
    colours = {"cat": (250, 0, 0), "dog": (0, 0, 250)}
    counts = {"train": 2, "test": 1}
    return {
        f"{part}/{name}/{i:04d}.jpg": picture(colour)
        for part, count in counts.items()
        for name, colour in colours.items()
        for i in range(count)
    }


@pytest.fixture
def without_times():
    """Strips a record of its wall times, which no two runs share."""

    def strip(record):
        rows = [{k: v for k, v in row.items() if "seconds" not in k} for row in record["epochs"]]
        return {**record, "epochs": rows}

    return strip


@pytest.fixture
def a_record():
    """A sound record of two epochs, made up."""

    def make(name="step", seed=0, accuracies=(0.5, 0.75), suite="article-003"):
        measures = {"running_loss": 1.5, "running_accuracy": 0.5, "train_loss": 1.4}
        measures |= {"train_accuracy": 0.5, "validation_loss": None, "validation_accuracy": None}
        seconds = {"train_seconds": 1.5, "evaluation_seconds": 0.5}
        rows = [
            {"epoch": i, "lr": 0.1 / i, **measures, "test_loss": 1.0, "test_accuracy": a, **seconds}
            for i, a in enumerate(accuracies, start=1)
        ]
        return {
            "format": 1,
            "recipe": {"name": name, "suite": suite, "epochs": len(rows)},
            "seed": seed,
            "data": "synthetic",
            "checksum": "0" * 64,
            "images": {"train": 70, "train_evaluated": 70, "validation": 0, "test": 30},
            "classes": list("0123456789"),
            "parameters": 688_224,
            "settings": {"device": "cpu", "precision": "float32", "compiled": False, "threads": 1},
            "device_name": "a processor",
            "versions": {"optim_scratch": "0", "torch": "0", "numpy": str(np.__version__)},
            "diverged": None,
            "epochs": rows,
        }

    return make
