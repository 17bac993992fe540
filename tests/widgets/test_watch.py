"""The heartbeat that says how long the window's thread was ever busy."""

from __future__ import annotations

import json
import time
from pathlib import Path

from pytestqt.qtbot import QtBot

from widgets.watch import start_watch


def test_a_call_that_works_is_told_from_one_that_only_waits(qtbot: QtBot, tmp_path: Path) -> None:
    watch = start_watch(tmp_path / "ui.json")
    qtbot.wait(30)
    time.sleep(0.15)  # the processor is with somebody else
    qtbot.wait(30)
    waited, worked = watch.longest_ms, max(watch.busy_ms)
    assert waited > 100
    assert worked < waited / 2
    end = time.thread_time() + 0.12
    while time.thread_time() < end:
        pass
    qtbot.wait(30)
    watch.stop()
    assert max(watch.busy_ms) > 100
    found = json.loads((tmp_path / "ui.json").read_text())
    assert found["busiest_ms"][0] > 100
    assert found["beats"] == len(watch.delays_ms)
