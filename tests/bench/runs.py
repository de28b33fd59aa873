"""10,000 runs of 500 steps at once, against a loop over single runs."""

import time

import numpy as np

from optim_scratch import descend, surfaces
from optim_scratch.optimizers import SGD

RUNS, STEPS = 10_000, 500
SINGLE = 20
"""Single runs that are timed; their mean stands for each of the 10,000."""


def measure() -> list[str]:
    """Time both; return one line."""
    surface = surfaces.ravine(20)
    rates = np.linspace(1e-3, 0.09, RUNS)
    together, alone = [], []
    for _ in range(3):
        start = time.perf_counter()
        descend(surface, SGD, STEPS, lr=rates[:, None], momentum=0.9, every=STEPS)
        middle = time.perf_counter()
        for lr in rates[:: RUNS // SINGLE]:
            descend(surface, SGD, STEPS, lr=float(lr), momentum=0.9, every=STEPS)
        together.append(middle - start)
        alone.append((time.perf_counter() - middle) / SINGLE)
    ratio = min(alone) * RUNS / min(together)
    return [
        f"{RUNS:,} runs x {STEPS} steps at once: {ratio:.0f} times a loop's speed (at least 200) "
        f"{min(together):.2f} s"
    ]
