"""The demo, small: the real pipeline and the real export on a clip that the program draws."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import pytest

from app.cli import main
from app.footage import open_footage
from app.models.store import ModelStore


@pytest.mark.network_weights
def test_the_demo_does_everything_once_and_may_be_run_again(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    store = ModelStore()
    if not (store.has("blazepose-detector") and store.has("blazepose-landmarks")):
        pytest.skip("the default networks are not installed")
    folder = tmp_path / "demo output"
    line = ["demo", "-o", str(folder), "--seconds", "0.4", "--width", "640", "--no-window", "--json"]
    for _ in range(2):
        capfd.readouterr()
        assert main(line) == 0
        result = json.loads(capfd.readouterr().out)
    assert result["frames"] == 10
    assert result["people"] >= 2
    assert result["frames_with_people"] == 10
    endings = (
        ".mp4",
        "_report.html",
        "_report.pdf",
        "_keypoints.json",
        "_smplx.npz",
        "_confidence.csv",
        "_manifest.json",
    )
    assert all(any(name.endswith(ending) for name in result["files"]) for ending in endings)
    with open_footage(next(folder.glob("operating_room_deidentified*.mp4"))) as video:
        assert (video.n_frames, video.width, video.height) == (10, 640, 360)
    sheet = cv2.imread(str(folder / result["contact_sheet"]))
    assert sheet is not None
    assert sheet.shape[1] > 1600
    assert not list(folder.glob(".*")), "no temporary file stays"
