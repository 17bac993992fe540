"""A segmentation that a person has added takes part in an export, and the record names it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from theatre import BODY, N, Theatre, make_theatre

from app.deidentify import segmentations
from app.deidentify.segmentations import Kind, add_segmentation
from app.errors import ModelError
from app.export.run import run_export
from app.footage import open_footage
from app.pipeline.job import Control
from app.review.types import DeidSettings, ExportRequest
from backends.deidentify.fills import SOLID_RGB
from backends.masks import CropMask, encode_mask


class Corner:
    """Sees somebody in the corner of every picture."""

    def masks(self, index: int, image: np.ndarray) -> list[CropMask]:
        return [encode_mask(np.ones((40, 40), bool), 0, 0)]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Theatre]:
    stage = make_theatre(tmp_path / "c", people=(1, 2))
    yield stage
    stage.store.close()
    stage.footage.close()


def test_its_masks_are_covered_and_its_hash_is_in_the_record(
    stage: Theatre, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNDERSTUDY_CONFIG", str(tmp_path / "config"))
    monkeypatch.setattr(segmentations, "KINDS", {"corner": Kind("corner:open", ("FILE",))})
    monkeypatch.setattr(segmentations, "_opened", lambda chosen: Corner())
    file = tmp_path / "corner.bin"
    file.write_bytes(b"weights")
    added = add_segmentation("corner", [file])
    stage.run({1: range(N), 2: range(N)})
    solid = DeidSettings(fill="solid", background="original")

    def exported(folder: Path) -> list[Path]:
        request = ExportRequest(folder, ("video",), last=3, audit=False)
        run_export(stage.store, stage.footage, BODY, request, solid, Control(), lambda event: None)
        return list(folder.glob("*.mp4"))

    (video,) = exported(tmp_path / "out")
    with open_footage(video) as written:
        corner = written.frame(2)[4:36, 4:36].reshape(-1, 3).astype(float)
    assert np.abs(corner.mean(axis=0) - SOLID_RGB).max() < 8
    (record,) = (tmp_path / "out").glob("*_manifest.json")
    manifest = json.loads(record.read_text())
    assert manifest["segmentations"] == {"corner": added.sha256}
    file.write_bytes(b"others")
    with pytest.raises(ModelError, match="have changed"):
        exported(tmp_path / "again")
    assert not list((tmp_path / "again").glob("*.mp4"))
