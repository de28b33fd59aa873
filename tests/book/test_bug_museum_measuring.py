"""Room 6, measuring, of the bug museum."""

import numpy as np
import pytest
import torch
from museum import checked, close, exhibit, rooms
from torch.optim import lr_scheduler

from optim_scratch.experiments import results
from optim_scratch.problems import NoisyQuadratic
from optim_scratch.surfaces import rosenbrock


@exhibit("The test loss is a fifth too low")
def test_batch_means(shown):
    per_example = np.random.default_rng(0).exponential(size=10_000)
    parts = np.split(per_example, range(128, 10_000, 128))
    printed = sum(part.mean() for part in parts) / 100
    close(printed / per_example.mean(), 0.79, 0.01)
    runs = results.read("article-003").query("recipe == 'constant' and seed == 0")
    close(shown[0][2], runs["test_loss"].iloc[-1])
    close(shown[0][1], 0.79 * shown[0][2])


@exhibit("ReduceLROnPlateau drops the rate while the loss falls")
def test_noisy_plateau(shown):
    drops = {}
    for noise in (0.15, 0.005):
        final = []
        for seed in range(1, 21):  # other seeds than the cell's
            rng = np.random.default_rng(seed)
            optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.1)
            plateau = lr_scheduler.ReduceLROnPlateau(optimizer, patience=5)
            for epoch in range(60):
                plateau.step(np.exp(-epoch / 40) + noise * rng.standard_normal())
            final.append(optimizer.param_groups[0]["lr"])
        drops[noise] = final
    assert np.median(drops[0.15]) < 0.05
    assert min(drops[0.005]) == 0.1
    assert shown[0][1] < 0.05
    assert shown[0][2] == 0.1


@exhibit("The best model is worse than reported")
def test_luck(shown):
    sigma = 100 * np.sqrt(0.83 * 0.17 / 10_000)
    normal = np.random.default_rng(1).standard_normal((20_000, 30)).max(axis=1).mean()
    close(shown[0][1], 83 + sigma * normal, 1e-3)
    close(shown[0][2], 83, 1e-3)


@exhibit("The better recipe loses")
def test_one_seed(shown):
    bowl = NoisyQuadratic(np.logspace(-1, 0.5, 10), noise=1.0, start=np.zeros(10), seed=1)
    expected = [bowl.expected_losses(np.full(150, lr))[-1] for lr in (0.10, 0.12)]
    assert expected[1] / expected[0] == pytest.approx(1.22, abs=0.01)  # as the text says: a fifth
    better, worse = (final_losses(bowl, lr) for lr in (0.10, 0.12))
    assert shown[0][1] == pytest.approx(np.mean(better > worse), abs=0.02)
    assert shown[0][2] < 0.1


def final_losses(bowl: NoisyQuadratic, lr: float) -> np.ndarray:
    """Return the losses of many runs after 150 steps of plain descent from the minimum."""
    theta = np.zeros((10_000, 10))
    for _ in range(150):
        theta -= lr * bowl.gradient(theta)
    return bowl.value(theta)


@exhibit("The schedule gets the credit of the rate")
def test_confounded(shown):
    _, both, alone = shown[0]
    slope = NoisyQuadratic(np.logspace(-3, 1, 30), noise=0.2, start=2.0)
    steps = np.repeat([1.0, 0.5, 0.25], 200)
    constant = slope.expected_losses(np.full(600, 0.01))[-1]
    close(both, constant - slope.expected_losses(0.02 * steps)[-1])
    close(alone, constant - slope.expected_losses(0.01 * steps)[-1])
    assert alone < 0 < both


@exhibit("The path in the picture is not the method's")
def test_clipped(shown):
    p = np.array([-2.0, 2.0])
    for _ in range(500):
        g = rosenbrock().gradient(p)
        p = p - 0.1 * g / max(1.0, np.sqrt(g @ g))
    assert rosenbrock().value(p) < 10
    assert shown[0][1] < 10
    assert shown[0][2].startswith("diverged at step ")
    w = torch.tensor([-2.0, 2.0], dtype=torch.float64)
    for _ in range(int(shown[0][2].split()[-1])):
        w.grad = torch.from_numpy(rosenbrock().gradient(w.numpy()))
        torch.optim.SGD([w], lr=0.1).step()
    assert rosenbrock().value(w.numpy()) > 1e12


@exhibit("The check passes and the answer is wrong")
def test_weak_check(shown):
    assert shown[0][1:] == (True, False)


@exhibit("A comparison in float64 agrees to eight digits only")
def test_single_precision(shown):
    assert shown[0][1:] == (False, True)
    before = torch.get_default_dtype()
    for dtype in (torch.float32, torch.float64):
        torch.set_default_dtype(dtype)
        for kind, key in ((torch.optim.ASGD, "eta"), (torch.optim.NAdam, "mu_product")):
            w = torch.ones(1, dtype=torch.float64)
            w.grad = torch.ones_like(w)
            optimizer = kind([w])
            optimizer.step()
            assert optimizer.state[w][key].dtype == dtype
    torch.set_default_dtype(before)


def test_no_exhibit_of_the_room_is_without_a_check():
    assert checked(globals()) == rooms()["Room 6: measuring"]
