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


@exhibit("The loss falls fast and then swings for ever")
def zero_grad(shown):
    (_, wrong, right), eta = shown[0], 0.1
    theta = [1.0, 1.0 - eta]  # the recursion of momentum 1
    while len(theta) <= 200:
        theta.append((2 - eta) * theta[-1] - theta[-2])
    close(wrong, np.abs(theta[181:]).max(), 1e-6)
    close(right, (1 - eta) ** 181, 1e-6)


@exhibit("A second step on the same gradient decays twice")
def decay(shown):
    w = torch.tensor([2.0])
    w.grad = torch.tensor([1.0])
    torch.optim.SGD([w], lr=0.1, weight_decay=0.5).step()
    close(shown[0][1:], [1 + 0.5 * 2, w.grad.item()])


@exhibit("Accumulated gradients are too large")
def accumulation(shown):
    close(shown[0][1:], [4, 1])


@exhibit("Batch normalisation stops learning after the first test")
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


@exhibit("The rate is low from the first epoch")
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


@exhibit("TypeError: unexpected keyword argument verbose")
def verbose(shown):
    assert "'verbose'" in shown[0][1]
    close(shown[0][2], 0.1)
    for name in lr_scheduler.__all__:
        assert "verbose" not in inspect.signature(getattr(lr_scheduler, name)).parameters


@exhibit("AttributeError: no attribute MultistepLR")
def names(shown):
    assert shown[0][1:] == ("False False", "True True")
    with pytest.raises(AttributeError):
        lr_scheduler.MultistepLR  # noqa: B018


def article_warmup(epoch: int) -> float:
    """Return the intended rate of article 003's warmup and steps in an epoch, counted from 1."""
    return 0.001 + 0.039 * epoch / 5 if epoch <= 5 else 0.04 * 0.2 ** ((epoch - 6) // 10)


@exhibit("The rate collapses when the warmup ends")
def collapse(shown):
    at = [5, 6, 15, 16, 26]
    close(shown[0][1], [0.04, *(0.001 * 0.2 ** ((e - 6) // 10) for e in at[1:])])
    close(shown[0][2], [article_warmup(epoch) for epoch in at])


@exhibit("The schedule after the warmup is one step ahead")
def ahead(shown):
    close(shown[0][1], 0.04 * 0.885 ** np.arange(1, 4))
    close(shown[0][2], 0.04 * 0.885 ** np.arange(3))


@exhibit("The schedule does nothing under a CUDA graph")
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


@exhibit("Nothing moves at the first update")
def warmup_from_zero(shown):
    assert shown[0][1:] == (0.001, 0)
    arguments = {"warmup_steps": 10, "t_total": 100}
    curve = schedulers.WarmupLinearSchedule.curve(11, lr=0.001, **arguments)
    close(curve, 0.001 * np.arange(11) / 10)


@exhibit("The rate is zero long before the end")
def epochs_forgotten(shown):
    updates = 50_000 // 100 // 4
    assert shown[0][1:] == (updates, 10 * updates)
    assert shown[1][1] == 0
    close(shown[1][2], (1250 - 625) / (1250 - 100))


@exhibit("The rate rises again in the second half")
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


@exhibit("A warm restart does not restart")
def restart(shown):
    lengths = 10 * 3 ** np.arange(5)
    assert lengths.sum() == 1210
    assert np.log(1210 / 10 * 2 + 1) / np.log(3) < 5  # in floating point; it is 5
    assert shown[0][1:] == (0.0, 0.1)


@exhibit("The rate starts over after resuming")
def scheduler_forgotten(shown):
    assert shown[0][1:] == (15 + 20, 20)


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


@exhibit("Warm restarts resume in the wrong cycle")
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


@exhibit("The rate drops and the steps do not")
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


@exhibit("The weights turn into nan where the gradient is zero")
def epsilon_outside(shown):
    _, wrong, right = (np.asarray(v) if i else v for i, v in enumerate(shown[0]))
    eps = 1e-6
    close(wrong[:2], [-0.01 + eps, 0.01 + eps])
    assert np.isnan(wrong[2])
    close(right, [-0.01 / (1 + eps), 0.01 / (1 + eps), 0])


@exhibit("Weights with hardly any gradient take full steps")
def epsilon_tiny(shown):
    close(shown[0][1], [1, 1 / (1 + 1e-4)], 1e-6)
    close(shown[0][2], [1 / (1 + 1e-8), 1e-12 / (1e-12 + 1e-8)], 1e-6)
    assert torch.optim.Adam([torch.zeros(1)]).defaults["eps"] == 1e-8


@exhibit("RMSprop takes huge steps where gradients are large")
def multiplied(shown):
    g = np.array([100.0, 0.01])
    close(shown[0][1], 0.01 * 0.1 * g**2, 1e-5)
    close(shown[0][2], [0.1, 0.1], 1e-4)


@exhibit("Adagrad barely moves large gradients")
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


@exhibit("Steps stay short long after a spike of the gradient")
def amsgrad(shown):
    assert abs(shown[0][1]) < 1e-12
    largest = 0.001 * 100**2  # v after the spike, which no later v exceeds
    correction = 1 - 0.999**8001
    close(shown[0][2], np.sqrt(correction / largest), 1e-3)


@exhibit("An absolute threshold acts as a relative one")
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


@exhibit("The plateau scheduler drops the rate while the loss falls")
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
