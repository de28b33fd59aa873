"""What the bug museum says as a whole, and the list of the sources' errors that links to it."""

import inspect
import re
from pathlib import Path

import pytest
import torch
from museum import EXHIBITS, NOTEBOOK, rooms, slug, tags
from torch.optim import lr_scheduler

from optim_scratch import schedulers
from optim_scratch.experiments import recipes

ROOT = Path(__file__).parents[2]
CORRECTIONS = (ROOT / "book/reference/corrections.md").read_text(encoding="utf-8")
WORDS = ("wrong", "right")


def seen_in(title: str) -> str:
    """Return where an exhibit was met: its text in italics, and what follows in that sentence."""
    text = "\n".join(c.source for c in EXHIBITS[title] if c.cell_type == "markdown")
    return text[text.index("*Seen ") :]


def test_every_room_has_a_file_of_tests():
    names = {room.split()[-1] for room in rooms() if room != "Room 3: the clock of the schedule"}
    files = {
        path.stem.split("_")[-1] for path in Path(__file__).parent.glob("test_bug_museum_*.py")
    }
    assert files == names | {"clock"}


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


def test_the_index_lists_every_exhibit_once_in_order():
    index = next(c.source for c in NOTEBOOK.cells if "| What you see |" in c.source)
    links = re.findall(r"^\| \[(.*?)\]\(#(.*?)\)", index, re.MULTILINE)
    assert [title for title, _ in links] == list(EXHIBITS)
    assert all(anchor == slug(title) for title, anchor in links)


def test_the_number_of_exhibits_is_told_rightly():
    """In the museum, and wherever else the book speaks of so many mistakes."""
    museum = "\n".join(c.source for c in NOTEBOOK.cells if c.cell_type == "markdown")
    others = {name: (ROOT / name).read_text(encoding="utf-8") for name in OTHERS}
    for name, text in {"museum": museum, **others}.items():
        told = re.findall(r"(\d+) (?:mistakes|exhibits)\b", text)
        assert told or name == "book/intro.md", name
        assert set(told) <= {str(len(EXHIBITS))}, name


OTHERS = ("README.md", "CHANGELOG.md", "book/intro.md")


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


def test_the_warmup_ends_at_the_rate_of_the_code_and_not_of_the_captions():
    warmup = next(recipe for recipe in recipes.RECIPES if recipe.name == "warmup-exponential")
    top = warmup.scheduler_arguments["multiplier"] * warmup.optimizer_arguments["lr"]
    assert top == pytest.approx(0.04)
    storeroom = "".join(o.get("text", "") for c in NOTEBOOK.cells for o in c.get("outputs", []))
    assert f"the warmup ends at 40 · 0.001 = {top:.2f}\n" in storeroom
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
