import errno
import json
import os
import subprocess
import sys

import numpy as np
import pytest

from optim_scratch.experiments import files, results


def test_a_record_is_read_as_it_was_written(tmp_path, a_record):
    record = a_record("step", 3)
    path = results.write(record, tmp_path)
    assert path == tmp_path / "article-003" / "step-seed3.json"
    assert results.load(path) == record
    first = path.read_bytes()
    assert results.write(results.load(path), tmp_path).read_bytes() == first
    assert first.count(b'"epoch":') == len(record["epochs"]), "a line for each epoch"


def test_reading_a_suite(tmp_path, a_record):
    for name, seed, accuracies in [("step", 0, (0.5, 0.75)), ("constant", 1, (0.5, 0.6, 0.7))]:
        results.write(a_record(name, seed, accuracies), tmp_path)
    table = results.read("article-003", tmp_path)
    assert list(table.columns) == [
        *("suite", "recipe", "seed", "data", "device_name", "precision"),
        *results.COLUMNS,
    ]
    assert table["recipe"].tolist() == ["constant"] * 3 + ["step"] * 2
    assert table["seed"].tolist() == [1, 1, 1, 0, 0]
    assert table["test_accuracy"].tolist() == [0.5, 0.6, 0.7, 0.5, 0.75]
    assert table["validation_loss"].dtype == np.float64
    assert table["validation_loss"].isna().all()


def test_a_suite_without_records_names_those_that_have(tmp_path, a_record):
    results.write(a_record(), tmp_path)
    with pytest.raises(ValueError, match="'article-004' has no records; there are: article-003"):
        results.read("article-004", tmp_path)
    assert results.suites(tmp_path) == ["article-003"]


def test_the_committed_records_are_sound(monkeypatch):
    monkeypatch.delenv("OPTIM_LAB_HOME")
    for suite in results.suites():
        table = results.read(suite)
        assert not table.duplicated(["recipe", "seed", "epoch"]).any()
        assert set(table["data"]) <= {"cifar10", "cifar10-jpeg75"}, "real images only"
        places = {results.path_of(record) for record in results.records(suite)}
        assert places == set((results.results_folder() / suite).glob("*.json"))


def test_the_package_brings_its_records(home):
    packaged = ["article-003", "directions", "optimizers", "rate-and-schedule"]
    assert results.suites() == packaged, "with no folder of one's own"
    names = {record["recipe"]["name"] for record in results.records("article-003")}
    assert {"constant", "step", "warmup-exponential"} <= names
    watched = results.find("article-003/floor/step-seed0.json")
    assert watched.is_relative_to(files.packaged_results())


def test_a_run_of_ones_own_is_read_in_place_of_the_packages(home, a_record):
    before = len(results.records("article-003"))
    path = results.write(a_record(accuracies=(0.1, 0.2)))
    assert path == home / "results" / "article-003" / "step-seed0.json"
    assert results.find("article-003/step-seed0.json") == path
    records = results.records("article-003")
    assert len(records) == before, "of two with one name the first counts"
    (step,) = (r for r in records if (r["recipe"]["name"], r["seed"]) == ("step", 0))
    assert step["data"] == "synthetic"
    results.write(a_record(seed=7, suite="mine"))
    packaged = ["article-003", "directions", "optimizers", "rate-and-schedule"]
    assert results.suites() == sorted([*packaged, "mine"])


def test_what_is_not_among_the_records_is_said(home, tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"no 'article-003/nine\.json' in .*home/results or"
    ):
        results.find("article-003/nine.json")
    with pytest.raises(FileNotFoundError, match=f"in {tmp_path}$"):
        results.find("article-003/step-seed0.json", tmp_path)


@pytest.mark.parametrize("checkout", [True, False])
def test_whole_runs_leave_their_records_in_a_checkout_or_beside_it(checkout, tmp_path, monkeypatch):
    monkeypatch.delenv("OPTIM_LAB_HOME")
    monkeypatch.chdir(tmp_path)
    if not checkout:
        monkeypatch.setattr(files, "checkout", lambda: None)
    expected = files.packaged_results() if checkout else tmp_path / "results"
    assert files.results_folder() == expected


def changed(record, **changes):
    return {**record, **changes}


def row(record, **changes):
    return {**record, "epochs": [{**record["epochs"][0], **changes}, *record["epochs"][1:]]}


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda r: [], "must be a JSON object"),
        (lambda r: changed(r, seed="0"), "no valid 'seed': '0'"),
        (lambda r: {k: v for k, v in r.items() if k != "checksum"}, "no valid 'checksum'"),
        (lambda r: changed(r, mood="good"), "unknown keys: mood"),
        (lambda r: changed(r, format=2), "format 2, expected 1"),
        (lambda r: changed(r, recipe={"name": "step", "epochs": 2}), "recipe without 'suite'"),
        (lambda r: changed(r, epochs=r["epochs"][:1]), "1 of 2 epochs"),
        (lambda r: changed(r, epochs=r["epochs"][::-1]), "no valid row of epoch 1"),
        (lambda r: changed(r, epochs=["a", "b"]), "no valid row of epoch 1"),
        (lambda r: row(r, test_loss=None), "test_loss must be a number"),
        (lambda r: row(r, test_accuracy=83.3), "test_accuracy is out of range: 83.3"),
        (lambda r: row(r, lr=-1), "lr is out of range"),
        (lambda r: row(r, test_loss=float("nan")), "test_loss is out of range"),
        (lambda r: row(r, test_loss=float("inf")), "test_loss is out of range"),
        (lambda r: row(r, test_loss=10**400), "test_loss is out of range: 1000"),
        (lambda r: changed(r, seed=True), "no valid 'seed': True"),
        (lambda r: changed(r, versions={"torch": "2"}), "a versions without 'optim_scratch'"),
        (lambda r: changed(r, classes=[1]), "classes without names"),
        (lambda r: changed(r, diverged={}), "a diverged without 'epoch'"),
        (lambda r: changed(r, recipe={**r["recipe"], "name": "../x"}), "no valid 'name': '../x'"),
        (lambda r: changed(r, recipe={**r["recipe"], "mood": 1}), "unknown fields: mood"),
        (lambda r: row(r, mood=1), "no valid row of epoch 1"),
    ],
)
def test_unsound_records_are_refused(tmp_path, a_record, spoil, message):
    (tmp_path / "bad.json").write_text(json.dumps(spoil(a_record())))
    with pytest.raises(ValueError, match=f"bad.json.*{message}"):
        results.load(tmp_path / "bad.json")


def test_half_a_record_is_refused(tmp_path, a_record):
    path = results.write(a_record(), tmp_path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ValueError, match=r"step-seed0\.json is not JSON"):
        results.load(path)


def test_a_diverged_run_may_be_short(a_record):
    record = a_record()
    record |= {"epochs": record["epochs"][:1], "diverged": {"epoch": 2, "step": 7}}
    assert results.checked(record) is record


@pytest.mark.parametrize("stage", ["write", "fsync", "replace"])
def test_a_full_disk_leaves_the_old_record_whole(tmp_path, a_record, monkeypatch, stage):
    path = results.write(a_record(accuracies=(0.1, 0.2)), tmp_path)
    before = path.read_bytes()

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if stage == "write":
        with pytest.raises(OSError, match="No space left"):
            files.write_atomically(path, lambda file: (file.write(b"half"), full()))
    else:
        monkeypatch.setattr(os, stage, full)
        with pytest.raises(OSError, match="No space left"):
            results.write(a_record(accuracies=(0.3, 0.4)), tmp_path)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_reading_needs_no_torch(tmp_path, a_record):
    results.write(a_record(), tmp_path)
    code = (
        "import sys; from pathlib import Path; sys.modules['torch'] = None\n"
        "from optim_scratch.experiments import recipes, report, results\n"
        f"print(len(results.read('article-003', Path({str(tmp_path)!r}))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("2\n", "")
