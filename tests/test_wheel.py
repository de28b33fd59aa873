"""What readers install holds all that chapters read, and is tried where the checkout is not."""

import json
import subprocess
import zipfile
from pathlib import Path

import installed
import nbformat
import pytest

ROOT = Path(__file__).parents[1]
PROBE = """
import json, sys
from optim_scratch.experiments import files, results
print(json.dumps([files.__file__, str(files.results_folder()), results.suites(), sys.path]))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("wheel")


@pytest.fixture(scope="module")
def built(folder):
    return installed.build(folder / "built")


@pytest.fixture(scope="module")
def python(built, folder):
    return installed.environment(built, folder / "environment")


def test_the_wheel_holds_the_package_its_records_and_nothing_else(built):
    present = {
        str(path.relative_to(ROOT))
        for pattern in (
            "**/*.py",
            "py.typed",
            "problems/*.npz",
            "comparison/*.json",
            "ladder/*.json",
            "results/**/*.json",
        )
        for path in (ROOT / "optim_scratch").glob(pattern)
    }
    assert sum(name.endswith(".json") for name in present) >= 15
    packed = {name for name in zipfile.ZipFile(built).namelist() if ".dist-info/" not in name}
    assert packed == present | {"optim_lab.py"}


def test_the_environment_knows_nothing_of_the_checkout(python, tmp_path):
    command = [python, "-c", PROBE]
    done = subprocess.run(
        command, cwd=tmp_path, env=installed.alone(), capture_output=True, text=True
    )
    assert done.stderr == ""
    module, written, suites, path = json.loads(done.stdout)
    assert Path(module).is_relative_to(python.parents[1])
    assert written == str(tmp_path / "results"), "an installed package is not written into"
    assert suites == ["article-003", "directions", "optimizers", "rate-and-schedule"]
    assert str(ROOT) not in path


def test_a_chapter_that_needs_the_checkout_fails(python, tmp_path):
    """Of two cells, the one that reads a file beside the package fails."""
    book = nbformat.v4.new_notebook()
    above = "Path(optim_scratch.__file__).parents[1]"
    for count, code in enumerate(["results.suites()[0]", f"({above} / 'book').is_dir()"], start=1):
        source = "import optim_scratch\nfrom pathlib import Path\n"
        source += f"from optim_scratch.experiments import results\nprint({code})"
        claim = "article-003\n" if count == 1 else "True\n"
        output = nbformat.v4.new_output("stream", name="stdout", text=claim)
        book.cells.append(
            nbformat.v4.new_code_cell(source, execution_count=count, outputs=[output])
        )
    nbformat.write(book, tmp_path / "book.ipynb")
    done = installed.compare(
        [tmp_path / "book.ipynb"], python, tmp_path / "copies", capture_output=True, text=True
    )
    assert "1 failed, 1 passed" in done.stdout
