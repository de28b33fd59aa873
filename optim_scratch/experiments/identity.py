"""What a run is: all that shapes its numbers, and the record's head that tells of it."""

import platform
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import torch

import optim_scratch
from optim_scratch.experiments import results
from optim_scratch.experiments.data import Dataset
from optim_scratch.experiments.recipes import Recipe
from optim_scratch.experiments.settings import Settings, device_name


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
    }


def is_of(record: dict[str, Any], run: dict[str, Any]) -> bool:
    """Return whether a record is that of the run with this identity."""
    # older records lack newer fields of the recipe, which then have their defaults
    known = results.through_json(asdict(Recipe(**record["recipe"])))
    return {**record, "recipe": known, "torch": record["versions"]["torch"]} == {**record, **run}


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
