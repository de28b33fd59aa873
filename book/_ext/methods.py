"""The directive ``methods``: the registry's methods of one kind, as a table."""

from typing import ClassVar

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from optim_scratch import registry

COLUMNS = {
    "optimizer": [
        "method",
        "what it does",
        "family",
        "memory",
        "chapter",
        "in `torch.optim`",
        "source",
    ],
    "scheduler": ["method", "what it does", "chapter", "in `torch.optim`", "source"],
}


class Methods(SphinxDirective):
    """List the methods of the kind named by the argument."""

    required_arguments = 1
    option_spec: ClassVar = {}

    def run(self) -> list[nodes.Node]:
        """Return the table, parsed as the Markdown that an author would write."""
        columns = COLUMNS[self.arguments[0]]
        rows = [columns, ["---"] * len(columns)]
        for method in registry.methods(self.arguments[0]):
            cells = self.cells(method)
            rows.append([cells[column] for column in columns])
        lines = [f"| {' | '.join(row)} |" for row in rows]
        holder = nodes.container()
        self.state.nested_parse(StringList(lines, source="registry"), 0, holder)
        return holder.children

    def cells(self, method: registry.Method) -> dict[str, str]:
        """Return what the columns say; a chapter that is not in the book yet is not linked."""
        name = f"{{py:class}}`~optim_scratch.{method.module.split('.')[0]}.{method.name}`"
        page = f"book/{method.chapter}"
        theirs = method.torch.removeprefix("torch.optim.")
        needs = ["needs a closure"] * method.closure + ["wraps another"] * method.wraps
        return {
            "method": name,
            "what it does": method.summary + f" ({', '.join(needs)})" * bool(needs),
            "family": registry.FAMILIES.get(method.family, ""),
            "memory": method.memory,
            "chapter": f"{{doc}}`/{page}`" if page in self.env.found_docs else "still to come",
            "in `torch.optim`": f"`{theirs}`" if theirs else "none",
            "source": method.source,
        }


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("methods", Methods)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
