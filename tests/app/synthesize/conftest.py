"""Lets the tests of this folder use the data sets' :mod:`fake_scene`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "datasets"))
