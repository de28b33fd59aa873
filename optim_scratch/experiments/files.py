"""Where the experiments keep things, and files that are written whole or not at all."""

import hashlib
import os
import re
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import BinaryIO

PART = re.compile(r"\..+\.[a-z0-9_]{8}\.part")
STALE = 3600.0


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
        When the disk is full, for instance; the destination is then as it was before. The message
        names a file.
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
    except BaseException as error:
        Path(name).unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno and error.filename is None:
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise


def sweep(folder: Path) -> None:
    """Delete the parts of files that were being written when their process was killed.

    Parameters
    ----------
    folder : Path
        Where they lie; it need not exist. A part that was written to within the hour stays, as
        it may still grow.
    """
    for part in folder.glob(".*.part"):
        with suppress(FileNotFoundError):  # another process sweeps too
            if PART.fullmatch(part.name) and time.time() - part.stat().st_mtime > STALE:
                part.unlink()


def check_writable(folder: Path) -> None:
    """Find out whether files can be made in a folder, which need not exist yet.

    Parameters
    ----------
    folder : Path
        The folder. Nothing is left in it.

    Raises
    ------
    ValueError
        When not.
    """
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    try:
        with tempfile.TemporaryFile(dir=there) as file:
            file.write(b"a byte")
    except OSError as error:
        raise ValueError(f"cannot write to the folder {folder}: {error.strerror}") from error


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
