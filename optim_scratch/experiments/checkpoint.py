"""Checkpoints: a run's state after an epoch, written whole or not at all.

A file is three lines, then what `torch.save` made of the state: the name of this layout, the
SHA-256 of all that follows, and the run's identity as JSON. So a flipped bit anywhere is found, and
whose checkpoint it is can be told without reading the state.
"""

import hashlib
import io
import json
import pickle
import time
from pathlib import Path
from typing import Any, BinaryIO

import torch

import optim_scratch
from optim_scratch.experiments.files import write_atomically
from optim_scratch.experiments.identity import differences

LAYOUT = b"optim-lab checkpoint 2\n"
LONGEST_LINE = 2**16
FORGOTTEN = 7 * 24 * 3600.0
"""Seconds after which a checkpoint that nothing here can go on from is no longer kept."""


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
    whole.write(json.dumps(identity).encode() + b"\n")
    torch.save(state, whole)
    content = whole.getbuffer()
    digest = hashlib.sha256(content).hexdigest().encode()
    write_atomically(path, lambda file: file.writelines((LAYOUT, digest, b"\n", content)))


def load(path: Path, identity: dict[str, Any], device: str) -> dict[str, Any]:
    """Read a run's state; nothing in the file can run code.

    Raises
    ------
    ValueError
        When the file is damaged, of an older layout, or belongs to another run.
    """
    try:
        with path.open("rb") as file:
            content = _verified(file)
        owner = json.loads(content.readline())
        state: dict[str, Any] = torch.load(content, map_location=device, weights_only=True)
    except (ValueError, RuntimeError, EOFError, OSError, pickle.UnpicklingError) as error:
        raise ValueError(
            f"checkpoint {path.name} is damaged or of an older layout; delete it to start again"
        ) from error
    if owner != identity:
        fields = ", ".join(differences(owner, identity))
        raise ValueError(
            f"checkpoint {path.name} belongs to another run ({fields}); delete it to start again"
        )
    return state


def _verified(file: BinaryIO) -> io.BytesIO:
    """Return what follows the digest, or refuse it if the digest is another."""
    if file.readline(LONGEST_LINE) != LAYOUT:
        raise ValueError("it does not begin as a checkpoint does")
    digest = file.readline(LONGEST_LINE).strip().decode("ascii")
    content = file.read()
    if hashlib.sha256(content).hexdigest() != digest:
        raise ValueError("its digest is another")
    return io.BytesIO(content)


def sweep(folder: Path) -> None:
    """Delete what nothing can go on from, a week after its last use.

    That is the checkpoints of another version of torch or of this package and of an older layout,
    and the marks of `optim_scratch.experiments.places` that stand alone.

    Parameters
    ----------
    folder : Path
        Of the checkpoints of one suite; it need not exist.
    """
    here = {"torch": str(torch.__version__), "optim_scratch": optim_scratch.__version__}
    for path in [*folder.glob("*-seed*-*.pt"), *folder.glob("*-seed*-*.fresh")]:
        recent = time.time() - path.stat().st_mtime <= FORGOTTEN
        if recent or (path.suffix == ".fresh" and path.with_suffix(".pt").exists()):
            continue
        if path.suffix == ".fresh" or {key: _owner(path).get(key) for key in here} != here:
            path.unlink(missing_ok=True)


def _owner(path: Path) -> dict[str, Any]:
    """Return the identity that a checkpoint's head states, empty if it states none."""
    with path.open("rb") as file:
        layout, _, line = (file.readline(LONGEST_LINE) for _ in range(3))
    try:
        owner = json.loads(line) if layout == LAYOUT else {}
    except ValueError:
        return {}
    return owner if isinstance(owner, dict) else {}
