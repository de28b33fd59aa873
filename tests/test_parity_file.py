"""The file that the page on parity is drawn from is of the present code, and comes out again."""

import re
from dataclasses import replace

import agreement
import methods
import numpy as np
import parity
import pytest

from optim_scratch import registry
from optim_scratch.optimizers import SGD, Adam

ROWS = {row["name"]: row for row in parity.read()}
every = pytest.mark.parametrize("method", registry.METHODS, ids=lambda method: method.name)


def test_the_file_has_the_classes_of_the_registry_in_its_order():
    names = [method.name for method in registry.METHODS]
    missing, gone = set(names) - set(ROWS), set(ROWS) - set(names)
    assert not missing, f"{', '.join(sorted(missing))} in no row: run make parity"
    assert not gone, f"{', '.join(sorted(gone))} in a row, and gone: run make parity"
    assert list(ROWS) == names


@every
def test_a_row_is_of_the_present_code_and_reference(method):
    assert not parity.is_old(method, ROWS[method.name]), (
        f"{method.name}, its reference or that one's version has changed since: run make parity"
    )


@every
def test_a_row_is_of_the_present_descriptions(method):
    row = ROWS[method.name]
    if method.kind == "optimizer":
        description = methods.describe(method.name)
        runs = len(description.settings) * len(description.groups)
        assert (row["listed"], row["steps"]) == (runs, description.steps), "run make parity"
        assert row["drawn"] == parity.DRAWN
    assert row["listed"] > 0
    assert row["reference"] or row["instead"]
    assert bool(row["version"]) == bool(row["reference"])


@every
def test_the_error_is_within_what_the_tests_admit(method):
    optimizer = method.kind == "optimizer"
    admitted = methods.describe(method.name).tolerance if optimizer else 1e-12
    assert ROWS[method.name]["float64"] <= admitted
    assert (ROWS[method.name]["float32"] is None) != optimizer


@pytest.mark.parametrize("name", ["Adagrad", "SequentialLR"])
def test_measured_again_a_row_comes_out(name):
    again, row = parity.row(registry.find(name)), ROWS[name]
    for what in ("reference", "version", "listed", "drawn", "steps", "code"):
        assert again[what] == row[what], what
    for what in ("float64", "float32"):
        if row[what] is not None:
            assert again[what] == pytest.approx(row[what], rel=9, abs=1e-15)


# When a row is old


def test_words_have_no_say_in_a_fingerprint_and_code_has():
    source = 'def f(x):\n    """Double it."""\n    # twice\n    return 2 * x\n'
    assert parity.bare(source) == "def f(x):\n    return 2 * x"
    assert parity.bare(source.replace("Double", "Do\n\n    double")) == parity.bare(source)
    assert parity.bare(source.replace("2 *", "3 *")) != parity.bare(source)


def test_a_fingerprint_is_of_all_modules_that_a_class_is_made_of(monkeypatch):
    """A change in what it imports from its package counts, one in a stranger does not."""
    before = parity.fingerprint(Adam), parity.fingerprint(SGD)
    real = parity.bare
    modules = parity.modules(Adam)
    names = {file.stem for file in modules}
    assert {"adam", "optimizer"} <= names
    assert "lbfgs" not in names
    monkeypatch.setattr(parity, "bare", lambda source: real(source) + "\nchanged = True")
    assert parity.fingerprint(Adam) != before[0]
    assert parity.fingerprint(SGD) != before[1]


def test_an_old_row_is_seen():
    adam = registry.find("Adam")
    row = ROWS["Adam"]
    assert parity.is_old(adam, {**row, "code": "0" * 16})
    assert parity.is_old(adam, {**row, "version": "1.0"})
    assert parity.is_old(adam, {**row, "reference": "torch.optim.SGD"})
    assert parity.is_old(adam, {**row, "description": "0" * 16})
    assert parity.is_old(adam, {**row, "torch": "2.12.0"})


def test_a_description_is_marked_by_its_settings_and_by_the_lines_of_its_reference(monkeypatch):
    adam, yogi, step = map(registry.find, ("Adam", "Yogi", "StepLR"))
    before = [parity.described(each) for each in (adam, yogi, step)]
    assert before == [parity.described(each) for each in (adam, yogi, step)]
    description = methods.describe("Adam")
    changed = replace(description, settings=[*description.settings, {"lr": 0.5}])
    monkeypatch.setitem(methods.DESCRIPTIONS, "Adam", changed)
    assert parity.described(adam) != before[0]
    real = parity.bare
    monkeypatch.setattr(parity, "bare", lambda source: real(source) + "\nchanged = True")
    assert parity.described(yogi) != before[1]
    assert parity.described(step) != before[2]


def test_where_one_alone_is_no_number_they_are_apart():
    assert methods.distance([np.array([1.0, np.nan])], [np.array([1.0, 2.0])]) == np.inf
    assert methods.distance([np.array([1.0])], [np.array([2.0])]) == 0.5


# The measure


def test_a_wrong_class_is_measured_as_far_away(monkeypatch):
    """Adam with another second memory is far from torch's, in each precision."""
    method = registry.find("Adam")
    description = methods.describe("Adam")

    def wrong(kind, params, **options):
        return kind(params, **{"betas": (0.9, 0.99), **options})

    monkeypatch.setitem(
        methods.DESCRIPTIONS, "Adam", replace(description, make=wrong, settings=[{}])
    )
    monkeypatch.setattr(parity, "DRAWN", 1)
    for dtype in ("float64", "float32"):
        assert max(parity.of_optimizer(method, np.dtype(dtype))[2]) > 1e-4


def test_the_measure_of_rates():
    assert parity.apart([[1.0, 2.0]], [[1.0, 2.5]]) == pytest.approx(0.2)
    assert parity.apart([[np.inf, 2.0]], [[np.inf, 2.0]]) == 0
    with pytest.raises(AssertionError):
        parity.apart([[1.0, 2.0]], [[np.inf, 2.0]])


# The page


def test_the_table_says_what_the_file_says():
    cells = agreement.cells(ROWS["Adam"])
    assert cells["class"] == "{py:class}`~optim_scratch.optimizers.Adam`"
    assert cells["held against"] == f"torch {ROWS['Adam']['version']}"
    assert agreement.against(ROWS["Yogi"]).startswith("pytorch_optimizer ")
    assert agreement.against(ROWS["Yogi"]).endswith(", with a mean gradient that begins at 0")
    assert ", swa_utils.AveragedModel" in agreement.against(ROWS["EMA"])
    assert agreement.cells(ROWS["NoamLR"])["held against"].startswith("no reference: the formula")
    assert [agreement.told(error) for error in (1.8e-15, 0.0, 1.4)] == ["2e-15", "0", "1e+00"]


def test_the_lines_to_check_one_with_do_so(capsys):
    page = (parity.HERE.parent / "book/reference/parity.md").read_text()
    (lines,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exec(lines, {})
    assert float(capsys.readouterr().out) < 1e-14
    admitted = {
        name: d.tolerance for name, d in methods.DESCRIPTIONS.items() if d.tolerance > 1e-12
    }
    assert admitted == {"LBFGS": 1e-9, "Muon": 1e-10}, "as the page says"
