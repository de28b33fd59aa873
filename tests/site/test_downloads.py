"""The notebooks that the site offers are readable without MyST; their code is the committed."""

import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
SITE = ROOT / "_build/html"
NOTEBOOKS = sorted((ROOT / "book").glob("*/*.ipynb"))


def pair(path):
    """The committed notebook and the one for download."""
    offered = SITE / "_sources" / path.relative_to(ROOT)
    return (nbformat.read(file, as_version=4) for file in (path, offered))


def prose(notebook):
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_nothing_of_myst_is_left_and_no_link_that_leads_nowhere(path):
    _, offered = pair(path)
    nbformat.validate(offered)
    text = prose(offered)
    assert re.findall(r"\{[\w:]+\}`|^:::.*$|^```\{.*$", text, re.MULTILINE) == []
    targets = re.findall(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)", text)
    assert [target for target in targets if not target.startswith("https://")] == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_code_and_outputs_are_the_committed_ones(path):
    code = [[cell for cell in n.cells if cell.cell_type == "code"] for n in pair(path)]
    assert code[0] == code[1]


def test_citations_figures_terms_and_captions_are_in_words():
    committed, offered = pair(ROOT / "book/optimizers/momentum.ipynb")
    source, text = prose(committed), prose(offered)
    assert "So {cite:t}`polyak1964` wrote it" in source
    assert "So [Polyak (1964)](https://doi.org/10.1016/0041-5553(64)90137-5) wrote it" in text
    assert re.search(r"\(\[Goujaud et al\., 2023\]\(https://[^)]+\)\)", text)
    assert "hence the name heavy ball: the ball" in text
    figures = [cell.metadata.mystnb.figure for cell in committed.cells if "mystnb" in cell.metadata]
    captions = re.findall(r"^\*\*Fig\. (\d+)\.\*\* (.+)$", text, re.MULTILINE)
    assert len(captions) == len([figure for figure in figures if "caption" in figure]) > 3
    assert all(len(caption) > 20 for _, caption in captions)
    elsewhere = re.sub(r"^\*\*Fig.*$", "", text, flags=re.MULTILINE)
    shown = (SITE / "book/optimizers/momentum.html").read_text()
    referred = [number for number, _ in captions if f"Fig. {number}" in elsewhere]
    assert len(referred) == len(set(re.findall(r"\{numref\}`([^`]+)`", source))) > 0
    assert all(f"Fig. {number}" in shown for number in referred)
