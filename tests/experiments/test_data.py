import bz2
import errno
import gzip
import hashlib
import io
import lzma
import os
import pickle
import struct
import tarfile

import numpy as np
import pytest
from PIL import Image

from optim_scratch.experiments import archives, data, tars


def tar_of(path, files, mode="w:xz"):
    with tarfile.open(path, mode) as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def test_synthetic_classes_are_learnable_and_repeatable():
    made = data.synthetic(train=500, test=200, seed=3)
    means = np.stack([made.train_images[made.train_labels == k].mean(0) for k in range(10)])
    apart = ((made.test_images[:, None] - means) ** 2).sum((2, 3, 4))
    assert (apart.argmin(1) == made.test_labels).mean() > 0.9
    again, other = data.synthetic(500, 200, seed=3), data.synthetic(500, 200, seed=4)
    assert np.array_equal(made.test_images, again.test_images)
    assert made.checksum == again.checksum != other.checksum
    assert made.train_images.shape == (500, 32, 32, 3)
    assert made.train_images.dtype == np.uint8


def test_synthetic_by_name():
    assert len(data.load("synthetic:60").train_labels) == 60
    assert data.load("synthetic:60").name == "synthetic"
    with pytest.raises(ValueError, match="train must be >= 10, got 9"):
        data.load("synthetic:9")
    with pytest.raises(ValueError, match="'synthetic:many' must be"):
        data.load("synthetic:many")


def test_a_missing_path_brings_the_three_ways(tmp_path):
    with pytest.raises(ValueError, match=r"does not exist.*'cifar10'.*image folder.*'synthetic'"):
        data.load(str(tmp_path / "nowhere"))


def test_a_folder_and_its_tar_are_the_same(tmp_path, folder_files):
    for name, content in folder_files.items():
        file = tmp_path / "images" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    loose = data.load(str(tmp_path / "images"))
    packed = data.load(str(tar_of(tmp_path / "images.tar.xz", folder_files)))
    assert loose.name == packed.name == "folder"
    assert loose.classes == packed.classes == ("cat", "dog")
    assert loose.train_labels.tolist() == [0, 0, 1, 1]
    assert loose.test_labels.tolist() == [0, 1]
    assert np.array_equal(loose.train_images, packed.train_images)
    red = packed.test_images[0].reshape(-1, 3).mean(0)
    assert red == pytest.approx([250, 0, 0], abs=3)


def test_decoded_images_are_cached_by_checksum(tmp_path, home, folder_files, monkeypatch):
    archive = tar_of(tmp_path / "images.tar", folder_files, "w")
    first = data.load(str(archive))
    checksum = hashlib.sha256(archive.read_bytes()).hexdigest()
    assert [file.name for file in (home / ".data").iterdir()] == [f"{checksum}.npz"]
    monkeypatch.setattr(archives, "decode_folder", None)
    assert np.array_equal(data.load(str(archive)).train_images, first.train_images)


def half(content):
    return content[: len(content) // 2]


def of_another_compression(content):
    method = content.index(b"PK\1\2") + 10
    return content[:method] + b"c\0" + content[method + 2 :]


def with_a_shape_that_does_not_end(content):
    return content.replace(b"(4, 32, 32, 3)", b"(4, 32, 32, 3#")


@pytest.mark.parametrize("spoil", [half, of_another_compression, with_a_shape_that_does_not_end])
def test_a_damaged_cache_says_so(tmp_path, home, folder_files, spoil):
    archive = tar_of(tmp_path / "images.tar", folder_files, "w")
    data.load(str(archive))
    (cache,) = (home / ".data").iterdir()
    cache.write_bytes(spoil(cache.read_bytes()))
    with pytest.raises(ValueError, match=r"\.npz is damaged; delete it"):
        data.load(str(archive))


def test_a_full_disk_leaves_no_part_of_the_cache(tmp_path, home, folder_files, monkeypatch):
    def full(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        data.load(str(tar_of(tmp_path / "images.tar", folder_files, "w")))
    assert list((home / ".data").iterdir()) == []


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
def test_a_truncated_archive(tmp_path, folder_files, mode):
    whole = tar_of(tmp_path / "whole", folder_files, mode).read_bytes()
    (tmp_path / "part.tar").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"part\.tar is truncated or damaged"):
        data.load(str(tmp_path / "part.tar"))


def test_something_else_than_an_archive(tmp_path):
    (tmp_path / "notes.txt").write_text("no archive")
    with pytest.raises(ValueError, match=r"notes\.txt is truncated or damaged: truncated header$"):
        data.load(str(tmp_path / "notes.txt"))


def test_an_archive_that_is_cut_where_a_member_ends_or_in_its_last_bytes(tmp_path, folder_files):
    with tarfile.open(tar_of(tmp_path / "whole.tar", folder_files, "w")) as tar:
        last = tar.getmembers()[-1]
    whole = (tmp_path / "whole.tar").read_bytes()
    packed = {
        m: tar_of(tmp_path / "packed", folder_files, m).read_bytes() for m in ("w:gz", "w:xz")
    }
    spoilt = bytearray(whole)
    spoilt[last.offset + 150] ^= 1  # the checksum of a member's head
    cuts = {
        "before the last member": whole[: last.offset],
        "in its head": whole[: last.offset + 100],
        "before the end": whole[: last.offset_data - last.size % -512 + last.size],
        "in a gzip's checksum": packed["w:gz"][:-1],
        "in an xz's index": packed["w:xz"][:-1],
        "a spoilt head": bytes(spoilt),
    }
    for case, content in cuts.items():
        (tmp_path / "part.tar").write_bytes(content)
        with pytest.raises(ValueError, match=r"part\.tar is truncated or damaged"):
            pytest.fail(f"{case}: {len(data.load(str(tmp_path / 'part.tar')).test_labels)} images")


@pytest.mark.parametrize(
    "name", ["../evil.jpg", "train/../../evil.jpg", "/evil.jpg", "..\\evil.jpg"]
)
def test_a_path_that_climbs_out(tmp_path, folder_files, name):
    archive = tar_of(tmp_path / "a.tar", {name: b"evil", **folder_files}, "w")
    with pytest.raises(ValueError, match="climbs out of the folder"):
        data.load(str(archive))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.tar"]


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE]
)
def test_links_and_devices(tmp_path, kind):
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        member = tarfile.TarInfo("train/cat/0000.jpg")
        member.type, member.linkname = kind, "/etc/passwd"
        tar.addfile(member)
    with pytest.raises(ValueError, match=r"'train/cat/0000\.jpg' is a link or device"):
        data.load(str(tmp_path / "a.tar"))


def test_a_member_that_is_too_large(tmp_path, folder_files, monkeypatch):
    monkeypatch.setattr(tars, "LARGEST_MEMBER", 100)
    with pytest.raises(ValueError, match="larger than 64 MiB"):
        data.load(str(tar_of(tmp_path / "a.tar", folder_files)))


def header(kind, size, name="train/cat/x.png"):
    """A member's head, whose content may be promised only."""
    member = tarfile.TarInfo(name)
    member.type, member.size = kind, size
    return member.tobuf(tarfile.GNU_FORMAT)


def sparse(path, size):
    """A pax archive with a member of which only the map is stored."""
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        member = tarfile.TarInfo("train/cat/x.png")
        member.pax_headers = {
            "GNU.sparse.major": "1",
            "GNU.sparse.minor": "0",
            "GNU.sparse.name": member.name,
            "GNU.sparse.realsize": str(size),
        }
        content = f"1\n{size}\n0\n".encode().ljust(512, b"\0")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_head_of_4_gib_is_refused_before_it_is_read(tmp_path, kind, pack):
    content = header(kind, 4 * 2**30) + bytes(2**21)
    (tmp_path / "a.tar").write_bytes(pack(content))
    with pytest.raises(ValueError, match="a member whose head is larger than 1 MiB"):
        data.load(str(tmp_path / "a.tar"))


def test_sparse_members_are_refused(tmp_path):
    sparse(tmp_path / "pax.tar", 1000)
    old = bytearray(header(tarfile.GNUTYPE_SPARSE, 512))
    old[386:398] = old[483:495] = b"%011o\0" % 1000
    old[148:156] = b"%06o\0 " % (sum(old[:148]) + sum(old[156:512]) + 8 * 32)
    (tmp_path / "old.tar").write_bytes(bytes(old) + bytes(512 + 1024))
    for name in ("pax.tar", "old.tar"):
        with pytest.raises(ValueError, match=r"'train/cat/x\.png' is sparse"):
            data.load(str(tmp_path / name))


def test_a_sparse_map_without_end_is_refused(tmp_path):
    """Each number of it is small, and tarfile would keep them all."""
    sparse(tmp_path / "a.tar", 1000)
    whole = bytearray((tmp_path / "a.tar").read_bytes())
    place = whole.index(b"1\n1000\n0\n")
    (tmp_path / "a.tar").write_bytes(whole[:place] + b"9999999\n" + b"0\n" * 2**20)
    with pytest.raises(ValueError, match="a member whose head is larger than 1 MiB"):
        data.load(str(tmp_path / "a.tar"))


def test_what_an_archive_unpacks_to_is_bounded(tmp_path, folder_files, monkeypatch):
    archive = str(tar_of(tmp_path / "a.tar", folder_files))
    total = sum(len(content) for content in folder_files.values())
    monkeypatch.setattr(tars, "LARGEST_TOTAL", total - 1)
    with pytest.raises(ValueError, match="unpacks to more than 1 GiB"):
        data.load(archive)
    monkeypatch.setattr(tars, "LARGEST_TOTAL", 2**30)
    monkeypatch.setattr(tars, "MOST_MEMBERS", 5)
    with pytest.raises(ValueError, match="more than 250,000 members"):
        data.load(archive)
    monkeypatch.setattr(tars, "MOST_MEMBERS", 6)
    assert len(data.load(archive).train_labels) == 4


def test_what_follows_the_end_is_bounded(tmp_path, folder_files):
    whole = tar_of(tmp_path / "a.tar", folder_files, "w").read_bytes()
    for zeros, refused in ((2**20 - 2**15, False), (2**27, True)):
        (tmp_path / "b.tar").write_bytes(lzma.compress(whole + bytes(zeros), preset=0))
        if refused:
            with pytest.raises(ValueError, match="more than 1 MiB after its end"):
                data.load(str(tmp_path / "b.tar"))
        else:
            assert len(data.load(str(tmp_path / "b.tar")).train_labels) == 4


def test_an_interruption_while_a_tar_is_read_is_not_lost(tmp_path, folder_files, monkeypatch):
    """`extractfile` makes an object a member, whose end runs Python and swallows what is raised."""
    monkeypatch.setattr(tarfile.TarFile, "extractfile", None)
    assert len(tars.read_tar(tar_of(tmp_path / "a.tar", folder_files))) == 6

    def interrupted(self, count):
        raise KeyboardInterrupt

    monkeypatch.setattr(tars.Bounded, "read", interrupted)
    with pytest.raises(KeyboardInterrupt):
        tars.read_tar(tmp_path / "a.tar")


def test_names_cannot_drive_the_terminal(tmp_path, folder_files):
    evil = "train/cat/\x1b]0;owned\x07\r\n\u202e.jpg"
    names = {"link": "../" + evil, "image": evil}
    for case, name in names.items():
        with pytest.raises(ValueError, match=r"\\x1b\]0;owned\\x07\\r\\n\\u202e") as found:
            data.load(str(tar_of(tmp_path / f"{case}.tar", {name: b"x", **folder_files})))
        assert str(found.value).isprintable()


def test_more_than_8_bits_a_colour_are_refused_not_clipped(tmp_path, folder_files):
    def saved(pixels, kind):
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, kind)
        return file.getvalue()

    ramp = np.arange(1024).reshape(32, 32)
    deep = {
        "I;16": saved((60 * ramp).astype(np.uint16), "PNG"),
        "F": saved((ramp / 1024).astype(np.float32), "TIFF"),
        "I": saved((60 * ramp).astype(np.int32), "TIFF"),
    }
    for mode, content in deep.items():
        files = {**folder_files, "train/cat/0000.jpg": content}
        with pytest.raises(ValueError, match=f"0000.jpg has pixels of mode {mode}, expected"):
            data.load(str(tar_of(tmp_path / f"{mode[0]}{len(content)}.tar", files)))
    grey = saved((ramp // 4).astype(np.uint8), "PNG")
    loaded = data.load(
        str(tar_of(tmp_path / "8.tar", {**folder_files, "train/cat/0000.jpg": grey}))
    )
    assert np.array_equal(loaded.train_images[0, :, :, 1], ramp // 4)


def test_256_classes_and_no_more(tmp_path, picture):
    images = picture((9, 9, 9))
    files = {f"{p}/{k:03d}/0.jpg": images for p in ("train", "test") for k in range(257)}
    with pytest.raises(ValueError, match="at most 256 classes, got 257"):
        data.load(str(tar_of(tmp_path / "257.tar", files, "w")))
    fewer = {name: content for name, content in files.items() if "/256/" not in name}
    assert data.load(str(tar_of(tmp_path / "256.tar", fewer, "w"))).train_labels[-1] == 255


def unpacked(folder, files):
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return folder


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda f: (f / "train/eel").symlink_to(f / "train/cat"), "train/eel is a link"),
        (lambda f: (f / "train/eel").mkdir(), "train/eel is empty"),
        (lambda f: (f / "train/cat/9.jpg").symlink_to(f / "no"), r"9\.jpg is no file"),
        (lambda f: (f / "test/cat/9.jpg").symlink_to("/dev/zero"), r"9\.jpg is no file"),
        (lambda f: os.mkfifo(f / "test/cat/9.jpg"), r"9\.jpg is no file"),
        (lambda f: os.truncate(f / "test/cat/0000.jpg", 2**26 + 1), "larger than 64 MiB"),
    ],
)
def test_nothing_in_a_folder_is_passed_over(tmp_path, folder_files, spoil, message):
    spoil(unpacked(tmp_path / "images", folder_files))
    with pytest.raises(ValueError, match=message):
        data.load(str(tmp_path / "images"))


@pytest.mark.parametrize("name", ["train/eel/more/0.jpg", "test/0.jpg"])
def test_images_elsewhere_than_in_a_class_are_not_passed_over(tmp_path, folder_files, name):
    files = {**folder_files, name: b"x", "notes.txt": b"beside the parts there may be anything"}
    with pytest.raises(ValueError, match=f"{name} is not where images are"):
        data.load(str(tar_of(tmp_path / "a.tar", files)))


def test_a_class_folder_that_cannot_be_read_is_named(tmp_path, folder_files, monkeypatch):
    scandir = os.scandir  # root may read everything

    def forbidden(path):
        if str(path).endswith("dog"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", forbidden)
    with pytest.raises(ValueError, match="train/dog cannot be read: Permission denied"):
        data.load(str(unpacked(tmp_path / "images", folder_files)))


def test_a_folder_is_bounded_as_a_tar_is(tmp_path, folder_files, monkeypatch):
    unpacked(tmp_path / "images", folder_files)
    monkeypatch.setattr(tars, "MOST_MEMBERS", 5)
    with pytest.raises(ValueError, match="more than 250,000 files"):
        data.load(str(tmp_path / "images"))


def test_what_is_no_data_is_refused_before_it_is_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with open(tmp_path / "hole.tar", "wb") as file:
        file.truncate(2**30 + 1)
    cases = {
        str(tmp_path / "pipe"): "neither a file nor a folder",
        "/dev/zero": "neither a file nor a folder",
        str(tmp_path / "hole.tar"): "larger than 1 GiB",
        "~nosuch/x": "does not exist",
        "a\0b": "does not exist",
        "synthetic:99999999999": "train must be <= 100000, got 99999999999",
        "synthetic:" + "9" * 5000: "N a whole number",
    }
    for source, message in cases.items():
        with pytest.raises(ValueError, match=message):
            data.load(source)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda a: a.pop("classes"),
        lambda a: a.pop("test_labels"),
        lambda a: a.update(train_images=a["train_images"].astype(np.float32)),
        lambda a: a.update(train_images=a["train_images"][:, :16]),
        lambda a: a.update(train_labels=a["train_labels"][1:]),
        lambda a: a.update(train_labels=a["train_labels"] + np.uint8(1)),
        lambda a: a.update({k: v[:0] for k, v in a.items() if k.startswith("test")}),
        lambda a: a.update(classes=np.array(3)),
    ],
)
def test_a_cache_of_something_else_says_so(tmp_path, home, folder_files, spoil):
    archive = str(tar_of(tmp_path / "images.tar", folder_files, "w"))
    data.load(archive)
    (cache,) = (home / ".data").iterdir()
    with np.load(cache) as stored:
        arrays = dict(stored)
    spoil(arrays)
    np.savez(cache, **arrays)
    with pytest.raises(ValueError, match=r"\.npz is damaged; delete it"):
        data.load(archive)


def test_images_that_are_none_or_of_another_size(tmp_path, folder_files, picture):
    broken = folder_files["train/cat/0000.jpg"][:200]
    wrong = {"truncated": broken, "text": b"no image", "size": picture((0, 0, 0), (32, 48))}
    messages = {"truncated": "damaged", "text": "damaged", "size": "32×48, expected 32×32"}
    for case, content in wrong.items():
        files = {**folder_files, "train/cat/0000.jpg": content}
        with pytest.raises(ValueError, match=rf"train/cat/0000\.jpg .*{messages[case]}"):
            data.load(str(tar_of(tmp_path / f"{case}.tar", files)))


def test_an_image_that_names_a_bomb_or_asks_for_a_program(tmp_path, folder_files):
    size = struct.pack("<HH", 60_000, 60_000)
    bomb = b"GIF89a" + size + b"\0\0\0,\0\0\0\0" + size + b"\0\x02\0;"
    program = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 32 32\n%%EndComments\nquit\n%%EOF\n"
    for content, message in [(bomb, "exceeds limit"), (program, "cannot identify image file$")]:
        files = {**folder_files, "train/cat/0000.jpg": content}
        with pytest.raises(ValueError, match=rf"0000\.jpg is no image or damaged: .*{message}"):
            data.load(str(tar_of(tmp_path / "a.tar", files)))


def test_parts_with_other_classes(tmp_path, folder_files):
    missing = {name: c for name, c in folder_files.items() if not name.startswith("test/dog")}
    with pytest.raises(ValueError, match=r"\['cat', 'dog'\] and \['cat'\]"):
        data.load(str(tar_of(tmp_path / "a.tar", missing)))
    with pytest.raises(ValueError, match="found none and none"):
        data.load(str(tar_of(tmp_path / "b.tar", {"readme.txt": b"hello"})))


# the official archive, in small: two images a batch


def official(tmp_path, **replaced):
    rng = np.random.default_rng(0)
    names = [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]
    batches = {
        name: {b"data": rng.integers(0, 256, (2, 3072), dtype=np.uint8), b"labels": [i, 9 - i]}
        for i, name in enumerate(names)
    }
    label_names = [f"class {k}".encode() for k in range(10)]
    members = {**batches, "batches.meta": {b"label_names": label_names}, **replaced}
    files = {
        f"cifar-10-batches-py/{name}": value if isinstance(value, bytes) else pickle.dumps(value)
        for name, value in members.items()
        if value is not None
    }
    archive = tar_of(tmp_path / archives.CIFAR10_FILE, files, "w:gz")
    return archive, hashlib.sha256(archive.read_bytes()).hexdigest(), batches


def test_the_official_layout(tmp_path):
    archive, checksum, batches = official(tmp_path)
    loaded = data.cifar10(archive, checksum)
    assert (loaded.name, loaded.checksum) == ("cifar10", checksum)
    assert loaded.classes == tuple(f"class {k}" for k in range(10))
    assert loaded.train_labels.tolist() == [0, 9, 1, 8, 2, 7, 3, 6, 4, 5]
    assert loaded.test_labels.tolist() == [5, 4]
    # rows of the archive are the red plane, then green, then blue, each from the top left
    plane = batches["data_batch_2"][b"data"][1].reshape(3, 32, 32)
    assert np.array_equal(loaded.train_images[3], plane.transpose(1, 2, 0))


def test_a_wrong_checksum_is_found_before_anything_is_read(tmp_path, monkeypatch):
    archive, _, _ = official(tmp_path)
    monkeypatch.setattr(archives, "read_cifar10", lambda path: pytest.fail("it was read"))
    with pytest.raises(ValueError, match="expected 6d958be074"):
        data.load(str(archive))


class Evil:
    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return os.mkdir, (str(self.target),)


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_pickle_that_would_run_code(tmp_path, protocol):
    bomb = pickle.dumps({b"data": Evil(tmp_path / "harm"), b"labels": [0]}, protocol)
    archive, checksum, _ = official(tmp_path, data_batch_3=bomb)
    with pytest.raises(ValueError, match="would run code"):
        data.cifar10(archive, checksum)
    assert not (tmp_path / "harm").exists()


def test_numpys_old_module_name_is_admitted():
    """NumPy 1 pickled the official archive; its modules have moved since."""
    pickled = pickle.dumps(np.arange(3, dtype=np.uint8), 2)
    old = pickled.replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    # protocol 2 spells bytes with the help of _codecs, which the archive of Python 2 does not need
    if b"_codecs" in old:
        old = pickle.dumps(np.arange(3, dtype=np.uint8), 3).replace(b"numpy._core", b"numpy.core")
    assert archives.unpickle_arrays(old).tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("replaced", "message"),
    [
        ({"data_batch_4": None}, "holds no data_batch_4"),
        ({"test_batch": b"\x80"}, "damaged or would run code"),
        ({"test_batch": b"\x80\x04]\x94(K\x01\x90."}, "damaged or would run code"),
        ({"test_batch": {b"data": [1, 2], b"labels": [0, 1]}}, r"no bytes of shape \(2, 3072\)"),
        (
            {"test_batch": {b"data": np.zeros((2, 3072)), b"labels": [0, 1]}},
            r"no bytes of shape \(2, 3072\)",
        ),
    ],
)
def test_an_archive_with_other_contents(tmp_path, replaced, message):
    archive, checksum, _ = official(tmp_path, **replaced)
    with pytest.raises(ValueError, match=message):
        data.cifar10(archive, checksum)


def test_download(tmp_path, capsys):
    archive, _, _ = official(tmp_path)
    copy = archives.download(tmp_path / "store", archive.as_uri())
    assert copy.read_bytes() == archive.read_bytes()
    assert "100%" in capsys.readouterr().err
    archive.unlink()
    assert archives.download(tmp_path / "store", archive.as_uri()) == copy, "it is there already"


def test_a_download_that_cannot_begin_or_breaks_off(tmp_path, monkeypatch, capsys):
    with pytest.raises(ValueError, match="cannot download file:"):
        archives.download(tmp_path / "store", (tmp_path / "nothing").as_uri())

    def offline(*_, **__):
        raise archives.urllib.error.URLError("no route to host")

    monkeypatch.setattr(archives.urllib.request, "urlopen", offline)
    with pytest.raises(
        ValueError, match=r"cannot download .*no route to host; there are three ways"
    ):
        data.load("cifar10")

    class Broken(io.BytesIO):
        headers = {"Content-Length": "100"}  # noqa: RUF012

    monkeypatch.setattr(archives.urllib.request, "urlopen", lambda *_, **__: Broken(b"x" * 40))
    with pytest.raises(ValueError, match="40 of 100 bytes arrived"):
        archives.download(tmp_path / "store")
    assert list((tmp_path / "store").iterdir()) == []
