"""Sliders in place of the figure of an `Explorer`, from a notebook's output or a directive.

A cell that shows an explorer has its specification in the output. When the page is built, the
package runs the grid, and the packed runs stand in the figure beside the picture; the script
`_static/explorer.js` draws them. Without it, and in print, the picture stands.

The directive ``explorer`` does the same in Markdown: its content is a specification in YAML (see
`Explorer.of`), its options are ``name``, ``caption`` and ``alt``.
"""

import base64
import io
import json
from html import escape
from typing import ClassVar

import nbformat
import numpy as np
import yaml
from docutils import nodes
from docutils.parsers.rst import directives
from landscape import View, shade
from matplotlib.ticker import MaxNLocator
from PIL import Image
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from optim_scratch import plot
from optim_scratch.explorer import MIME, Explorer

logger = logging.getLogger(__name__)

WIDTH, HEIGHT, CHART = 720, 330, 1000

# At once, before anything is painted, so that nothing moves on the page.
SHOW = '<script>document.currentScript.closest("figure").classList.add("explored")</script>'


def html(explorer: Explorer, name: str) -> str:
    """Return everything that a figure's explorer needs: picture, sliders, curve, runs."""
    label = f"{explorer.optimizer.__name__} on the surface {explorer.surface.name}"
    look = plot.look(explorer.name)
    packed = json.dumps(explorer.packed, ensure_ascii=False, separators=(",", ":"))
    return (
        f'<div class="explorer" role="group" aria-label="Explorer: {escape(label)}" '
        f'style="--run: {look["color"]}">{picture(explorer)}{controls(explorer, name)}'
        f'{losses(explorer)}<script type="application/json">{packed.replace("<", "")}</script>'
        f"{SHOW}</div>"
    )


def picture(explorer: Explorer) -> str:
    """Return the surface, with its axes, and place for the path."""
    view = View(*explorer.window, WIDTH, HEIGHT)
    goals = share(view, np.array(explorer.surface.minima))
    stars = "".join(f'<b class="goal" style="{place(x, y)}">★</b>' for x, y in goals if 0 <= x <= 1)
    ticks = "".join(
        f'<span class="tick {axis}" style="{side}: {(value - low) / (high - low):.2%}">'
        f"{told(value)}</span>"
        for axis, side, (low, high) in (("x", "left", view.x), ("y", "bottom", view.y))
        for value in MaxNLocator(6, steps=[1, 2, 5, 10]).tick_values(low, high)
        if 0.03 <= (value - low) / (high - low) <= 0.97
    )
    drawing = "".join(f'<path class="{part}"/>' for part in ("way", "steps", "begin", "rim", "end"))
    sized = f'viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none"'
    return (
        f'<div class="landscape"><svg {sized} role="img" '
        f'aria-label="Path on the surface {escape(explorer.surface.name)}">'
        f'{shade(explorer.surface, view)}</svg><div aria-hidden="true">{ticks}{stars}'
        f'<svg class="path" {sized}>{drawing}</svg><span class="counter"></span></div></div>'
    )


def share(view: View, points: np.ndarray) -> np.ndarray:
    """Return where points stand in the picture, in shares of its width and height."""
    return view.pixels(points) / [view.width, view.height]


def place(x: float, y: float) -> str:
    """Return the style of what stands at shares of a picture's width and height."""
    return f"left: {x:.2%}; top: {y:.2%}"


def told(value: float) -> str:
    """Return a number of an axis."""
    return f"{value:g}".replace("-", "−")


def controls(explorer: Explorer, name: str) -> str:
    """Return the sliders, the reading and the buttons."""
    at = explorer.packed["at"]
    knobs = zip(explorer.labels(), at, explorer.packed["values"], strict=True)
    sliders = "".join(slider(f"{name}-{i}", *knob) for i, knob in enumerate(knobs))
    reached = explorer.packed["reached"]
    last = explorer.packed["last"][np.ravel_multi_index(at, explorer.packed["counts"])]
    key = "".join(
        f'<li class="{kind}">{words}</li>'
        for kind, words, shown in (
            ("few", "few steps", max(reached) >= 0),
            ("many", "many", max(reached) >= 0),
            ("short", f"over {explorer.steps}", -1 in reached),
            ("lost", "diverges", -2 in reached),
        )
        if shown
    )
    return (
        f'<div class="controls">{sliders}<ul class="key" aria-hidden="true">{key}</ul>'
        f'<p class="reading" aria-live="polite" aria-atomic="true"><b>{explorer.reading()}</b> '
        f"<span>Loss after {explorer.steps} steps: {last}</span></p>"
        '<p class="buttons"><button type="button" class="play">Play</button> '
        '<button type="button" class="reset">Reset</button></p></div>'
    )


def slider(ident: str, label: str, at: int, texts: list[str]) -> str:
    """Return one slider, over the numbers of its values."""
    return (
        f'<div class="knob"><label for="{ident}">{escape(label)}</label>'
        f'<span class="value" aria-hidden="true">{texts[at]}</span><div class="track">'
        f'<div class="outcomes" aria-hidden="true">{"<i></i>" * len(texts)}</div>'
        f'<input type="range" id="{ident}" min="0" max="{len(texts) - 1}" step="1" value="{at}" '
        f'aria-valuetext="{texts[at]}" autocomplete="off"></div></div>'
    )


def losses(explorer: Explorer) -> str:
    """Return the axes of the losses, and place for the curve."""
    bottom, top = explorer.decades
    first = np.log10(explorer.trajectory().losses[0] - explorer.lowest)
    low, high = int(np.ceil(first + bottom)), int(np.floor(first + top))
    powers = range(high, low - 1, -max(1, round((high - low) / 4)))
    rows = [(power, (first + top - power) / (top - bottom)) for power in powers]
    grid = "".join(f"M0 {CHART * y:.0f}h{CHART}" for _, y in rows)
    names = "".join(
        f'<span class="tick y" style="top: {y:.2%}">{power_of_ten(power)}</span>'
        for power, y in rows
    )
    columns = "".join(
        f'<span class="tick x {"last" if step == explorer.steps else ""}" '
        f'style="left: {step / explorer.steps:.2%}">{step:g}</span>'
        for step in MaxNLocator(6, steps=[1, 2, 5, 10], integer=True).tick_values(0, explorer.steps)
        if step <= explorer.steps
    )
    goal = (top + 2) / (top - bottom)
    title = "Loss above the least" if explorer.lowest else "Loss"
    return (
        f'<div class="losses"><svg viewBox="0 0 {CHART} {CHART}" preserveAspectRatio="none" '
        f'role="img" aria-label="Loss by step, on a logarithmic axis" '
        f'data-ends="{bottom} {top}"><path class="grid" d="{grid}"/>'
        f'<path class="aim" d="M0 {CHART * goal:.0f}h{CHART}"/><path class="curve"/>'
        f'<path class="rim"/><path class="end"/></svg><div aria-hidden="true">'
        f'<span class="title">{title}, by step</span><span class="aim" style="top: {goal:.2%}">'
        f"1 %</span>{names}{columns}</div></div>"
    )


def power_of_ten(power: int) -> str:
    """Return a power of ten as it stands on an axis."""
    return f"10<sup>{told(power)}</sup>"


def collect(app: Sphinx, page: str, source: list[str]) -> None:
    """Take the specifications out of a notebook's source, where MyST-NB would wonder at them."""
    if MIME not in source[0] or not app.env.doc2path(page).endswith(".ipynb"):
        return
    notebook = nbformat.reads(source[0], as_version=4)
    found = [
        (cell.metadata.get("mystnb", {}).get("figure", {}).get("name"), output.data.pop(MIME))
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if MIME in output.get("data", {})
    ]
    source[0] = nbformat.writes(notebook)
    app.env.temp_data["explorers"] = found


def enliven(app: Sphinx, doctree: nodes.document) -> None:
    """Put the explorers of a notebook into their figures."""
    for name, specification in app.env.temp_data.get("explorers", []):
        figures = [f for f in doctree.findall(nodes.figure) if name in f["names"]]
        if not figures:
            logger.warning("the figure of an explorer has no name", location=app.env.docname)
            continue
        explorer = Explorer.of(specification)
        figures[0].insert(1, nodes.raw("", html(explorer, figures[0]["ids"][0]), format="html"))


class Explore(SphinxDirective):
    """Show an explorer, and without scripts the figure of its default setting."""

    has_content = True
    option_spec: ClassVar = {
        "name": directives.unchanged_required,
        "caption": directives.unchanged_required,
        "alt": directives.unchanged_required,
    }

    def run(self) -> list[nodes.Node]:
        """Return the figure."""
        if missing := set(self.option_spec) - set(self.options):
            raise self.error(f"an explorer needs the option {min(missing)}")
        try:
            explorer = Explorer.of(yaml.safe_load("\n".join(self.content)))
        except (TypeError, ValueError, KeyError) as error:
            raise self.error(f"{type(error).__name__}: {error}") from error
        figure = nodes.figure()
        self.add_name(figure)
        figure += nodes.image(uri=still(explorer), alt=self.options["alt"])
        figure += nodes.raw("", html(explorer, figure["ids"][0]), format="html")
        words, messages = self.parse_inline(self.options["caption"])
        figure += nodes.caption("", "", *words)
        self.set_source_info(figure)
        return [figure, *messages]


def still(explorer: Explorer) -> str:
    """Return the figure of the default setting as an address that holds it whole."""
    out = io.BytesIO()
    drawn = Image.open(io.BytesIO(plot.as_png(plot.exploration(explorer)))).convert("RGB")
    drawn.quantize(256, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(out.getvalue()).decode()}"


def add_files(
    app: Sphinx, page: str, template: str, context: dict[str, object], doctree: object
) -> None:
    """Load the script and the style on pages that have an explorer."""
    if '<div class="explorer"' in str(context.get("body", "")):
        app.add_css_file("explorer.css")
        app.add_js_file("explorer.js", loading_method="defer")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive and the hooks."""
    app.add_directive("explorer", Explore)
    app.connect("source-read", collect)
    app.connect("doctree-read", enliven)
    app.connect("html-page-context", add_files)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
