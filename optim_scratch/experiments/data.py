"""The three sources of images: the official CIFAR-10 archive, an image folder, synthetic classes.

There is no falling back from one to another: what was asked for is loaded, or the reason why not
is raised.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from optim_scratch.checks import Integer
from optim_scratch.experiments import archives
from optim_scratch.experiments.files import data_folder, sha256, write_atomically
from optim_scratch.experiments.folders import read_folder
from optim_scratch.experiments.tars import LARGEST_TOTAL, read_tar
from optim_scratch.experiments.terminal import shown

KNOWN_ARCHIVES = {
    "6bada4ac4b2cd8743b44bf07945826402e0e9170f557e1194b5f08aec622a389": "cifar10-jpeg75",
}
PARTS = ("train_images", "train_labels", "test_images", "test_labels")
MOST_SYNTHETIC = 100_000
"""They are made in float64: 2.5 GB."""
THREE_WAYS = (
    "there are three ways to get data: 'cifar10' downloads the official archive (170 MB), "
    "a path names an image folder (train/<class>/*, test/<class>/*) or a tar of one, "
    "'synthetic' makes ten learnable classes on the spot"
)


@dataclass(frozen=True)
class Dataset:
    """Decoded images in memory.

    Attributes
    ----------
    name : str
        What records call the source.
    checksum : str
        SHA-256 of the archive, or of the content where there is no archive.
    classes : tuple of str
        Class names; a label is an index into them.
    train_images, test_images : ndarray
        uint8, shape (n, 32, 32, 3).
    train_labels, test_labels : ndarray
        uint8, shape (n,).
    """

    name: str
    checksum: str
    classes: tuple[str, ...]
    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray


def load(source: str) -> Dataset:
    """Load the images a source names.

    Parameters
    ----------
    source : str
        ``"cifar10"``; ``"synthetic"`` or ``"synthetic:N"`` with N training images; or the path
        of an image folder, of a tar of one, or of ``cifar-10-python.tar.gz``.

    Raises
    ------
    ValueError
        When the path does not exist or the download fails (the message gives the three ways to
        get data), or when an archive is damaged, unsafe or not what it should be.
    """
    if source == "cifar10":
        return cifar10(_downloaded())
    if source == "synthetic" or source.startswith("synthetic:"):
        return _synthetic_of(source)
    path = _path_of(source)
    return cifar10(path) if path.name == archives.CIFAR10_FILE else folder(path)


def _path_of(source: str) -> Path:
    """Return the path that a source names, of a folder or of a file that may be an archive."""
    try:
        path = Path(source).expanduser()
        there = path.exists()
    except (RuntimeError, ValueError):  # a home of nobody, a path with a zero in it
        there = False
    if not there:
        raise ValueError(f"data {source!r} does not exist; {THREE_WAYS}")
    if not (path.is_file() or path.is_dir()):  # a pipe or a device may never end
        raise ValueError(f"data {source!r} is neither a file nor a folder; {THREE_WAYS}")
    if path.is_file() and path.stat().st_size > LARGEST_TOTAL:
        raise ValueError(f"data {source!r} is larger than 1 GiB, no archive of such images")
    return path


def _downloaded() -> Path:
    try:
        return archives.download(data_folder())
    except ValueError as error:
        raise ValueError(f"{error}; {THREE_WAYS}") from error


def _synthetic_of(source: str) -> Dataset:
    count = source.partition(":")[2] or "5000"
    if not count.isdecimal() or len(count) > 20:
        raise ValueError(
            f"data {shown(source)!r} must be 'synthetic' or 'synthetic:N', N a whole number"
        )
    return synthetic(train=int(count), test=max(int(count) // 5, 10))


def cifar10(archive: Path, checksum: str = archives.CIFAR10_SHA256) -> Dataset:
    """Load the official archive, whose checksum is verified before anything is read from it.

    Parameters
    ----------
    archive : Path
        Of ``cifar-10-python.tar.gz``.
    checksum : str
        The SHA-256 that it must have, as 64 hexadecimal digits.

    Raises
    ------
    ValueError
        When the checksum is another, or the archive does not hold what it should.
    """
    found = sha256(archive)
    if found != checksum:
        raise ValueError(
            f"{archive} has the SHA-256 {found}, expected {checksum}: it is damaged or not "
            "the official archive; delete it and let 'cifar10' download it again"
        )
    return _cached("cifar10", found, lambda: archives.read_cifar10(archive))


def folder(path: Path) -> Dataset:
    """Load an image folder, or a tar of one: ``train/<class>/*`` and ``test/<class>/*``.

    A tar is read in memory; nothing is extracted to the disk.

    Parameters
    ----------
    path : Path
        Of the folder or the tar, which may be compressed by gzip, bzip2 or xz. Images of 32×32
        pixels in any format of `optim_scratch.experiments.archives.FORMATS`.

    Raises
    ------
    ValueError
        When a tar is truncated or holds links or paths that climb out of the folder, when a folder
        holds links to folders or something unreadable, when an image is damaged, not 32×32 or has
        more than 8 bits a colour, or when the layout is another.
    """
    if path.is_dir():
        files = read_folder(path)
        return _cached("folder", _digest(files), lambda: archives.decode_folder(files))
    checksum = sha256(path)
    name = KNOWN_ARCHIVES.get(checksum, "folder")
    return _cached(name, checksum, lambda: archives.decode_folder(read_tar(path)))


def synthetic(train: int = 5000, test: int = 1000, seed: int = 0) -> Dataset:
    """Make ten classes that a small network can learn but not at once.

    Each class is a picture of four random colours; an image is its class's picture, shifted by
    up to four pixels, with noise.

    Parameters
    ----------
    train, test : int
        Numbers of images, 10 to 100,000; the classes take turns.
    seed : int
        Seed of everything random.

    Raises
    ------
    TypeError, ValueError
        For fewer or more images.
    """
    for name, count in (("train", train), ("test", test)):
        if Integer(10).check(name, count) > MOST_SYNTHETIC:
            raise ValueError(f"{name} must be <= {MOST_SYNTHETIC}, got {count}")
    rng = np.random.default_rng(seed)
    pictures = 100 * np.kron(rng.normal(size=(10, 2, 2, 3)), np.ones((1, 16, 16, 1)))
    parts = [_synthetic_part(pictures, count, rng) for count in (train, test)]
    checksum = _digest({str(i): part[0].tobytes() for i, part in enumerate(parts)})
    return Dataset("synthetic", checksum, tuple("0123456789"), *parts[0], *parts[1])


def _synthetic_part(
    pictures: np.ndarray, count: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    labels = np.arange(count) % 10
    shifts = rng.integers(-4, 5, size=(count, 2))
    images = np.stack(
        [np.roll(pictures[k], tuple(s), (0, 1)) for k, s in zip(labels, shifts, strict=True)]
    )
    images += rng.normal(scale=30, size=images.shape)
    return np.clip(128 + images, 0, 255).astype(np.uint8), labels.astype(np.uint8)


def _digest(files: dict[str, bytes]) -> str:
    """Return the SHA-256 of named contents; each is hashed by itself, so no two can merge."""
    digest = hashlib.sha256()
    for name, content in sorted(files.items()):
        digest.update(hashlib.sha256(name.encode()).digest())
        digest.update(hashlib.sha256(content).digest())
    return digest.hexdigest()


def _cached(name: str, checksum: str, decode: Callable[[], archives.Decoded]) -> Dataset:
    """Return the decoded images, from the cache of that checksum when it has them."""
    cache = data_folder() / f"{checksum}.npz"
    if not cache.exists():
        arrays = decode()
        write_atomically(cache, lambda file: np.savez(file, **arrays))  # type: ignore[arg-type]
    with cache.open("rb") as file:
        try:
            with np.load(file, allow_pickle=False) as stored:
                return _dataset(name, checksum, {key: stored[key] for key in stored.files})
        except Exception as error:  # a damaged cache may fail in any way
            raise ValueError(f"{cache} is damaged; delete it to decode the images again") from error


def _dataset(name: str, checksum: str, arrays: archives.Decoded) -> Dataset:
    """Return decoded images as a dataset, or refuse what is none."""
    classes = tuple(str(name) for name in arrays.pop("classes"))
    loaded = Dataset(name, checksum, classes, **{key: arrays[key] for key in PARTS})
    for images, labels in (
        (loaded.train_images, loaded.train_labels),
        (loaded.test_images, loaded.test_labels),
    ):
        if images.dtype != np.uint8 or images.shape[1:] != (archives.SIDE, archives.SIDE, 3):
            raise ValueError("images must be bytes of shape (n, 32, 32, 3)")
        if labels.dtype != np.uint8 or labels.shape != images.shape[:1]:
            raise ValueError("labels must be bytes, one an image")
        if labels.max() >= len(classes):  # of no labels at all NumPy refuses to take it
            raise ValueError("labels must be of the classes")
    return loaded
