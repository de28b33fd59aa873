"""Each exhibit of the bug museum, run from its own cell and held against another derivation."""

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib
import nbformat
import numpy as np
import pytest
import torch
from torch.optim import lr_scheduler

from optim_scratch import Parameter, schedulers
from optim_scratch.experiments import results
from optim_scratch.optimizers import SGD
from optim_scratch.problems import NoisyQuadratic
from optim_scratch.surfaces import rosenbrock

ROOT = Path(__file__).parents[2]
NOTEBOOK = nbformat.read(ROOT / "book/practice/bug-museum.ipynb", as_version=4)
CORRECTIONS = (ROOT / "book/reference/corrections.md").read_text(encoding="utf-8")

Shown = list[tuple[str, Any, Any]]


def sections() -> dict[str, list]:
    """Return the cells below each heading of the third level, as far as the exercises."""
    found: dict[str, list] = {}
    title = ""
    for cell in NOTEBOOK.cells:
        if cell.cell_type == "markdown":
            if re.search(r"^## Exercises", cell.source, re.MULTILINE):
                break
            headings = re.findall(r"^##(#?) (.*)", cell.source, re.MULTILINE)
            title = "".join(name for level, name in headings[-1:] if level) or (
                "" if headings else title
            )
        found.setdefault(title, []).append(cell)
    return found


def tags(cell: Any) -> list[str]:
    return cell.metadata.get("tags", [])


EXHIBITS = {title: cells for title, cells in sections().items() if title}


def slug(title: str) -> str:
    """Return the anchor that the site gives a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def seen_in(title: str) -> str:
    """Return where an exhibit was met: its text in italics, and what follows in that sentence."""
    text = "\n".join(c.source for c in EXHIBITS[title] if c.cell_type == "markdown")
    return text[text.index("*Seen ") :]


@pytest.fixture(scope="module")
def museum() -> dict[str, Shown]:
    """Run every cell that draws nothing; return what each exhibit shows: what, wrong, right."""
    matplotlib.use("Agg")
    space: dict[str, Any] = {"__name__": "museum"}
    shown: dict[str, Shown] = {}
    for title, cells in sections().items():
        for cell in cells:
            if cell.cell_type == "code" and not {"colab", "hide-input"} & set(tags(cell)):
                rows = shown.setdefault(title, [])
                space["show"] = lambda *row, rows=rows: rows.append(row)
                exec(compile(cell.source, title, "exec"), space)
    return shown


CHECKS: dict[str, Callable[[Shown], None]] = {}


def exhibit(title: str) -> Callable[[Callable[[Shown], None]], Callable[[Shown], None]]:
    """Enter the check of an exhibit."""

    def enter(check: Callable[[Shown], None]) -> Callable[[Shown], None]:
        CHECKS[title] = check
        return check

    return enter


def close(found: Any, expected: Any, rel: float = 1e-9) -> None:
    np.testing.assert_allclose(np.ravel(found), np.ravel(expected), rtol=rel, atol=1e-15)


def rates_of(build: Callable[[Any], Any], steps: int, lr: float) -> list[float]:
    """Return the rates that a scheduler of torch's or ours gives in the right order of calls."""
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=lr)
    scheduler, rates = build(optimizer), []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


@exhibit("The loss oscillates and never settles")
def zero_grad(shown):
    (_, wrong, right), eta = shown[0], 0.1
    theta = [1.0, 1.0 - eta]  # the recursion of momentum 1
    while len(theta) <= 200:
        theta.append((2 - eta) * theta[-1] - theta[-2])
    close(wrong, np.abs(theta[181:]).max(), 1e-6)
    close(right, (1 - eta) ** 181, 1e-6)


@exhibit("Weight decay changes p.grad")
def decay(shown):
    w = torch.tensor([2.0])
    w.grad = torch.tensor([1.0])
    torch.optim.SGD([w], lr=0.1, weight_decay=0.5).step()
    close(shown[0][1:], [1 + 0.5 * 2, w.grad.item()])


@exhibit("Gradient accumulation does not match the large batch")
def accumulation(shown):
    close(shown[0][1:], [4, 1])


@exhibit("BatchNorm stops updating after the first evaluation")
def train_once(shown):
    norm = torch.nn.BatchNorm1d(2)
    norm.eval()
    norm(torch.ones(8, 2))
    assert norm.num_batches_tracked.item() == 0
    assert shown[0][1:] == (1, 3)


@exhibit("Adam trains like SGD")
def not_adam(shown):
    (_, wrong, right), g = shown[0], np.array([1.0, 0.001])
    close(wrong, 0.01 * (g + 0.9 * g), 1e-6)
    close(right, [0.01, 0.01], 1e-4)


@exhibit("The loss explodes at the first step of Adam")
def adam_too_fast(shown):
    torch.manual_seed(0)
    start = torch.nn.Linear(2048, 128).weight.abs().max().item()
    close(shown[0][1:], [0.1 / start, 0.001 / start], 1e-3)


@exhibit("The learning rate is low from the first epoch")
def spent(shown):
    _, wrong, right = shown[0]
    close(wrong, [0.5 * 0.5**2] * 4)
    close(right, [0.5 * 0.5 ** ((e >= 15) + (e >= 30)) for e in (0, 14, 15, 29)])


@exhibit("The printed learning rate is wrong")
def printed(shown):
    drop = shown[0]
    close(drop[1], [0.01, 0.01 * 0.2**2, 0.01 * 0.2])
    close(drop[2], [0.01, 0.01 * 0.2, 0.01 * 0.2])
    close(shown[1][1], 0.885 * np.array(shown[1][2]))
    close(shown[1][2], 0.01 * 0.885 ** np.arange(15, 18))


@exhibit("TypeError: got an unexpected keyword argument verbose")
def verbose(shown):
    assert "'verbose'" in shown[0][1]
    close(shown[0][2], 0.1)
    for name in lr_scheduler.__all__:
        assert "verbose" not in inspect.signature(getattr(lr_scheduler, name)).parameters


@exhibit("AttributeError: lr_scheduler has no attribute MultistepLR")
def names(shown):
    assert shown[0][1:] == ("False False", "True True")
    with pytest.raises(AttributeError):
        lr_scheduler.MultistepLR  # noqa: B018


def article_warmup(epoch: int) -> float:
    """Return the intended rate of article 003's warmup and steps in an epoch, counted from 1."""
    return 0.001 + 0.039 * epoch / 5 if epoch <= 5 else 0.04 * 0.2 ** ((epoch - 6) // 10)


@exhibit("A learning rate set by hand is gone after the next step")
def set_by_hand(shown):
    close(shown[0][1:], [1, 0.5])
    kept = []
    for build in (
        lambda o: lr_scheduler.LambdaLR(o, lambda t: 0.9**t),
        lambda o: lr_scheduler.CyclicLR(o, 0.01, 0.1, cycle_momentum=False),
        lambda o: lr_scheduler.OneCycleLR(o, 0.1, total_steps=50, cycle_momentum=False),
        lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 10),
        lambda o: lr_scheduler.StepLR(o, 10),
    ):
        optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.1)
        scheduler = build(optimizer)
        plan = scheduler.get_last_lr()
        optimizer.param_groups[0]["lr"] = 1e-9
        optimizer.step()
        scheduler.step()
        kept.append(scheduler.get_last_lr()[0] < 0.01 * plan[0])
    assert kept == [False, False, False, False, True]


@exhibit("OneCycleLR turns momentum on")
def momentum_on(shown):
    assert shown[0][1:] == (0.95, 0)
    said = output_of("OneCycleLR turns momentum on")
    assert "with Adagrad: optimizer must support momentum or beta1" in said
    adam = torch.optim.Adam([torch.zeros(1)])
    lr_scheduler.OneCycleLR(adam, 0.1, total_steps=100)
    assert adam.param_groups[0]["betas"] == (0.95, 0.999)
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.1)
    lr_scheduler.CyclicLR(optimizer, 0.01, 0.1)
    assert optimizer.param_groups[0]["momentum"] == 0.9
    close(sum(0.95**k for k in range(1000)), 20)  # as the text says: twentyfold


@exhibit("The learning rate collapses when the warmup ends")
def collapse(shown):
    at = [5, 6, 15, 16, 26]
    close(shown[0][1], [0.04, *(0.001 * 0.2 ** ((e - 6) // 10) for e in at[1:])])
    close(shown[0][2], [article_warmup(epoch) for epoch in at])


@exhibit("The schedule after the warmup is one step ahead")
def ahead(shown):
    close(shown[0][1], 0.04 * 0.885 ** np.arange(1, 4))
    close(shown[0][2], 0.04 * 0.885 ** np.arange(3))


def test_get_lr_at_the_hand_over_is_one_step_ahead_too():
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.04)
    after = lr_scheduler.ExponentialLR(optimizer, 0.885)
    with pytest.warns(UserWarning, match="get_last_lr"):
        close(after.get_lr(), 0.04 * 0.885)


@exhibit("The learning rate stays constant in a CUDA graph")
def graph(shown):
    close(shown[0][1], [0.1, 0.1])
    close(shown[0][2], [0.1, 0.01])
    for build in (
        lambda o: lr_scheduler.ExponentialLR(o, 0.1),
        lambda o: schedulers.ExponentialLR(o, 0.1),
    ):
        rate = torch.tensor(0.1)
        optimizer = torch.optim.SGD([torch.zeros(1)], lr=rate)
        scheduler = build(optimizer)
        held = optimizer.param_groups[0]["lr"]
        optimizer.step()
        scheduler.step()
        assert optimizer.param_groups[0]["lr"] is held  # filled in place, not replaced
        close(held.item(), 0.01, 1e-6)


@exhibit("The rate never changes")
def never(shown):
    assert shown[0][1:] == (1, 4)
    torchs = rates_of(lambda o: lr_scheduler.StepLR(o, 100), 101, 0.1)
    assert len(set(torchs[:100])) == 1
    assert torchs[100] < torchs[99]  # one epoch more, and it drops


@exhibit("The loss goes flat within the first epoch")
def per_batch(shown):
    close(shown[0][1:], [0.01 * 0.2 ** (390 // 16), 0.01], 1e-6)


@exhibit("Warning: lr_scheduler.step() before optimizer.step()")
def first_rate(shown):
    close(shown[0][1], [0.1, 0.01, 0.01, 0.001])
    close(shown[0][2], [0.1, 0.1, 0.01, 0.01])
    close(shown[1][1], [article_warmup(epoch) for epoch in range(1, 6)])
    close(shown[1][2], [article_warmup(epoch) for epoch in range(5)])
    assert 0.001 not in shown[1][1]
    assert "Detected call of `lr_scheduler.step()`" in output_of(
        "Warning: lr_scheduler.step() before optimizer.step()"
    )


@exhibit("The first update of a warmup changes nothing")
def warmup_from_zero(shown):
    assert shown[0][1:] == (0.001, 0)
    arguments = {"warmup_steps": 10, "t_total": 100}
    curve = schedulers.WarmupLinearSchedule.curve(11, lr=0.001, **arguments)
    close(curve, 0.001 * np.arange(11) / 10)


@exhibit("The learning rate is zero long before the end")
def epochs_forgotten(shown):
    updates = 50_000 // 100 // 4
    assert shown[0][1:] == (updates, 10 * updates)
    assert shown[1][1] == 0
    close(shown[1][2], (1250 - 625) / (1250 - 100))


@exhibit("The learning rate rises again in the second half")
def cosine(shown):
    at = np.array([0, 50, 75, 99])
    np.testing.assert_allclose(shown[0][1], 0.05 * (1 + np.cos(np.pi * at / 50)), atol=1e-12)
    np.testing.assert_allclose(shown[0][2], 0.05 * (1 + np.cos(np.pi * at / 100)), atol=1e-12)
    torchs = np.array(rates_of(lambda o: lr_scheduler.CosineAnnealingLR(o, 50), 201, 0.1))
    np.testing.assert_allclose(torchs[:101], torchs[100:], atol=1e-12)  # period 2 T_max
    assert (np.diff(torchs[:51]) < 0).all()  # it never rises within T_max
    assert torchs[51] < 0.01  # and is no restart


@exhibit("The last step of OneCycleLR jumps up")
def rebound(shown):
    (_, torchs, ours), (_, factor, still) = shown
    close(torchs[2], torchs[0])  # the other side of the cosine
    close(torchs[1], ours[1])
    close(ours[2], ours[1])
    close([factor, still], [torchs[2] / torchs[1], 1])
    assert factor > 100
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.1)
    cycle = lr_scheduler.OneCycleLR(optimizer, max_lr=0.1, total_steps=100)
    for _ in range(100):
        optimizer.step()
        cycle.step()
    with pytest.raises(ValueError, match="101"):
        cycle.step()


def test_a_linear_one_cycle_turns_negative_at_call_n():
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.1)
    cycle = lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=100, anneal_strategy="linear")
    for _ in range(100):
        optimizer.step()
        cycle.step()
    assert cycle.get_last_lr()[0] < 0


@exhibit("The learning rate of OneCycleLR hardly rises")
def once_an_epoch(shown):
    _, wrong, right = shown[0]
    close(right, 1, 1e-6)
    close(wrong, 1 / 25, 0.01)  # it is still at its start: max_lr / div_factor
    cycle = {"max_lr": 1.0, "epochs": 90, "steps_per_epoch": 500}
    torchs = rates_of(lambda o: lr_scheduler.OneCycleLR(o, **cycle), 90, 1.0)
    close(wrong, max(torchs))


@exhibit("ReduceLROnPlateau waits one epoch longer than patience")
def patience(shown):
    assert shown[0][1:] == (6, 7)
    for count in (0, 1, 5):
        optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.1)
        plateau = lr_scheduler.ReduceLROnPlateau(optimizer, patience=count)
        bad = -1
        while optimizer.param_groups[0]["lr"] == 0.1:
            plateau.step(1.0)
            bad += 1
        assert bad == count + 1


@exhibit("ZeroDivisionError at step 0 of the Noam schedule")
def noam(shown):
    assert shown[0][1] == "ZeroDivisionError"
    close(shown[0][2], 512**-0.5 * 4000**-1.5)


@exhibit("ZeroDivisionError in ConstantLR")
def constant_zero(shown):
    assert shown[0][1] == "ZeroDivisionError"
    close(shown[0][2], [0, 0, 0, 0.1, 0.1])
    with pytest.raises(ValueError, match="factor"):
        schedulers.ConstantLR(SGD([Parameter([1.0])], lr=0.1), factor=0.0)


@exhibit("CosineAnnealingWarmRestarts misses a restart")
def restart(shown):
    lengths = 10 * 3 ** np.arange(5)
    assert lengths.sum() == 1210
    assert np.log(1210 / 10 * 2 + 1) / np.log(3) < 5  # in floating point; it is 5
    assert shown[0][1:] == (0.0, 0.1)


@exhibit("The learning rate starts over after resuming")
def scheduler_forgotten(shown):
    assert shown[0][1:] == (15 + 20, 20)


@exhibit("The new learning rate is ignored after resuming")
def constructor_ignored(shown):
    assert shown[0][1:] == (0.1, 0.01)


@exhibit("Adam turns into AdamW after resuming")
def flag_loaded(shown):
    _, wrong, right = shown[0]
    close(wrong, 0.01 * 0.5 * 2 + 0.01, 1e-5)  # decoupled: the decay, and a step of the rate
    close(right, 0.01, 1e-5)  # L2: a step of the rate, whatever is in the gradient
    states = [kind([torch.zeros(1)]).state_dict() for kind in (torch.optim.Adam, torch.optim.AdamW)]
    keys = [set(group) for state in states for group in state["param_groups"]]
    assert keys[0] == keys[1]
    assert "Adam" not in repr(states)


@exhibit("KeyError: initial_lr is not specified")
def initial_lr(shown):
    assert "initial_lr" in shown[0][1]
    close(shown[0][2], 0.1 * 0.5**2)


@exhibit("SequentialLR starts over when resumed")
def sequential(shown):
    close(shown[0][1], 0.01 * 0.9 ** np.arange(3))
    close(shown[0][2], 0.1 * 0.9 ** np.arange(10 - 5, 13 - 5))
    optimizer = torch.optim.SGD([{"params": [torch.zeros(1)], "initial_lr": 0.1}], lr=0.1)
    members = [schedulers.LinearLR(optimizer), schedulers.ExponentialLR(optimizer, 0.9)]
    with pytest.raises(ValueError, match="last_epoch"):
        schedulers.SequentialLR(optimizer, members, [5], last_epoch=9)


@exhibit("CosineAnnealingWarmRestarts resumes in the wrong cycle")
def restarts_resumed(shown):
    through = rates_of(
        lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, T_0=10, T_mult=3), 46, 0.1
    )
    assert abs(shown[0][1] - through[45]) > 1e-3
    close(shown[0][2], through[45])
    resumed = []
    for epoch in range(1, 40):
        optimizer = torch.optim.SGD([{"params": [torch.zeros(1)], "initial_lr": 0.1}], lr=0.1)
        lr_scheduler.CosineAnnealingWarmRestarts(optimizer, 10, 3, last_epoch=epoch - 1)
        resumed.append(optimizer.param_groups[0]["lr"])
    close(resumed[:19], through[1:20])
    assert (np.abs(np.subtract(resumed[19:], through[20:40])) > 1e-6).all()


@exhibit("NotImplementedError from a nested SequentialLR")
def nested(shown):
    assert shown[0][1] == "NotImplementedError"
    close(shown[0][2], [0.05, 0.05, 0.1, 0.05, 0.1, 0.09])


@exhibit("The learning rate drops and the steps do not")
def rate_inside(shown):
    full = 1 + 0.9 + 0.9**2
    close(shown[0][1], [0.1 * full, 0.9 * 0.1 * full + 0.01])
    close(shown[0][2], [0.1 * full, 0.01 * (0.9 * full + 1)])
    w, walk = torch.zeros(1, dtype=torch.float64), [0.0]
    optimizer = torch.optim.SGD([w], lr=0.1, momentum=0.9)
    for eta in (0.1, 0.1, 0.1, 0.01):
        optimizer.param_groups[0]["lr"], w.grad = eta, torch.ones_like(w)
        optimizer.step()
        walk.append(w.item())
    close(shown[0][2], -np.diff(walk)[2:])


@exhibit("Adam gives nan where the gradient is zero")
def epsilon_outside(shown):
    _, wrong, right = (np.asarray(v) if i else v for i, v in enumerate(shown[0]))
    eps = 1e-6
    close(wrong[:2], [-0.01 + eps, 0.01 + eps])
    assert np.isnan(wrong[2])
    close(right, [-0.01 / (1 + eps), 0.01 / (1 + eps), 0])


@exhibit("Adam takes full steps where the gradient is almost zero")
def epsilon_tiny(shown):
    close(shown[0][1], [1, 1 / (1 + 1e-4)], 1e-6)
    close(shown[0][2], [1 / (1 + 1e-8), 1e-12 / (1e-12 + 1e-8)], 1e-6)
    assert torch.optim.Adam([torch.zeros(1)]).defaults["eps"] == 1e-8


@exhibit("RMSprop takes huge steps where gradients are large")
def multiplied(shown):
    g = np.array([100.0, 0.01])
    close(shown[0][1], 0.01 * 0.1 * g**2, 1e-5)
    close(shown[0][2], [0.1, 0.1], 1e-4)


@exhibit("Adagrad barely moves where gradients are large")
def rootless(shown):
    close(shown[0][1], [0.1 / 100, 0.1 / 0.01], 1e-5)
    close(shown[0][2], [0.1, 0.1], 1e-5)


@exhibit("RMSprop without a rate never settles")
def rateless(shown):
    assert shown[0][1] > 0.4
    assert shown[0][2] < 1e-6


@exhibit("The steps of Adam do not get smaller")
def adam_steps(shown):
    close(shown[0][1], [1, 10**-0.5, 1000**-0.5], 1e-6)
    close(shown[0][2], [1, 1, 1], 1e-6)


@exhibit("AMSGrad steps stay short after a spike of the gradient")
def amsgrad(shown):
    assert abs(shown[0][1]) < 1e-12
    largest = 0.001 * 100**2  # v after the spike, which no later v exceeds
    correction = 1 - 0.999**8001
    close(shown[0][2], np.sqrt(correction / largest), 1e-3)


@exhibit("ReduceLROnPlateau takes the threshold as a share")
def thresholds(shown):
    best, share = 2.0, 0.1
    close(shown[0][1:], [best * (1 - share), best - share], 1e-6)
    close(shown[1][1:], [best * (1 + share), best + share], 1e-6)


@exhibit("Gradient descent stops at a saddle")
def saddle(shown):
    assert shown[0][1] == 0
    spread = 0.1 * 0.001 * np.sqrt((1.1**200 - 1) / (1.1**2 - 1))  # of y after 100 steps
    assert spread / 100 < shown[0][2] < 4 * spread


@exhibit("The test loss is a fifth too low")
def batch_means(shown):
    per_example = np.random.default_rng(0).exponential(size=10_000)
    parts = np.split(per_example, range(128, 10_000, 128))
    printed = sum(part.mean() for part in parts) / 100
    close(printed / per_example.mean(), 0.79, 0.01)
    runs = results.read("article-003").query("recipe == 'constant' and seed == 0")
    close(shown[0][2], runs["test_loss"].iloc[-1])
    close(shown[0][1], 0.79 * shown[0][2])


@exhibit("ReduceLROnPlateau drops the rate while the loss falls")
def noisy_plateau(shown):
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
def luck(shown):
    sigma = 100 * np.sqrt(0.83 * 0.17 / 10_000)
    normal = np.random.default_rng(1).standard_normal((20_000, 30)).max(axis=1).mean()
    close(shown[0][1], 83 + sigma * normal, 1e-3)
    close(shown[0][2], 83, 1e-3)


@exhibit("The better recipe loses")
def one_seed(shown):
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
def confounded(shown):
    _, both, alone = shown[0]
    slope = NoisyQuadratic(np.logspace(-3, 1, 30), noise=0.2, start=2.0)
    steps = np.repeat([1.0, 0.5, 0.25], 200)
    constant = slope.expected_losses(np.full(600, 0.01))[-1]
    close(both, constant - slope.expected_losses(0.02 * steps)[-1])
    close(alone, constant - slope.expected_losses(0.01 * steps)[-1])
    assert alone < 0 < both


@exhibit("The path in the picture is not the method's")
def clipped(shown):
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
def weak_check(shown):
    assert shown[0][1:] == (True, False)


@exhibit("A comparison in float64 agrees to eight digits only")
def single_precision(shown):
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


@pytest.mark.parametrize("title", EXHIBITS)
def test_the_check_refuses_wrong_for_right(title, museum):
    swapped = [(what, right, wrong) for what, wrong, right in museum[title]]
    with pytest.raises((AssertionError, AttributeError, TypeError, ValueError)):
        CHECKS[title](swapped)


@pytest.mark.parametrize("title", EXHIBITS)
def test_exhibit(title, museum):
    assert title in CHECKS, "an exhibit without a check"
    CHECKS[title](museum[title])


def test_no_check_is_left_over():
    assert set(CHECKS) == set(EXHIBITS)


def output_of(title: str) -> str:
    """Return what an exhibit's cells print, as committed."""
    return "".join(
        o.get("text", "") for c in EXHIBITS[title] if c.cell_type == "code" for o in c.outputs
    )


@pytest.mark.parametrize("title", EXHIBITS)
def test_exhibits_show_wrong_and_right_side_by_side(title):
    main = [cell for cell in EXHIBITS[title] if "exhibit" in tags(cell)]
    assert len(main) == 1
    said = "".join(o.text for o in main[0].outputs)
    wrong, right = (re.findall(rf"^    {word}  (.*)", said, re.MULTILINE) for word in WORDS)
    assert wrong
    assert len(wrong) == len(right)
    assert all(w != r for w, r in zip(wrong, right, strict=True))
    assert seen_in(title)


WORDS = ("wrong", "right")


def test_the_index_lists_every_exhibit_once_in_order():
    index = next(c.source for c in NOTEBOOK.cells if "| What you see |" in c.source)
    links = re.findall(r"^\| \[(.*?)\]\(#(.*?)\)", index, re.MULTILINE)
    assert [title for title, _ in links] == list(EXHIBITS)
    assert all(anchor == slug(title) for title, anchor in links)


def test_the_number_of_exhibits_is_told_rightly():
    text = "\n".join(c.source for c in NOTEBOOK.cells if c.cell_type == "markdown")
    assert f"reproduce {len(EXHIBITS)} mistakes" in text


def articles(text: str) -> set[str]:
    """Return the articles that a text names: 000 to 004."""
    return set(re.findall(r"(?<![\d,.])00[0-4]\b", text))


def test_exhibits_and_the_list_of_corrections_agree():
    """Who shows an article's error is linked from its row, and every link leads somewhere."""
    anchors = {slug(title): title for title in EXHIBITS}
    linked: dict[str, set[str]] = {title: set() for title in EXHIBITS}
    for row in CORRECTIONS.splitlines():
        for anchor in re.findall(r"bug-museum\.ipynb#([\w-]+)", row):
            if anchor in anchors:
                linked[anchors[anchor]] |= articles(row)
    for title in EXHIBITS:
        assert articles(seen_in(title).split("\n\n")[0]) == linked[title], title


TABLE = [row for row in CORRECTIONS.splitlines() if row.startswith("| ")]
ROWS = [row.strip("| ").split(" | ") for row in TABLE[1:]]


def test_each_correction_names_its_article_and_where_it_is_shown():
    for said, is_so, shown in ROWS:
        assert articles(said), said
        assert is_so.endswith("."), said
        assert ".ipynb" in shown, said
    assert articles(CORRECTIONS) == {f"00{k}" for k in range(5)}


def row_of(words: str) -> str:
    """Return what the list of corrections says to the one row that has these words."""
    (found,) = [is_so for said, is_so, _ in ROWS if words in said]
    return found


BIBLIOGRAPHY = (ROOT / "book/reference/references.bib").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("key", "year"),
    [
        ("cauchy1847", 1847),
        ("robbins1951", 1951),
        ("polyak1964", 1964),
        ("rumelhart1986", 1986),
        ("tieleman2012", 2012),
    ],
)
def test_the_dates_are_those_of_the_bibliography(key, year):
    (entry,) = re.findall(rf"^@\w+\{{{key},(.*?)^\}}", BIBLIOGRAPHY, re.MULTILINE | re.DOTALL)
    assert re.search(rf"year\s*=\s*\{{{year}\}}", entry)
    assert str(year) in row_of("Dates")


def test_a_start_of_004_and_not_of_04_ends_near_0001():
    ends = {start: start * 0.885**29 for start in (0.4, 0.04)}
    assert ends[0.4] > 0.01
    assert 0.001 < ends[0.04] < 0.0015
    storeroom = "".join(o.get("text", "") for c in NOTEBOOK.cells for o in c.get("outputs", []))
    assert "0.4 · 0.885^29 = 0.0116\n0.04 · 0.885^29 = 0.0012" in storeroom
    assert "the cosine rises within T_max: False" in storeroom
    assert "0.04" in row_of("captions")


def test_a_warmup_never_sees_the_loss_and_a_plateau_never_sees_a_second_one():
    step = inspect.signature(schedulers.WarmupLinearSchedule.step).parameters
    assert "metrics" not in step
    plateau = inspect.signature(lr_scheduler.ReduceLROnPlateau.step).parameters
    assert [name for name in plateau if name != "epoch"] == ["self", "metrics"]


def test_a_plateaus_drop_needs_no_gap_between_training_and_validation():
    """Both losses equal and level: no overfitting, and the rate drops."""
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.1)
    plateau = lr_scheduler.ReduceLROnPlateau(optimizer, patience=5)
    training = validation = [0.5] * 8
    for loss in validation:
        plateau.step(loss)
    assert training == validation
    assert optimizer.param_groups[0]["lr"] < 0.1
