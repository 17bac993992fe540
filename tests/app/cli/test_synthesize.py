"""``understudy synthesize`` and ``understudy evaluate`` as typed."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import pytest

from app.cli.program import run

SMALL = ["--preset", "walk", "--people", "1", "--cameras", "1", "--seconds", "0.16", "--size", "320x180"]


def test_a_scene_and_its_contact_sheet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, sheet = tmp_path / "set", tmp_path / "sheet.jpg"
    words = ["synthesize", "-o", str(folder), *SMALL, "--seed", "4", "--sheet", str(sheet), "--json"]
    assert run(words) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["frames"], told["cameras"], told["size"]) == (4, ["cam01"], [320, 180])
    assert (folder / "videos" / "cam01.mp4").is_file()
    picture = cv2.imread(str(sheet))
    assert picture is not None
    assert picture.std() > 20


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--people", "9"], "up to 8 people"),
        (["--people", "0"], "at least one"),
        (["--occluder", "nan"], "occluder"),
        (["--size", "big"], "WIDTHxHEIGHT"),
        (["--sheet", "sheet.gif"], "ends in .jpg"),
        (["--layout", "coco", "--sheet", "sheet.jpg"], "layout understudy"),
    ],
)
def test_what_cannot_be_drawn_is_told_and_nothing_is_written(
    words: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["synthesize", "-o", str(tmp_path / "set"), "--preset", "or", *words]) != 0
    assert told in " ".join(capsys.readouterr().err.replace("│", " ").split())
    assert not (tmp_path / "set").exists()


def test_a_truth_or_project_that_is_not_there_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["evaluate", str(tmp_path / "no.understudy"), "--truth", str(tmp_path / "no")]) != 0
    assert "no" in capsys.readouterr().err
