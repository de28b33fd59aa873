"""The directive ``parity``: how far the classes of one kind are from their references, as a table.

The numbers are those of `tests/parity.json`, which `make parity` measures.
"""

import json
from pathlib import Path
from typing import ClassVar

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

FILE = Path(__file__).parents[2] / "tests/parity.json"


class Parity(SphinxDirective):
    """List the classes of the kind named by the argument."""

    required_arguments = 1
    option_spec: ClassVar = {}

    def run(self) -> list[nodes.Node]:
        """Return the table, parsed as the Markdown that an author would write."""
        self.env.note_dependency(str(FILE))
        kind = self.arguments[0]
        rows = [cells(r) for r in json.loads(FILE.read_text())["rows"] if r["kind"] == kind]
        table = [list(rows[0]), ["---"] * len(rows[0]), *(list(row.values()) for row in rows)]
        lines = [f"| {' | '.join(row)} |" for row in table]
        holder = nodes.container(classes=["compact"])
        self.state.nested_parse(StringList(lines, source="parity.json"), 0, holder)
        return [holder]


def cells(row: dict) -> dict[str, str]:
    """Return what the columns say of a class, by their heads."""
    said = {
        "class": f"{{py:class}}`~optim_scratch.{row['kind']}s.{row['name']}`",
        "float64": told(row["float64"]),
    }
    if row["float32"] is not None:
        said |= {"float32": told(row["float32"]), "median": told(row["median float32"])}
    return said | {
        "runs": f"{row['listed']}+{row['drawn']}" if row["drawn"] else f"{row['listed']}",
        "steps": f"{row['steps']}",
        "held against": against(row),
    }


def against(row: dict) -> str:
    """Return where a reference is from, its name where that is another, and what was changed."""
    if not row["reference"]:
        return f"no reference: {row['instead']}"
    name, comma, changed = row["reference"].partition(",")
    package, _, inner = name.partition(".")
    if not inner:  # numbers of a package, not a class
        return f"{name} {row['version']}{comma}{changed}"
    same = inner.rpartition(".")[2] == row["name"]
    inner = "" if same else f", {inner.removeprefix('optim.')}"
    return f"{package} {row['version']}{inner}{comma}{changed}"


def told(error: float) -> str:
    """Return an error as Python writes it, with one digit: 2e-15."""
    return f"{error:.0e}" if error else "0"


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("parity", Parity)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
