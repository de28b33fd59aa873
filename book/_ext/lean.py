"""Leave out of every page what it does not use, and load the rest without holding up the text.

- thebe: Jupyter Book always adds it, twice, from a foreign host;
- fontawesome.js, 1.5 MB of which a page shows a dozen icons: they stand in `_static/icons.css`;
- the scripts of the search page, on every other page (`_templates/layout.html` lacks them);
- marks around the parts of code that have no colour of their own: two thirds of all its marks;
- pictures say how large they are, so that nothing jumps, load when they are needed, and lead to
  themselves in full size.
"""

import re
from collections.abc import Callable
from pathlib import Path

import imagesize
from sphinx.application import Sphinx

IMAGE = re.compile(r"(<a\b[^>]*>\s*)?(<img\b[^>]*>)")
FONTAWESOME = re.compile(r"<(?:script[^>]*fontawesome[^>]*></script|link[^>]*fontawesome[^>]*)>")
THEBE = re.compile(
    r'<script type="text/x-thebe-config">.*?</script>|<script>kernelName.*?</script>', re.DOTALL
)
PLAIN = re.compile(r'<span class="(?:n|nn|p|w)">([^<]*)</span>')  # names, brackets, spaces
AT_ONCE = ("documentation_options.js",)  # a script in the page changes what it defines


def trim_scripts(
    app: Sphinx, page: str, template: str, context: dict[str, object], doctree: object
) -> None:
    """Drop thebe's scripts and style sheets, and defer the others, but where search needs them."""
    for kind in ("script_files", "css_files"):
        files = context.get(kind) or []
        context[kind] = [file for file in files if not is_thebe(file)]
    for script in context["script_files"]:
        name = str(getattr(script, "filename", "") or "").partition("?")[0]
        if page == "search" or not name or name.endswith(AT_ONCE):
            script.attributes.pop("defer", None)  # one object serves all pages
        else:
            script.attributes["defer"] = "defer"


def is_thebe(file: object) -> bool:
    """Tell whether a script or style sheet belongs to thebe (an inline one has a body)."""
    attributes = getattr(file, "attributes", {})
    return "thebe" in f"{getattr(file, 'filename', file)} {attributes.get('body', '')}".lower()


def without_fontawesome(head: str) -> str:
    """Return the head of a page without that script, and without the fonts that come with it."""
    return FONTAWESOME.sub("", head)


def lighten(
    app: Sphinx, page: str, template: str, context: dict[str, object], doctree: object
) -> None:
    """Thin a page's text out, give its pictures their sizes, and let all but the first wait."""
    names = {name: Path(app.srcdir, source) for source, name in app.builder.images.items()}
    seen = 0

    def sized(match: re.Match) -> str:
        nonlocal seen
        seen += 1
        image = with_size(match[2], names.get, first=seen == 1)
        return f"{match[1]}{image}" if match[1] else linked(image)

    if context.get("body"):
        thin = PLAIN.sub(r"\1", THEBE.sub("", context["body"]))
        context["body"] = IMAGE.sub(sized, thin)


def with_size(tag: str, find: Callable[[str], Path | None], first: bool) -> str:
    """Return an image's tag with its size in pixels, and with when to load and decode it."""
    source = re.search(r'src="([^"]*)"', tag)
    path = find(Path(source[1]).name) if source else None
    told = {"decoding": "async"} | ({} if first else {"loading": "lazy"})
    if path and path.is_file():
        width, height = imagesize.get(path)
        told |= {"width": width, "height": height}
    new = "".join(f' {key}="{value}"' for key, value in told.items() if f" {key}=" not in tag)
    return f"<img{new}{tag[4:]}"


def linked(image: str) -> str:
    """Link a picture of the book to itself: a tap on a telephone shows it alone, to zoom."""
    source = re.search(r'src="([^"]*_images/[^"]*)"', image)
    return f'<a class="full-size" href="{source[1]}">{image}</a>' if source else image


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the hooks, after every extension has added its files."""
    app.connect("html-page-context", trim_scripts, priority=900)
    app.connect("html-page-context", lighten, priority=900)
    app.connect(
        "builder-inited",
        lambda app: app.builder.templates.environment.filters.update(
            without_fontawesome=without_fontawesome
        ),
    )
    return {"parallel_read_safe": True, "parallel_write_safe": True}
