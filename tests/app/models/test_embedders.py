"""Which networks tell people apart: those installed, and those of others by entry point."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest

from app.errors import ModelError
from app.models import embedders
from app.models.store import ModelStore
from backends.errors import WeightsError
from backends.identity import Embedder


class Theirs:
    name, subject, size = "theirs", "face", (150, 150)

    def embed(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        return np.ones((len(pictures), 1), np.float32)


def theirs() -> Embedder:
    return Theirs()


def broken() -> Embedder:
    raise WeightsError("theirs.pt is not there. Fetch it.")


def test_without_any_it_is_said_what_to_type(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="models install face-identity person-appearance"):
        embedders.open_embedders(ModelStore(tmp_path))


def test_damaged_weights_are_not_used(tmp_path: Path) -> None:
    (tmp_path / "face-identity").mkdir()
    (tmp_path / "face-identity" / "dlib_face_recognition_resnet_model_v1.dat").write_bytes(b"something")
    with pytest.raises(ModelError, match="is not what was installed"):
        embedders.open_embedders(ModelStore(tmp_path))


@pytest.mark.parametrize(("made", "works"), [("theirs", True), ("broken", False)])
def test_others_are_found_by_entry_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: str, works: bool
) -> None:
    point = EntryPoint("theirs", f"{__name__}:{made}", embedders.GROUP)
    monkeypatch.setattr(EntryPoint, "load", lambda self: globals()[self.value.split(":")[1]])
    monkeypatch.setattr(embedders, "entry_points", lambda group: [point] * (group == embedders.GROUP))
    if works:
        assert [e.name for e in embedders.open_embedders(ModelStore(tmp_path))] == ["theirs"]
    else:
        with pytest.raises(ModelError, match="is not there"):
            embedders.open_embedders(ModelStore(tmp_path))
