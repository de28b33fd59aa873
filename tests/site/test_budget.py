"""What a page may weigh: its own bytes and elements, and the bytes of its scripts and styles."""

import re
from urllib.parse import urljoin

import pytest
from check_pages import ROOT, pages

pytestmark = pytest.mark.usefixtures("address")
SITE = ROOT / "_build" / "html"
CHAPTER = 600_000, 15_000, 740_000
API = 750_000, 19_500, 740_000


def weigh(page: str) -> tuple[int, int, int]:
    """Return a page's bytes, its elements, and the bytes of its scripts and styles."""
    html = (SITE / f"{page}.html").read_text()
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
