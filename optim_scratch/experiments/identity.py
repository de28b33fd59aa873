"""What a run is: all that shapes its numbers, and the record's head that tells of it."""

import platform
from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields
from typing import Any

import numpy as np
import torch

import optim_scratch
from optim_scratch.experiments import results
from optim_scratch.experiments.data import Dataset
from optim_scratch.experiments.machine import device_name
from optim_scratch.experiments.recipes import Recipe
from optim_scratch.experiments.settings import Settings


def identity(recipe: Recipe, seed: int, data: Dataset, settings: Settings) -> dict[str, Any]:
    """Return what must agree for a run to go on from a checkpoint: all that shapes its numbers.

    Parameters
    ----------
    recipe, seed, data, settings
        As in `optim_scratch.experiments.train.train`.
    """
    return {
        "recipe": results.through_json(asdict(recipe)),
        "seed": seed,
        "checksum": data.checksum,
        "settings": asdict(settings),
        "torch": str(torch.__version__),
        "optim_scratch": optim_scratch.__version__,
    }


def differences(record: dict[str, Any], run: dict[str, Any]) -> list[str]:
    """Return what tells a record, or another run's identity, from the run with this identity.

    A record of another version of this package is still that run's: what a release changes in
    the numbers, its changelog says.

    Parameters
    ----------
    record : dict
        A sound record, or an identity.
    run : dict
        The identity.

    Returns
    -------
    list of str
        One entry a field, as ``"torch 2.6.0, not 2.13.0"``; empty if it is that run's.
    """
    theirs, ours = _fields(record), _fields(run)
    if "versions" in record:
        theirs["torch"] = record["versions"]["torch"]
        theirs["optim_scratch"] = ours["optim_scratch"]
    return [
        f"{name} {_short(theirs.get(name))}, not {_short(value)}"
        for name, value in ours.items()
        if theirs.get(name) != value
    ]


def _fields(run: Mapping[str, Any]) -> dict[str, Any]:
    """Return what tells runs apart, side by side: the recipe's and settings' fields by name."""
    # older records lack newer fields of the recipe, which then have their defaults
    recipe = {f.name: f.default for f in fields(Recipe) if f.default is not MISSING}
    own = {key: run[key] for key in ("seed", "checksum", "torch", "optim_scratch") if key in run}
    return {**recipe, **run["recipe"], **run["settings"], **own}


def _short(value: object) -> str:
    """Return a value as a message shows it: of a checksum or a mapping the beginning."""
    text = "none" if value is None else str(value)
    return text if len(text) <= 40 else f"{text[:12]}…"


def head(
    run: dict[str, Any], data: Dataset, images: Mapping[str, int], parameters: int
) -> dict[str, Any]:
    """Return a record without its epochs, of a run that has not diverged.

    Parameters
    ----------
    run : dict
        The run's identity.
    data : Dataset
        What it trains on.
    images, parameters
        How many, as `optim_scratch.experiments.results` describes it.
    """
    return {
        "format": results.FORMAT,
        "recipe": run["recipe"],
        "seed": run["seed"],
        "data": data.name,
        "checksum": run["checksum"],
        "images": dict(images),
        "classes": list(data.classes),
        "parameters": parameters,
        "settings": run["settings"],
        "device_name": device_name(torch.device(run["settings"]["device"])),
        "versions": {
            "optim_scratch": optim_scratch.__version__,
            "torch": run["torch"],
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
        "diverged": None,
    }
