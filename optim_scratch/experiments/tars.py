"""Reading a tar that comes from elsewhere: in memory, and never more of it than is allowed."""

import bz2
import gzip
import lzma
import tarfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import IO, Any

from optim_scratch.experiments.terminal import shown

LARGEST_HEAD = LARGEST_TAIL = 2**20
LARGEST_MEMBER = 2**26
LARGEST_TOTAL = 2**30
MOST_MEMBERS = 250_000

UNPACKERS: tuple[tuple[bytes, Callable[..., Any]], ...] = (
    (b"\x1f\x8b", gzip.open),
    (b"BZh", bz2.open),
    (b"\xfd7zXZ\0", lzma.open),
    (b"]\0\0", lzma.open),
)


class RefusedError(ValueError):
    """An archive holds what is not admitted, or too much of it."""


class Bounded:
    """What `tarfile` needs of a file, with an allowance of bytes for each of its steps.

    The head of a member says how long the next part of its head is, and `tarfile` reads as much,
    be it 4 GiB.

    Parameters
    ----------
    file : binary file
        What the archive unpacks to.

    Raises
    ------
    RefusedError
        When more is asked for than is allowed.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.allowance = file, LARGEST_HEAD

    def allow(self, count: int) -> None:
        """Let so many bytes be read from now on."""
        self.allowance = count

    def read(self, count: int) -> bytes:
        """Return up to so many bytes."""
        self.allowance -= count
        if self.allowance < 0:
            raise RefusedError("the archive has a member whose head is larger than 1 MiB")
        return self.file.read(count)

    def seek(self, place: int) -> int:
        """Go to a place, counted from the beginning."""
        if place > LARGEST_TOTAL:
            raise RefusedError("the archive unpacks to more than 1 GiB")
        return self.file.seek(place)

    def tell(self) -> int:
        """Return the present place."""
        return self.file.tell()


def read_tar(path: Path) -> dict[str, bytes]:
    """Return the files of a tar by name, read in memory; nothing is written to the disk.

    Parameters
    ----------
    path : Path
        Of the tar, which may be compressed by gzip, bzip2 or xz.

    Raises
    ------
    ValueError
        When the archive is truncated, damaged or no tar; when a member is a link, a device,
        sparse, larger than 64 MiB, or has a path that climbs out of the folder; when there are
        more than 250,000 members, more than 1 GiB in all, or more than 1 MiB after the end.
    """
    try:
        with _unpacked(path) as file:
            return _files(Bounded(file))
    except RefusedError:
        raise
    except Exception as error:  # a damaged archive may fail in any way
        reason = str(error) or type(error).__name__
        raise ValueError(f"{path.name} is truncated or damaged: {shown(reason)}") from error


def _files(file: Bounded) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    count = 0
    with tarfile.open(fileobj=file, mode="r:") as tar:  # type: ignore[call-overload]
        while (member := tar.next()) is not None:
            tar.members.clear()  # it would keep them all
            count += 1
            if count > MOST_MEMBERS:
                raise RefusedError("the archive has more than 250,000 members")
            if not member.isdir():
                files[_safe_name(member)] = _content(file, member)
            file.allow(LARGEST_HEAD)
        _check_end(file)
    return files


def _unpacked(path: Path) -> IO[bytes]:
    """Open a file for reading what it unpacks to."""
    with path.open("rb") as file:
        beginning = file.read(6)
    for magic, unpacker in UNPACKERS:
        if beginning.startswith(magic):
            unpacked: IO[bytes] = unpacker(path)
            return unpacked
    return path.open("rb")


def _safe_name(member: tarfile.TarInfo) -> str:
    """Return a member's path, refusing what could reach outside of the archive."""
    name, path = shown(member.name), PurePosixPath(member.name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts:
        raise RefusedError(f"the archive's member '{name}' climbs out of the folder")
    if not member.isreg():
        raise RefusedError(f"the archive's member '{name}' is a link or device, not a file")
    if member.issparse():
        raise RefusedError(f"the archive's member '{name}' is sparse, which is not admitted")
    if member.size > LARGEST_MEMBER:
        raise RefusedError(f"the archive's member '{name}' is larger than 64 MiB")
    return path.as_posix()


def _content(file: Bounded, member: tarfile.TarInfo) -> bytes:
    """Return a member's content.

    It is read from where it lies, without `TarFile.extractfile`: the objects that this makes run
    Python as they are collected, and an interruption there is lost.
    """
    file.seek(member.offset_data)
    file.allow(member.size)
    content = file.read(member.size)
    if len(content) != member.size:
        raise EOFError(f"member {member.name!r} breaks off")
    return content


def _check_end(file: Bounded) -> None:
    """Refuse a tar that does not end in zeros: cut off or damaged in a header, it looks complete.

    Of the two blocks of zeros that end a tar, the first is read already. Reading all that is left
    also lets an unpacker find that its own checksum is missing or wrong.
    """
    file.allow(LARGEST_TAIL + 1)
    tail = file.read(LARGEST_TAIL + 1)
    if not tail or tail.strip(b"\0"):
        raise EOFError("its end is missing")
    if len(tail) > LARGEST_TAIL:
        raise RefusedError("the archive goes on for more than 1 MiB after its end")
