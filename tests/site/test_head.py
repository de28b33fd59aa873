"""What stands about a page: head, footer, sizes of pictures, scripts, the page for the lost."""

import re
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urljoin

import pytest
from check_pages import ROOT, pages

head = pytest.importorskip("head")
jinja2 = pytest.importorskip("jinja2")
nodes = pytest.importorskip("docutils.nodes")
lean = pytest.importorskip("lean")

pytestmark = pytest.mark.usefixtures("address")
SITE = ROOT / "_build" / "html"
PAGES = pages()
SAMPLE = [
    "book/intro",
    "book/optimizers/momentum",
    "book/schedulers/warmup",
    "book/practice/bug-museum",
    "book/reference/glossary",
    "book/reference/api/schedulers",
]


def source(page: str) -> str:
    """Return a built page."""
    return (SITE / f"{page}.html").read_text()


def metas(html: str) -> dict[str, str]:
    """Return what a page's head says about it, by name."""
    found = re.findall(r'<meta (?:name|property)="([^"]+)" content="([^"]*)"', html)
    return dict(found)


@pytest.mark.parametrize("page", SAMPLE)
def test_head_says_what_the_page_is(page) -> None:
    told = metas(source(page))
    assert 40 < len(told["description"]) <= head.LONGEST
    assert "\\" not in told["description"]
    assert told["og:description"] == told["description"]
    assert told["og:title"]
    assert told["og:site_name"] == "Optimizers from Scratch"
    picture = SITE / urljoin(f"{page}.html", told["og:image"])
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_descriptions_tell_pages_apart() -> None:
    told = [metas(source(page)).get("description") for page in PAGES if "/api" not in page]
    assert len(set(told)) == len(told)


@pytest.mark.parametrize("page", SAMPLE)
def test_footer_names_licence_version_and_how_to_cite(page) -> None:
    footer = re.search(
        r'<footer class="bd-footer-content">(.*?)</footer>', source(page), re.DOTALL
    )[1]
    assert "creativecommons.org/licenses/by/4.0" in footer
    assert "MIT License" in footer
    assert f"Version {head.version()}" in footer
    cite = re.search(r'href="([^"]+)">How to cite', footer)[1]
    assert (SITE / urljoin(f"{page}.html", cite)).is_file()


def test_the_version_to_cite_is_the_package_s() -> None:
    assert f"version = {{{head.version()}}}" in (ROOT / "book/reference/colophon.md").read_text()


def test_lost_readers_find_the_book() -> None:
    lost = source("404")
    for page in PAGES:
        assert f'href="/{page}.html"' in lost
    assert 'action="/search.html"' in lost


def test_sitemap_names_every_page_at_its_address() -> None:
    told = head.sitemap("https://example.org/book/", dict.fromkeys(PAGES, ""))
    places = re.findall(r"<loc>(.*?)</loc>", told)
    assert places == [f"https://example.org/book/{page}.html" for page in PAGES]


class Site:
    """What `head.finish` asks of Sphinx, for a book of two pages."""

    def __init__(self, out: Path, address: str) -> None:
        titles = {"book/intro": "Book", "book/a": "First & last"}
        self.outdir = out
        self.config = SimpleNamespace(html_baseurl=address, root_doc="book/intro", project="Book")
        self.env = SimpleNamespace(
            titles={page: nodes.title(text, text) for page, text in titles.items()},
            toctree_includes={"book/intro": ["book/a"]},
        )
        self.builder = SimpleNamespace(name="html", templates=self)

    def render(self, name: str, told: dict) -> str:
        """Render one of the book's templates."""
        loader = jinja2.FileSystemLoader(ROOT / "book/_templates")
        return jinja2.Environment(loader=loader, autoescape=True).get_template(name).render(told)


def test_a_site_with_an_address_has_a_sitemap_and_links_from_its_root(tmp_path) -> None:
    head.finish(Site(tmp_path, "https://example.org/book/"), None)
    places = re.findall("<loc>(.*?)</loc>", (tmp_path / "sitemap.xml").read_text())
    assert places == [f"https://example.org/book/book/{page}.html" for page in ("intro", "a")]
    assert "https://example.org/book/sitemap.xml" in (tmp_path / "robots.txt").read_text()
    assert '<a href="/book/book/a.html">First &amp; last</a>' in (tmp_path / "404.html").read_text()


def test_a_site_without_an_address_has_no_sitemap(tmp_path) -> None:
    head.finish(Site(tmp_path, ""), None)
    assert not (tmp_path / "sitemap.xml").exists()
    assert 'href="/book/a.html"' in (tmp_path / "404.html").read_text()


@pytest.mark.parametrize("page", PAGES)
def test_pictures_have_sizes_and_wait(page) -> None:
    article = re.search(r"<article.*?</article>", source(page), re.DOTALL)[0]
    images = re.findall(r"<img\b[^>]*>", article)
    for image in images:
        assert re.search(r' width="\d+"', image), image
        assert re.search(r' height="\d+"', image), image
        assert ' decoding="async"' in image
    assert [' loading="lazy"' in image for image in images] == [False, *[True] * len(images)][
        : len(images)
    ]


@pytest.mark.parametrize("page", SAMPLE)
def test_pages_load_no_more_than_they_use(page) -> None:
    loaded = " ".join(re.findall(r'<(?:script|link)[^>]*(?:src|href)="([^"]*)"', source(page)))
    for name in ("fontawesome", "searchindex.js", "searchtools.js", "thebe", "mathjax"):
        assert name not in loaded.lower()
    assert "text/x-thebe-config" not in source(page)


@pytest.mark.parametrize("page", SAMPLE)
def test_every_icon_is_drawn(page) -> None:
    used = set(re.findall(r"\bfa-(?!solid|lg)([a-z-]+)", source(page)))
    drawn = set(
        re.findall(r"^\.fa-([a-z-]+) ", (SITE / "_static/icons.css").read_text(), re.MULTILINE)
    )
    assert used
    assert used <= drawn


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Short enough.", "Short enough."),
        ("A" * 100 + ". " + "B" * 100, "A" * 100 + "."),
        ("word " * 60, "word " * 30 + "word…"),
    ],
)
def test_descriptions_end_where_a_sentence_or_a_word_does(text, expected) -> None:
    assert head.shortened(text.strip()) == expected
