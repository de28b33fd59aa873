"""Mend what the theme and its extensions write against the rules of accessibility.

`tests/site/test_axe.py` finds what is left. The templates in `_templates` mend the rest: the logo
and the search button.
"""

import re

from markupsafe import Markup
from sphinx.application import Sphinx

MENDED = [
    # a name that hides the words on the button
    (re.compile(r'<summary aria-label="Toggle hidden content">'), "<summary>"),
    # a role that is deprecated, in a list whose children then are no items
    (re.compile(r' role="doc-biblioentry"'), ""),
    (re.compile(r'<div role="list" class="citation-list">'), '<div class="citation-list">'),
    # a head of nothing
    (re.compile(r"<th\b([^>]*)>\s*(?:<p>\s*</p>)?\s*</th>"), r"<td\1></td>"),
]
TOGGLE = re.compile(r'<summary>(?=<span class="toctree-toggle")')


def mend(app: Sphinx, page: str, template: str, context: dict, doctree: object) -> None:
    """Mend a page's body."""
    for wrong, right in MENDED:
        context["body"] = wrong.sub(right, context.get("body") or "")


def named_toggles(navigation: str) -> Markup:
    """Give the buttons of a table of contents a name."""
    return Markup(TOGGLE.sub('<summary aria-label="Pages of this part">', str(navigation)))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the hooks."""
    app.connect("html-page-context", mend, priority=900)
    app.connect(
        "builder-inited",
        lambda app: app.builder.templates.environment.filters.update(named_toggles=named_toggles),
    )
    return {"parallel_read_safe": True, "parallel_write_safe": True}
