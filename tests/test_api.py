"""Every public name has a docstring and an entry on the API page."""

import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import optim_scratch
from optim_scratch import registry

ROOT = Path(__file__).parents[1]
MODULES = [
    name
    for _, name, _ in pkgutil.walk_packages(optim_scratch.__path__, "optim_scratch.")
    if not name.rpartition(".")[2].startswith("_")
]
INNER = (
    # their packages export what is meant for readers
    "optim_scratch.comparison.",
    "optim_scratch.exercises.",
    "optim_scratch.ladder.",
    "optim_scratch.optimizers.",
    "optim_scratch.problems.",
    "optim_scratch.registry.",
    "optim_scratch.schedulers.",
    "optim_scratch.testing.",
    # `optim-lab` and `train` use them
    "optim_scratch.experiments.archives",
    "optim_scratch.experiments.assembly",
    "optim_scratch.experiments.checkpoint",
    "optim_scratch.experiments.cli",
    "optim_scratch.experiments.endings",
    "optim_scratch.experiments.files",
    "optim_scratch.experiments.folders",
    "optim_scratch.experiments.identity",
    "optim_scratch.experiments.machine",
    "optim_scratch.experiments.places",
    "optim_scratch.experiments.progress",
    "optim_scratch.experiments.tars",
    "optim_scratch.experiments.terminal",
)
"""How the names of modules begin that are the inside of others."""


def public(module_name: str) -> dict[str, object]:
    """Return the classes and functions without underscore that a module defines or exports."""
    module = importlib.import_module(module_name)
    named = getattr(module, "__all__", None)
    members = inspect.getmembers(module, lambda v: inspect.isclass(v) or inspect.isfunction(v))
    return {
        name: value
        for name, value in members
        if (name in named if named is not None else not name.startswith("_"))
        and value.__module__.startswith("optim_scratch")
    }


def documented() -> set[str]:
    """Return the modules and objects that the API pages name."""
    return set(entries())


def entries() -> list[str]:
    """Return every name that an API page documents, as often as one does."""
    pages = sorted((ROOT / "book/reference/api").glob("*.md"))
    text = "\n".join(page.read_text() for page in pages)
    return re.findall(r"^\.\. auto\w+:: (\S+)", text, re.MULTILINE)


@pytest.mark.parametrize("module", MODULES)
def test_public_names_have_docstrings(module) -> None:
    assert importlib.import_module(module).__doc__
    for name, value in public(module).items():
        assert value.__doc__, name
        if inspect.isclass(value):
            methods = inspect.getmembers(value, inspect.isfunction)
            for method, function in methods:
                if not method.startswith("_"):
                    assert inspect.getdoc(getattr(value, method)), f"{name}.{method}: {function}"


def test_what_the_packages_export_has_an_api_entry() -> None:
    covered = {
        value for module in documented() if module in MODULES for value in public(module).values()
    }
    for package in ["optim_scratch", "optim_scratch.optimizers", "optim_scratch.schedulers"]:
        for name, value in public(package).items():
            assert value in covered, f"{package}.{name} is on no API page"


@pytest.mark.parametrize("module", [m for m in MODULES if not m.startswith(INNER)])
def test_a_module_for_readers_has_an_api_entry(module) -> None:
    assert module in documented(), (
        f"{module} is on no API page: write '.. automodule:: {module}' into a page of "
        "book/reference/api/, or, if it is another module's inside, its name into INNER here"
    )


def test_what_one_page_leaves_out_two_others_have() -> None:
    """The classes with a rate for each entry, and the signs, are too many for one page."""
    pages = ROOT / "book/reference/api"
    (line,) = re.findall(r":exclude-members: (.+)", (pages / "optimizers.md").read_text())
    there = [
        name
        for page in ("adaptive-optimizers.md", "adam-and-relatives.md")
        for name in re.findall(r"autoclass:: \S+\.(\w+)", (pages / page).read_text())
    ]
    named = [m.name for m in registry.methods("optimizer") if m.family in {"adaptive", "sign"}]
    assert line.split(", ") == named
    assert sorted(there) == sorted(named)


def test_the_api_pages_have_one_entry_for_each() -> None:
    assert len(entries()) == len(documented())


def test_inner_modules_exist() -> None:
    for inner in INNER:
        assert any(module.startswith(inner) for module in MODULES), inner


def test_api_pages_are_built_without_what_the_experiments_import() -> None:
    """`make book` installs no torch: autodoc puts dummies in its place, which know no operators."""
    mock = pytest.importorskip("sphinx.ext.autodoc.mock")
    settings = yaml.safe_load((ROOT / "_config.yml").read_text())["sphinx"]["config"]
    lines = [f"from {mock.__name__} import mock", "import importlib"]
    lines += [f"with mock({settings['autodoc_mock_imports']!r}):"]
    lines += [
        f"    importlib.import_module({module!r})"
        for module in sorted(documented())
        if module in MODULES
    ]
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
