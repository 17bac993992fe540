"""The page of an export on its way."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication, QLabel

from widgets import theme
from widgets.dialogs.export_working import ExportWorking
from widgets.dialogs.stages import taken_text

STAGES = (
    ("plate", "Building the empty room"),
    ("video", "Writing the video"),
    ("check", "Checking the video"),
)


@pytest.fixture
def page(qtbot) -> ExportWorking:
    theme.apply(QApplication.instance(), theme.DARK)
    widget = ExportWorking()
    qtbot.addWidget(widget)
    with qtbot.waitExposed(widget):
        widget.show()
    widget.begin(video=True)
    widget.set_stages(STAGES)
    return widget


def words(page: ExportWorking) -> str:
    return "\n".join(label.text() for label in page.findChildren(QLabel) if label.isVisible())


def test_stages_are_ticked_one_after_the_other(page: ExportWorking) -> None:
    assert [state for _, state in page.stages] == [0, 0, 0]
    page.grab()
    page.start_stage("plate", "Building the empty room")
    page.start_stage("video", "Writing the video")
    page.grab()
    assert page.stages == (("plate", 2), ("video", 1), ("check", 0))
    assert "under 1 s" in words(page)
    page.set_progress(40, 230, 12.0, "Writing the video")
    assert "40 of 230 · 12 s left" in words(page)


def test_a_stage_that_nobody_announced_is_added(page: ExportWorking) -> None:
    page.start_stage("dicom", "Writing DICOM")
    assert page.stages[-1] == ("dicom", 1)
    assert "Writing DICOM" in words(page)


def test_the_last_written_frame_is_shown_and_named_as_people_count(page: ExportWorking) -> None:
    assert "appear here" in page.picture.accessibleName()
    rgb = np.full((90, 160, 3), (10, 200, 30), np.uint8)
    page.show_frame(41, rgb)
    assert "Frame 42 as it was written" in words(page)
    image = page.picture.grab().toImage()
    middle = image.pixelColor(image.width() // 2, image.height() // 2)
    assert (middle.red(), middle.green(), middle.blue()) == (10, 200, 30)
    page.begin(video=True)
    assert page.picture.pixels is None


def test_without_a_video_there_is_no_picture(page: ExportWorking) -> None:
    page.begin(video=False)
    assert not page.picture.isVisible()


def test_times_are_read_at_a_glance() -> None:
    assert [taken_text(s) for s in (0.2, 12.4, 130)] == ["under 1 s", "12 s", "2 min"]
