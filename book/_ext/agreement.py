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
        holder = nodes.container()
        self.state.nested_parse(StringList(lines, source="parity.json"), 0, holder)
        return holder.children


def cells(row: dict) -> dict[str, str]:
    """Return what the columns say of a class, by their heads."""
    said = {
        "class": f"{{py:class}}`~optim_scratch.{row['kind']}s.{row['name']}`",
        "held against": against(row),
        "listed": f"{row['listed']}",
        "drawn": f"{row['drawn']}" if row["drawn"] else "–",
        "steps": f"{row['steps']}",
        "float64": power(row["float64"]),
    }
    if row["float32"] is not None:
        said |= {
            "float32": power(row["float32"]),
            "float32, median": power(row["median float32"]),
        }
    return said


def against(row: dict) -> str:
    """Return a class's reference with its version, or what takes its place."""
    if not row["reference"]:
        return f"no reference: {row['instead']}"
    name, comma, changed = row["reference"].partition(",")
    quoted = name if " " in name else f"`{name}`"
    return f"{quoted} {row['version']}{comma}{changed}"


def power(error: float) -> str:
    """Return an error as it is read: 2 · 10⁻¹⁵."""
    if error == 0:
        return "0"
    digits, _, exponent = f"{error:.0e}".partition("e")
    return f"${digits} \\cdot 10^{{{int(exponent)}}}$" if int(exponent) else digits


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("parity", Parity)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
