import importlib
import inspect
import re
from pathlib import Path

import methods
import numpy as np
import pytest

from optim_scratch import optimizers, registry, schedulers
from optim_scratch.optimizers.loading import ENGINE_FLAGS

ROOT = Path(__file__).parent.parent
every = pytest.mark.parametrize("method", registry.METHODS, ids=lambda method: method.name)


@every
def test_the_class_is_where_the_registry_says(method):
    kind = method.load()
    assert kind.__name__ == method.name
    assert kind.__module__ == f"optim_scratch.{method.module}"


@pytest.mark.parametrize("method", [m for m in registry.METHODS if m.torch], ids=lambda m: m.name)
def test_torch_has_the_same_arguments_in_the_same_order(method):
    module, name = method.torch.rsplit(".", 1)
    theirs = inspect.signature(getattr(importlib.import_module(module), name)).parameters
    ours = inspect.signature(method.load()).parameters
    engine = ENGINE_FLAGS | {"verbose"}
    assert list(ours) == [name for name in theirs if name not in engine]
    for name, parameter in ours.items():
        assert parameter.default == theirs[name].default, name
        assert parameter.kind == theirs[name].kind, name


@every
def test_chapter_test_and_citation_exist(method):
    assert not method.chapter or (ROOT / "book" / f"{method.chapter}.ipynb").exists()
    if method.kind == "optimizer":
        assert method.family in registry.FAMILIES
        assert method.memory
        assert str(method.year) in method.source
    assert method.source
    assert method.summary
    bibliography = (ROOT / "book/reference/references.bib").read_text()
    assert not method.reference or f"{{{method.reference}," in bibliography
    settings = {setting.name for setting in registry.SETTINGS}
    assert not method.parent or method.parent in settings or registry.find(method.parent)


def test_names_are_unique():
    names = [method.name for method in registry.METHODS]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("kind", "package", "base"),
    [
        ("optimizer", optimizers, (optimizers.Optimizer, optimizers.Wrapper)),
        ("scheduler", schedulers, (schedulers.LRScheduler,)),
    ],
)
def test_what_is_registered_is_exported_and_the_reverse(kind, package, base):
    folder = package.__name__.rpartition(".")[2]
    registered = {method.name: method for method in registry.methods(kind)}
    exported = {
        name for name, value in vars(package).items()
        if inspect.isclass(value) and issubclass(value, base[0]) and value not in base
    }  # fmt: skip
    for name in registered.keys() - exported:
        module = registered[name].module.rpartition(".")[2]
        pytest.fail(
            f"{name} is registered but not exported: write 'from .{module} import {name} as {name}'"
            f" into optim_scratch/{folder}/__init__.py"
        )
    for name in exported - registered.keys():
        pytest.fail(
            f"{name} is exported but not registered: give it an entry in "
            f"optim_scratch/registry/{folder}.py"
        )


@pytest.mark.parametrize("method", registry.methods("optimizer"), ids=lambda m: m.name)
def test_properties_are_what_the_class_says(method):
    kind = method.load()
    assert method.wraps == issubclass(kind, optimizers.Wrapper)
    if not method.wraps:
        assert method.elementwise == kind.elementwise
        assert method.closure == kind.needs_closure


def kept(method, options):
    """How many numbers for each entry of a parameter a method keeps, after three steps."""
    shape = next(s for s in [*methods.describe(method.name).shapes, (4, 2)] if len(s) == 2)
    optimizer, p = methods.single(method, options, shape)
    for _ in range(3):
        methods.take(optimizer, p, np.full(shape, 0.1))
    sizes = [np.asarray(entry).size for entry in optimizer.state.get(p, {}).values()]
    return sum(size for size in sizes if size > 1) / p.data.size


@pytest.mark.parametrize("method", registry.methods("optimizer"), ids=lambda m: m.name)
def test_memory_is_what_the_state_holds(method):
    found = [kept(method, options) for options in methods.describe(method.name).settings]
    by_sides = {  # of a matrix with 4 rows and 2 columns, or 3 of both
        "Adafactor": 1 / 4 + 1 / 2,
        "Shampoo": 2 * 4 / 2 + 2 * 2 / 4 + 1,
        "SOAP": 2 + 2 * 3 / 3 + 2 * 3 / 3,
    }
    if method.name in by_sides:
        assert max(found) == by_sides[method.name]
        return
    said = [int(number) for number in re.findall(r"\d+", method.memory)]
    assert min(said) <= min(found), f"{method.name} keeps {min(found)} numbers at the least"
    assert max(said) == max(found), f"{method.name} keeps {max(found)} numbers at the most"


def test_kinds():
    split = registry.methods("optimizer") + registry.methods("scheduler")
    assert sorted(split, key=str) == sorted(registry.methods(), key=str)


def test_an_unknown_name_gets_the_nearest():
    with pytest.raises(ValueError, match=r"got 'MultistepLR'; near: .*MultiStepLR"):
        registry.find("MultistepLR")
    with pytest.raises(ValueError, match="got 'qq'"):
        registry.find("qq")
