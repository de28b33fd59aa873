"""Drop thebe from every page: Jupyter Book always adds it, twice, from a foreign host."""

from sphinx.application import Sphinx


def drop_thebe(
    app: Sphinx, page: str, template: str, context: dict[str, object], doctree: object
) -> None:
    """Remove the scripts and style sheets named thebe from a page's context."""
    for kind in ("script_files", "css_files"):
        files = context.get(kind) or []
        context[kind] = [file for file in files if not is_thebe(file)]


def is_thebe(file: object) -> bool:
    """Tell whether a script or style sheet belongs to thebe (an inline one has a body)."""
    attributes = getattr(file, "attributes", {})
    return "thebe" in f"{getattr(file, 'filename', file)} {attributes.get('body', '')}".lower()


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the hook, after every extension has added its files."""
    app.connect("html-page-context", drop_thebe, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
