"""The catalogue of networks and bodies: what each is for, its licence, its hash, how to get it."""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class WheelMember(_Frozen):
    """A file inside a Python wheel; the wheel is fetched from the package index and never installed."""

    kind: Literal["wheel"]
    package: str
    version: str
    member: str


class SdistMember(_Frozen):
    """A file inside a package's source archive (tar.gz), which is fetched and never installed.

    ``archive_sha256``: of the archive. pip reads a source archive by running what it says about itself, so it
    is only handed the very archive that was looked at.
    """

    kind: Literal["sdist"]
    package: str
    version: str
    member: str
    archive_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Url(_Frozen):
    """A file on a server."""

    kind: Literal["url"]
    url: str = Field(pattern=r"^https://")


class OwnFile(_Frozen):
    """A licensed file that a person brings."""

    kind: Literal["own"]


class Entry(_Frozen):
    """One line of the catalogue. ``size`` (bytes) and ``sha256`` are None for a person's own file."""

    id: str = Field(pattern=r"^[a-z0-9-]+$")
    purpose: str
    licence: str
    file: str = Field(pattern=r"^[A-Za-z0-9_.-]+$")
    size: int | None = None
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    default: bool
    source: Annotated[WheelMember | SdistMember | Url | OwnFile, Field(discriminator="kind")]

    @property
    def origin(self) -> str:
        """Where it comes from, in words."""
        if isinstance(self.source, WheelMember | SdistMember):
            return f"package {self.source.package} {self.source.version} on the Python package index"
        if isinstance(self.source, Url):
            return self.source.url
        return "a file of your own"


class _Catalogue(_Frozen):
    model: tuple[Entry, ...]


def load_catalogue() -> dict[str, Entry]:
    """The shipped catalogue, by id."""
    text = resources.files("resources").joinpath("models.toml").read_text(encoding="utf-8")
    catalogue = _Catalogue.model_validate(tomllib.loads(text))
    return {entry.id: entry for entry in catalogue.model}
