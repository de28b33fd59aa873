"""A real browser over every page of the built site, in both themes, with no other host in reach."""

import json

import pytest
from check_pages import ROOT, pages
from looking import BEYOND, watch

PAGES = pages()
NOTEBOOKS = [page for page in PAGES if (ROOT / f"{page}.ipynb").is_file()]

# What a page must not show, told in its own language: each line adds what it finds to the list.
INSPECT = r"""
async () => {
  await document.fonts.ready;
  const found = [], article = document.querySelector("article");
  const all = (selector) => [...document.querySelectorAll(selector)];
  const formulas = all(".math").length, set = all(".math .katex").length;
  if (formulas !== set) found.push(`${formulas} formulas, ${set} of them typeset`);
  if (set && !document.fonts.check("16px KaTeX_Main")) found.push("no fonts for formulas");
  all(".katex-error").forEach((e) => found.push(`a formula fails: ${e.textContent}`));
  const copy = article.cloneNode(true);
  copy.querySelectorAll("pre, code, script, .math").forEach((e) => e.remove());
  const raw = copy.textContent.match(/\$\$|\\\(|\\\[|\{(?:ref|numref|cite|term|doc|py)[^}]*\}/);
  if (raw) found.push(`raw markup in the text: ${raw[0]}`);
  const tex = copy.textContent.match(/\$[^\s$][^$\n]*[\\^_][^$\n]*\$/);
  if (tex) found.push(`a raw formula in the text: ${tex[0]}`);
  const load = (i) => {
    i.loading = "eager";
    return i.decode().catch(() => found.push(`broken: ${i.src}`));
  };
  await Promise.all(all("img").map(load));
  all("article img").filter((i) => !i.alt.trim())
    .forEach((i) => found.push(`no alt text: ${i.src}`));
  all("article img[src*='_images/']").filter((i) => !i.closest("a[href]"))
    .forEach((i) => found.push(`no link to the full picture: ${i.src}`));
  all(".cell_output pre").filter((p) => /^ *(def|class) \w+\(.*:$/m.test(p.textContent))
    .filter((p) => !p.querySelector("span.k"))
    .forEach((p) => found.push(`source without colours: ${p.textContent.slice(0, 60)}`));
  all("article svg[role=img]:not([aria-hidden], [aria-label])")
    .forEach(() => found.push("a drawing without a label"));
  const ids = [...article.querySelectorAll("[id]")].map((e) => e.id);
  ids.filter((id, i) => ids.indexOf(id) !== i).forEach((id) => found.push(`the id ${id} twice`));
  const blocks = article.querySelectorAll("div.highlight pre").length;
  const buttons = article.querySelectorAll("button.copybtn").length;
  if (blocks !== buttons) found.push(`${blocks} blocks of code, ${buttons} buttons to copy`);
  const dark = document.documentElement.dataset.theme === "dark";
  article.querySelectorAll(".cell_output img, figure img").forEach((image) => {
    const inverts = getComputedStyle(image).filter.includes("invert");
    const expected = dark && !image.classList.contains("photo");
    if (inverts !== expected) found.push(`inverted: ${inverts}, dark page: ${dark}: ${image.src}`);
  });
  return found;
}
"""

# Commas, brackets and the like that stand on another line than the formula that they touch.
ASTRAY = r"""
() => [...document.querySelectorAll("article span.math")].filter((math) => {
  const after = math.nextSibling;
  const own = math.querySelector(".tied > .text") ?? math.querySelector(".tied")?.lastChild;
  const text = own?.nodeType === 3 ? own : own?.firstChild ?? after;
  if (text?.nodeType !== 3 || !/^[.,;:!?)\]]/.test(text.data)) return false;
  const range = document.createRange();
  range.setStart(text, 0);
  range.setEnd(text, 1);
  const [sign, part] = [range, [...math.querySelectorAll(".katex-base")].at(-1)]
    .map((e) => e.getBoundingClientRect());
  return sign.width && sign.left < part.left;
}).map((math) => `what touches a formula begins a line: ${math.textContent}`)
"""


@pytest.fixture
def page(browser, address):
    """A fresh page, and at the end: nothing went wrong on it."""
    context = browser.new_context(base_url=address, reduced_motion="reduce")
    page = context.new_page()
    found = watch(page, address)
    yield page
    page.wait_for_load_state("networkidle")  # what is cut off would count as failed
    context.close()
    assert not found


@pytest.fixture(scope="module", params=["light", "dark"])
def reader(request, browser, address):
    """One page that goes from chapter to chapter in one theme, as readers do."""
    context = browser.new_context(base_url=address, color_scheme=request.param)
    page = context.new_page()
    yield page, watch(page, address), request.param
    context.close()


@pytest.mark.parametrize("name", PAGES)
def test_every_page(reader, name) -> None:
    page, found, theme = reader
    found.clear()
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(f"/{name}.html")
    found += page.evaluate(INSPECT)
    assert page.locator("html").get_attribute("data-theme") == theme
    page.set_viewport_size({"width": 390, "height": 800})
    found += page.evaluate(BEYOND) + page.evaluate(ASTRAY)
    assert not found
    check_neighbours(page, name)
    if name in NOTEBOOKS:
        assert page.locator("article .cell_output img, article figure img").count()
        link = page.locator("a.btn-download-source-button").evaluate("a => a.href")
        assert json.loads(page.request.get(link).body())["nbformat"] == 4


@pytest.mark.parametrize("name", ["genindex", "search", "404"])
def test_pages_that_no_contents_name_fit_a_narrow_screen(page, name) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(f"/{name}.html")
    assert not page.evaluate(BEYOND.replace("article *", "body *"))


def check_neighbours(page, name: str) -> None:
    """The links at a page's foot lead to the pages before and after it, and nowhere at the ends."""
    at = PAGES.index(name)
    for link, neighbour in (
        ("a.left-prev", PAGES[:at][-1:]),
        ("a.right-next", PAGES[at + 1 :][:1]),
    ):
        hrefs = page.locator(link).evaluate_all("all => all.map((a) => new URL(a.href).pathname)")
        assert hrefs == [f"/{page}.html" for page in neighbour]


def test_front_page_is_where_one_looks_first(page) -> None:
    page.goto("/")
    page.wait_for_url(f"**/{PAGES[0]}.html")
    assert page.locator("figure.race polyline").count() > 2


def test_race_runs_on_request(page) -> None:
    page.goto(f"/{PAGES[0]}.html")
    head = page.locator("figure.race circle").first
    at_rest = head.evaluate("e => e.cx.animVal.value")
    page.get_by_role("button", name="Replay").click()
    page.wait_for_function(
        "x => document.querySelector('circle').cx.animVal.value !== x", arg=at_rest
    )


def test_search_finds_momentum(page) -> None:
    page.goto(f"/{PAGES[0]}.html", wait_until="networkidle")  # before it is left
    page.keyboard.press("Control+k")
    page.keyboard.type("momentum")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=momentum*")
    page.locator("ul.search li a").first.wait_for()
    links = page.locator("ul.search li a").evaluate_all("all => all.map((a) => a.href)")
    expected = next((p for p in PAGES if p.endswith("/momentum")), "book/reference/glossary")
    assert any(f"/{expected}.html" in link for link in links)


def test_theme_toggles(page) -> None:
    page.goto(f"/{PAGES[0]}.html")
    seen = set()
    for _ in range(3):
        page.locator(".article-header-buttons .theme-switch-button").click()
        seen.add(page.locator("html").get_attribute("data-theme"))
    assert seen == {"light", "dark"}


def test_keyboard_reaches_the_text_first(page) -> None:
    page.goto(f"/{PAGES[0]}.html")
    page.keyboard.press("Tab")
    assert "Skip" in page.evaluate("document.activeElement.textContent")
