"""The package's core needs NumPy and nothing else."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent

PROGRAM = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {blocked!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}")

sys.meta_path.insert(0, Blocker())
import optim_scratch as o

path = o.descend(o.surfaces.ravine(), o.optimizers.SGD, 10, lr=0.05,
                 scheduler=lambda optimizer: o.schedulers.StepLR(optimizer, 3))
o.exercises.check("gradient-descent.limit", 0.1)
for method in o.registry.METHODS:
    method.load()
third = {{name.split(".")[0] for name in sys.modules}} - sys.stdlib_module_names
print(sorted(name for name in third if not name.startswith(("_", "numpy", "optim_scratch"))))
"""


def test_import_and_descend_without_anything_but_numpy():
    blocked = {"torch", "matplotlib", "pandas", "PIL", "IPython", "tqdm", "scipy"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(blocked=blocked)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["Exercise 1 (gradient-descent.limit): correct", "[]"]


def test_only_experiments_import_torch_and_only_plots_import_matplotlib():
    for path in (ROOT / "optim_scratch").rglob("*.py"):
        source = path.read_text()
        below = path.relative_to(ROOT / "optim_scratch")
        if below.parts[0] == "experiments":
            continue
        assert "import torch" not in source, below
        assert "from torch" not in source, below
        if below.name != "plot.py":
            assert "matplotlib" not in source.replace("needs matplotlib", ""), below
