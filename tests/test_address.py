"""What readers run names no address but known ones, and the project's own once it has one."""

import ast
import re
from pathlib import Path

import nbformat
import notebooks
import pytest
import yaml

ROOT = Path(__file__).parents[1]
KNOWN = (
    "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",  # checked by its SHA-256
    "http://localhost:",
)
BUTTONS = {
    "colab_url": "https://colab.research.google.com",
    "binderhub_url": "https://mybinder.org",
}
ADDRESS = re.compile(r"(?:git\+)?\w+://[^\s\"'`)>\\]*")


def foreign(text: str, own: str = "") -> list[str]:
    """Return the addresses in what is run that nobody vouches for, and packages by our name."""
    known = (*KNOWN, own, f"git+{own}") if own else KNOWN
    found = [a for a in ADDRESS.findall(text) if not a.startswith(known)]
    index = re.findall(
        r"pip install (?:-\S+ )*[\"']?optim[-_]scratch(?![\w.-]*\.whl)[^@\n]*$", text, re.M
    )
    return found + index


def fenced(text: str) -> str:
    """Return the blocks of code in Markdown, which readers copy."""
    return "\n".join(re.findall(r"^ *```.*?^ *```", text, re.MULTILINE | re.DOTALL))


def strings(source: str) -> str:
    """Return the strings of a module that are not its documentation."""
    tree = ast.parse(source)
    said = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
    constants = (n for n in ast.walk(tree) if isinstance(n, ast.Constant) and id(n) not in said)
    return "\n".join(node.value for node in constants if isinstance(node.value, str))


def executed() -> dict[str, str]:
    """Return what readers, contributors and their machines run, by file."""
    found = {name: (ROOT / name).read_text() for name in ("Makefile", ".ci/run")}
    for path in (*ROOT.glob("*.md"), *ROOT.glob("book/**/*.md")):
        found[str(path)] = fenced(path.read_text())
    for path in (ROOT / "optim_scratch").rglob("*.py"):
        found[str(path)] = strings(path.read_text())
    for path in ROOT.glob("book/*/*.ipynb"):
        cells = nbformat.read(path, as_version=4).cells
        code = [c.source if c.cell_type == "code" else fenced(c.source) for c in cells]
        found[str(path)] = "\n".join(code)
    return found


def test_what_is_run_names_no_foreign_address() -> None:
    sources = executed()
    assert len(sources) > 100
    found = {name: foreign(text, notebooks.address()) for name, text in sources.items()}
    assert {name: addresses for name, addresses in found.items() if addresses} == {}


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ('%pip install -q "optim-scratch[plot] @ git+https://github.com/nobody/nothing"', 1),
        ("git clone https://github.com/nobody/nothing", 1),
        ("git clone ssh://git@example.org/nothing", 1),
        ("pip install optim-scratch", 1),
        ("%pip install -q 'optim_scratch[lab]'", 1),
        ("pip install '.[lab]'", 0),
        ("pip install 'optim_scratch-0.1.0-py3-none-any.whl[lab]'", 0),
        ("http://localhost:8000", 0),
        ("git+https://example.org/ours", 0),
        ("git+https://example.org/theirs", 1),
    ],
)
def test_a_foreign_address_is_found(text, count) -> None:
    assert len(foreign(text, "https://example.org/ours")) == count


def test_blocks_and_strings_are_what_is_searched() -> None:
    text = "see https://a.example\n```bash\ngit clone https://b.example\n```\nhttps://c.example"
    assert foreign(fenced(text)) == ["https://b.example"]
    module = '"""https://a.example"""\nx = f"{y}https://b.example"\n'
    assert foreign(strings(module)) == ["https://b.example"]


def mismatches(config: dict, address: str) -> list[str]:
    """Return what _config.yml lacks, or has too much, for the project to have this address."""
    options = config["sphinx"]["config"]["html_theme_options"]
    wanted = {
        "repository_url": ("", address),
        "repository_branch": ("", "main"),
        "launch_buttons": ({}, BUTTONS),
        **{f"use_{name}_button": (False, True) for name in ("repository", "issues", "edit_page")},
    }
    return [
        f"html_theme_options: {name} must be {values[bool(address)]!r}"
        for name, values in wanted.items()
        if (options.get(name) or values[0]) != values[bool(address)]
    ]


def test_the_site_links_to_the_projects_address_or_nowhere() -> None:
    config = yaml.safe_load((ROOT / "_config.yml").read_text())
    assert mismatches(config, notebooks.address()) == []
    assert not config["repository"]["url"], "Jupyter Book's own; the theme's options replace it"
    assert not config["launch_buttons"], "the same"


def test_a_site_that_links_elsewhere_is_found() -> None:
    ours = "https://example.org/ours"
    on = {f"use_{name}_button": True for name in ("repository", "issues", "edit_page")}
    on |= {"repository_branch": "main", "launch_buttons": BUTTONS}
    options = {"repository_url": ours, **on}
    config = {"sphinx": {"config": {"html_theme_options": options}}}
    assert mismatches(config, ours) == []
    assert len(mismatches(config, "")) == 6
    assert len(mismatches(config, "https://example.org/theirs")) == 1
    options["launch_buttons"] = {}
    assert len(mismatches(config, ours)) == 1


@pytest.mark.parametrize("path", sorted(ROOT.glob("book/*/*.ipynb")), ids=lambda path: path.stem)
def test_an_address_turns_the_install_cells_on(path) -> None:
    book = nbformat.read(path, as_version=4)
    assert "install '.[lab]'" in notebooks.install_cell(book, "")
    on = notebooks.install_cell(book, "https://example.org/ours")
    assert on.endswith(' @ git+https://example.org/ours"')
    imports = [
        re.search(r"^\s*(import|from) (torch|optim_scratch.experiments)", cell.source, re.MULTILINE)
        for cell in book.cells
    ]
    assert ("[plot,torch]" in on) == any(imports), path.stem
