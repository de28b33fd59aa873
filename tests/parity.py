"""Measure how far each class is from its reference, in the tests' own runs: `make parity`.

The runs are those of `tests/optimizers/test_parity.py` and of the schedulers' tests, from the same
descriptions. What comes out stands in `tests/parity.json`, of which the book draws its page; each
row holds a mark of the code that it was measured with, so that a test can tell when it is old.
"""

import ast
import contextlib
import hashlib
import inspect
import json
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import fields
from importlib import metadata
from pathlib import Path

import numpy as np
import torch
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as profile
from hypothesis import strategies as st

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE / "schedulers")]

import methods  # noqa: E402
import scheduling  # noqa: E402
import test_composition as compositions  # noqa: E402
import test_planted_faults as listed  # noqa: E402
import test_reduce_lr_on_plateau as plateau  # noqa: E402
import test_warmups as warmups  # noqa: E402

from optim_scratch import registry  # noqa: E402

FILE = HERE / "parity.json"
DRAWN = 60
"""From so many random settings a class is measured, as far as there are so many."""

TRANSFORMERS = "the numbers of transformers"

PACKAGES = {"pytorch_optimizer": "pytorch-optimizer"}
"""What others' modules are called on the package index, where that differs."""


# What a row was measured with


def fingerprint(kind: type) -> str:
    """Return a mark of a class's code, with the modules of its package that it is made of.

    Docstrings, comments and empty lines have no say in it.
    """
    files = {file.name: bare(file.read_text()) for file in sorted(modules(kind))}
    return hashlib.sha256(json.dumps(files).encode()).hexdigest()[:16]


def described(method: registry.Method) -> str:
    """Return a mark of how a class is tested.

    Of an optimizer these are its settings and how its reference is made; of a scheduler the modules
    that all of them are tested with.
    """
    if method.kind == "optimizer":
        description = methods.describe(method.name)
        told = [_told(getattr(description, each.name)) for each in fields(description)]
    else:
        modules = (scheduling, compositions, listed, plateau, warmups)
        told = [bare(inspect.getsource(module)) for module in modules]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]


def _told(value: object) -> str:
    """Return the lines of what has a name in the descriptions' module; of all else what it is."""
    name = getattr(value, "__name__", "")
    if name and getattr(methods, name, None) is value:
        return bare(textwrap.dedent(inspect.getsource(value)))
    return re.sub(r" at 0x\w+", "", repr(value))


def modules(kind: type) -> set[Path]:
    """Return the files that a class is made of: its bases', and what they import of the package."""
    files = {Path(sys.modules[base.__module__].__file__) for base in kind.__mro__ if ours(base)}
    waiting = list(files)
    while waiting:
        file = waiting.pop()
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and node.level == 1 and node.module:
                other = file.with_name(f"{node.module.partition('.')[0]}.py")
                if other.exists() and other not in files:
                    files.add(other)
                    waiting.append(other)
    return files


def ours(kind: type) -> bool:
    """Tell whether a class is the package's."""
    return kind.__module__.startswith("optim_scratch.")


def bare(source: str) -> str:
    """Return the lines of a module that do something."""
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            for i in range(node.lineno - 1, node.end_lineno):
                lines[i] = ""
    return "\n".join(line for line in map(str.rstrip, lines) if line and line.lstrip()[0] != "#")


def version(reference: str) -> str:
    """Return the version of the package that a reference is from; empty if it is from none."""
    package = reference.partition(".")[0]
    if not package.isidentifier():
        return ""
    return metadata.version(PACKAGES.get(package, package)).partition("+")[0]


# What is measured


def draw(case: Callable[[st.DataObject], None]) -> int:
    """Run a case with drawn data, the same each time; return how often."""
    count = 0

    @profile(
        max_examples=DRAWN, derandomize=True, database=None, deadline=None,
        phases=[Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(data=st.data())
    def run(data: st.DataObject) -> None:
        nonlocal count
        case(data)
        count += 1

    run()
    return count


@contextlib.contextmanager
def precision(dtype: np.dtype) -> Iterator[None]:
    """Let torch keep its scalars in the precision of what is compared."""
    before = torch.get_default_dtype()
    torch.set_default_dtype({"float64": torch.float64, "float32": torch.float32}[dtype.name])
    try:
        with np.errstate(all="ignore"):
            yield
    finally:
        torch.set_default_dtype(before)


def of_optimizer(method: registry.Method, dtype: np.dtype) -> tuple[int, int, list[float]]:
    """Return how many listed and drawn runs there were, and the largest error of each."""
    description, errors = methods.describe(method.name), []
    with precision(dtype):
        runs = [(o, groups) for o in description.settings for groups in description.groups]
        for options, per_group in runs:
            *both, rows = methods.pair(method, options, per_group, dtype=dtype)
            errors.append(np.nanmax(list(methods.errors(*both, rows))))

        def drawn(data: st.DataObject) -> None:
            options, rows = methods.drawn_case(method.name, data, data.draw(st.integers(0, 1000)))
            both = methods.followers(method, options, rows, dtype)
            errors.append(np.nanmax(list(methods.errors(*both))))

        count = draw(drawn)
    return len(runs), count, errors


def apart(mine: object, reference: object) -> float:
    """Return max|a - b| / max|b| of two traces of rates."""
    a, b = np.array(mine, dtype=float), np.array(reference, dtype=float)
    both = np.isfinite(b)
    assert np.array_equal(a[~both], b[~both], equal_nan=True)
    return float(np.abs(a[both] - b[both]).max() / max(np.abs(b[both]).max(), 1e-300))


def of_scheduler(name: str) -> tuple[int, int, list[float]]:
    """Return how many listed and drawn schedules there were, and the largest error of each."""
    mine, reference = (listed.rates(k, name) for k in (registry.find(name).load(), None))
    errors = [apart(*both) for both in zip(mine, reference, strict=True)]
    errors += [apart(*warmups.rates_of(case)) for case in cases(name)]
    runs = len(errors)
    drawn = drawn_schedules(name)
    count = draw(lambda data: errors.append(apart(*drawn(data)))) if drawn else 0
    return runs, count, errors


def cases(name: str) -> list[dict]:
    """Return the numbers of transformers for a scheduler."""
    return [case for case in warmups.FILE["cases"] if warmups.NAMES[case["name"]] == name]


def drawn_schedules(name: str) -> Callable[[st.DataObject], tuple] | None:
    """Return what draws a schedule and runs it, ours and torch's; None where torch has none."""

    def simple(data: st.DataObject) -> tuple:
        arguments = data.draw(scheduling.arguments_of(name))
        made = (scheduling.build(name, arguments), scheduling.torch_scheduler(name, arguments))
        return tuple(map(scheduling.trace, made))

    def chain(data: st.DataObject) -> tuple:
        members = data.draw(compositions.members)
        made = (compositions.chain(members), compositions.torch_chain(members))
        return tuple(scheduling.trace(each)[1:] for each in made)

    def sequence(data: st.DataObject) -> tuple:
        members = data.draw(compositions.members)
        milestones = compositions.drawn_milestones(data, len(members))
        kinds = (compositions.sequence, compositions.torch_sequence)
        return tuple(scheduling.trace(kind(members, milestones)) for kind in kinds)

    def on_plateau(data: st.DataObject) -> tuple:
        arguments, seen = data.draw(plateau.arguments), data.draw(plateau.metrics)
        kinds = (scheduling.build, scheduling.torch_scheduler)
        return tuple(plateau.trace(kind(name, arguments), seen) for kind in kinds)

    composed = {"ChainedScheduler": chain, "SequentialLR": sequence, plateau.NAME: on_plateau}
    return composed.get(name) or (simple if name in scheduling.DRAWN else None)


# The file


def held(method: registry.Method) -> str:
    """Return what a class is held against."""
    if method.kind == "optimizer":
        return methods.describe(method.name).held or method.torch
    return method.torch or (TRANSFORMERS if cases(method.name) else "")


INSTEAD = {
    "NoamLR": "the formula of Vaswani et al. 2017",
    "REXLR": "the formula of Chen, Wolfe & Kyrillidis 2022",
    "GradualWarmupScheduler": "its formula, then the rates of the schedule that follows, run alone",
}
"""What a class without a reference is held against."""


def row(method: registry.Method) -> dict:
    """Measure a class."""
    reference = held(method)
    assert reference or method.name in INSTEAD, f"{method.name} needs a reference, or INSTEAD"
    if method.kind == "optimizer":
        runs, drawn, errors = of_optimizer(method, np.dtype("float64"))
        single = of_optimizer(method, np.dtype("float32"))[2]
        steps = methods.describe(method.name).steps
    else:
        runs, drawn, errors = of_scheduler(method.name)
        single, steps = [], scheduling.STEPS
    return {
        "name": method.name, "kind": method.kind, "reference": reference,
        "version": said_of(reference), "instead": "" if reference else INSTEAD[method.name],
        "listed": runs, "drawn": drawn, "steps": steps, "float64": worst(errors),
        "float32": worst(single) if single else None,
        "median float32": rounded(np.median(single)) if single else None,
        "code": fingerprint(method.load()),
        "description": described(method), "torch": version("torch."),
    }  # fmt: skip


def worst(errors: list[float]) -> float:
    """Return the largest of some errors."""
    return rounded(max(errors))


def rounded(error: float) -> float:
    """Return an error with two digits: more are chance."""
    return float(f"{error:.1e}")


def read() -> list[dict]:
    """Return the rows of the file."""
    return json.loads(FILE.read_text())["rows"]


def write(rows: list[dict]) -> None:
    """Write the file, one class a line."""
    lines = ",\n".join(f"  {json.dumps(each)}" for each in rows)
    FILE.write_text(f'{{"rows": [\n{lines}\n]}}\n')


def is_old(method: registry.Method, old: dict) -> bool:
    """Tell whether a row is of other code or settings, or of another reference or version of it."""
    reference = held(method)
    told = tuple(old.get(each) for each in ("code", "description", "reference", "version", "torch"))
    present = (fingerprint(method.load()), described(method), reference, said_of(reference))
    return told != (*present, version("torch."))


def said_of(reference: str) -> str:
    """Return the version of what a class is held against."""
    return warmups.FILE["transformers"] if reference == TRANSFORMERS else version(reference)


def main(names: list[str]) -> None:
    """Measure the classes that are named and those whose rows are old; "all" names all of them."""
    known = {each["name"]: each for each in read()} if FILE.exists() else {}
    rows = []
    for method in registry.METHODS:
        old = known.get(method.name)
        fresh = old is None or bool({method.name, "all"} & set(names)) or is_old(method, old)
        rows.append(row(method) if fresh else old)
        if fresh:
            print(f"{method.name:40} {rows[-1]['float64']:.1e}", flush=True)
    write(rows)


if __name__ == "__main__":
    main(sys.argv[1:])
