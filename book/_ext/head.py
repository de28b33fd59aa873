"""What stands about a page rather than on it: description, sitemap, the page for lost readers.

Where the site is going to stand is told by `html_baseurl` in `_config.yml` or, for one build, by
the environment variable SITE_URL; without either, addresses are relative and there is no sitemap.
"""

import os
import re
import tomllib
from pathlib import Path
from urllib.parse import urljoin, urlparse
from xml.sax.saxutils import escape

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config

ROOT = Path(__file__).parents[2]
LONGEST = 160  # of a description: search engines cut there
PICTURE = "_static/race.png"


def version() -> str:
    """Return the version of the book and its package."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "version"
    ]


def configure(app: Sphinx, config: Config) -> None:
    """Take the site's address from the environment, and tell the pages the version."""
    config.html_baseurl = os.environ.get("SITE_URL", config.html_baseurl)
    if config.html_baseurl and not config.html_baseurl.endswith("/"):
        config.html_baseurl += "/"
    config.myst_substitutions = {**config.myst_substitutions, "version": version()}


def describe(
    app: Sphinx,
    page: str,
    template: str,
    context: dict[str, object],
    doctree: nodes.document | None,
) -> None:
    """Give a page's head its description, and its picture as others will ask for it."""
    context["book_version"] = version()
    context["description"] = summary(doctree) if doctree else ""
    base = app.config.html_baseurl
    context["picture"] = urljoin(base, PICTURE) if base else context["pathto"](PICTURE, 1)


def summary(doctree: nodes.document) -> str:
    """Return the first sentences of a page that are words alone, as many as a description holds."""
    for paragraph in doctree.findall(nodes.paragraph):
        text = " ".join(spoken(paragraph).split())
        if len(text) > 40 and not text.startswith("Methods:"):
            return shortened(text)
    return ""


def spoken(node: nodes.Node) -> str:
    """Return a paragraph's text; a formula, which a description cannot show, as an ellipsis."""
    if isinstance(node, nodes.math):
        return node.astext() if re.fullmatch(r"[\w\s=.]+", node.astext()) else "…"
    if isinstance(node, nodes.Text):
        return node.astext()
    return "".join(spoken(child) for child in node.children)


def shortened(text: str) -> str:
    """Return as many whole sentences as fit, or as many words."""
    if len(text) <= LONGEST:
        return text
    end = max(text.rfind(stop, 0, LONGEST) for stop in (". ", "? ", "! ", ": "))
    if end > LONGEST // 3:
        return text[: end + 1].removesuffix(":")
    return text[: text.rfind(" ", 0, LONGEST - 1)].rstrip(",;:") + "…"


def finish(app: Sphinx, error: Exception | None) -> None:
    """Write the sitemap and the page that is shown where there is none."""
    if error or app.builder.name != "html":
        return
    out, base = Path(app.outdir), app.config.html_baseurl
    chapters = [(page, app.env.titles[page].astext()) for page in ordered(app)]
    root = urlparse(base).path if base else "/"
    told = {"root": root, "start": app.config.root_doc, "project": app.config.project}
    lost = app.builder.templates.render("404.html", told | {"chapters": chapters[1:]})
    (out / "404.html").write_text(lost, encoding="utf-8")
    if base:
        (out / "sitemap.xml").write_text(sitemap(base, dict(chapters)), encoding="utf-8")
        robots = f"User-agent: *\nSitemap: {urljoin(base, 'sitemap.xml')}\n"
        (out / "robots.txt").write_text(robots, encoding="utf-8")


def ordered(app: Sphinx) -> list[str]:
    """Return the pages in the order of the table of contents."""
    pages, waiting = [], [app.config.root_doc]
    while waiting:
        page = waiting.pop(0)
        pages.append(page)
        waiting = app.env.toctree_includes.get(page, []) + waiting
    return pages


def sitemap(base: str, pages: dict[str, str]) -> str:
    """Return the list of pages that search engines read."""
    urls = "".join(f"<url><loc>{escape(urljoin(base, page))}.html</loc></url>\n" for page in pages)
    space = "http://www.sitemaps.org/schemas/sitemap/0.9"
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="{space}">\n{urls}</urlset>\n'


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the hooks."""
    app.connect("config-inited", configure, priority=100)
    app.connect("html-page-context", describe)
    app.connect("build-finished", finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
