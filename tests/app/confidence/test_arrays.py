from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.confidence.arrays import Split, read_arrays, write_arrays
from app.confidence.benchmark import split_roles
from app.datasets.errors import DataSetError


def split(n: int = 5, name: str = "train") -> Split:
    rng = np.random.default_rng(n)
    ed, se, confidence = rng.uniform(0, 1, (3, n, 14))
    return Split(name, ed, se, confidence)


def test_arrays_that_are_written_are_read_under_the_originals_names(tmp_path: Path) -> None:
    files = write_arrays(tmp_path, split(5, "train_occ"))
    assert sorted(f.name for f in files) == [
        "train_occ_conf.npy", "train_occ_sp_gt.npy", "train_occ_sp_op.npy",
    ]  # fmt: skip
    assert np.load(tmp_path / "train_occ_sp_op.npy").dtype == np.float64
    again = read_arrays(tmp_path)["train_occ"]
    assert np.array_equal(again.ed, split(5, "train_occ").ed)
    assert np.array_equal(again.se, split(5, "train_occ").se)
    assert np.array_equal(again.confidence, split(5, "train_occ").confidence)


def test_missing_distances_are_kept_and_files_without_prefix_are_read(tmp_path: Path) -> None:
    some = split(3, "")
    some.ed[1, 4] = np.nan
    write_arrays(tmp_path, some)
    assert np.isnan(read_arrays(tmp_path)[""].ed[1, 4])


def test_an_npz_may_hold_several_splits(tmp_path: Path) -> None:
    a, b = split(4, "train"), split(6, "test")
    np.savez(
        tmp_path / "all.npz",
        **{f"{s.name}_{k}": v for s in (a, b) for k, v in
           (("sp_op", s.ed), ("sp_gt", s.se), ("conf", s.confidence))},
    )  # fmt: skip
    splits = read_arrays(tmp_path / "all.npz")
    assert {name: len(s) for name, s in splits.items()} == {"test": 6, "train": 4}
    train, test = split_roles(splits)
    assert [s.name for s in train] == ["train"]
    assert [s.name for s in test] == ["test"]
    with pytest.raises(DataSetError, match="told apart"):
        split_roles({"train": a})


class Malicious:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, ("made_by_the_file",)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("13 joints", lambda a: {**a, "sp_op": a["sp_op"][:, :13]}),
        ("one row less", lambda a: {**a, "sp_gt": a["sp_gt"][1:]}),
        ("no truth", lambda a: {k: v for k, v in a.items() if k != "sp_gt"}),
        ("no numbers", lambda a: {**a, "conf": a["conf"].astype(str)}),
        ("truth that is no number", lambda a: {**a, "sp_gt": np.full_like(a["sp_gt"], np.nan)}),
        ("infinite distance", lambda a: {**a, "sp_op": np.full_like(a["sp_op"], np.inf)}),
        ("negative", lambda a: {**a, "sp_gt": -a["sp_gt"]}),
        ("empty", lambda a: {k: v[:0] for k, v in a.items()}),
        ("flat", lambda a: {**a, "conf": a["conf"][0]}),
    ],
)
def test_arrays_of_another_kind_are_refused(tmp_path: Path, name: str, change: Any) -> None:
    good = {"sp_op": split().ed, "sp_gt": split().se, "conf": split().confidence}
    for key, values in change(good).items():
        np.save(tmp_path / f"train_{key}.npy", values)
    with pytest.raises(DataSetError):
        pytest.fail(f"{name} was read: {read_arrays(tmp_path)}")


def test_files_that_hold_code_or_nothing_are_refused_and_nothing_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("train_sp_op.npy", np.array([Malicious()], dtype=object))
    with pytest.raises(DataSetError, match="damaged"):
        read_arrays(tmp_path)
    np.savez("all.npz", train_sp_op=np.array([Malicious()], dtype=object))
    with pytest.raises(DataSetError, match="damaged"):
        read_arrays(tmp_path / "all.npz")
    assert not (tmp_path / "made_by_the_file").exists()
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataSetError, match="no correlation arrays"):
        read_arrays(tmp_path / "empty")
    with pytest.raises(DataSetError, match="cannot be read"):
        read_arrays(tmp_path / "nowhere.npz")
