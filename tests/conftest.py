"""Fixtures that many tests share."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

import app  # noqa: F401  before numpy: it sets how many threads the linear algebra may use

import numpy as np  # isort: skip

if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
    # Without a screen Qt would end the process; so tests of the window that need OpenGL are skipped.
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

REPOSITORY = Path(__file__).resolve().parent.parent
FOOTAGE = Path(os.environ.get("UNDERSTUDY_FOOTAGE", REPOSITORY.parent / "shared" / "footage"))


@pytest.fixture(scope="session")
def footage_folder() -> Path:
    """The folder of real footage, which is not part of the repository."""
    if not FOOTAGE.is_dir():
        pytest.skip(f"real footage is not here: {FOOTAGE} is missing (set UNDERSTUDY_FOOTAGE)")
    return FOOTAGE


@pytest.fixture(scope="session")
def two_faces() -> tuple[np.ndarray, list[np.ndarray]]:
    """A rendered picture (720, 1280, 3) of two people without masks, and their heads' boxes (4,)."""
    from backends.synthetic import open_scene

    view = next(open_scene("interview", people=2, seconds=1, seed=3).frames()).views[0]
    boxes = [p.head_box for p in view.people if p.head_box is not None and p.face_seen > 0.5]
    assert len(boxes) == 2
    return view.image, boxes
