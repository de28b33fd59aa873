"""The bug museum's exhibits, run from their own cells, and what makes a test of a check of one."""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib
import nbformat
import numpy as np
import pytest
import torch

ROOT = Path(__file__).parents[1]
NOTEBOOK = nbformat.read(ROOT / "book/practice/bug-museum.ipynb", as_version=4)

Shown = list[tuple[str, Any, Any]]
Check = Callable[[Shown], None]


def sections() -> dict[tuple[str, str], list]:
    """Return the cells of each room and exhibit, as far as the exercises."""
    found: dict[tuple[str, str], list] = {}
    room = title = ""
    for cell in NOTEBOOK.cells:
        if cell.cell_type == "markdown":
            if re.search(r"^## Exercises", cell.source, re.MULTILINE):
                break
            for level, name in re.findall(r"^##(#?) (.*)", cell.source, re.MULTILINE):
                room, title = (room, name) if level else (name, "")
        found.setdefault((room, title), []).append(cell)
    return found


SECTIONS = sections()
EXHIBITS = {title: cells for (_, title), cells in SECTIONS.items() if title}


def rooms() -> dict[str, list[str]]:
    """Return the titles of the exhibits in each room."""
    found: dict[str, list[str]] = {}
    for room, title in SECTIONS:
        if title:
            found.setdefault(room, []).append(title)
    return found


def tags(cell: Any) -> list[str]:
    """Return a cell's tags."""
    return cell.metadata.get("tags", [])


def slug(title: str) -> str:
    """Return the anchor that the site gives a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def output_of(title: str) -> str:
    """Return what an exhibit's cells print, as committed."""
    return "".join(
        o.get("text", "") for c in EXHIBITS[title] if c.cell_type == "code" for o in c.outputs
    )


@cache
def everything_shown() -> dict[str, Shown]:
    """Run every cell that draws nothing; return what each exhibit shows: what, wrong, right."""
    matplotlib.use("Agg")
    space: dict[str, Any] = {"__name__": "museum"}
    shown: dict[str, Shown] = {}
    for (_, title), cells in SECTIONS.items():
        rows = shown.setdefault(title, [])
        for cell in cells:
            if cell.cell_type == "code" and not {"colab", "hide-input"} & set(tags(cell)):
                space["show"] = lambda *row, rows=rows: rows.append(row)
                exec(compile(cell.source, title, "exec"), space)
    return shown


def exhibit(title: str) -> Callable[[Check], Callable[[], None]]:
    """Make a test: the check holds of the exhibit, and refuses wrong and right interchanged."""

    def enter(check: Check) -> Callable[[], None]:
        def test() -> None:
            shown = everything_shown()[title]
            check(shown)
            with pytest.raises((AssertionError, AttributeError, TypeError, ValueError)):
                check([(what, right, wrong) for what, wrong, right in shown])

        test.exhibit = title  # type: ignore[attr-defined]
        return test

    return enter


def checked(module: dict[str, Any]) -> list[str]:
    """Return the titles of the exhibits that a module's tests check, in order."""
    return [test.exhibit for test in module.values() if hasattr(test, "exhibit")]


def close(found: Any, expected: Any, rel: float = 1e-9) -> None:
    """Demand that two things of numbers agree."""
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


def article_warmup(epoch: int) -> float:
    """Return the intended rate of article 003's warmup and steps in an epoch, counted from 1."""
    return 0.001 + 0.039 * epoch / 5 if epoch <= 5 else 0.04 * 0.2 ** ((epoch - 6) // 10)
