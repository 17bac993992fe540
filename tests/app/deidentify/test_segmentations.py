"""Segmentations that a person adds: noted, opened again, and never left out in silence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.deidentify import segmentations as module
from app.deidentify.segmentations import (
    Kind,
    add_segmentation,
    open_segmentation,
    remove_segmentation,
    segmentations,
)
from app.deidentify.sources import installed_sources
from app.errors import ModelError
from backends.errors import InputError, WeightsError
from backends.masks import CropMask, encode_mask


class Corner:
    """Sees somebody in the corner of every picture."""

    def __init__(self, file: Path) -> None:
        if not file.read_bytes().startswith(b"net"):
            raise WeightsError(f"{file.name} is no network.")
        self.broken = file.read_bytes().endswith(b"broken")

    def masks(self, index: int, image: np.ndarray) -> list[CropMask]:
        if self.broken:
            raise InputError("it gives no masks")
        return [encode_mask(np.ones((4, 4), bool), 0, 0)]


@pytest.fixture
def net(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("UNDERSTUDY_CONFIG", str(tmp_path / "config"))
    monkeypatch.setattr(module, "KINDS", {"corner": Kind(f"{__name__}:Corner", ("FILE",))})
    monkeypatch.setattr(module, "import_module", lambda name: __import__("sys").modules[__name__])
    path = tmp_path / "net.bin"
    path.write_bytes(b"net one")
    return path


def test_it_is_used_from_then_on_until_it_is_removed(net: Path) -> None:
    assert segmentations() == ()
    added = add_segmentation("corner", [net])
    assert segmentations() == (added,)
    (source,) = installed_sources()
    assert isinstance(source, Corner)
    assert installed_sources()[0] is source  # opened once
    remove_segmentation("corner")
    assert installed_sources() == []
    with pytest.raises(ModelError, match="not been added"):
        remove_segmentation("corner")


def test_what_is_gone_or_has_changed_stops_an_export(net: Path) -> None:
    added = add_segmentation("corner", [net])
    net.write_bytes(b"net two, another length")
    with pytest.raises(ModelError, match=r"have changed.*masks remove corner"):
        installed_sources()
    net.unlink()
    with pytest.raises(ModelError, match="are gone"):
        open_segmentation(added)


def test_what_does_not_work_is_not_noted(net: Path) -> None:
    net.write_bytes(b"picture")
    with pytest.raises(ModelError, match="is no network"):
        add_segmentation("corner", [net])
    net.write_bytes(b"net broken")
    with pytest.raises(ModelError, match="gives no masks"):
        add_segmentation("corner", [net])
    with pytest.raises(ModelError, match="cannot be read"):
        add_segmentation("corner", [net.with_name("none")])
    with pytest.raises(ModelError, match="wants FILE"):
        add_segmentation("corner", [net, net])
    with pytest.raises(ModelError, match="no segmentation 'other'"):
        add_segmentation("other", [net])
    assert segmentations() == ()


@pytest.mark.parametrize("text", ["{", "[1]", '{"corner": {"files": 3}}', '{"corner": {}}'])
def test_a_damaged_note_is_no_reason_to_cover_less(net: Path, tmp_path: Path, text: str) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "segmentations.json").write_text(text)
    with pytest.raises(ModelError, match="is damaged"):
        installed_sources()
