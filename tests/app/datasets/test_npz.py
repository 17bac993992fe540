"""npz: the same bytes every time, and nothing in a foreign one is believed or run."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from app.datasets.errors import DataSetError
from app.datasets.npz import NpzLog, names_in, read_npz, save_npz


def test_what_is_saved_is_read_bit_by_bit(tmp_path: Path) -> None:
    arrays = {
        "f": np.array([[0.1, np.nan], [np.inf, -0.0]]),
        "g": np.arange(6, dtype=np.float32).reshape(2, 3).T,
        "i": np.array([], np.int32).reshape(0, 4),
        "u": np.array("täxt"),
        "b": np.array([True, False]),
    }
    save_npz(tmp_path / "a.npz", arrays)
    back = read_npz(tmp_path / "a.npz")
    assert list(back) == list(arrays)
    for key, array in arrays.items():
        assert back[key].dtype == array.dtype
        np.testing.assert_array_equal(back[key], array)
    with np.load(tmp_path / "a.npz") as data:
        np.testing.assert_array_equal(data["g"], arrays["g"])


def test_the_bytes_depend_on_the_arrays_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_npz(tmp_path / "a.npz", {"x": np.arange(3.0)})
    monkeypatch.setattr("time.time", lambda: 2e9)
    monkeypatch.setattr("time.localtime", lambda *_: (2033, 5, 18, 3, 33, 20, 2, 138, 0))
    save_npz(tmp_path / "b.npz", {"x": np.arange(3.0)})
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_rows_gathered_one_by_one_become_one_array(tmp_path: Path) -> None:
    log = NpzLog(tmp_path / "pieces")
    rows = np.random.default_rng(0).normal(size=(5, 2, 3))
    for k, row in enumerate(rows):
        log.append("pose", row)
        log.append("flag", np.array(k % 2 == 0))
    log.save(tmp_path / "log.npz", {"ids": np.array([1, 2], np.int32)})
    back = read_npz(tmp_path / "log.npz")
    np.testing.assert_array_equal(back["pose"], rows)
    np.testing.assert_array_equal(back["flag"], [True, False, True, False, True])
    assert list(back) == ["ids", "pose", "flag"]
    assert not (tmp_path / "pieces").exists()


def test_a_row_of_another_shape_or_type_is_a_fault(tmp_path: Path) -> None:
    log = NpzLog(tmp_path / "pieces")
    log.append("x", np.zeros(3))
    with pytest.raises(ValueError, match="x: a row"):
        log.append("x", np.zeros(4))
    with pytest.raises(ValueError, match="x: a row"):
        log.append("x", np.zeros(3, np.float32))
    log.close()


def test_only_what_is_asked_for_is_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", good=np.zeros(2), gender=np.array({"a": 1}, dtype=object))
    assert list(read_npz(tmp_path / "a.npz", ("good", "missing"))) == ["good"]
    assert names_in(tmp_path / "a.npz") == {"good", "gender"}
    with pytest.raises(DataSetError, match="Python objects"):
        read_npz(tmp_path / "a.npz")


def entry(header: bytes, data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", header + data)
    return buffer.getvalue()


def npy(shape: tuple[int, ...], descr: str = "<f8") -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"descr": descr, "fortran_order": False, "shape": shape})
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "no whole npz"),
        (b"PK\x03\x04 and then nothing", "no whole npz"),
        (entry(b"no array at all", b""), "no array"),
        (entry(npy((1 << 40,)), b"12345678"), "size differs"),
        (entry(npy((3,)), b"12345678"), "size differs"),
        (entry(npy((1 << 62,), "|V0"), b""), "neither numbers"),
        (entry(npy((2,), "<c16"), b"0" * 32), "neither numbers"),
    ],
)
def test_a_hostile_npz_gets_one_clear_error(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "bad.npz").write_bytes(content)
    with pytest.raises(DataSetError, match=says) as raised:
        read_npz(tmp_path / "bad.npz")
    assert "bad.npz" in str(raised.value)


def test_a_file_that_unpacks_to_far_too_much_is_not_unpacked(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "bomb.npz", x=np.zeros(100_000))
    with pytest.raises(DataSetError, match="unpacks to more"):
        read_npz(tmp_path / "bomb.npz", limit=10_000)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataSetError, match=r"gone\.npz is missing"):
        read_npz(tmp_path / "gone.npz")
    assert names_in(tmp_path / "gone.npz") == set()
