"""Run notebooks from top to bottom and keep what they show small and stable.

``python tests/notebooks.py run FILE ...``      runs each in place (nothing is written on an error);
``python tests/notebooks.py compare FILE ...``  runs copies and compares the pictures;
``python tests/notebooks.py install FILE ...``  writes each its install cell.
"""

import base64
import io
import re
import sys
import tomllib
from pathlib import Path

import nbformat
import numpy as np
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from PIL import Image

ROOT = Path(__file__).parents[1]
NO_ADDRESS = """\
try:
    import optim_scratch  # noqa: F401
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(
        "optim_scratch is not installed, and no package index has it. "
        "In a checkout of the book: pip install '.[lab]'. "
        "With its wheel: pip install 'FILE.whl[lab]'"
    ) from missing
"""
ADDRESS = """\
try:
    import optim_scratch  # noqa: F401
except ModuleNotFoundError:
    %pip install -q "optim-scratch[{extras}] @ git+{address}"
"""
METADATA = {
    "authors": [{"name": "The Optimizers from Scratch authors"}],
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
    "license": {
        "code": "MIT",
        "content": "CC-BY-4.0",
    },  # a downloaded notebook has no LICENSE beside it
}
TOLERANCE = 2.0  # root mean square over the 0..255 channels; another font hinting gives about 1


def execute(path: Path) -> nbformat.NotebookNode:
    """Return the notebook at `path`, freshly run, without what changes from run to run."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(notebook, timeout=600, record_timing=False, coalesce_streams=True)
    client.extra_arguments = ["--log-level=ERROR"]  # else it warns of connections by TCP
    client.execute(cwd=str(path.parent))
    notebook.metadata.update(METADATA)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.get("name") == "stderr":
                raise RuntimeError(f"a cell writes to stderr:\n{output['text']}")
            if "image/png" in output.get("data", {}):
                output["data"]["image/png"] = quantise(output["data"]["image/png"])
    return notebook


def quantise(png: str) -> str:
    """Return the base64 picture with a palette of 256 colours, about a third of the size."""
    out = io.BytesIO()
    pixels(png).quantize(256, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return base64.b64encode(out.getvalue()).decode()


def pixels(png: str) -> Image.Image:
    """Decode a base64 picture."""
    return Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")


def distance(a: str, b: str) -> float:
    """Return the root mean square difference of two pictures; infinite for two sizes."""
    first, second = (np.asarray(pixels(png), dtype=float) for png in (a, b))
    if first.shape != second.shape:
        return float("inf")
    return float(np.sqrt(np.mean((first - second) ** 2)))


def address() -> str:
    """Return the project's address, as pyproject.toml gives it; empty while there is none."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return project.get("urls", {}).get("Repository", "")


def install_cell(notebook: nbformat.NotebookNode, address: str) -> str:
    """Return what a notebook's install cell must be: what it does, or without an address says."""
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    torch = re.search(r"^(import|from) (torch|optim_scratch\.experiments)\b", code, re.MULTILINE)
    extras = "plot,torch" if torch else "plot"
    return (ADDRESS if address else NO_ADDRESS).format(extras=extras, address=address).strip()


def install(path: Path) -> str:
    """Write a notebook its install cell."""
    notebook = nbformat.read(path, as_version=4)
    cell = next(cell for cell in notebook.cells if cell.cell_type == "code")
    cell.source = install_cell(notebook, address())
    write(notebook, path)
    return "installs from the project's address" if address() else "says what to install"


def pictures(notebook: nbformat.NotebookNode) -> dict[tuple[int, int], dict]:
    """Return the data of every picture, keyed by the number of its cell and output."""
    return {
        (i, j): output["data"]
        for i, cell in enumerate(notebook.cells)
        for j, output in enumerate(cell.get("outputs", []))
        if "image/png" in output.get("data", {})
    }


def run(path: Path) -> str:
    """Run one notebook in place; a picture that looks the same keeps its old bytes."""
    old = pictures(nbformat.read(path, as_version=4))
    notebook = execute(path)
    for key, data in pictures(notebook).items():
        if key in old and distance(old[key]["image/png"], data["image/png"]) < 0.1:
            data["image/png"] = old[key]["image/png"]
    write(notebook, path)
    return f"{path.stat().st_size / 1000:.0f} kB"


def write(notebook: nbformat.NotebookNode, path: Path) -> None:
    """Write a notebook as it is committed."""
    nbformat.validate(notebook)
    text = nbformat.writes(notebook, version=nbformat.NO_CONVERT, indent=1, ensure_ascii=False)
    path.write_text(text.rstrip("\n") + "\n", encoding="utf-8")


def compare(path: Path) -> str:
    """Run a copy of one notebook and compare each picture with the committed one."""
    old, new = pictures(nbformat.read(path, as_version=4)), pictures(execute(path))
    if old.keys() != new.keys():
        raise RuntimeError("its pictures are not where they were")
    far = {key: distance(old[key]["image/png"], new[key]["image/png"]) for key in old}
    wrong = [f"cell {cell}: rms {rms:.1f}" for (cell, _), rms in far.items() if rms > TOLERANCE]
    if wrong:
        raise RuntimeError(f"pictures changed (rms above {TOLERANCE}): " + ", ".join(wrong))
    return f"{len(old)} pictures agree, largest rms {max(far.values(), default=0.0):.2f}"


def main(action: str, *names: str) -> int:
    """Apply `action` to every notebook; return the number of failures."""
    failures = 0
    for name in names:
        try:
            print(f"{name}: {ACTIONS[action](Path(name))}", flush=True)
        except (CellExecutionError, RuntimeError) as error:
            failures += 1
            print(f"{name}: FAILED\n{error}", flush=True)
    return failures


ACTIONS = {"run": run, "compare": compare, "install": install}

if __name__ == "__main__":
    if len(sys.argv) < 3 or sys.argv[1] not in ACTIONS:
        sys.exit("which notebook? For example: make notebook NB=book/optimizers/momentum.ipynb")
    sys.exit(min(1, main(*sys.argv[1:])))
