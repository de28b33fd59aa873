"""What a page may weigh: its own bytes and elements, and the bytes of its scripts and styles.

An explorer comes on top: its runs, as much as the package packs into one, and its drawing.
"""

import re
from urllib.parse import urljoin

import pytest
from check_pages import ROOT, pages

from optim_scratch.explorer import MOST

pytestmark = pytest.mark.usefixtures("address")
SITE = ROOT / "_build" / "html"
CHAPTER = 600_000, 15_000, 740_000
API = 750_000, 19_500, 740_000
EXPLORER = MOST + 60_000
EXPLORERS = re.compile(r'<div class="explorer".*?</script></div>', re.DOTALL)


def weigh(page: str) -> tuple[int, int, int]:
    """Return a page's bytes and elements without explorers, and those of its scripts and styles."""
    html = EXPLORERS.sub("", (SITE / f"{page}.html").read_text())
    elements = len(re.findall(r"<[a-zA-Z]", html))
    loaded = re.findall(r'<script[^>]* src="([^"?#]+)|<link[^>]*href="([^"?#]+\.css)', html)
    files = {SITE / urljoin(f"{page}.html", script or style) for script, style in loaded}
    return len(html.encode()), elements, sum(file.stat().st_size for file in files)


@pytest.mark.parametrize("page", pages())
def test_a_page_keeps_to_its_budget(page) -> None:
    budget = API if page.startswith("book/reference/api/") else CHAPTER
    for what, weight, most in zip(
        ("bytes", "elements", "loaded"), weigh(page), budget, strict=True
    ):
        assert weight <= most, f"{what}: {weight:,}, and {most:,} is the budget"


@pytest.mark.parametrize("page", pages())
def test_an_explorer_keeps_to_its_budget(page) -> None:
    weights = [len(e.encode()) for e in EXPLORERS.findall((SITE / f"{page}.html").read_text())]
    assert len(weights) <= 2, "explorers on one page"
    assert max(weights, default=0) <= EXPLORER
