"""Reading image archives that come from elsewhere, and trusting none of them."""

import io
import pickle
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

import numpy as np

from optim_scratch.experiments.files import write_atomically
from optim_scratch.experiments.tars import read_tar
from optim_scratch.experiments.terminal import Unfailing, shown

CIFAR10_URL = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
CIFAR10_FILE = "cifar-10-python.tar.gz"
CIFAR10_SHA256 = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"
SIDE = 32
MOST_CLASSES = 256
"""As many as a label of one byte tells apart."""
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")  # to read EPS, Pillow starts a program
EIGHT_BITS = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr")
ADMITTED = frozenset(
    {
        ("numpy.core.multiarray", "_reconstruct"),  # as NumPy 1 wrote it, the archive among it
        ("numpy._core.multiarray", "_reconstruct"),
        ("numpy", "ndarray"),
        ("numpy", "dtype"),
    }
)

Decoded = dict[str, np.ndarray]


def download(target: Path, url: str = CIFAR10_URL) -> Path:
    """Return the official archive in the folder `target`, downloaded if it is not there yet.

    Raises
    ------
    ValueError
        When the host cannot be reached or the connection breaks off.
    """
    archive = target / CIFAR10_FILE
    if archive.exists():
        return archive
    try:
        with urllib.request.urlopen(url, timeout=30) as response:
            write_atomically(archive, lambda file: _copy_with_bar(response, file))
    except (urllib.error.URLError, HTTPException, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", error)
        raise ValueError(f"cannot download {url}: {reason}") from error
    return archive


def _copy_with_bar(response: Any, file: BinaryIO) -> None:
    """Copy a response to a file, and refuse one that is shorter than it announced."""
    from tqdm import tqdm

    announced, arrived = int(response.headers.get("Content-Length") or 0), 0
    look: dict[str, Any] = {"unit": "B", "unit_scale": True, "desc": CIFAR10_FILE}
    with tqdm(total=announced or None, file=Unfailing(sys.stderr), **look) as bar:
        while chunk := response.read(2**18):
            arrived += file.write(chunk)
            bar.update(len(chunk))
    if arrived < announced:
        raise ConnectionError(f"{arrived} of {announced} bytes arrived")


def decode_folder(files: Mapping[str, bytes]) -> Decoded:
    """Decode the images of a folder layout, ``train/<class>/*`` and ``test/<class>/*``.

    Raises
    ------
    ValueError
        When a part is missing, the parts have other classes or more than 256, a file lies beside
        or below a class's own, or an image is damaged, not 32×32, or has more than 8 bits a colour.
    """
    members = [(PurePosixPath(name).parts, name) for name in sorted(files)]
    for parts, name in members:
        if parts[0] in ("train", "test") and len(parts) != 3:
            raise ValueError(f"{shown(name)} is not where images are, in {parts[0]}/<class>/")
    found = [(*parts, name) for parts, name in members if len(parts) == 3]
    by_part = {p: [entry for entry in found if entry[0] == p] for p in ("train", "test")}
    classes = {part: sorted({entry[1] for entry in entries}) for part, entries in by_part.items()}
    if not classes["train"] or classes["train"] != classes["test"]:
        raise ValueError(
            "an image folder holds train/<class>/* and test/<class>/* with the same classes; "
            f"found {_listed(classes['train'])} and {_listed(classes['test'])}"
        )
    if len(classes["train"]) > MOST_CLASSES:
        raise ValueError(
            f"an image folder has at most {MOST_CLASSES} classes, got {len(classes['train'])}"
        )
    arrays: Decoded = {"classes": np.array(classes["train"])}
    for part, entries in by_part.items():
        arrays[f"{part}_images"] = np.stack([_pixels(files[e[3]], e[3]) for e in entries])
        labels = [classes[part].index(entry[1]) for entry in entries]
        arrays[f"{part}_labels"] = np.array(labels, dtype=np.uint8)
    return arrays


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return f"{names[:10] or 'none'}{more}"


def _pixels(content: bytes, name: str) -> np.ndarray:
    """Decode one image; its size is checked before its pixels are decoded."""
    from PIL import Image

    name = shown(name)
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            unfit = _unfit(image)
            if not unfit:
                return np.asarray(image.convert("RGB"))
    except Exception as error:  # a damaged image may fail in any way
        reason = str(error).partition(" <")[0]  # leaves out where in memory it lay
        raise ValueError(f"{name} is no image or damaged: {shown(reason)}") from error
    raise ValueError(f"{name} {unfit}")


def _unfit(image: Any) -> str:
    """Return what is wrong with an image as a whole, or nothing."""
    if image.size != (SIDE, SIDE):
        return f"is {image.size[0]}×{image.size[1]}, expected 32×32"
    if image.mode not in EIGHT_BITS:  # Pillow would cut off all that is above 255
        return f"has pixels of mode {image.mode}, expected at most 8 bits a colour"
    return ""


class _ArraysOnly(pickle.Unpickler):
    """Unpickles containers, numbers, bytes and NumPy arrays, and refuses to call anything else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ADMITTED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        if name == "_reconstruct":
            module = "numpy._core.multiarray"
        return super().find_class(module, name)


def unpickle_arrays(content: bytes) -> Any:
    """Unpickle plain containers and NumPy arrays.

    Raises
    ------
    ValueError
        When the pickle asks for anything else, which could run code, or is damaged.
    """
    try:
        return _ArraysOnly(io.BytesIO(content), encoding="bytes").load()
    except Exception as error:  # a damaged pickle may fail in any way
        raise ValueError(f"refused a pickle that is damaged or would run code: {error}") from error


def read_cifar10(archive: Path) -> Decoded:
    """Read the official layout: five training batches, a test batch, the class names.

    Raises
    ------
    ValueError
        When a member is missing, or holds something else than images and labels.
    """
    files = {PurePosixPath(name).name: content for name, content in read_tar(archive).items()}
    batches = [f"data_batch_{i}" for i in range(1, 6)]
    for name in [*batches, "test_batch", "batches.meta"]:
        if name not in files:
            raise ValueError(f"{archive.name} holds no {name}")
    names = unpickle_arrays(files["batches.meta"])[b"label_names"]
    train = [_cifar10_batch(files[name], name) for name in batches]
    test = _cifar10_batch(files["test_batch"], "test_batch")
    return {
        "classes": np.array([name.decode("ascii") for name in names]),
        "train_images": np.concatenate([images for images, _ in train]),
        "train_labels": np.concatenate([labels for _, labels in train]),
        "test_images": test[0],
        "test_labels": test[1],
    }


def _cifar10_batch(content: bytes, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return images (n, 32, 32, 3) and labels of one batch, whose rows are colour planes."""
    batch = unpickle_arrays(content)
    pixels, labels = batch[b"data"], np.asarray(batch[b"labels"], dtype=np.uint8)
    shape = (len(labels), 3 * SIDE * SIDE)
    if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8 or pixels.shape != shape:
        raise ValueError(f"{name} holds no bytes of shape {shape}")
    images = pixels.reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(images), labels
