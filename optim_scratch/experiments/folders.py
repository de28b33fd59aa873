"""Reading an image folder, in which nothing is passed over in silence."""

import os
from collections.abc import Iterator
from pathlib import Path

from optim_scratch.experiments import tars
from optim_scratch.experiments.terminal import shown


def read_folder(path: Path) -> dict[str, bytes]:
    """Return the files below ``train`` and ``test`` of a folder by their relative path.

    Parameters
    ----------
    path : Path
        Of the folder.

    Raises
    ------
    ValueError
        When a folder below it is empty, cannot be read or is a link, when something is no file (a
        pipe, a device, a link that leads nowhere), or when there is more than in an archive is
        admitted.
    """
    files: dict[str, bytes] = {}
    total = 0
    for part in ("train", "test"):
        for file in _walk(path / part) if (path / part).exists() else ():
            total += _size(file)
            if total > tars.LARGEST_TOTAL or len(files) >= tars.MOST_MEMBERS:
                raise ValueError(f"{path} holds more than 1 GiB or more than 250,000 files")
            files[file.relative_to(path).as_posix()] = file.read_bytes()
    return files


def _walk(folder: Path) -> Iterator[Path]:
    """Yield all files below a folder, in order."""
    for place, folders, names in os.walk(folder, onerror=_refuse):
        if not folders and not names:
            raise ValueError(f"{shown(place)} is empty; an image folder holds images")
        for name in sorted(folders):
            inner = Path(place, name)
            if inner.is_symlink():
                raise ValueError(f"{shown(str(inner))} is a link; an image folder holds folders")
        folders.sort()
        yield from (Path(place, name) for name in sorted(names))


def _refuse(error: OSError) -> None:
    raise ValueError(f"{shown(str(error.filename))} cannot be read: {error.strerror}") from error


def _size(file: Path) -> int:
    if not file.is_file():
        raise ValueError(f"{shown(str(file))} is no file: a pipe, a device or a broken link")
    size = file.stat().st_size
    if size > tars.LARGEST_MEMBER:
        raise ValueError(f"{shown(str(file))} is larger than 64 MiB")
    return size
