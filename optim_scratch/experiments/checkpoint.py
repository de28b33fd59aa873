"""Checkpoints: a run's state after an epoch, written whole or not at all."""

import hashlib
import io
import json
import pickle
from pathlib import Path
from typing import Any

import torch

from optim_scratch.experiments.files import write_atomically


def name_of(identity: dict[str, Any]) -> str:
    """Return the file name of a run's checkpoint; another setting is another run."""
    digest = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
    return f"{identity['recipe']['name']}-seed{identity['seed']}-{digest[:10]}.pt"


def save(path: Path, identity: dict[str, Any], state: dict[str, Any]) -> None:
    """Write a run's state.

    Raises
    ------
    OSError
        When it cannot be written; the checkpoint of the epoch before is then still there.
    """
    whole = io.BytesIO()  # torch hides the errors of a disk behind its own
    torch.save({"identity": identity, "state": state}, whole)
    write_atomically(path, lambda file: file.write(whole.getbuffer()))


def load(path: Path, identity: dict[str, Any], device: str) -> dict[str, Any]:
    """Read a run's state; nothing in the file can run code.

    Raises
    ------
    ValueError
        When the file is damaged or belongs to another run.
    """
    try:
        stored = torch.load(path, map_location=device, weights_only=True)
    except (RuntimeError, EOFError, OSError, pickle.UnpicklingError) as error:
        raise ValueError(f"checkpoint {path.name} is damaged; delete it to start again") from error
    if stored["identity"] != identity:
        raise ValueError(f"checkpoint {path.name} belongs to another run; delete it to start again")
    state: dict[str, Any] = stored["state"]
    return state
