"""What axe, the usual checker of accessibility, finds on eight pages: nothing.

Three of them are seen in the dark theme too. axe is from its npm package, unchanged (MPL-2.0,
`axe/LICENSE`), and only runs here.
"""

import pytest
from looking import axe

PAGES = [
    "book/intro",
    "book/optimizers/momentum",
    "book/schedulers/warmup",
    "book/practice/ladder",
    "book/practice/bug-museum",
    "book/experiments/vgg-on-cifar10",
    "book/reference/bibliography",
    "book/reference/api/optimizers",
]


@pytest.mark.parametrize(
    ("name", "scheme"),
    [*((page, "light") for page in PAGES), *((page, "dark") for page in PAGES[:3])],
)
def test_axe_finds_nothing(browser, address, name, scheme) -> None:
    context = browser.new_context(base_url=address, color_scheme=scheme, reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"/{name}.html")
    found = axe(page)
    context.close()
    assert not found, "\n".join(found)
