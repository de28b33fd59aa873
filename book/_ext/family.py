"""The family tree as a drawing in which every name leads to its page.

On the site it takes the place of the notebook's picture, in the figure `fig-family-tree`. There are
two drawings, for a screen and for a telephone; the style sheet shows one of them.
"""

from html import escape

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import SphinxError

from optim_scratch.family import NARROW, WIDE, Layout, Member, Spot, Tree
from optim_scratch.plot import member_colour
from optim_scratch.registry import Setting

FIGURE = "fig-family-tree"


def drawing(layout: Layout, addresses: dict[str, str], kind: str) -> str:
    """Return a layout as SVG."""
    links = "".join(
        f'<path class="link" d="{layout.way(*link)}"/>'
        f'<path class="tip" d="M{link[1].x - layout.radius - 5:g} {link[1].y - 3:g}l3 3l-3 3"/>'
        for link in layout.links()
    )
    members = "".join(member(spot, layout, addresses[spot.member.name]) for spot in layout.spots)
    return (
        f'<svg class="{kind}" viewBox="0 0 {layout.width:g} {layout.height:g}" role="group" '
        f'aria-label="Family tree of the optimizers">{links}{members}</svg>'
    )


def member(spot: Spot, layout: Layout, address: str) -> str:
    """Return a member with what stands beside it, as a link to its page."""
    below = layout.width == NARROW
    ring = " ring" if isinstance(spot.member, Setting) else ""
    name_x, first = spot.x + 2.6 * layout.radius, spot.y + (19 if below else 0)
    year_x = 'dx="0.25em"' if below else f'x="{layout.width - 4:g}" text-anchor="end"'
    lines = "".join(
        f'<text class="flaw" x="{spot.aside:g}" y="{first + 17 * i:g}"> {escape(line)}</text>'
        for i, line in enumerate(spot.lines)
    )
    heading = (
        f'<text class="family" x="{spot.x - layout.radius:g}" y="{spot.y - 24:g}">'
        f"{escape(spot.heading)}</text>"
        if spot.heading
        else ""
    )
    return (
        f'{heading}<a href="{escape(address)}">'
        f'<rect x="{spot.x - 2 * layout.radius:g}" y="{spot.y - 13:g}" rx="4" '
        f'width="{layout.width - spot.x + 2 * layout.radius:g}" height="{spot.height - 3:g}"/>'
        f'<circle class="member{ring}" style="--run: {member_colour(spot.member)}" '
        f'cx="{spot.x:g}" cy="{spot.y:g}" r="{layout.radius:g}"/>'
        f'<text x="{name_x:g}" y="{spot.y:g}">'
        f'<tspan class="name">{escape(spot.member.name)}</tspan> '
        f'<tspan class="year" {year_x}>{spot.member.year}</tspan></text>{lines}</a>'
    )


def target(app: Sphinx, page: str, member: Member) -> str:
    """Return the address of a member's page as seen from another; while it has none, the API's."""
    chapter = f"book/{member.chapter}"
    if chapter in app.env.found_docs:
        return app.builder.get_relative_uri(page, chapter)
    name = f"optim_scratch.optimizers.{member.name}"
    found = app.env.get_domain("py").objects.get(name)
    if found is None:
        raise SphinxError(f"{member.name} has neither a page nor an entry in the API")
    return f"{app.builder.get_relative_uri(page, found.docname)}#{found.node_id}"


def enliven(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Put the drawing before the picture, which the style sheet hides."""
    if app.builder.format != "html":
        return
    for figure in [f for f in doctree.findall(nodes.figure) if FIGURE in f["names"]]:
        tree = Tree()
        addresses = {m.name: target(app, page, m) for m in tree.members()}
        drawn = "".join(
            drawing(tree.layout(width), addresses, kind)
            for width, kind in ((WIDE, "wide"), (NARROW, "narrow"))
        )
        html = f'<div class="family-tree">{drawn}</div>'
        figure.insert(0, nodes.raw("", html, format="html"))


def add_files(
    app: Sphinx, page: str, template: str, context: dict[str, object], doctree: object
) -> None:
    """Load the style on the page that has the tree."""
    if '<div class="family-tree"' in str(context.get("body", "")):
        app.add_css_file("family.css")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the hooks."""
    app.connect("doctree-resolved", enliven)
    app.connect("html-page-context", add_files)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
