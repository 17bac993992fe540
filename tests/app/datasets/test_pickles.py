"""Foreign pickles: numbers and texts are taken, everything else is refused, nothing in them is run."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from app.datasets.errors import DataSetError
from app.datasets.pickles import numbered, read_pickle, text_of


class Evil:
    """Makes a file when it is unpickled the careless way."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_tables_and_lists_of_arrays_are_flattened(tmp_path: Path, protocol: int) -> None:
    poses = [np.random.default_rng(k).normal(size=(3, 72)) for k in range(2)]
    value = {
        "sequence": "courtyard_00", "poses": poses, "genders": ["m", "f"], "scale": np.float32(2.5),
        "nested": {"a": [[1, 2], [3, 4]], "ragged": [[1.0], [1.0, 2.0]]}, "none": None, "empty": [],
        "boxes": np.array([None, np.zeros(2)], dtype=object), "no rows": np.zeros((0, 4)),
    }  # fmt: skip
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(value, protocol))
    back = read_pickle(tmp_path / "a.pkl")
    np.testing.assert_array_equal(back["poses/1"], poses[1])
    assert [text_of(g) for g in numbered(back, "genders")] == ["m", "f"]
    assert text_of(back["sequence"]) == "courtyard_00"
    assert back["scale"].dtype == np.float32
    np.testing.assert_array_equal(back["nested/a"], [[1, 2], [3, 4]])
    assert len(numbered(back, "nested/ragged")) == 2
    np.testing.assert_array_equal(back["boxes/1"], [0, 0])
    assert "none" not in back
    assert back["no rows"].shape == (0, 4)
    assert set(read_pickle(tmp_path / "a.pkl", ("scale", "missing"))) == {"scale"}


def test_python_2_arrays_are_read(tmp_path: Path) -> None:
    # What Python 2's cPickle (protocol 2) writes of {'x': numpy.array([1., 2.])}: byte strings, old names.
    old = (
        b"\x80\x02}q\x01U\x01xq\x02cnumpy.core.multiarray\n_reconstruct\nq\x03cnumpy\nndarray\nq\x04K\x00\x85"
        b"U\x01b\x87Rq\x05(K\x01K\x02\x85cnumpy\ndtype\nq\x06U\x02f8K\x00K\x01\x87Rq\x07(K\x03U\x01<NNNJ\xff"
        b"\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89U\x10\x00\x00\x00\x00\x00\x00\xf0?\x00\x00\x00\x00\x00\x00"
        b"\x00@tbs."
    )
    (tmp_path / "old.pkl").write_bytes(old)
    np.testing.assert_array_equal(read_pickle(tmp_path / "old.pkl")["x"], [1.0, 2.0])


def test_nothing_in_a_pickle_is_run(tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    for value in (Evil(trap), {"poses": [Evil(trap)]}, {"poses": np.array([Evil(trap)], dtype=object)}):
        (tmp_path / "evil.pkl").write_bytes(pickle.dumps(value))
        with pytest.raises(DataSetError, match=r"evil\.pkl was not read: it names .*mkdir"):
            read_pickle(tmp_path / "evil.pkl")
        with pytest.raises(DataSetError, match="mkdir"):
            read_pickle(tmp_path / "evil.pkl", ("other",))
    assert not trap.exists()


def deep() -> object:
    value: object = [1.0, "x"]
    for _ in range(30):
        value = [value, "x"]
    return value


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "damaged"),
        (b"\x80\x02}q\x01U\x01x", "damaged"),
        (b"cos\nsystem\n.", "os.system"),
        (b"cbuiltins\nbytes\n(J\xff\xff\xff\x7ftR.", "makes bytes"),
        (pickle.dumps({1.5: 2}), "no name"),
        (pickle.dumps({"a/b": 2}), "no name"),
        (pickle.dumps({"x": {1, 2}}), "holds a set"),
        (pickle.dumps(deep()), "nests too deep"),
        (b"Pid\n.", "points outside"),
    ],
)
def test_damaged_and_strange_pickles_get_one_clear_error(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "bad.pkl").write_bytes(content)
    with pytest.raises(DataSetError, match=says) as raised:
        read_pickle(tmp_path / "bad.pkl")
    assert str(raised.value).startswith("bad.pkl was not read")


def test_a_pickle_made_to_eat_memory_ends_the_child_only(tmp_path: Path) -> None:
    # ndarray(shape=(1 << 36,)) by way of numpy's own constructor, 64 GB.
    bomb = b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n\x8a\x05" + (1 << 36).to_bytes(
        5, "little"
    )
    (tmp_path / "bomb.pkl").write_bytes(bomb + b"\x85U\x01b\x87R.")
    with pytest.raises(DataSetError, match="was not read"):
        read_pickle(tmp_path / "bomb.pkl")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataSetError, match=r"gone\.pkl cannot be read"):
        read_pickle(tmp_path / "gone.pkl")
