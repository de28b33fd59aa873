"""What pip gets: archive, wheel and description; what is said where a package is missing."""

import email
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = ["pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE", "CHANGELOG.md"]
BUILD = "from setuptools import build_meta as b; b.build_sdist('../out'); b.build_wheel('../out')"


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """Return a folder with the archive and the wheel of this checkout."""
    source = tmp_path_factory.mktemp("build") / "source"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "optim_scratch", source / "optim_scratch", ignore=ignored)
    shutil.copytree(ROOT / "tests", source / "tests", ignore=ignored)
    for name in [*FILES, "CITATION.cff"]:
        shutil.copy(ROOT / name, source / name)
    (out := source.parent / "out").mkdir()
    command = [sys.executable, "-W", "ignore", "-c", BUILD]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    return out


def metadata(built: Path) -> email.message.Message:
    """Return what the wheel says of itself."""
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        (name,) = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
        return email.message_from_bytes(wheel.read(name))


def test_the_wheel_holds_every_file_of_the_package_and_nothing_else(built) -> None:
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        found = {name for name in wheel.namelist() if ".dist-info/" not in name}
    package = (ROOT / "optim_scratch").rglob("*")
    files = {p.relative_to(ROOT).as_posix() for p in package if p.is_file()}
    assert found == {name for name in files if "__pycache__" not in name}


def test_the_archive_holds_no_tests_that_need_the_book(built) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert names >= {*FILES, "CITATION.cff", "optim_scratch/py.typed"}
    assert not [name for name in names if name.startswith(("tests", "book"))]


def test_the_readme_is_a_description_without_relative_addresses(built) -> None:
    text = metadata(built).get_payload()
    assert metadata(built)["Description-Content-Type"] == "text/markdown"
    assert text.strip().startswith("# Optimizers from Scratch")
    assert len(text) > 3000
    targets = re.findall(r"\]\(([^)]*)\)", text)
    assert [target for target in targets if not target.startswith(("https://", "#"))] == []
    for said in ("LICENSE", "CITATION.cff"):
        assert said in text


def test_every_extra_that_a_message_names_exists() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].keys()
    for path in [*ROOT.glob("*.md"), *(ROOT / "optim_scratch").rglob("*.py")]:
        for where, named in re.findall(r"(\S*)\[([a-z]+(?:,[a-z]+)*)\]'", path.read_text()):
            if where.endswith(("optim-scratch", "'.")):
                assert where == "'.", f"{path}: {where} is not to be had by that name"
                assert set(named.split(",")) <= extras, path


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
    assert "pip install torch tqdm pandas pillow matplotlib" in done.stderr
    assert "Traceback" not in done.stderr
