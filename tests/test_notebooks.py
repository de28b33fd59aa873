"""What every chapter must keep to, and proof that comparing its outputs is strict."""

import base64
import io
import json
import re
import sys
from pathlib import Path

import installed
import nbformat
import notebooks
import numpy as np
import pytest
import yaml
from notebooks import distance, quantise
from PIL import Image

from optim_scratch import exercises, explorer

ROOT = Path(__file__).parents[1]
CHAPTERS = sorted((ROOT / "book").glob("*/*.ipynb"))
FORM = [
    "In short", "You will learn", "You need", "?", "Why it works", "Play", "On a network",
    "When it fails", "In practice", "Summary", "Exercises", "Sources",
]  # fmt: skip
"""A chapter's sections in their order; "?" is a heading of its own, the page's question."""
MAY_LACK = {"Play", "On a network"}
"""On a page that is not about an optimizer."""
FIRST_FORM = ["You will learn", "You need", "Summary", "Exercises", "Sources"]
IN_FIRST_FORM = {
    "accumulation-and-clipping", "bug-museum", "composing-and-resuming", "loss-surfaces",
    "parameter-groups",
}  # fmt: skip
"""Chapters that have not been rewritten yet: no new one belongs here."""
REPORT = ["Question", "What was run", "What came out", "What it shows and what it does not"]
REPORTS = {
    "drops-on-cifar10",
    "optimizers-on-cifar10",
    "vgg-on-cifar10",
    "warmups-on-cifar10",
}  # with sources at the end
NO_CHAPTERS = {
    "atlas",
    "choosing",
    "family-tree",
    "ladder",
}  # pages to look things up in, which teach nothing by themselves
UNSAID = (
    "foretold", "foretell", "foretells", "to the fortieth part", "extra way", "are one up",
    "ten times the say", "simply", "clearly", "obviously", "of course", "trivially", "trivial",
    "it is easy to see", "needless to say", "in the units of the other", "vanilla",
)  # fmt: skip
"""What nobody would say aloud to explain something, or what explains nothing."""

NAME = re.compile(r'exercises\.check\(\s*"([\w.-]+)"').findall

chapters = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)


def cells(path: Path, kind: str) -> list:
    """Return a notebook's cells of one kind."""
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == kind]


def printed(cell) -> str:
    """Return what a cell writes to the standard output."""
    return "".join(o.text for o in cell.outputs if o.get("name") == "stdout")


def draws(cell) -> bool:
    """Tell whether a cell shows a picture."""
    return any("image/png" in output.get("data", {}) for output in cell.outputs)


def explored(cell) -> list:
    """Return what a cell's output tells the site of an explorer, and what the notebook says."""
    data = [output.get("data", {}) for output in cell.outputs]
    return [(d[explorer.MIME], d["text/plain"]) for d in data if explorer.MIME in d]


@chapters
def test_executed_once_from_top_to_bottom(path) -> None:
    counts = [cell.execution_count for cell in cells(path, "code")]
    assert counts == list(range(1, len(counts) + 1))


@chapters
def test_cells_are_short(path) -> None:
    for cell in cells(path, "code"):
        assert len(cell.source.splitlines()) <= 15, cell.source


def prose(path: Path) -> str:
    """Return what a notebook says, without its code."""
    text = "\n".join(cell.source for cell in cells(path, "markdown"))
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


def headings(path: Path) -> list[str]:
    """Return a notebook's sections in their order."""
    return [title.strip() for title in re.findall(r"^## (.*)", prose(path), re.MULTILINE)]


def known(found: list[str], form: list[str]) -> list[str]:
    """Return those sections that have their place, and the question: what follows *You need*."""
    after = found.index("You need") + 1 if "You need" in found else len(found)
    return [
        "?" if i == after and title not in form else title
        for i, title in enumerate(found)
        if title in form or i == after
    ]


@chapters
def test_sections_of_the_form(path) -> None:
    assert len(re.findall(r"^# ", prose(path), re.MULTILINE)) == 1
    found = headings(path)
    if path.stem in NO_CHAPTERS:
        assert not set(found) & set(FORM)
    elif path.stem in REPORTS:
        assert found == [*REPORT, "Sources"]
    elif path.stem in IN_FIRST_FORM:
        assert [title for title in found if title in FIRST_FORM] == FIRST_FORM
    else:
        without = MAY_LACK - (set(found) if path.parent.name != "optimizers" else set())
        assert known(found, FORM) == [
            title for title in FORM if title in found or title not in without
        ], f"{path.stem} has {found}"


@pytest.mark.parametrize(
    ("found", "fits"),
    [
        (FORM, True),
        ([title for title in FORM if title not in MAY_LACK], True),
        ([title for title in FORM if title != "?"], False),
        ([title for title in FORM if title != "When it fails"], False),
        ([FORM[1], FORM[0], *FORM[2:]], False),
        ([*FORM[:5], "A heading of the page's own", *FORM[5:]], True),
    ],
)
def test_the_form_is_held(found, fits) -> None:
    titles = ["What is wrong?" if title == "?" else title for title in found]
    expected = [title for title in FORM if title in found or title not in MAY_LACK]
    assert (known(titles, FORM) == expected) == fits


def test_no_page_is_excused_that_is_not_there() -> None:
    stems = {path.stem for path in CHAPTERS}
    assert stems >= IN_FIRST_FORM | REPORTS | NO_CHAPTERS


@chapters
def test_what_is_short_runs_in_a_few_lines(path) -> None:
    """Under *In short*, on the first screen: at most ten lines, and what they print."""
    if "In short" not in headings(path):
        pytest.skip("a page in another form")
    opening, _, first, *_ = nbformat.read(path, as_version=4).cells
    assert opening.source.startswith("# ")
    assert "## In short" in opening.source
    assert len([line for line in first.source.splitlines() if line.strip()]) <= 10, first.source
    assert printed(first).strip()


@chapters
def test_every_figure_is_spoken_of(path) -> None:
    spoken = prose(path)
    for cell in filter(draws, cells(path, "code")):
        name = cell.metadata.mystnb.figure.name
        assert f"{{numref}}`{name}`" in spoken or f"<{name}>`" in spoken, name


@pytest.mark.parametrize(
    "path",
    [*CHAPTERS, *sorted((ROOT / "book").rglob("*.md")), ROOT / "README.md"],
    ids=lambda path: path.stem,
)
def test_nothing_is_said_that_nobody_says(path) -> None:
    """Captions and alternative texts included; titles that are quoted are others' words."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        drawn = [cell.metadata.get("mystnb", {}) for cell in cells(path, "code")]
        text = prose(path) + json.dumps(drawn, ensure_ascii=False)
    for words in UNSAID:
        found = re.search(rf".*(?<![\w-]){re.escape(words)}(?![\w-]).*", text, re.IGNORECASE)
        assert not found, f"{words!r} in: {found[0]}"


@chapters
def test_install_cell_does_nothing_where_the_package_is(path) -> None:
    first = cells(path, "code")[0]
    expected = notebooks.install_cell(nbformat.read(path, as_version=4), notebooks.address())
    assert first.source == expected, f"run: python tests/notebooks.py install {path}"
    assert {"colab", "remove-cell"} <= set(first.metadata.get("tags", []))
    assert not first.outputs


@chapters
def test_figures_have_caption_alt_text_and_a_printed_number(path) -> None:
    for cell in filter(draws, cells(path, "code")):
        shown = cell.metadata.get("mystnb", {})
        assert shown.get("figure", {}).get("caption", "").strip(), cell.source
        assert shown.get("figure", {}).get("name", "").startswith("fig-"), cell.source
        assert len(shown.get("image", {}).get("alt", "")) > 20, cell.source
        said = printed(cell) + "".join(words for _, words in explored(cell))
        assert re.search(r"\d", said), f"prints no number beside its figure:\n{cell.source}"


@chapters
def test_explorers_are_what_their_cells_say(path) -> None:
    for cell in cells(path, "code"):
        for told, words in explored(cell):
            made = explorer.Explorer.of(told)
            assert made.specification() == told, cell.source
            assert repr(made) == words, cell.source


@chapters
def test_outputs_hold_nothing_of_this_machine_or_moment(path) -> None:
    for cell in cells(path, "code"):
        for output in cell.outputs:
            assert output.output_type != "error" or "raises-exception" in cell.metadata.tags
            assert output.get("name") != "stderr", output.text
            data = output.get("data", {})
            assert not {"image/svg+xml", "application/javascript"} & set(data)
            text = output.get("text", "") + "".join(str(data.get("text/plain", "")))
            assert not re.search(r" at 0x|(?<![\w.])/(home|root|tmp|usr|Users)/|it/s|%\|", text), (
                text
            )


@chapters
def test_a_notebook_carries_its_licence_and_authors(path) -> None:
    found = nbformat.read(path, as_version=4).metadata
    assert {key: found.get(key) for key in notebooks.METADATA} == notebooks.METADATA


def test_licence_and_authors_are_the_projects() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert notebooks.METADATA["authors"] == cited["authors"]
    assert sorted(notebooks.METADATA["license"].values(), reverse=True) == cited["license"]


@chapters
def test_small(path) -> None:
    assert path.stat().st_size <= 400_000


@chapters
def test_solutions_are_checked(path) -> None:
    for cell in cells(path, "code"):
        if "solution" in cell.metadata.get("tags", []) and "exercises.check" in cell.source:
            verdicts = printed(cell).splitlines()
            assert verdicts
            assert all(line.endswith("correct") for line in verdicts), printed(cell)


def folded(cell) -> bool:
    """Tell whether the site folds a cell or hides its code: code alone, or code and output."""
    return bool({"hide-cell", "hide-input", "remove-input"} & set(cell.metadata.get("tags", [])))


@chapters
def test_what_the_site_folds_is_folded_everywhere(path) -> None:
    """In JupyterLab by `jupyter`, on Colab by `cellView`; and nothing else is, such as a stub."""
    for cell in cells(path, "code"):
        in_sight = explored(cell) or not draws(cell)  # an explorer's few lines say what it is
        assert folded(cell) or in_sight, f"a cell that draws is not folded:\n{cell.source}"
        hidden = cell.metadata.get("jupyter", {}).get("source_hidden", False)
        assert hidden == folded(cell), cell.source
        assert (cell.metadata.get("cellView") == "form") == folded(cell), cell.source


@chapters
def test_solutions_are_folded_with_what_gives_them_away(path) -> None:
    """Each under its number, as Colab shows it; an output that says more than "correct" with it."""
    number = 0
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "markdown":
            heads = re.findall(r"^(?:## .*|### Exercise (\d+))", cell.source, re.MULTILINE)
            number = int(heads[-1] or 0) if heads else number
            continue
        tags = cell.metadata.get("tags", [])
        assert ("solution" in tags) == (number > 0 and "hide-cell" in tags), cell.source
        if "solution" in tags:
            assert cell.source.startswith(f"# @title Solution of exercise {number}\n")
            more = [line for line in printed(cell).splitlines() if not line.endswith(": correct")]
            hidden = [cell.metadata.jupyter.get("outputs_hidden"), cell.metadata.get("collapsed")]
            assert hidden == ([True, True] if more else [None, None]), cell.source


@chapters
def test_checks_name_the_exercises_they_stand_in(path) -> None:
    exercises.load()
    number = 0
    for cell in nbformat.read(path, as_version=4).cells:
        heads = re.findall(r"^### Exercise (\d+)", cell.source, re.MULTILINE)
        number = int(heads[-1]) if heads and cell.cell_type == "markdown" else number
        for name in NAME(cell.source) if cell.cell_type == "code" else []:
            assert exercises.EXERCISES[name].number == number, name


@chapters
def test_stubs_come_before_their_solutions(path) -> None:
    """Each exercise that has a solution in code has a cell of the reader's own, in sight."""
    code = cells(path, "code")
    for name in {
        n for cell in code if "solution" in cell.metadata.get("tags", []) for n in NAME(cell.source)
    }:
        first = next(cell for cell in code if name in NAME(cell.source))
        assert not folded(first), first.source


def said_of_outputs(path: Path) -> str:
    """Compare a notebook's outputs as `make nbval` does, but with the present package."""
    folder = path.parent / "copies"
    done = installed.compare([path], sys.executable, folder, capture_output=True, text=True)
    return done.stdout


def test_comparing_outputs_is_strict(tmp_path) -> None:
    """Of two cells that print the same, the one whose committed output differs fails."""
    book = nbformat.v4.new_notebook()
    for count, claim in enumerate(["1.234\n", "1.235\n"], start=1):
        output = nbformat.v4.new_output("stream", name="stdout", text=claim)
        cell = nbformat.v4.new_code_cell("print(1.234)", execution_count=count, outputs=[output])
        book.cells.append(cell)
    nbformat.write(book, tmp_path / "book.ipynb")
    assert "1 failed, 1 passed" in said_of_outputs(tmp_path / "book.ipynb")


@pytest.mark.skipif(not CHAPTERS, reason="no chapters")
def test_a_changed_number_in_a_chapter_is_found(tmp_path) -> None:
    """A chapter as far as its first printed number, changed in the last digit, fails there."""
    book = nbformat.read(CHAPTERS[0], as_version=4)
    prints = [c.cell_type == "code" and bool(re.search(r"\d", printed(c))) for c in book.cells]
    book.cells = book.cells[: prints.index(True) + 1]
    output = next(o for o in book.cells[-1].outputs if re.search(r"\d", o.get("text", "")))
    digit = r"(\d)(\D*)$"
    output.text = re.sub(digit, lambda m: str((int(m[1]) + 1) % 10) + m[2], output.text)
    nbformat.write(book, tmp_path / "book.ipynb")
    assert "1 failed" in said_of_outputs(tmp_path / "book.ipynb")


def picture(rng: np.random.Generator) -> str:
    """Return a random picture in base64."""
    out = io.BytesIO()
    Image.fromarray(rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)).save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


def test_comparing_pictures_sees_a_change() -> None:
    rng = np.random.default_rng(0)
    one, other = picture(rng), picture(rng)
    assert distance(one, one) == 0
    assert distance(one, other) > 50
    assert distance(one, quantise(one)) < 20
