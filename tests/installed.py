"""Install the package as readers get it, from a wheel, and run chapters where nothing else is.

``python tests/installed.py FILE ...`` copies each notebook into an empty folder, runs the copies
against the installed wheel and compares their outputs with the committed ones.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PACKED = ["pyproject.toml", "setup.py", "README.md", "LICENSE", "optim_scratch", "optim_lab.py"]
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]


def build(folder: Path) -> Path:
    """Build the wheel into `folder`, without the network, and return its path.

    It is built from a copy: setuptools would pack what an older build has left in the checkout.
    """
    source = folder / "source"
    for name in PACKED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        copy(ROOT / name, source / name)
    command = [*PIP, "wheel", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", folder, source], check=True, env=alone())
    (wheel,) = folder.glob("*.whl")
    return wheel


def environment(wheel: Path, folder: Path) -> Path:
    """Install the wheel into an environment in `folder`, and return its interpreter.

    The packages of the present environment can be imported there, but not the checkout: Python does
    not follow the links to editable installs in a folder that is itself named by a link.
    """
    venv.create(folder, symlinks=True)
    (own,) = folder.glob("lib/python*/site-packages")
    others = [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
    (own / "others.pth").write_text("\n".join(others) + "\n")
    python = folder / "bin" / "python"
    command = [*PIP, "--python", python, "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*command, "--ignore-installed", wheel], check=True, env=alone())
    return python


def alone() -> dict[str, str]:
    """Return the environment variables without those that lead back to this checkout or run."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PYTEST", "OPTIM"))}


def compare(
    notebooks: list[Path], python: Path, folder: Path, **options: Any
) -> subprocess.CompletedProcess[Any]:
    """Run copies of notebooks, each in a folder of its own, and compare their outputs."""
    copies = []
    for path in notebooks:
        (folder / path.stem).mkdir(parents=True)
        copies.append(shutil.copy(path, folder / path.stem))
    command = [python, "-m", "pytest", "-q", "--nbval", "-p", "no:cacheprovider"]
    command += ["-n", "2", "--dist", "loadscope"] if len(copies) > 1 else []
    return subprocess.run([*command, *copies], cwd=folder, env=alone(), **options)


def main(*names: str) -> int:
    """Compare the outputs of the notebooks named; return 0 if they agree."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        python = environment(build(folder / "wheel"), folder / "environment")
        return compare([Path(name) for name in names], python, folder / "chapters").returncode


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("which notebook? For example: make nbval NOTEBOOKS=book/optimizers/momentum.ipynb")
    sys.exit(main(*sys.argv[1:]))
