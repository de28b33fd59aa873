"""Set formulas when the site is built, with KaTeX, in a JavaScript engine from a Python package.

A reader's browser then has nothing to compute, and a formula that KaTeX does not know is a warning
of the build, not a red box on the page. Beside each formula stands its MathML, for screen readers.
KaTeX's files come from its npm package, unchanged: the program in `katex/`, style and fonts in
`_static/katex/`.
"""

import functools
import re
from pathlib import Path

from docutils import nodes
from py_mini_racer import JSEvalException, MiniRacer
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number
from sphinx.writers.html5 import HTML5Translator

logger = logging.getLogger(__name__)

KATEX = Path(__file__).parent / "katex" / "katex.min.js"
SET = """(tex, displayMode) => katex.renderToString(tex, {displayMode, strict: "error"})"""
SOURCE = re.compile(r"<annotation.*?</annotation>", re.DOTALL)
IN_TEXT = re.compile(r"\\text(?:tt|bf|it)?\{[^{}]*\}")
STARRED = re.compile(r"\\(begin|end)\{(equation|align|gather|alignat|multline)\}")
OPENING = re.compile(r"[(\[‘“]+$")
CLOSING = re.compile(r"^(?:[.,;:!?)\]’”…%'-]+s?(?=\s|$)|[.,;:!?)\]’”…%]+)")
PART, ENDS = '<span class="katex-base">', "</span></span>"


@functools.cache
def engine() -> MiniRacer:
    """Start JavaScript and load KaTeX into it, once a build."""
    context = MiniRacer()
    context.eval("var self = this;" + KATEX.read_text(encoding="utf-8"))
    context.eval(f"var set = {SET}")
    return context


@functools.cache
def typeset(tex: str, display: bool) -> str:
    """Return a formula as HTML and MathML.

    The MathML goes without the TeX that KaTeX adds to it: search would show it, and find it.
    """
    tex = IN_TEXT.sub(lambda text: re.sub(r"(?<!\\)_", r"\\_", text[0]), tex)
    try:
        html = engine().call("set", tex.strip(), display)
    except JSEvalException as error:
        raise ValueError(str(error).splitlines()[0]) from None
    return SOURCE.sub("", html)


def displayed(tex: str, nowrap: bool) -> str:
    """Return what Sphinx would have LaTeX see of a display formula, its number apart.

    Lines that end in two backslashes are aligned; formulas with an empty line between stand below
    each other; an environment of its own goes as it is, but for the number that it would count.
    """
    if nowrap:
        return STARRED.sub(r"\\\1{\2*}", tex)
    parts = [part.strip() for part in tex.split("\n\n") if part.strip()]
    lines = [rf"\begin{{split}}{part}\end{{split}}" if r"\\" in part else part for part in parts]
    below = r"\\".join(lines)
    return below if len(lines) == 1 else rf"\begin{{gathered}}{below}\end{{gathered}}"


def written(node: nodes.Node, tex: str, display: bool) -> str:
    """Typeset a node's formula, or warn, with its place in the source."""
    try:
        return typeset(tex, display)
    except ValueError as error:
        logger.warning("formula %r: %s", tex, error, location=node, type="formulas")
        return ""


class Tie(SphinxPostTransform):
    """Give a formula the brackets, commas and full stops that touch it.

    A browser may end a line on either side of a formula, and a comma would then begin the next.
    """

    default_priority = 700
    formats = ("html",)

    def run(self, **_: object) -> None:
        for node in self.document.findall(nodes.math):
            at = node.parent.index(node)
            self.take(node, "opening", at - 1, OPENING)
            self.take(node, "closing", at + 1, CLOSING)

    @staticmethod
    def take(node: nodes.math, key: str, at: int, touching: re.Pattern) -> None:
        """Move from the text at this place of the paragraph what touches the formula."""
        siblings = node.parent.children
        text = siblings[at] if 0 <= at < len(siblings) else None
        found = isinstance(text, nodes.Text) and touching.search(text)
        if found:
            node[key] = found[0]
            node.parent.replace(text, nodes.Text(text[: found.start()] + text[found.end() :]))


def tied(html: str, opening: str, closing: str) -> str:
    """Keep what touches a formula on its line: with all of it, or with its first or last part.

    KaTeX writes a formula in parts between which a line may end.
    """
    head, *parts = html.removesuffix(ENDS).split(PART)
    if len(parts) == 1:
        return f'<span class="tied">{opening}{html}{closing}</span>'
    before, after = (f'<span class="text">{text}</span>' for text in (opening, closing))
    parts[0] = f'<span class="tied">{before}{PART}{parts[0]}</span>'
    parts[-1] = f'<span class="tied">{PART}{parts[-1]}{after}</span>'
    return head + parts[0] + "".join(PART + part for part in parts[1:-1]) + parts[-1] + ENDS


def visit_inline(self: HTML5Translator, node: nodes.math) -> None:
    """Write a formula within a line."""
    self.body.append(self.starttag(node, "span", "", CLASS="math"))
    html = written(node, node.astext(), False)
    touching = [self.encode(node.get(key, "")) for key in ("opening", "closing")]
    self.body.append(f"{tied(html, *touching) if html and any(touching) else html}</span>")
    raise nodes.SkipNode


def visit_display(self: HTML5Translator, node: nodes.math_block) -> None:
    """Write a formula of its own line, with its number and a link to it where it has them."""
    self.body.append(self.starttag(node, "div", "", CLASS="math"))
    if node["number"]:
        self.body.append(f'<span class="eqno">({get_node_equation_number(self, node)})')
        self.add_permalink_ref(node, "Link to this equation")
        self.body.append("</span>")
    tex = displayed(node.astext(), node["nowrap"])
    self.body.append(f"{written(node, tex, True)}</div>\n")
    raise nodes.SkipNode


def add_style(app: Sphinx, page: str, template: str, context: dict, doctree: object) -> None:
    """Load KaTeX's style and fonts where there are formulas."""
    if app.env.get_domain("math").has_equations(page):
        app.builder.add_css_file("katex/katex.min.css", priority=150)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the way formulas are written."""
    app.add_post_transform(Tie)
    app.add_html_math_renderer("formulas", (visit_inline, None), (visit_display, None))
    app.connect("html-page-context", add_style)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
