"""Let readers find a chapter by their own words: class names, synonyms, symptoms (`finding.yml`).

The table's phrases enter the search index as hidden entries. `finding.js` weighs the pages:
chapters come before collections, and those before the pages of the API.
"""

from pathlib import Path

import yaml
from sphinx.application import Sphinx
from sphinx.errors import ConfigError
from sphinx.search import IndexBuilder

HERE = Path(__file__).parent


def table() -> dict[str, list[str]]:
    """Return the phrases by page."""
    return yaml.safe_load((HERE / "finding.yml").read_text(encoding="utf-8"))


def enter(app: Sphinx) -> list:
    """Enter the phrases, once every page is in the index and before it is written."""
    index = getattr(app.builder, "indexer", None)
    if index is not None and app.builder.name == "html":
        for page, phrases in table().items():
            if page not in app.env.found_docs:
                raise ConfigError(f"finding.yml names {page}, which is no page of the book")
            enter_page(index, page, [str(phrase).lower() for phrase in phrases])
    return []


def enter_page(index: IndexBuilder, page: str, phrases: list[str]) -> None:
    """Enter a page's phrases as main entries, and their words as words of its title."""
    entries = index._index_entries.setdefault(page, [])
    index._index_entries[page] = sorted({*entries, *((phrase, "", "main") for phrase in phrases)})
    for phrase in phrases:
        for word in index.lang.split(phrase):
            stem = index.lang.stem(word).lower()
            if index.lang.word_filter(stem):
                index._title_mapping.setdefault(stem, set()).add(page)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the hook: the pages of an extension are collected at the right moment."""
    app.connect("html-collect-pages", enter)
    app.connect(
        "config-inited",
        lambda _, config: setattr(config, "html_search_scorer", str(HERE / "finding.js")),
    )
    return {"parallel_read_safe": True, "parallel_write_safe": False}
