"""Records: what a run leaves behind, as self-contained JSON, and how to read many.

Reading needs no torch. A record holds:

``format``
    Version of this layout, 1.
``recipe``
    The recipe, every field of it.
``seed``
    The seed.
``data``, ``checksum``
    Name and SHA-256 of the data's source.
``images``
    Number of images: ``train``, ``train_evaluated`` (how many of them the training figures in
    evaluation mode are taken over, always the same ones), ``validation``, ``test``.
``classes``
    Class names.
``parameters``
    Number of the network's parameters.
``settings``
    ``device``, ``precision``, ``compiled``, ``threads``.
``device_name``
    What the device's maker calls it.
``versions``
    Of ``optim_scratch``, ``torch``, ``numpy``, ``python``.
``diverged``
    None, or the ``epoch`` and ``step`` whose loss was the first not to be finite.
``epochs``
    For each complete epoch: ``epoch`` (from 1), ``lr`` (the rate it was trained with),
    ``running_loss`` and ``running_accuracy`` (mean over the epoch's augmented batches, each
    before its update), then loss and accuracy after the epoch, in evaluation mode, without
    augmentation, as means over all images: ``train_…``, ``validation_…`` (None without
    validation images), ``test_…``; ``train_seconds`` and ``evaluation_seconds``.
    Accuracies are fractions in [0, 1], losses mean cross-entropies in nats.
"""

import json
import re
import sys
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from optim_scratch.experiments.files import packaged_results, results_folder, write_atomically
from optim_scratch.experiments.recipes import Recipe
from optim_scratch.experiments.terminal import shown

if TYPE_CHECKING:
    import pandas

FORMAT = 1
KEYS: dict[str, Any] = {
    "format": int, "recipe": dict, "seed": int, "data": str, "checksum": str, "images": dict,
    "classes": list, "parameters": int, "settings": dict, "device_name": str, "versions": dict,
    "diverged": (dict, type(None)), "epochs": list,
}  # fmt: skip
FIELDS: dict[str, dict[str, Any]] = {
    "recipe": {"name": str, "suite": str, "epochs": int},
    "images": {"train": int, "train_evaluated": int, "validation": int, "test": int},
    "settings": {"device": str, "precision": str, "compiled": bool, "threads": int},
    "versions": {"optim_scratch": str, "torch": str, "numpy": str},
}
"""What those must hold at least; older records have no more of a recipe or of the versions."""
FILE_NAME = re.compile(r"[\w-][\w.-]*")
MEASURES = tuple(
    f"{part}_{what}"
    for part in ("running", "train", "validation", "test")
    for what in ("loss", "accuracy")
)
COLUMNS = ("epoch", "lr", *MEASURES, "train_seconds", "evaluation_seconds")


def through_json(value: Any) -> Any:
    """Return a value as JSON gives it back: tuples as lists, mappings as dicts."""
    return json.loads(json.dumps(value, allow_nan=False))


def checked(record: Any, name: str = "record") -> dict[str, Any]:
    """Return the record if it is complete and sound.

    Parameters
    ----------
    record : dict
        What claims to be a record.
    name : str
        What the message calls it.

    Raises
    ------
    ValueError
        Naming the first thing that is missing or wrong.
    """
    if not isinstance(record, dict):
        raise ValueError(f"{name} must be a JSON object, got {_brief(record)}")
    for key, kind in KEYS.items():
        if not _is(record.get(key, ...), kind):
            raise ValueError(f"{name} has no valid {key!r}: {_brief(record.get(key))}")
    if set(record) != set(KEYS):
        raise ValueError(f"{name} has unknown keys: {', '.join(sorted(set(record) - set(KEYS)))}")
    if record["format"] != FORMAT:
        raise ValueError(f"{name} has format {record['format']}, expected {FORMAT}")
    for key, inner in FIELDS.items():
        _check_fields(record[key], inner, f"{name} has a {key}")
    _check_recipe(record["recipe"], name)
    if record["diverged"] is not None:
        _check_fields(record["diverged"], {"epoch": int, "step": int}, f"{name} has a diverged")
    if not all(isinstance(class_name, str) for class_name in record["classes"]):
        raise ValueError(f"{name} has classes without names: {_brief(record['classes'])}")
    whole = record["recipe"]["epochs"]
    if len(record["epochs"]) != whole and record["diverged"] is None:
        raise ValueError(f"{name} has {len(record['epochs'])} of {whole} epochs")
    for number, row in enumerate(record["epochs"], start=1):
        _check_row(row, number, name)
    return record


def _is(value: Any, kind: Any) -> bool:
    """Return whether a value is of a kind; True and False are no integers here."""
    return isinstance(value, kind) and not (isinstance(value, bool) and kind is int)


def _brief(value: Any) -> str:
    return shown(repr(value)[:200])


def _check_fields(found: dict[str, Any], kinds: Mapping[str, Any], what: str) -> None:
    for key, kind in kinds.items():
        if key not in found:
            raise ValueError(f"{what} without {key!r}")
        if not _is(found[key], kind):
            raise ValueError(f"{what} with no valid {key!r}: {_brief(found[key])}")


def _check_recipe(recipe: dict[str, Any], name: str) -> None:
    """Refuse a recipe whose name or suite is no name of a file, or that has foreign fields."""
    for key in ("name", "suite"):
        if not FILE_NAME.fullmatch(recipe[key]):
            raise ValueError(f"{name} has a recipe with no valid {key!r}: {_brief(recipe[key])}")
    if unknown := sorted(set(recipe) - {field.name for field in fields(Recipe)}):
        raise ValueError(f"{name} has a recipe with unknown fields: {', '.join(unknown)}")


def _check_row(row: Any, number: int, name: str) -> None:
    if not isinstance(row, dict) or tuple(row) != COLUMNS or row["epoch"] != number:
        raise ValueError(f"{name} has no valid row of epoch {number}: {_brief(row)}")
    for key, value in row.items():
        if value is None and key.startswith("validation_"):
            continue
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"{name}, epoch {number}: {key} must be a number, got {_brief(value)}")
        top = 1 if key.endswith("_accuracy") else sys.float_info.max
        if not 0 <= value <= top:  # NaN is not
            raise ValueError(f"{name}, epoch {number}: {key} is out of range: {_brief(value)}")


def path_of(record: dict[str, Any], folder: Path | None = None) -> Path:
    """Return where a record belongs: ``<folder>/<suite>/<recipe>-seed<seed>.json``."""
    recipe = record["recipe"]
    name = f"{recipe['name']}-seed{record['seed']}.json"
    return (folder or results_folder()) / recipe["suite"] / name


def find(name: str, folder: Path | None = None) -> Path:
    """Return the path of one file among the records.

    Parameters
    ----------
    name : str
        Below the folder, for instance ``"article-003/floor/step-seed0.json"``.
    folder : Path, optional
        Where the suites lie; by default where whole runs leave their records, and where that
        holds none of this name, among those that the package brings.

    Raises
    ------
    FileNotFoundError
        When there is none of this name.
    """
    places = _places(folder)
    for place in places:
        if (place / name).is_file():
            return place / name
    raise FileNotFoundError(f"there is no {name!r} in {' or '.join(map(str, places))}")


def _places(folder: Path | None) -> list[Path]:
    """Return the folders to look for records in: of two with one name, the first counts."""
    return [folder] if folder else list(dict.fromkeys([results_folder(), packaged_results()]))


def _paths(pattern: str, folder: Path | None) -> list[Path]:
    """Return the files that match, each name once, ordered by name."""
    found = {
        path.relative_to(place): path
        for place in reversed(_places(folder))
        for path in place.glob(pattern)
    }
    return [found[name] for name in sorted(found)]


def write(record: dict[str, Any], folder: Path | None = None) -> Path:
    """Write a record, whole or not at all, and return its path.

    Parameters
    ----------
    record : dict
        As the module's head describes it.
    folder : Path, optional
        Where the suites lie; by default where whole runs leave their records.

    Raises
    ------
    ValueError
        When the record is not sound.
    OSError
        When it cannot be written; no part of it is then left.
    """
    path = path_of(checked(record), folder)
    write_atomically(path, lambda file: file.write(_as_json(record).encode()))
    return path


def _as_json(record: dict[str, Any]) -> str:
    """Return the record as JSON with one line an epoch, so that it can be read and compared."""
    head = json.dumps({k: v for k, v in record.items() if k != "epochs"}, indent=2, allow_nan=False)
    rows = [json.dumps(row, allow_nan=False) for row in record["epochs"]]
    body = ",\n    ".join(rows)
    return head.removesuffix("\n}") + ',\n  "epochs": [\n    ' + body + "\n  ]\n}\n"


def load(path: Path) -> dict[str, Any]:
    """Read one record.

    Parameters
    ----------
    path : Path
        Of the JSON file.

    Raises
    ------
    ValueError
        When the file is not a sound record; the message names it.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:  # no UTF-8, too many digits, too deep
        raise ValueError(f"{path.name} is not JSON: {error}") from error
    return checked(record, path.name)


def records(suite: str, folder: Path | None = None) -> list[dict[str, Any]]:
    """Read all records of a suite, ordered by file name.

    Parameters
    ----------
    suite : str
        For instance ``"article-003"``.
    folder : Path, optional
        Where the suites lie; by default the records that the package brings, and over them
        those that whole runs have left.

    Raises
    ------
    ValueError
        When there are none, or one is not sound.
    """
    paths = _paths(f"{suite}/*.json", folder)
    if not paths:
        others = ", ".join(suites(folder)) or "none yet"
        raise ValueError(f"suite {suite!r} has no records; there are: {others}")
    return [load(path) for path in paths]


def suites(folder: Path | None = None) -> list[str]:
    """Return the names of the suites that have records.

    Parameters
    ----------
    folder : Path, optional
        Where the suites lie; by default the records that the package brings, and over them
        those that whole runs have left.
    """
    return sorted({path.parent.name for path in _paths("*/*.json", folder)})


def read(suite: str, folder: Path | None = None) -> "pandas.DataFrame":
    """Read all records of a suite into a table with one row per run and epoch.

    Parameters
    ----------
    suite : str
        For instance ``"article-003"``.
    folder : Path, optional
        Where the suites lie; by default the records that the package brings, and over them
        those that whole runs have left.

    Returns
    -------
    DataFrame
        Columns ``suite``, ``recipe``, ``seed``, ``data``, ``device_name``, ``precision``, and
        the epochs' own (see the module's head). A missing validation figure is NaN.

    Raises
    ------
    ValueError
        When there are no records, or one is not sound.
    """
    import pandas

    rows = [
        {
            "suite": record["recipe"]["suite"],
            "recipe": record["recipe"]["name"],
            "seed": record["seed"],
            "data": record["data"],
            "device_name": record["device_name"],
            "precision": record["settings"]["precision"],
            **row,
        }
        for record in records(suite, folder)
        for row in record["epochs"]
    ]
    table = pandas.DataFrame(rows)
    return table.astype({name: float for name in MEASURES if name in table})
