"""Files, folders and wildcards become a list with a place for each output."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.deidentify.inputs import find_inputs
from app.errors import ExportError


def _tree(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(128) + b"DICM" if path.suffix in ("", ".dcm") else b"x")
    return folder


def _places(folder: Path, out: Path, *given: str) -> list[str]:
    return [i.place.as_posix() for i in find_inputs([str(folder / g) for g in given], out)]


def test_a_folder_keeps_its_tree_and_leaves_out_what_is_no_footage(tmp_path: Path) -> None:
    tree = _tree(tmp_path / "in", "b.mp4", "a.MOV", "ward/1/c.avi", "ward/IM0001", "notes.txt", ".hidden.mp4",
                 "frames/f1.png", "frames/f2.png", "mixed/a.png", "mixed/m.mkv", ".trash/x.mp4")  # fmt: skip
    (tree / "LICENSE").write_text("no pictures")
    places = _places(tmp_path, tmp_path / "out", "in")
    assert places == ["a", "b", "frames", "mixed/m", "ward/IM0001", "ward/1/c"]


def test_files_wildcards_and_doubles(tmp_path: Path) -> None:
    tree = _tree(tmp_path / "in", "a.mp4", "b.mp4", "x/c.mp4", "x/d.txt", "[odd].mp4")
    out = tmp_path / "out"
    assert _places(tree, out, "a.mp4", "x/d.txt", "a.mp4") == ["a", "d"]
    assert _places(tree, out, "*.mp4") == ["[odd]", "a", "b"]
    assert _places(tree, out, "**/*") == ["[odd]", "a", "b", "x/c"]
    assert _places(tree, out, "?.mp4", "x") == ["a", "b", "c"]
    assert _places(tree, out, "[odd].mp4") == ["[odd]"]
    assert _places(tree, out, "gone.mp4", "*.avi") == ["gone", "*"]  # whoever reads them says what is wrong


def test_files_of_one_name_get_places_of_their_own(tmp_path: Path) -> None:
    _tree(tmp_path, "one/a.mp4", "one/a.avi", "two/a.mp4")
    assert _places(tmp_path, tmp_path / "out", "one", "two/a.mp4") == ["a_avi", "a_mp4", "a_mp4_2"]


def test_an_output_that_is_an_input_is_refused(tmp_path: Path) -> None:
    tree = _tree(tmp_path / "in", "a.mp4", "sub/b.mp4")
    for given, out, words in (
        ("in", tree, "folder of the footage"),
        ("in/a.mp4", tree / "a.mp4", "is a file"),
    ):
        with pytest.raises(ExportError, match=words):
            _places(tmp_path, out, given)
    _tree(tmp_path / "both", "a.mp4", "a_deidentified.mp4")
    with pytest.raises(ExportError, match="would replace an input"):
        _places(tmp_path, tmp_path / "both", "both/a.mp4", "both/a_deidentified.mp4")
    if hasattr(os, "symlink"):
        (tmp_path / "link").symlink_to(tree)
        with pytest.raises(ExportError, match="folder of the footage"):
            _places(tmp_path, tmp_path / "link", "in")


def test_an_output_folder_inside_the_input_is_not_looked_through(tmp_path: Path) -> None:
    tree = _tree(tmp_path / "in", "a.mp4", "out/a_deidentified.mp4", "b/c.mp4")
    assert _places(tmp_path, tree / "out", "in") == ["a", "b/c"]
