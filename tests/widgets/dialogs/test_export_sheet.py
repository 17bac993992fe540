"""The export sheet, from choosing to the list of files."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QCheckBox, QLabel, QLineEdit, QRadioButton

from app.models.bodies import BodyChoice
from app.review.privacy import PlanRow
from app.review.types import DeidSettings, ExportRequest, LearnedInpainter
from widgets import theme
from widgets.dialogs import export_choosing
from widgets.dialogs.export_done import size_text, verdict
from widgets.dialogs.export_sheet import ExportSheet

FOLDER = Path("exports") / "ward-7"


@pytest.fixture
def sheet(qtbot) -> ExportSheet:
    theme.apply(QApplication.instance(), theme.DARK)
    widget = ExportSheet()
    widget.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(widget)
    widget.choosing.set_context(FOLDER, 230, None, 0, 2, True, DeidSettings())
    with qtbot.waitExposed(widget):
        widget.show()
    return widget


def check(sheet: ExportSheet, text: str) -> QCheckBox:
    return next(c for c in sheet.findChildren(QCheckBox) if c.text().startswith(text))


def words(sheet: ExportSheet) -> str:
    return "\n".join(label.text() for label in sheet.findChildren(QLabel) if label.isVisible())


def requested(sheet: ExportSheet, qtbot) -> ExportRequest:
    with qtbot.waitSignal(sheet.export_requested) as asked:
        sheet.choosing.export_button.click()
    return asked.args[0]


def test_the_usual_kinds_are_ticked_and_all_frames_are_exported(sheet: ExportSheet, qtbot):
    request = requested(sheet, qtbot)
    assert request.folder == FOLDER
    assert request.kinds == ("video", "coco", "smplx", "csv")
    assert (request.first, request.last) == (None, None)
    assert not request.overwrite
    assert not request.allow_uncovered


def test_a_marked_range_is_offered_first_and_named_as_people_count(sheet: ExportSheet, qtbot):
    sheet.choosing.set_context(FOLDER, 230, (20, 80), 0, 2, False, DeidSettings())
    part = next(r for r in sheet.findChildren(QRadioButton) if r.isChecked() and r.isVisible())
    assert part.text() == "Frames 21 to 81"
    request = requested(sheet, qtbot)
    assert (request.first, request.last) == (20, 80)


def test_somebody_uncovered_must_be_confirmed_before_a_video(sheet: ExportSheet, qtbot):
    sheet.choosing.set_context(FOLDER, 230, None, 3, 2, False, DeidSettings())
    assert "3 frames" in words(sheet)
    assert not sheet.choosing.export_button.isEnabled()
    check(sheet, "I have looked").setChecked(True)
    assert sheet.choosing.export_button.isEnabled()
    assert requested(sheet, qtbot).allow_uncovered


def test_without_a_video_nobody_can_be_seen_so_nothing_is_to_confirm(sheet: ExportSheet):
    sheet.choosing.set_context(FOLDER, 230, None, 3, 2, False, DeidSettings())
    check(sheet, "De-identified video").setChecked(False)
    assert sheet.choosing.export_button.isEnabled()


def test_a_project_without_people_warns(sheet: ExportSheet):
    sheet.choosing.set_context(FOLDER, 230, None, 0, 0, False, DeidSettings())
    assert "Nobody was found" in words(sheet)
    assert not sheet.choosing.export_button.isEnabled()


def test_nothing_chosen_or_no_folder_says_so(sheet: ExportSheet):
    for kind in ("De-identified", "Keypoints", "Bodies", "Confidence"):
        check(sheet, kind).setChecked(False)
    assert not sheet.choosing.export_button.isEnabled()
    assert sheet.choosing.export_button.toolTip() == "Choose something to write"
    check(sheet, "Keypoints").setChecked(True)
    sheet.findChild(QLineEdit).setText("  ")
    assert sheet.choosing.export_button.toolTip() == "Choose a folder"


def test_kept_sound_is_called_what_it_is(sheet: ExportSheet):
    sheet.choosing.set_context(FOLDER, 230, None, 0, 2, True, DeidSettings(keep_audio=True))
    assert "recognised by their voice" in words(sheet)
    sheet.choosing.set_context(FOLDER, 230, None, 0, 2, False, DeidSettings(keep_audio=True))
    assert "sound removed" in words(sheet)


def test_progress_names_what_is_written_and_how_long_it_takes(sheet: ExportSheet):
    sheet.set_progress(40, 230, 12.0, "Writing the video")
    assert "Writing the video" in words(sheet)
    assert "40 of 230 · 12 s left" in words(sheet)


def test_escape_while_it_works_stops_the_work_and_stays(sheet: ExportSheet, qtbot):
    sheet.set_progress(1, 2, None, "Writing")
    with qtbot.waitSignal(sheet.cancel_requested):
        qtbot.keyClick(sheet, Qt.Key.Key_Escape)
    assert sheet.isVisible()


def test_the_end_lists_every_file_with_size_and_check(sheet: ExportSheet):
    outputs = [
        {"path": str(FOLDER / "a.mp4"), "count": 230, "unit": "frames", "bytes": 2_400_000},
        {"path": str(FOLDER / "a.json"), "count": 442, "unit": "people", "bytes": 900},
    ]
    summary = {"folder": str(FOLDER), "seconds": 12.2, "video_fps": 31.0, "outputs": outputs, "uncovered": 1}
    sheet.set_done(summary)
    said = words(sheet)
    for text in ("Exported in 12 s · 31 frames/s", "a.mp4", "2.4 MB", "442 people", "900 bytes", str(FOLDER)):
        assert text in said
    assert said.count("✓") == 3, "one a file, and what it means"
    assert "Somebody may be seen in 1 frame." in said


def test_whoever_may_be_seen_is_named_before_and_counted_after(sheet: ExportSheet):
    rows = [
        PlanRow("rule", 1, "Nurse: may be seen", "all frames · has given consent", 0, True, "Nurse"),
        PlanRow("rule", 2, "Person 2: blur", "all frames", 0, False, "Person 2", True),
        PlanRow("region", 1, "Clock", "frames 3–9 · solid colour", 2),
    ]
    sheet.choosing.set_context(FOLDER, 230, None, 0, 3, False, DeidSettings(), plan=rows)
    said = words(sheet)
    assert "Nurse may be seen on purpose: all frames · has given consent" in said
    assert "A blur can be seen through" in said
    assert "1 exception · 1 region" in said
    assert sheet.choosing.export_button.isEnabled(), "it is wanted: nothing is to confirm"
    sheet.choosing.set_context(FOLDER, 230, None, 0, 3, False, DeidSettings())
    assert "on purpose" not in words(sheet)
    sheet.set_done(_summary(verified=True, audit={"events": 0, "open": 0, "released": 0}, spared=2))
    assert "2 people were left visible on purpose" in words(sheet)


def test_an_export_that_is_there_already_is_told_before_the_work(sheet: ExportSheet, qtbot, tmp_path: Path):
    folder = tmp_path / "ward-7 export"
    folder.mkdir()
    sheet.choosing.set_context(folder, 230, None, 0, 2, False, DeidSettings(), stem="ward-7")
    assert requested(sheet, qtbot).overwrite is False
    (folder / "ward-7_deidentified_unverified.mp4").touch()
    sheet.choosing.set_context(folder, 230, None, 0, 2, False, DeidSettings(), stem="ward-7")
    assert check(sheet, "Replace the unverified export").isChecked(), "it is made again to be verified"
    (folder / "ward-7_deidentified.mp4").touch()
    sheet.choosing.set_context(folder, 230, None, 0, 2, False, DeidSettings(), stem="ward-7")
    assert not check(sheet, "Replace the verified export").isChecked()
    assert not sheet.choosing.export_button.isEnabled()
    assert "choose another folder" in sheet.choosing.export_button.toolTip()
    sheet.findChild(QLineEdit).setText(str(tmp_path / "elsewhere"))
    assert sheet.choosing.export_button.isEnabled()


def test_on_a_small_screen_the_choices_scroll_and_the_buttons_stay(
    sheet: ExportSheet, qtbot, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = sheet.screen().availableGeometry()
    # Whatever the screen of the tests is: as much of it is left as one of 720 pixels has.
    monkeypatch.setattr(export_choosing, "_ROOM", export_choosing._ROOM + max(0, screen.height() - 720))
    rows = [
        PlanRow("rule", i, "", "all frames · " + 12 * "a long reason ", 0, True, f"Nurse {i}")
        for i in range(9)
    ]
    kept = DeidSettings(fill="blur", keep_audio=True)
    sheet.move(0, screen.height() // 3)
    sheet.choosing.set_context(
        FOLDER, 230, None, 3, 2, True, kept, cut_tracks=2, plan=rows, camera="cam01", n_cameras=4
    )
    sheet.choosing.all_cameras.setChecked(True)
    bar = sheet.choosing._area.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 0)
    qtbot.wait(40)
    for button in (sheet.choosing.export_button, sheet.choosing._confirm):
        assert screen.contains(button.mapToGlobal(button.rect().bottomRight()))
    sheet.choosing.set_context(FOLDER, 230, None, 0, 2, False, DeidSettings())
    qtbot.waitUntil(lambda: bar.maximum() == 0)


def test_the_end_is_no_higher_than_what_it_says(sheet: ExportSheet, qtbot):
    sheet.choosing.export_button.click()
    qtbot.waitUntil(lambda: sheet.work_page.isVisible())
    qtbot.wait(20)
    working = sheet.height()
    sheet.set_failed("You stopped it.")
    qtbot.waitUntil(lambda: sheet.height() < working - 200)
    sheet.end_page.again.click()
    qtbot.waitUntil(lambda: sheet.height() > working - 200)


def test_a_failure_says_why_and_leads_back(sheet: ExportSheet, qtbot):
    sheet.set_progress(1, 2, None, "Writing")
    sheet.set_failed("The disk is full. Free some space and export again.")
    assert "The disk is full" in words(sheet)
    sheet.end_page.again.click()
    assert sheet.choosing.export_button.isVisible()
    assert requested(sheet, qtbot).kinds


@pytest.mark.parametrize(
    ("size", "text"), [(12, "12 bytes"), (2400, "2.4 kB"), (5_000_000, "5.0 MB"), (3_210_000_000, "3.2 GB")]
)
def test_sizes_have_units(size: int, text: str):
    assert size_text(size) == text


def _summary(**more: object) -> dict[str, object]:
    output = {"kind": "video", "path": "/x/case_deidentified.mp4", "count": 50, "unit": "frames", "bytes": 10}
    return {"folder": "/x", "seconds": 4.0, "outputs": [output], "uncovered": 0, **more}


def test_the_stamp_says_verified_only_when_nothing_is_open():
    clean = {"events": 2, "open": 0, "released": 2}
    assert verdict(_summary(verified=True, audit=clean))[:2] == ("accent", "Verified")
    assert "2 findings released" in verdict(_summary(verified=True, audit=clean))[2]
    role, heading, _ = verdict(_summary(verified=False, audit={"events": 3, "open": 1, "released": 2}))
    assert (role, heading) == ("bad", "Not verified: 1 finding open")
    role, _, words = verdict(_summary(verified=False, audit=None))
    assert role == "warning"
    assert "not searched" in words
    assert verdict({**_summary(verified=False), "outputs": []})[1] == ""


def test_open_findings_are_one_press_away(sheet: ExportSheet, qtbot):
    found = {"events": 1, "open": 1, "released": 0}
    sheet.set_done(_summary(verified=False, audit=found, report="/x/r.html"))
    assert sheet.end_page.review.isVisible()
    assert sheet.end_page.show_report.isVisible()
    with qtbot.waitSignal(sheet.review_requested):
        sheet.end_page.review.click()


def test_the_search_and_the_report_are_asked_for(sheet: ExportSheet, qtbot):
    assert sheet.choosing.audit.isChecked()
    assert sheet.choosing.report.isChecked()
    sheet.choosing.audit.setChecked(False)
    with qtbot.waitSignal(sheet.export_requested) as wanted:
        sheet.choosing.export_button.click()
    assert (wanted.args[0].audit, wanted.args[0].report) == (False, True)


def test_dicom_takes_the_video_with_it(sheet: ExportSheet, qtbot):
    check(sheet, "De-identified video").setChecked(False)
    check(sheet, "The video as DICOM").setChecked(True)
    assert check(sheet, "De-identified video").isChecked()
    check(sheet, "De-identified video").setChecked(False)
    assert not sheet.choosing.export_button.isEnabled()
    assert "choose it too" in sheet.choosing.export_button.toolTip()


def test_another_body_is_offered_only_where_its_file_was_added(sheet: ExportSheet, qtbot):
    assert not sheet.choosing.body.isVisible()
    assert requested(sheet, qtbot).body == "free"
    bodies = (BodyChoice("free", "Free body", True), BodyChoice("smplx", "SMPL-X", True),
              BodyChoice("smpl", "SMPL", False))  # fmt: skip
    sheet.choosing.set_context(FOLDER, 230, None, 0, 2, True, DeidSettings(), bodies=bodies)
    assert [sheet.choosing.body.itemText(i) for i in range(sheet.choosing.body.count())] == [
        "Free body",
        "SMPL-X",
    ]
    sheet.choosing.body.setCurrentIndex(1)
    assert requested(sheet, qtbot).body == "smplx"


def test_pictures_in_the_report_are_asked_for_and_warned_of(sheet: ExportSheet, qtbot):
    assert not sheet.choosing.pictures.isChecked()
    assert "patient" in sheet.choosing.pictures.toolTip()
    sheet.choosing.report.setChecked(False)
    assert not sheet.choosing.pictures.isEnabled()
    sheet.choosing.report.setChecked(True)
    sheet.choosing.pictures.setChecked(True)
    sheet.choosing.audit.setChecked(False)
    assert not sheet.choosing.pictures.isEnabled()
    sheet.choosing.audit.setChecked(True)
    assert requested(sheet, qtbot).report_pictures


def test_a_report_has_no_pictures_by_itself(sheet: ExportSheet, qtbot):
    request = requested(sheet, qtbot)
    assert not request.report_pictures
    assert request.inpainter is None


def test_networks_that_paint_are_offered_where_there_are_some(sheet: ExportSheet, qtbot):
    assert not sheet.choosing.inpainter.isVisible()
    painter = LearnedInpainter("e2fgvi", Path("clone"), Path("w.pth"))
    original = DeidSettings(background="original")
    sheet.choosing.set_context(FOLDER, 230, None, 0, 2, False, original, inpainters=[painter])
    assert not sheet.choosing.inpainter.isVisible()
    sheet.choosing.set_context(FOLDER, 230, None, 0, 2, False, DeidSettings(), inpainters=[painter])
    assert sheet.choosing.inpainter.isVisible()
    sheet.choosing.inpainter.setCurrentIndex(1)
    assert requested(sheet, qtbot).inpainter == painter


def test_the_stages_are_listed_while_it_works(sheet: ExportSheet, qtbot):
    requested(sheet, qtbot)
    sheet.set_stages((("video", "Writing the video"), ("check", "Checking the video")))
    sheet.start_stage("video", "Writing the video")
    assert sheet.work_page.stages == (("video", 1), ("check", 0))


def test_all_cameras_go_to_a_folder_of_their_own_and_may_be_confirmed(sheet: ExportSheet, qtbot):
    assert "All 4 cameras" not in words(sheet)
    sheet.choosing.set_context(FOLDER, 230, None, 0, 2, False, DeidSettings(), camera="cam02", n_cameras=4)
    choice = next(r for r in sheet.findChildren(QRadioButton) if r.text() == "All 4 cameras")
    assert not sheet.choosing.all_cameras.isChecked()
    assert "cam02 only" in [r.text() for r in sheet.findChildren(QRadioButton) if r.isVisible()]
    choice.click()
    assert sheet.choosing.all_cameras.isChecked()
    assert sheet.choosing.export_button.isEnabled(), "what the others show is checked as they are written"
    request = requested(sheet, qtbot)
    assert request.folder == FOLDER.with_name("All cameras export")
    assert not request.allow_uncovered
    check(sheet, "I have looked at all").setChecked(True)
    assert requested(sheet, qtbot).allow_uncovered
    sheet.choosing.one_camera.click()
    assert requested(sheet, qtbot).folder == FOLDER


def test_what_came_of_each_camera_is_told(sheet: ExportSheet):
    summary = {
        "folder": "x", "seconds": 3.0,
        "outputs": [{"kind": "video", "path": "a.mp4", "count": 1, "unit": "frames", "bytes": 10}],
        "verified": False, "audit": {"open": 2}, "uncovered": 0,
        "cameras": [
            {"name": "cam01", "open": 0, "error": ""}, {"name": "cam02", "open": 2, "error": ""},
            {"name": "cam03", "open": 0, "error": "Somebody is lost from sight in 4 frames."},
        ],
    }  # fmt: skip
    sheet.set_done(summary)
    told = words(sheet)
    assert "2 findings open, in cam02" in told
    assert "cam03 was not written. Somebody is lost from sight" in told
