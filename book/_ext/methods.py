"""The directive ``methods``: the registry's methods of one kind, as a table."""

from typing import ClassVar

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from optim_scratch import registry

HEAD = ["| method | what it does | chapter | in `torch.optim` | source |", "|---|---|---|---|---|"]


class Methods(SphinxDirective):
    """List the methods of the kind named by the argument."""

    required_arguments = 1
    option_spec: ClassVar = {}

    def run(self) -> list[nodes.Node]:
        """Return the table, parsed as the Markdown that an author would write."""
        rows = [self.row(method) for method in registry.methods(self.arguments[0])]
        holder = nodes.container()
        self.state.nested_parse(StringList(HEAD + rows, source="registry"), 0, holder)
        return holder.children

    def row(self, method: registry.Method) -> str:
        """Return one line; a chapter that is not in the book yet is not linked."""
        name = f"{{py:class}}`~optim_scratch.{method.module.split('.')[0]}.{method.name}`"
        page = f"book/{method.chapter}"
        chapter = f"{{doc}}`/{page}`" if page in self.env.found_docs else "to come"
        torch = f"`{method.torch.removeprefix('torch.optim.')}`" if method.torch else "none"
        return f"| {name} | {method.summary} | {chapter} | {torch} | {method.source} |"


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("methods", Methods)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
