"""Several rooms of ``bench utility`` in one row."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pytest

over_rooms = import_module("app.cli.bench.utility")._over_rooms


def room(seed: int, ours: float, baseline: float, people: int) -> list[dict[str, Any]]:
    nothing = float("nan")
    return [
        {
            "what": f"or {seed}: {what}", "OKS": oks, "spread": nothing, "people": people, "frames": 100,
            "of_baseline": oks / baseline,
        }
        for what, oks in (("clothed bodies", ours), ("shaded bodies", 0.1), ("baseline: again", baseline))
    ]  # fmt: skip


def test_rooms_count_the_same_and_their_spread_stands_beside() -> None:
    ours, baseline = over_rooms("or", [room(7, 0.7, 0.8, 400), room(8, 0.9, 1.0, 100)])
    assert ours["what"] == "or, 2 rooms: clothed bodies"
    assert baseline["what"] == "or, 2 rooms: baseline: again"
    assert ours["OKS"] == pytest.approx(0.8)
    assert ours["spread"] == pytest.approx(np.std([0.7, 0.9], ddof=1))
    assert ours["people"] == 500
    assert ours["of_baseline"] == pytest.approx(0.8 / 0.9)
    assert list(ours) == list(room(7, 0.1, 0.1, 0)[0])


def test_of_one_room_nothing_is_said_twice() -> None:
    assert over_rooms("or", [room(7, 0.7, 0.8, 400)]) == []
