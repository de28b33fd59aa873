"""What the page on an optimizer of one's own claims."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from optim_scratch import Parameter, ladder, testing
from optim_scratch.optimizers import SGD
from optim_scratch.problems import Digits
from optim_scratch.testing.battery import CHECKS

PAGE = Path(__file__).parents[2] / "book/practice/bring-your-own.ipynb"
CELLS = [
    "".join(cell["source"])
    for cell in json.loads(PAGE.read_text())["cells"]
    if cell["cell_type"] == "code"
]
TEXT = "\n".join(
    "".join(cell["source"])
    for cell in json.loads(PAGE.read_text())["cells"]
    if cell["cell_type"] == "markdown"
)


def written() -> dict:
    """Return the page's own classes."""
    space: dict = {}
    exec(next(cell for cell in CELLS if "import torch" in cell), space)
    exec("from optim_scratch import testing\nfrom optim_scratch.optimizers import SGD", space)
    for cell in CELLS:
        if re.match(r"(from optim_scratch import testing|class )", cell):
            exec(re.split(r"^(?:print|tell|slip)", cell, flags=re.MULTILINE)[0], space)
    return space


PAGES = written()
Attempt, Cautious, Slip = PAGES["Attempt"], PAGES["Cautious"], PAGES["Slip"]


def failures(kind, **settings) -> set[str]:
    return {v.check for v in testing.examine(kind, digits=False, **settings).failed}


def test_what_the_checks_find() -> None:
    assert failures(PAGES["Mine"]) == {"gradients are left alone"}
    assert failures(Attempt) == {
        "gradients are left alone", "a saved run goes on as it was", "a copy goes its own way",
    }  # fmt: skip
    assert failures(PAGES["Second"]) == {"the dtype stays"}
    assert not failures(Cautious)
    assert not failures(Slip)
    assert len(CHECKS) == 16
    assert "sixteen checks" in TEXT


def losses(kind, pause=None) -> np.ndarray:
    digits, found = Digits(seed=range(30, 40)), []
    w = Parameter(digits.start)
    optimizer = kind([w], lr=0.2)
    for t, batch in enumerate(digits.batches(4)):
        if t == pause:
            saved, optimizer = optimizer.state_dict(), kind([w], lr=0.2)
            optimizer.load_state_dict(saved)
        w.grad = digits.gradient(w.data, batch)
        optimizer.step()
        found.append(digits.loss(w.data, "train").mean())
    return np.array(found)


def test_a_wrong_optimizer_trains_too_and_parts_after_a_pause() -> None:
    right = losses(Cautious)
    np.testing.assert_allclose(losses(Attempt), right, rtol=1e-9)
    np.testing.assert_allclose(losses(Cautious, 64), right, rtol=1e-12)
    paused = losses(Attempt, 64)
    assert paused[65] < right[65]
    assert (paused[80:] > right[80:]).mean() > 0.9


@pytest.fixture(scope="module")
def rows() -> dict[str, ladder.Row]:
    return {
        "cautious": testing.examine(Cautious, middle=0.15).row,
        "momentum": testing.examine(SGD, momentum=0.9, middle=0.15).row,
        "slip": testing.examine(Slip, middle=0.15).row,
        "ladder": ladder.row("SGD momentum 0.9"),
        "Adam": ladder.row("Adam"),
    }


def test_more_than_half_of_the_gain_was_the_grid(rows) -> None:
    loss = {name: row.loss()[0] for name, row in rows.items()}
    assert rows["cautious"].rate == pytest.approx(0.6)
    assert rows["momentum"].rate == pytest.approx(0.3)
    assert not rows["cautious"].open
    assert loss["ladder"] > 3 * loss["cautious"]
    assert loss["momentum"] < loss["ladder"] / 2
    assert loss["ladder"] - loss["momentum"] > loss["momentum"] - loss["cautious"]
    assert loss["slip"] > 5 * loss["cautious"]


def test_no_lead_in_accuracy(rows) -> None:
    for name in ("momentum", "ladder"):
        mean, half = rows["cautious"].lead(rows[name])
        assert abs(mean) < half
    for name in ("cautious", "ladder"):
        mean, half = rows[name].lead(rows["Adam"])
        assert half < mean < 2 * half


def test_on_the_ravine_the_mask_replaces_the_tuning_of_momentum() -> None:
    curves = {
        (kind, mu): testing.examine(kind, momentum=mu, middle=0.15, digits=False).curves[:2]
        for kind in (SGD, Cautious)
        for mu in (0.7, 0.9)
    }
    steps = {case: [curve.best[1] for curve in found] for case, found in curves.items()}
    plain, cautious = steps[SGD, 0.9], steps[Cautious, 0.9]
    assert plain[0] > 2 * cautious[0]
    assert plain[1] == plain[0] > cautious[1] > 1.5 * cautious[0]
    assert steps[SGD, 0.7] == steps[Cautious, 0.7]


def ends(kind, gradients, **settings) -> float:
    w = Parameter(0.0)
    optimizer = kind([w], **settings)
    for g in gradients:
        w.grad = np.array(g)
        optimizer.step()
    return float(w.data)


def test_three_steps_by_hand_tell_the_slip() -> None:
    gradients = (1.0, -0.5, -0.5)
    assert ends(Cautious, gradients, lr=0.1) == pytest.approx(-0.086)
    assert ends(Slip, gradients, lr=0.1) == pytest.approx(-0.05)


def test_without_momentum_it_is_sgd() -> None:
    gradients = np.random.default_rng(0).standard_normal(50)
    plain = ends(SGD, gradients, lr=0.1)
    assert ends(Cautious, gradients, lr=0.1, momentum=0.0) == pytest.approx(plain, rel=1e-12)


def test_torchs_is_ours_in_groups_and_with_a_closure() -> None:
    start = np.random.default_rng(1).standard_normal((2, 6))
    ours = [Parameter(row) for row in start]
    theirs = [torch.nn.Parameter(torch.tensor(row)) for row in start]
    pair = [
        kind([{"params": [p[0]], "lr": 0.2}, {"params": [p[1]], "momentum": 0.5}], lr=0.05)
        for kind, p in ((Cautious, ours), (PAGES["TorchCautious"], theirs))
    ]

    def closure() -> torch.Tensor:
        pair[1].zero_grad()
        loss = sum((p**4).sum() for p in theirs)
        loss.backward()
        return loss

    for _ in range(30):
        for p in ours:
            p.grad = 4 * p.data**3
        pair[0].step()
        assert pair[1].step(closure) is not None
    for p, q in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(p.data, q.detach().numpy(), rtol=1e-10)


class WithPlain(Cautious):
    """Cautious, with an update to be replaced."""

    def _update(self, theta, g, state, h):
        raise NotImplementedError


class Norm(WithPlain):
    def _update(self, theta, g, state, h):
        if np.linalg.norm(g) > 1:
            g = g / np.linalg.norm(g)
        theta -= h["lr"] * g


class Counting(WithPlain):
    def _update(self, theta, g, state, h):
        self.t = getattr(self, "t", 0) + 1
        theta -= h["lr"] / self.t**0.5 * g


class OneForAll(WithPlain):
    kept = 0.0

    def _update(self, theta, g, state, h):
        self.kept = self.kept + g
        theta -= h["lr"] * self.kept


class Rebinding(WithPlain):
    def _update(self, theta, g, state, h):
        theta = theta - h["lr"] * g


class Uphill(WithPlain):
    def _update(self, theta, g, state, h):
        theta += h["lr"] * g


class Tiny(WithPlain):
    def _update(self, theta, g, state, h):
        theta -= 1e-5 * h["lr"] * g


class Seedless(WithPlain):
    def _update(self, theta, g, state, h):
        theta -= h["lr"] * (g + np.random.default_rng().standard_normal(g.shape))


class Defaulting(WithPlain):
    def _update(self, theta, g, state, h):
        theta -= self.defaults["lr"] * g


def words(kind, check) -> str:
    return next(v.words for v in testing.examine(kind, digits=False).failed if v.check == check)


def test_the_table_of_symptoms() -> None:
    assert failures(Norm) == {"many runs at once are the runs one by one"}
    assert "a saved run goes on as it was" in failures(Counting)
    assert "runs can be repeated" not in failures(Counting)
    assert {"a saved run goes on as it was", "runs can be repeated"} <= failures(Seedless)
    assert "groups are by themselves" in failures(Defaulting)
    assert len(failures(OneForAll)) > 8
    assert "self.kept = self.kept + g" in words(OneForAll, "it descends a bowl")
    left = {
        kind: float(words(kind, "it descends a bowl").split("leaves ")[1].split()[0])
        for kind in (Rebinding, Uphill, Tiny)
    }
    assert left[Rebinding] == 1
    assert left[Uphill] > 1 > left[Tiny]


def test_every_failure_that_the_table_names_is_a_check() -> None:
    table = TEXT.partition("| The report says |")[2].partition("\n\n")[0]
    named = re.findall(r"\*([a-z][a-z ]+)\*", table)
    assert len(named) >= 8
    for name in named:
        assert any(check.startswith(name) for check in CHECKS), name


def test_most_lines_of_the_ladder_read_97_or_98_of_100() -> None:
    right = [100 * row.accuracy()[0] for row in ladder.rows()]
    assert np.mean([96.5 < each < 98.5 for each in right]) > 0.7
