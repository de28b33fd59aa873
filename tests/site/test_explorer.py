"""Explorers in a browser, on two pages of a small book that is built for these tests.

What is drawn is held against the package's own runs, which the tests make again.
"""

import base64
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import notebooks
import numpy as np
import pytest
from looking import BEYOND, axe, watch

from optim_scratch import plot, surfaces
from optim_scratch.explorer import MOST, Explorer, Knob
from optim_scratch.optimizers import SGD, Adam

ROOT = Path(__file__).parents[2]
RAVINE = Explorer(
    surfaces.ravine(20),
    SGD,
    60,
    lr=Knob.log(0.005, 0.2, 12, at=0.05),
    momentum=Knob([0, 0.5, 0.9], at=0.9),
    nesterov=False,
)
VALLEY = Explorer(
    surfaces.saddle(),
    Adam,
    40,
    window=((-3, 3), (-1.5, 1.5)),
    lr=Knob([0.01, 0.1, 1], at=0.1),
    betas=(Knob([0, 0.9], at=0.9), Knob([0.9, 0.999], at=0.999)),
)
TOC = """\
format: jb-book
root: book/intro
parts:
  - caption: Part
    chapters:
      - file: book/ravine
"""
INTRO = """\
# Two explorers

A page in Markdown that shows two of them, and says enough about itself to be described.

```{explorer}
:name: fig-valley
:caption: A **saddle**, and $\\theta$.
:alt: The path of Adam past a saddle, and its loss.

surface: saddle
optimizer: Adam
steps: 40
window: [[-3, 3], [-1.5, 1.5]]
hyper:
  lr: {values: [0.01, 0.1, 1], at: 0.1}
  betas: [{values: [0, 0.9], at: 0.9}, {values: [0.9, 0.999], at: 0.999}]
```

```{explorer}
:name: fig-other
:caption: Another.
:alt: Another path of gradient descent, and its loss.

surface: [ravine, 5, 45]
optimizer: SGD
steps: 10
hyper: {lr: {linear: [0.1, 0.4, 4], at: 0.2}}
```

{numref}`fig-valley` stands above {numref}`fig-other`.
"""


def cell(name, shown):
    """A cell with a figure, as it is when it has been run."""
    output = nbformat.v4.new_output("execute_result", shown, execution_count=1)
    cell = nbformat.v4.new_code_cell("Explorer(...)", execution_count=1, outputs=[output])
    figure = {"name": name, "caption": "A ravine."}
    alt = {"alt": "The path of momentum in a ravine, and its loss."}
    cell.metadata["mystnb"] = {"figure": figure, "image": alt}
    return cell


def notebook():
    """A notebook with an ordinary figure and an explorer."""
    words = "# A ravine\n\nA page made of a notebook, with enough words on it for a description."
    png = base64.b64encode(plot.as_png(plot.exploration(VALLEY))).decode()
    cells = [
        nbformat.v4.new_markdown_cell(words),
        cell("fig-ordinary", {"image/png": png}),
        cell("fig-ravine", RAVINE._repr_mimebundle_()),
        nbformat.v4.new_markdown_cell("See {numref}`fig-ravine`, not {numref}`fig-ordinary`."),
    ]
    return nbformat.v4.new_notebook(cells=cells, metadata=notebooks.METADATA)


@pytest.fixture(scope="session")
def book(tmp_path_factory):
    """The small book, built as the large one is."""
    pytest.importorskip("jupyter_book")
    folder = tmp_path_factory.mktemp("explorers")
    for name in ("_ext", "_static", "_templates"):
        shutil.copytree(ROOT / "book" / name, folder / "book" / name)
    (folder / "book" / "reference").mkdir()
    shutil.copy(ROOT / "book/reference/references.bib", folder / "book/reference")
    for name in ("_config.yml", "CITATION.cff", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    (folder / "book/_ext/finding.yml").write_text("{}\n")
    (folder / "_toc.yml").write_text(TOC)
    (folder / "book/intro.md").write_text(INTRO)
    nbformat.write(notebook(), folder / "book/ravine.ipynb")
    build = Path(sys.executable).with_name("jupyter-book")
    command = [build, "build", "-q", "-W", "-n", "--keep-going", folder]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder / "_build" / "html"


@pytest.fixture(scope="session")
def home(book, serve):
    """Where the small book is served."""
    return serve(book)


@pytest.fixture
def visit(browser, home):
    """What opens a page in a browser that is set up as it says; at the end nothing went wrong."""
    opened = []

    def at(name, base=home, **settings):
        context = browser.new_context(**{"reduced_motion": "reduce"} | settings)
        page = context.new_page()
        scripts = settings.get("java_script_enabled", True)  # else their files are given up
        opened.append((context, page, watch(page, base) if scripts else []))
        page.goto(f"{base}/book/{name}.html")
        return page

    yield at
    for context, page, found in opened:
        page.wait_for_load_state("networkidle")
        context.close()
        assert not found


def choose(root, explorer, setting):
    """Move the sliders to a setting, as a drag would."""
    places = explorer._index(setting)
    for i, place in enumerate(places):
        root.locator(".explorer input").nth(i).evaluate(
            "(e, i) => { e.value = i; e.dispatchEvent(new Event('input', {bubbles: true})); }",
            place,
        )


def outline(root, selector):
    """Return the points of a path as it is drawn."""
    d = root.locator(selector).get_attribute("d")
    pairs = re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", d)
    return np.array(pairs, dtype=float).reshape(-1, 2)


def settings(explorer):
    """Ten settings of a grid, its corners among them."""
    counts = explorer.packed["counts"]
    places = np.linspace(0, np.prod(counts) - 1, 10).round().astype(int)
    for place in places:
        at = np.unravel_index(place, counts)
        yield {n: k.values[i] for (n, k), i in zip(explorer.knobs.items(), at, strict=True)}


def drawn(explorer, points):
    """Turn points of the surface into the picture's, 720 wide and 330 high."""
    (left, right), (low, high) = explorer.window
    share = (points - [left, low]) / [right - left, high - low]
    return np.stack([share[:, 0] * 720, (1 - share[:, 1]) * 330], axis=1)


@pytest.mark.parametrize(
    ("name", "ident", "explorer"),
    [("ravine", "fig-ravine", RAVINE), ("intro", "fig-valley", VALLEY)],
    ids=["notebook", "directive"],
)
def test_ten_settings_are_drawn_as_the_package_runs_them(visit, name, ident, explorer):
    root = visit(name).locator(f"figure#{ident}")
    (left, right), (low, high) = explorer.window
    pixels = np.array(explorer.precision) * [720 / (right - left), 330 / (high - low)] + 0.005
    spans = np.array([8 * (right - left), 8 * (high - low)]) / 2
    bottom, top = explorer.decades
    ends = 0
    for setting in settings(explorer):
        choose(root, explorer, setting)
        run, reading = explorer.trajectory(setting), explorer.reading(setting)
        assert root.locator(".reading b").text_content() == str(reading)
        centre = [(left + right) / 2, (low + high) / 2]
        inside = np.all(np.abs(run.points - centre) <= spans, axis=-1)
        way, expected = outline(root, ".way"), drawn(explorer, run.points)
        until = len(inside) if inside.all() else int(inside.argmin())
        assert np.all(np.abs(way[:until] - expected[:until]) <= pixels)
        end = outline(root, ".landscape .end")
        assert len(end) == (1 if inside[-1] else 0)
        if inside[-1]:
            ends += 1
            assert np.all(np.abs(end - expected[-1]) <= pixels)
            np.testing.assert_array_equal(end[0], way[-1])
        above = (run.losses - explorer.lowest) / (run.losses[0] - explorer.lowest)
        with np.errstate(invalid="ignore", over="ignore"):
            powers = np.clip(np.log10(np.maximum(above, 1e-9)), -9, 4)
        curve = outline(root, ".curve")
        assert np.allclose(curve[:, 0], np.arange(len(above)) / explorer.steps * 1000, atol=0.006)
        heights = (top - powers) / (top - bottom) * 1000
        assert np.allclose(curve[:, 1], heights, atol=0.1)
    assert ends >= 5


def test_two_on_a_page_have_their_own_sliders_numbers_and_captions(visit):
    page = visit("intro")
    first, second = page.locator("figure#fig-valley"), page.locator("figure#fig-other")
    before = second.locator(".way").get_attribute("d")
    choose(first, VALLEY, {"lr": 1})
    assert second.locator(".way").get_attribute("d") == before
    assert first.locator("figcaption strong").text_content() == "saddle"
    assert first.locator("figcaption .katex").count() == 1
    assert second.locator(".value").all_text_contents() == ["0.2"]
    links = page.locator("article a.reference.internal").all_text_contents()
    assert {"Fig. 1", "Fig. 2"} <= set(links)
    idents = page.locator(".explorer input").evaluate_all("all => all.map((e) => e.id)")
    assert len(set(idents)) == len(idents) == 4


def tab_to(page, name):
    """Press Tab until the control with that label has the focus."""
    for _ in range(100):
        if page.evaluate("document.activeElement.labels?.[0]?.textContent") == name:
            return
        page.keyboard.press("Tab")
    pytest.fail(f"no Tab leads to {name}")


def test_keyboard_alone_reaches_and_moves_each_slider(visit):
    page = visit("ravine")
    for name, knob in zip(("rate η", "momentum μ"), RAVINE.knobs.values(), strict=True):
        tab_to(page, name)
        page.keyboard.press("ArrowLeft")
        told = page.get_by_role("slider", name=name).get_attribute("aria-valuetext")
        assert told == knob.texts[knob.values.index(knob.at) - 1]
    page.keyboard.press("Home")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Reset"
    lr = RAVINE.knobs["lr"]
    other = {"lr": lr.values[lr.values.index(lr.at) - 1], "momentum": 0}
    reading = page.locator(".reading")
    assert reading.locator("b").text_content() == str(RAVINE.reading(other))
    page.keyboard.press("Enter")
    assert reading.locator("b").text_content() == str(RAVINE.reading())
    assert reading.get_attribute("aria-live") == "polite"
    assert page.locator(".value").all_text_contents() == ["0.05", "0.9"]


def test_tracks_tell_what_their_values_would_come_to(visit):
    page = visit("ravine")
    choose(page, RAVINE, {"momentum": 0})
    kinds = (
        page.locator(".outcomes").first.locator("i").evaluate_all("a => a.map(e => e.className)")
    )
    codes = [RAVINE.reading({"lr": lr, "momentum": 0}).code for lr in RAVINE.knobs["lr"].values]
    assert kinds == [{-1: "short", -2: "lost"}.get(code, "there") for code in codes]
    assert {"short", "lost", "there"} == set(kinds)


def test_without_scripts_the_figure_stands(visit):
    page = visit("ravine", java_script_enabled=False)
    assert page.locator("figure#fig-ordinary img").is_visible()
    assert page.locator("figure#fig-ravine img").is_visible()
    assert page.locator(".explorer").is_hidden()
    page = visit("ravine")
    assert page.locator("figure#fig-ordinary img").is_visible()
    assert page.locator("figure#fig-ravine img").is_hidden()
    assert page.locator(".explorer").is_visible()


def test_in_print_the_figure_stands(visit):
    page = visit("ravine")
    page.emulate_media(media="print")
    assert page.locator("figure#fig-ravine img").is_visible()
    assert page.locator(".explorer").is_hidden()


def test_the_printed_figure_is_there_though_it_was_never_seen(visit):
    page = visit("ravine", viewport={"width": 1280, "height": 300})
    page.wait_for_load_state("networkidle")
    assert page.locator("figure#fig-ravine img").is_hidden()
    width = page.locator("figure#fig-ravine img").get_attribute("width")
    pictures = re.findall(rb"/Subtype /Image\s*/Width (\d+)", page.pdf())
    assert pictures.count(width.encode()) == 2


def test_reduced_motion_shows_the_end_at_once(visit):
    page = visit("ravine")
    page.get_by_role("button", name="Play").click()
    assert len(outline(page, ".way")) == 61
    assert page.locator(".counter").text_content() == ""
    assert page.get_by_role("button", name="Play").is_visible()


def test_play_goes_step_by_step_and_ends_with_the_whole_path(visit):
    page = visit("intro", reduced_motion="no-preference")
    figure = page.locator("figure#fig-other")
    figure.get_by_role("button", name="Play").click()
    page.wait_for_function(
        "/^step [1-9]$/.test(document.querySelectorAll('.counter')[1].textContent)"
    )
    figure.get_by_role("button", name="Play").wait_for()
    assert len(outline(figure, ".way")) == 11
    figure.get_by_role("button", name="Play").click()
    page.wait_for_function("document.querySelectorAll('.way')[1].getAttribute('d').length < 60")
    figure.get_by_role("button", name="Stop").click()
    assert len(outline(figure, ".way")) == 11
    figure.get_by_role("button", name="Play").click()
    figure.locator("input").focus()
    page.keyboard.press("End")
    assert len(outline(figure, ".way")) == 11
    assert figure.get_by_role("button", name="Play").is_visible()


def test_works_from_a_folder(visit, book):
    page = visit("ravine", base=book.as_uri())
    choose(page, RAVINE, {"lr": 0.2})
    assert page.locator(".reading b").text_content() == str(RAVINE.reading({"lr": 0.2}))


@pytest.mark.parametrize("name", ["ravine", "intro"])
def test_fits_a_narrow_screen_with_targets_for_a_thumb(visit, name):
    page = visit(name, viewport={"width": 390, "height": 800}, has_touch=True)
    assert page.evaluate(BEYOND) == []
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    sizes = page.locator(".explorer :is(input, button)").evaluate_all(
        "all => all.map((e) => e.getBoundingClientRect()).map((r) => [r.width, r.height])"
    )
    assert min(width for width, _ in sizes) >= 44
    assert min(height for _, height in sizes) >= 32
    slider = page.locator(".explorer input").first
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] - 3, box["y"] + box["height"] / 2)
    assert slider.input_value() == slider.get_attribute("max")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["ravine", "intro"])
def test_axe_finds_nothing(visit, name, scheme):
    found = axe(visit(name, color_scheme=scheme))
    assert not found, "\n".join(found)


CONTRAST = """
([run, selector]) => {
  const root = document.querySelector(".explorer");
  root.style.setProperty("--run", run);
  const light = (colour) => {
    const pen = document.createElement("canvas").getContext("2d");
    pen.fillStyle = colour;
    pen.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...pen.getImageData(0, 0, 1, 1).data].map((c) => c / 255)
      .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
  };
  const style = (e) => getComputedStyle(root.querySelector(e));
  const pair = [light(style(selector).stroke), light(style(".landscape").backgroundColor)];
  return Math.max(...pair) / Math.min(...pair);
}
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_methods_path_stands_out(visit, scheme):
    page = visit("ravine", color_scheme=scheme)
    faint = {
        name: ratio
        for name, colour in plot.COLOURS.items()
        if (ratio := page.evaluate(CONTRAST, [colour, ".way"])) < 2
    }
    assert not faint


def test_nothing_moves_while_the_page_loads(visit):
    page = visit("ravine", viewport={"width": 1280, "height": 1400})
    moved = page.evaluate(
        """() => new Promise((told) => new PerformanceObserver((list) => told(
          list.getEntries().reduce((sum, e) => sum + e.value, 0)))
          .observe({type: "layout-shift", buffered: true}) || setTimeout(() => told(0), 500))"""
    )
    height = page.locator(".explorer").evaluate("e => e.getBoundingClientRect().height")
    choose(page, RAVINE, {"lr": 0.2, "momentum": 0})
    assert page.locator(".explorer").evaluate("e => e.getBoundingClientRect().height") == height
    assert moved < 0.01


def test_a_redraw_takes_less_than_a_frame(visit):
    took = visit("ravine").evaluate(
        """() => {
          const slider = document.querySelector(".explorer input"), took = [];
          for (let i = 0; i < 48; i++) {
            slider.value = i % 12;
            const began = performance.now();
            slider.dispatchEvent(new Event("input"));
            document.body.offsetHeight;
            took.push(performance.now() - began);
          }
          return took.sort((a, b) => a - b)[24];
        }"""
    )
    assert took < 16


def test_pages_without_one_load_nothing_of_it_and_others_keep_to_its_budget(book):
    assert "explorer.js" not in (book / "genindex.html").read_text()
    for name in ("ravine", "intro"):
        page = (book / "book" / f"{name}.html").read_text()
        assert page.count("explorer.js") == page.count("explorer.css") == 1
        for found in re.findall(r'<script type="application/json">(.*?)</script>', page):
            assert len(found.encode()) <= MOST
        for found in re.findall(r'<div class="explorer".*?</figure>', page, re.DOTALL):
            assert len(found.encode()) <= MOST + 60_000
