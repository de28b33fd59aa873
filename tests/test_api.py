"""Every public name has a docstring and an entry on the API page; NumPy alone is enough."""

import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import optim_scratch

ROOT = Path(__file__).parents[1]
MODULES = [
    name
    for _, name, _ in pkgutil.walk_packages(optim_scratch.__path__, "optim_scratch.")
    if not name.rpartition(".")[2].startswith("_")
]


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
    """Return the modules and objects that the API page names."""
    page = (ROOT / "book/reference/api.md").read_text()
    return set(re.findall(r"^\.\. auto\w+:: (\S+)", page, re.MULTILINE))


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
    entries = documented()
    covered = {
        value for module in entries if module in MODULES for value in public(module).values()
    }
    for package in ["optim_scratch", "optim_scratch.optimizers", "optim_scratch.schedulers"]:
        for name, value in public(package).items():
            assert value in covered, f"{package}.{name} is not on the API page"


def test_modules_that_are_not_a_packages_inside_have_an_api_entry() -> None:
    inner = ("optimizers.", "schedulers.", "exercises.", "experiments.", "registry.")
    outer = [m for m in MODULES if not m.removeprefix("optim_scratch.").startswith(inner)]
    assert set(outer) <= documented()


def test_numpy_alone_is_enough() -> None:
    code = (
        "import sys\n"
        "for name in ['torch', 'matplotlib', 'pandas', 'PIL', 'tqdm', 'scipy']:\n"
        "    sys.modules[name] = None\n"
        "import optim_scratch as o\n"
        "o.descend(o.surfaces.beale(), o.optimizers.SGD, 3, lr=0.01)\n"
        "o.exercises.check\n"
        "third = {m.split('.')[0] for m in sys.modules} - set(sys.stdlib_module_names)\n"
        "print(sorted(m for m in third if sys.modules[m] and not m.startswith('_')))\n"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys\nsys.path += {sys.path[1:]!r}\n{code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "['numpy', 'optim_scratch']"
