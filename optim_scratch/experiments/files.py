"""Where the experiments keep things, and files that are written whole or not at all."""

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO


def root() -> Path:
    """Return the project's folder.

    That is what the environment variable OPTIM_LAB_HOME names, else the checkout this package
    lies in, else the present folder.
    """
    if home := os.environ.get("OPTIM_LAB_HOME"):
        return Path(home)
    checkout = Path(__file__).resolve().parents[2]
    return checkout if (checkout / "book").is_dir() else Path.cwd()


def data_folder() -> Path:
    """Return the folder of downloaded archives and decoded images, which git ignores."""
    return root() / ".data"


def runs_folder() -> Path:
    """Return the folder of checkpoints and trial records, which git ignores."""
    return root() / ".runs"


def results_folder() -> Path:
    """Return the folder of the committed records."""
    return root() / "book" / "results"


def write_atomically(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file so that a reader sees the old content or the new, never a part.

    Parameters
    ----------
    path : Path
        The destination; its folder is made.
    write : callable
        Receives the open binary file and writes the content.

    Raises
    ------
    OSError
        When the disk is full, for instance; the destination is then as it was before.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
