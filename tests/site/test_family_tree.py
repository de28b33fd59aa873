"""The family tree in a browser: links that lead on, words that fit, one drawing for each width."""

import pytest
from check_pages import ROOT
from looking import axe

from optim_scratch.family import Tree

PAGE = "/book/reference/family-tree.html"
MEMBERS = [member.name for member in Tree().members()]

# Words that leave the drawing, or meet words or circles of another kind on their line.
MEETINGS = """
() => {
  const svg = [...document.querySelectorAll(".family-tree svg")].find((s) => s.checkVisibility());
  const found = [], frame = svg.getBoundingClientRect();
  const boxes = [...svg.querySelectorAll("tspan, text:not(:has(tspan)), circle")].map((e) =>
    [e.textContent || "a circle", e.getBoundingClientRect()]);
  boxes.filter(([, b]) => b.right > frame.right + 1 || b.left < frame.left - 1)
    .forEach(([words]) => found.push(`beyond the drawing: ${words}`));
  boxes.forEach(([one, a], i) => boxes.slice(i + 1).forEach(([other, b]) => {
    const apart = a.right <= b.left + 1 || b.right <= a.left + 1
      || a.bottom <= b.top + 4 || b.bottom <= a.top + 4;
    if (!apart) found.push(`${one} meets ${other}`);
  }));
  return found;
}
"""


@pytest.fixture(params=["light", "dark"])
def page(request, browser, address):
    """The page, in one theme."""
    context = browser.new_context(base_url=address, color_scheme=request.param)
    page = context.new_page()
    page.goto(PAGE)
    yield page
    context.close()


@pytest.mark.parametrize(("width", "kind"), [(1300, "wide"), (390, "narrow")])
def test_one_drawing_is_shown_and_its_words_fit(page, width, kind) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    shown = page.locator(".family-tree svg:visible")
    assert shown.count() == 1
    assert kind in shown.get_attribute("class")
    assert page.locator("figure:has(.family-tree) img:visible").count() == 0
    assert page.evaluate(MEETINGS) == []
    assert shown.locator(".name").all_text_contents() == MEMBERS


def test_every_name_leads_to_a_page_that_explains_it(page) -> None:
    links = page.locator(".family-tree .wide a").evaluate_all(
        "all => all.map((a) => new URL(a.getAttribute('href'), location).href)"
    )
    assert len(links) == len(MEMBERS)
    for name, link in zip(MEMBERS, links, strict=True):
        path = link.partition("#")[0].partition("/book/")[2]
        text = (ROOT / "_build/html/book" / path).read_text()
        assert name.lower() in text.lower(), link
        if "#" in link:
            assert f'id="{link.partition("#")[2]}"' in text, link


def test_the_keyboard_goes_from_name_to_name(page) -> None:
    page.set_viewport_size({"width": 1300, "height": 800})
    names = []
    page.locator(".family-tree .wide a").first.focus()
    for _ in range(3):
        names.append(page.evaluate("document.activeElement.querySelector('.name').textContent"))
        page.keyboard.press("Tab")
    assert names == MEMBERS[:3]
    assert page.evaluate(
        "getComputedStyle(document.activeElement.querySelector('rect')).stroke !== 'none'"
    )


def test_print_has_the_wide_drawing(page) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    page.emulate_media(media="print")
    assert "wide" in page.locator(".family-tree svg:visible").get_attribute("class")


def test_axe_finds_nothing(page) -> None:
    assert not axe(page)
