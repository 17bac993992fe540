"""Pickled bodies: arrays are taken, everything else is refused, nothing in them is run."""

from __future__ import annotations

import os
import pickle
import sys
import types
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from app.errors import ModelError
from app.models.convert import add_file, convert_pickle
from app.models.store import ModelStore
from app.models.unpickle import KEYS


def body() -> dict[str, object]:
    rng = np.random.default_rng(0)
    return {
        "v_template": rng.normal(size=(30, 3)),
        "shapedirs": rng.normal(size=(30, 3, 4)),
        "posedirs": rng.normal(size=(30, 3, 9)),
        "J_regressor": sparse.csc_matrix(np.eye(24, 30)),
        "weights": rng.random((30, 24)),
        "f": np.arange(30, dtype=np.uint32).reshape(-1, 3),
        "kintree_table": np.zeros((2, 24), np.int64),
        "bs_style": "lbs",
    }


def write(path: Path, value: object, protocol: int = 2) -> Path:
    path.write_bytes(pickle.dumps(value, protocol=protocol))
    return path


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_bodys_arrays_come_out_as_they_were(tmp_path: Path, protocol: int) -> None:
    source = write(tmp_path / "my body.pkl", body(), protocol)
    target = convert_pickle(source, tmp_path / "body.npz")
    with np.load(target, allow_pickle=False) as data:
        assert sorted(data.files) == sorted(KEYS)
        np.testing.assert_array_equal(data["v_template"], body()["v_template"])
        np.testing.assert_array_equal(data["J_regressor"], np.eye(24, 30))


def test_chumpys_arrays_are_read_without_chumpy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("chumpy.ch")

    class Ch:
        def __init__(self, x: np.ndarray) -> None:
            self.x = x

    Ch.__module__, Ch.__qualname__ = "chumpy.ch", "Ch"
    module.Ch = Ch  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "chumpy", types.ModuleType("chumpy"))
    monkeypatch.setitem(sys.modules, "chumpy.ch", module)
    shapes = np.arange(360.0).reshape(30, 3, 4)
    source = write(tmp_path / "smpl.pkl", {**body(), "shapedirs": Ch(shapes)})
    with np.load(convert_pickle(source, tmp_path / "body.npz")) as data:
        np.testing.assert_array_equal(data["shapedirs"], shapes)


class Runs:
    """Makes a file when it is unpickled carelessly."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("where", ["whole file", "one key", "unused key"])
def test_code_in_a_pickle_is_not_run(tmp_path: Path, where: str) -> None:
    trap = Runs(tmp_path / "trap")
    value: object = trap
    if where != "whole file":
        value = {**body(), "weights" if where == "one key" else "extra": trap}
    source = write(tmp_path / "evil.pkl", value)
    with pytest.raises(ModelError, match="no array"):
        convert_pickle(source, tmp_path / "body.npz")
    assert not (tmp_path / "trap").exists()
    assert not (tmp_path / "body.npz").exists()


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([1, 2, 3], "no table"),
        ({"v_template": np.zeros((3, 3))}, "lacks"),
        ({**body(), "weights": np.array(["a"], dtype=object)}, "no numbers"),
        ({**body(), "weights": "text"}, "no numbers"),
    ],
    ids=["a list", "half a body", "objects", "text"],
)
def test_what_is_no_body_is_refused(tmp_path: Path, value: object, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        convert_pickle(write(tmp_path / "x.pkl", value), tmp_path / "body.npz")


@pytest.mark.parametrize(
    "content", [b"", b"no pickle at all", b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x7f"]
)
def test_damaged_files_are_refused(tmp_path: Path, content: bytes) -> None:
    source = tmp_path / "x.pkl"
    source.write_bytes(content)
    with pytest.raises(ModelError, match=r"x\.pkl"):
        convert_pickle(source, tmp_path / "body.npz")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"nothing\.pkl"):
        add_file(ModelStore(tmp_path / "models"), "smpl", tmp_path / "nothing.pkl")


def test_the_store_takes_a_pickle_in_as_npz(tmp_path: Path) -> None:
    store = ModelStore(tmp_path / "models")
    path = add_file(store, "smpl", write(tmp_path / "SMPL_NEUTRAL.pkl", body()))
    assert path.name == "smpl.npz"
    store.verify("smpl")
    with np.load(path, allow_pickle=False) as data:
        assert data["v_template"].shape == (30, 3)
