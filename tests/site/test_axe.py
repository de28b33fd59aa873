"""What axe, the usual checker of accessibility, finds on seven pages: nothing.

Three of them are seen in the dark theme too. axe is from its npm package, unchanged (MPL-2.0,
`axe/LICENSE`), and only runs here.
"""

from pathlib import Path

import pytest

AXE = Path(__file__).parent / "axe" / "axe.min.js"
PAGES = [
    "book/intro",
    "book/optimizers/momentum",
    "book/schedulers/warmup",
    "book/practice/bug-museum",
    "book/experiments/vgg-on-cifar10",
    "book/reference/bibliography",
    "book/reference/api/optimizers",
]
RUN = """
async () => {
  document.querySelectorAll("details").forEach((d) => d.open = true);
  const { violations } = await axe.run(document);
  return violations.map((v) =>
    `${v.id}: ${v.nodes.length}, such as ${v.nodes[0].html.slice(0, 160)} (${v.help})`);
}
"""


@pytest.mark.parametrize(
    ("name", "scheme"),
    [*((page, "light") for page in PAGES), *((page, "dark") for page in PAGES[:3])],
)
def test_axe_finds_nothing(browser, address, name, scheme) -> None:
    context = browser.new_context(base_url=address, color_scheme=scheme, reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"/{name}.html")
    page.add_script_tag(path=AXE)
    found = page.evaluate(RUN)
    context.close()
    assert not found, "\n".join(found)
