"""What a type checker tells a user: mypy, as strict as it gets, over a user's file."""

from pathlib import Path

import pytest

api = pytest.importorskip("mypy.api")

RIGHT = """
import numpy as np

from optim_scratch import Parameter, descend, surfaces
from optim_scratch.optimizers import SGD, Adam, Lookahead
from optim_scratch.schedulers import CosineAnnealingLR, ReduceLROnPlateau, SequentialLR, StepLR

theta = Parameter(np.ones(3))
sgd = SGD([theta], lr=0.1, momentum=np.float32(0.9), weight_decay=np.full(3, 0.1))
adam = Adam([{"params": [theta], "lr": 1e-3}], betas=(0.9, np.array([0.9, 0.99, 0.999])))
wrapped = Lookahead(SGD([theta], lr=1))
schedule = SequentialLR(sgd, [StepLR(sgd, 3), CosineAnnealingLR(sgd, 10)], [5])
rates: list[float] = schedule.get_last_lr()
print(f"{sum(rates):.3f}")
ReduceLROnPlateau(adam, min_lr=[0.1]).step(0.3)
path = descend(surfaces.beale(), SGD, steps=3, lr=0.1)
print(path.losses.mean())
"""

WRONG = {
    'SGD([theta], lr="0.1")': 'Argument "lr" to "SGD" has incompatible type "str"',
    "SGD([theta], lr=None)": 'Argument "lr" to "SGD" has incompatible type "None"',
    "SGD([theta], momentun=0.9)": 'Unexpected keyword argument "momentun" for "SGD"',
    "Adam([theta], betas=0.9)": 'Argument "betas" to "Adam" has incompatible type "float"',
    'StepLR(sgd, "3")': 'Argument 2 to "StepLR" has incompatible type "str"',
    "schedule.get_last_lr().mean()": '"list[float]" has no attribute "mean"',
    "schedule.get_rate()": '"SequentialLR" has no attribute "get_rate"',
}


def errors(source: str, folder: Path) -> list[str]:
    """Return what mypy says of a file, without where."""
    path = folder / "user.py"
    path.write_text(source)
    options = ["--strict", "--follow-imports=silent", "--no-error-summary", "--no-pretty"]
    out, trouble, _ = api.run([*options, "--cache-dir", str(folder / "cache"), str(path)])
    assert not trouble
    return [line.partition("error: ")[2] for line in out.splitlines() if "error: " in line]


def test_right_calls_pass_and_wrong_ones_are_told(tmp_path) -> None:
    assert errors(RIGHT, tmp_path) == []
    found = errors(RIGHT + "\n".join(WRONG), tmp_path)
    for call, message in zip(WRONG, WRONG.values(), strict=True):
        assert any(message in line for line in found), f"{call}: {found}"
    assert len(found) == len(WRONG)
