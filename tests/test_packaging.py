"""What pip gets: archive, wheel and description; what is said where a package is missing."""

import email
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = [
    "pyproject.toml",
    "setup.py",
    "optim_lab.py",
    "MANIFEST.in",
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
]
BUILD = "from setuptools import build_meta as b; b.build_sdist('../out'); b.build_wheel('../out')"


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> dict[str, bytes]:
    """Return the files of the archive that is built from this checkout."""
    source = tmp_path_factory.mktemp("build") / "source"
    ignored = shutil.ignore_patterns("__pycache__")
    for folder in ("optim_scratch", "tests"):
        shutil.copytree(ROOT / folder, source / folder, ignore=ignored)
    for name in FILES:
        shutil.copy(ROOT / name, source / name)
    (out := source.parent / "out").mkdir()
    command = [sys.executable, "-W", "ignore", "-c", BUILD]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    with tarfile.open(next(out.glob("*.tar.gz"))) as packed:
        files = [member for member in packed if member.isfile()]
        return {m.name.partition("/")[2]: packed.extractfile(m).read() for m in files}


def test_the_archive_holds_the_package_and_no_tests_that_need_the_book(archive) -> None:
    assert archive.keys() >= {*FILES, "optim_scratch/py.typed"}
    assert any(name.startswith("optim_scratch/results/") for name in archive)
    assert not [name for name in archive if name.startswith(("tests", "book"))]


def test_the_readme_is_a_description_without_relative_addresses(archive) -> None:
    said = email.message_from_bytes(archive["PKG-INFO"])
    assert said["Description-Content-Type"] == "text/markdown"
    text = said.get_payload()
    assert text.strip().startswith("# Optimizers from Scratch")
    assert len(text) > 3000
    targets = re.findall(r"\]\(([^)]*)\)", text)
    assert [target for target in targets if not target.startswith(("https://", "#"))] == []
    for name in ("LICENSE", "CITATION.cff"):
        assert name in text


def test_every_extra_that_a_message_names_exists() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].keys()
    for path in [*ROOT.glob("*.md"), *(ROOT / "optim_scratch").rglob("*.py")]:
        for where, named in re.findall(r"(\S*)\[([a-z]+(?:,[a-z]+)*)\]'", path.read_text()):
            if where.endswith(("optim-scratch", "'.")):
                assert where == "'.", f"{path}: {where} is not to be had by that name"
                assert set(named.split(",")) <= extras, path


def test_the_oldest_versions_that_are_tested_are_those_that_are_admitted() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"]]
    for extra in ("plot", "torch"):
        wanted += project["optional-dependencies"][extra]
    lines = (ROOT / "tests/oldest.txt").read_text().splitlines()
    pinned = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    for requirement in wanted:
        name, _, version = requirement.partition(">=")
        assert pinned[name] == version + ".0" * (2 - version.count(".")), requirement


WITHOUT = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == {package!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Missing())
try:
    import {module}
except ModuleNotFoundError as error:
    print(error, "|", error.name)
"""


@pytest.mark.parametrize(
    ("module", "package", "message"),
    [("optim_scratch.plot", "matplotlib", "needs matplotlib: pip install matplotlib")],
)
def test_a_missing_package_is_named_with_what_to_install(module, package, message) -> None:
    program = WITHOUT.format(module=module, package=package)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.split(" | ")[0] == f"{module} {message}"
    assert done.stdout.split(" | ")[1].startswith(package)
    assert done.stderr == ""


def test_training_without_torch_says_what_to_install(tmp_path) -> None:
    program = WITHOUT.format(module="torch", package="torch")
    program += "from optim_scratch.experiments.cli import main\n"
    program += f"sys.exit(main(['run', 'constant', '--results', {str(tmp_path)!r}]))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode != 0
    assert "pip install torch" in done.stderr
    assert "Traceback" not in done.stderr
