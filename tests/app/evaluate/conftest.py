"""Makes the room importable by its tests, whatever folder they run from, and builds it once."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def perfect_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The truth itself as a project. Tests must not write to it."""
    from measured_room import make_project

    return make_project(tmp_path_factory.mktemp("perfect"))
