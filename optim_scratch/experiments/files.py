"""Where the experiments keep things, and files that are written whole or not at all."""

import hashlib
import os
import tempfile
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import BinaryIO


def root() -> Path:
    """Return the project's folder.

    That is what the environment variable OPTIM_LAB_HOME names, else the checkout this package
    lies in, else the present folder.
    """
    return Path(os.environ.get("OPTIM_LAB_HOME") or checkout() or Path.cwd())


def checkout() -> Path | None:
    """Return the checkout this package lies in; None where it was installed from a wheel."""
    above = Path(__file__).resolve().parents[2]
    return above if (above / "book").is_dir() else None


def data_folder() -> Path:
    """Return the folder of downloaded archives and decoded images, which git ignores."""
    return root() / ".data"


def runs_folder() -> Path:
    """Return the folder of checkpoints and trial records, which git ignores."""
    return root() / ".runs"


def packaged_results() -> Path:
    """Return the folder of the records that travel inside the package."""
    return Path(str(files("optim_scratch") / "results"))


def results_folder() -> Path:
    """Return the folder where whole runs leave their records.

    In a checkout it is the package's own, so that they can be committed; elsewhere ``results`` in
    the project's folder, since an installed package is not written into.
    """
    return packaged_results() if root() == checkout() else root() / "results"


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
