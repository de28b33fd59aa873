"""`pip install '.[lab]'` is enough for every chapter, and `make lab` starts it for everybody."""

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]


def names(requirements: list[str]) -> set[str]:
    """Return the packages that requirements ask for, our own extras followed."""
    found = set()
    for requirement in requirements:
        name, extras = re.match(r"([\w.-]+)(?:\[([\w,-]+)\])?", requirement).groups()
        if name == PROJECT["name"]:
            found |= {n for extra in extras.split(",") for n in names(EXTRAS[extra])}
        else:
            found.add(name.lower())
    return found


def imported(path: Path) -> set[str]:
    """Return the packages that a notebook's cells import, by the names they are installed by."""
    cells = nbformat.read(path, as_version=4).cells
    found = set()
    for cell in (cell for cell in cells if cell.cell_type == "code"):
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add(node.module.split(".")[0])
    owners = packages_distributions()
    return {owners[n][0].lower() for n in found - sys.stdlib_module_names - {"optim_scratch"}}


@pytest.mark.parametrize("path", sorted(ROOT.glob("book/*/*.ipynb")), ids=lambda path: path.stem)
def test_the_extra_has_what_chapters_import(path) -> None:
    with_jupyterlab = {*names(PROJECT["dependencies"]), *names(EXTRAS["lab"]), "ipython"}
    assert imported(path) - with_jupyterlab == set()


def test_the_extra_has_what_chapters_are_read_with() -> None:
    assert {"jupyterlab", "jupyterlab-myst"} <= names(EXTRAS["lab"])
    assert names(EXTRAS["torch"]) | names(EXTRAS["plot"]) <= names(EXTRAS["lab"])


@pytest.mark.parametrize(("user", "allowed"), [(0, True), (1000, False)])
def test_make_lab_starts_as_root_too(user, allowed, tmp_path) -> None:
    """JupyterLab is replaced by a program that prints what it is called with."""
    bin_ = tmp_path / "environment" / "bin"
    bin_.mkdir(parents=True)
    for name, code in {"jupyter-lab": 'echo "$@"', "id": f"echo {user}", "python": ":"}.items():
        (bin_ / name).write_text(f"#!/bin/sh\n{code}\n")
        (bin_ / name).chmod(0o755)
    (bin_.parent / ".lab").touch()
    command = ["make", "--no-print-directory", "lab", f"VENV={bin_.parent}"]
    environment = {"PATH": f"{bin_}:/usr/bin:/bin"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.stderr == ""
    *said, call = done.stdout.splitlines()
    assert call == ("book --allow-root" if allowed else "book")
    assert bool(said) == allowed, "it is said"
