"""The timeline as a person uses it."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication

from app.review.types import COVERED, LEAK, PREDICTED, Lane
from widgets import theme
from widgets.timeline.glass import SLACK
from widgets.timeline.lanes import LEFT
from widgets.timeline.timeline import Timeline

FRAMES = 200


def lane(person: int, mm: np.ndarray, corrected: tuple[int, ...] = (), carried: tuple[int, ...] = ()) -> Lane:
    marks = (np.array(frames, np.int32) for frames in (corrected, carried))
    return Lane(person, f"Person {person}", person - 1, mm.astype(np.float32), *marks)


@pytest.fixture
def timeline(qtbot) -> Timeline:
    theme.apply(QApplication.instance(), theme.DARK)
    widget = Timeline()
    qtbot.addWidget(widget)
    widget.resize(1460, 232)
    widget.set_footage(FRAMES, np.arange(FRAMES) / 25.0, 25.0)
    gap = np.full(FRAMES, 20.0)
    gap[:10] = np.nan
    gap[100:140] = np.nan
    widget.set_lanes([lane(1, np.full(FRAMES, 10.0), (5, 6, 150)), lane(2, gap)])
    with qtbot.waitExposed(widget):
        widget.show()
    return widget


def at(timeline: Timeline, frame: int) -> QPoint:
    return QPoint(round(SLACK + timeline.scale.x(frame)), 30)


def wheel(timeline: Timeline, x: float, turn: QPoint, modifiers=Qt.KeyboardModifier.NoModifier) -> None:
    where = QPointF(SLACK + x, 30.0)
    event = QWheelEvent(
        where, where, QPoint(), turn, Qt.MouseButton.NoButton, modifiers, Qt.ScrollPhase.NoScrollPhase, False
    )
    QApplication.sendEvent(timeline.glass, event)


def test_a_click_asks_for_the_frame_under_it(timeline: Timeline, qtbot):
    with qtbot.waitSignal(timeline.frame_requested) as asked:
        qtbot.mouseClick(timeline.glass, Qt.MouseButton.LeftButton, pos=at(timeline, 120))
    assert asked.args == [120]


def test_a_drag_asks_for_every_frame_once(timeline: Timeline, qtbot):
    asked: list[int] = []
    timeline.frame_requested.connect(asked.append)
    qtbot.mousePress(timeline.glass, Qt.MouseButton.LeftButton, pos=at(timeline, 50))
    for frame in (50, 51, 51, 60):
        qtbot.mouseMove(timeline.glass, at(timeline, frame))
    qtbot.mouseRelease(timeline.glass, Qt.MouseButton.LeftButton, pos=at(timeline, 60))
    qtbot.mouseMove(timeline.glass, at(timeline, 90))
    assert asked == [50, 51, 60]


def test_the_wheel_zooms_about_the_pointer_and_a_double_click_shows_everything(timeline: Timeline, qtbot):
    before = timeline.scale.position(400.0)
    wheel(timeline, 400.0, QPoint(0, 240))
    assert timeline.scale.span < FRAMES
    assert timeline.scale.position(400.0) == pytest.approx(before)
    qtbot.mouseDClick(timeline.glass, Qt.MouseButton.LeftButton, pos=at(timeline, 100))
    assert timeline.scale.shows_everything


def test_shift_and_wheel_pan(timeline: Timeline):
    wheel(timeline, 600.0, QPoint(0, 600))
    span, first = timeline.scale.span, timeline.scale.first
    wheel(timeline, 600.0, QPoint(0, -120), Qt.KeyboardModifier.ShiftModifier)
    assert timeline.scale.span == pytest.approx(span)
    assert timeline.scale.first > first


def test_a_zoomed_view_follows_the_cursor(timeline: Timeline):
    wheel(timeline, 0.0, QPoint(0, 1200))
    timeline.set_frame(190)
    assert timeline.scale.first <= 190 < timeline.scale.last


def test_moving_the_cursor_repaints_two_strips_only(timeline: Timeline):
    region = timeline.glass.cursor_region(20)
    area = sum(r.width() * r.height() for r in region)
    assert area < 0.1 * timeline.glass.width() * timeline.glass.height()


def test_the_range_is_set_changed_and_forgotten(timeline: Timeline):
    assert timeline.range() is None
    timeline.set_range_in(40)
    assert timeline.range() == (40, FRAMES - 1)
    timeline.set_range_out(90)
    assert timeline.range() == (40, 90)
    assert "51" in timeline.range_bar.text.text()
    timeline.set_range_in(120)
    assert timeline.range() == (120, FRAMES - 1)
    timeline.set_range_out(30)
    assert timeline.range() == (0, 30)
    timeline.clear_range()
    assert timeline.range() is None


def test_the_key_caps_set_the_range_at_the_cursor(timeline: Timeline, qtbot):
    timeline.set_frame(33)
    timeline.range_bar.in_requested.emit()
    timeline.set_frame(77)
    timeline.range_bar.out_requested.emit()
    assert timeline.range() == (33, 77)
    qtbot.mouseClick(timeline.range_bar.clear, Qt.MouseButton.LeftButton)
    assert timeline.range() is None


def test_other_footage_forgets_range_and_zoom(timeline: Timeline):
    timeline.set_range_in(40)
    wheel(timeline, 10.0, QPoint(0, 480))
    timeline.set_footage(500, np.arange(500) / 30.0, 30.0)
    assert timeline.range() is None
    assert timeline.scale.shows_everything
    assert timeline.scale.n_frames == 500


def test_absence_before_a_track_is_no_gap_but_inside_it_is(timeline: Timeline):
    gaps = timeline.lanes.gaps
    assert gaps[0] == []
    assert len(gaps[1]) == 1
    low, high = gaps[1][0]
    assert timeline.scale.position(low) == pytest.approx(100, abs=0.3)
    assert timeline.scale.position(high) == pytest.approx(140, abs=0.3)


def test_strips_are_empty_where_a_person_is_absent(timeline: Timeline):
    strip = timeline.lanes.strips[1]
    assert strip.pixelColor(5, 0).alpha() == 0
    assert strip.pixelColor(strip.width() - 5, 0).alpha() == 255


def test_one_leaking_frame_of_an_hour_is_seen(timeline: Timeline):
    coverage = np.ones(108_000, np.uint8)
    coverage[50_000] = LEAK
    timeline.set_footage(108_000, np.arange(108_000) / 30.0, 30.0)
    timeline.set_coverage(coverage)
    red = theme.current().bad.getRgb()
    assert (timeline.coverage.pixels[0] == red).all(-1).sum() >= 3


def test_frames_covered_by_a_guess_are_paler_than_those_that_were_seen(timeline: Timeline):
    coverage = np.full(1000, COVERED, np.uint8)
    coverage[500:] = PREDICTED
    timeline.set_footage(1000, np.arange(1000) / 30.0, 30.0)
    timeline.set_coverage(coverage)
    pixels = timeline.coverage.pixels[0].astype(int)
    seen, guessed = pixels[len(pixels) // 4], pixels[3 * len(pixels) // 4]
    assert seen[3] == guessed[3] == 255
    assert np.abs(seen - guessed).max() > 20


def test_nothing_run_leaves_the_coverage_empty(timeline: Timeline):
    timeline.set_coverage(None)
    assert not timeline.coverage.pixels.any()


def test_clicking_a_name_selects_that_person(timeline: Timeline, qtbot):
    y = timeline.lanes.pitch + timeline.lanes.pitch // 2
    with qtbot.waitSignal(timeline.person_selected) as selected:
        qtbot.mouseClick(timeline.lanes, Qt.MouseButton.LeftButton, pos=QPoint(40, y))
    assert selected.args == [2]


def test_arrows_go_through_the_names(timeline: Timeline, qtbot):
    timeline.set_selected_person(1)
    with qtbot.waitSignal(timeline.person_selected) as selected:
        qtbot.keyClick(timeline.lanes, Qt.Key.Key_Down)
    assert selected.args == [2]


def test_many_people_scroll_and_few_do_not(timeline: Timeline):
    assert not timeline.bar.isVisible()
    timeline.set_lanes([lane(i, np.full(FRAMES, 10.0)) for i in range(1, 13)])
    assert timeline.bar.isVisible()
    assert timeline.plot.height() >= 30
    timeline.lanes.scrolled.emit(11)
    assert timeline.bar.value() == timeline.bar.maximum()


def test_the_plot_is_thinned_to_its_width(timeline: Timeline):
    values = np.zeros(108_000)
    values[70_000] = 80.0
    timeline.set_footage(108_000, np.arange(108_000) / 30.0, 30.0)
    timeline.set_lanes([lane(1, values)])
    x, y = timeline.plot.curves[0].getData()
    assert len(x) <= timeline.plot.width()
    assert y.max() == pytest.approx(80.0)


def test_the_transport_speaks(timeline: Timeline, qtbot):
    with qtbot.waitSignal(timeline.play_toggled):
        qtbot.mouseClick(timeline.transport.play, Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(timeline.step_requested) as step:
        qtbot.mouseClick(timeline.transport.back, Qt.MouseButton.LeftButton)
    assert step.args == [-1]
    timeline.set_playing(True, 0.5)
    assert timeline.transport.play.sign == "pause"
    assert timeline.transport.play.accessibleName() == "Pause"
    assert timeline.transport.speed.text() == "0.5×"


def test_the_title_names_what_is_under_the_pointer(timeline: Timeline, qtbot):
    qtbot.mouseMove(timeline.glass, at(timeline, 50))
    timeline.glass.hovered.emit(50)
    assert "Frame 51" in timeline.title.text()
    assert "Person 2 ±20 mm" in timeline.title.text()
    timeline.glass.hovered.emit(-1)
    assert timeline.title.text() == "Expected error, mm"


def test_it_paints_empty_full_and_in_both_themes(timeline: Timeline):
    for palette in (theme.LIGHT, theme.DARK):
        theme.apply(QApplication.instance(), palette)
        assert not timeline.grab().isNull()
    timeline.set_footage(0, np.zeros(0), 25.0)
    timeline.set_lanes([])
    assert not timeline.grab().isNull()


def test_frames_that_follow_a_correction_have_a_white_foot(timeline: Timeline):
    def white(frame: int) -> bool:
        picture = timeline.lanes.grab().toImage()
        ratio = picture.width() / timeline.lanes.width()
        x = LEFT + timeline.scale.x(frame)
        row = timeline.lanes._row(0)
        color = picture.pixelColor(round(x * ratio), round((row.bottom() - 1.75) * ratio))
        return min(color.red(), color.green(), color.blue()) > 240

    assert not white(60)
    mm = np.full(FRAMES, 10.0)
    timeline.set_lanes([lane(1, mm, (70,), tuple(f for f in range(50, 91) if f != 70))])
    assert white(60)
    assert white(85)
    assert not white(110)


def test_the_cursors_label_leaves_out_what_it_would_cut_in_half(timeline: Timeline) -> None:
    marks = timeline.ruler.marks()
    timeline.set_frame(int(marks[2][1].replace(",", "")) + 1)
    near = timeline.ruler._hidden_marks(timeline.scale.x(timeline._frame))
    assert 2 in near
    assert len(near) <= 2
    assert timeline.ruler._cursor == timeline.scale.x(timeline._frame)


def test_the_words_of_a_range_get_the_room_they_need(timeline: Timeline, qtbot) -> None:
    timeline.set_range_in(20)
    timeline.set_range_out(119)
    qtbot.wait(10)
    text, clear = timeline.range_bar.text, timeline.range_bar.clear
    assert text.width() >= text.sizeHint().width()
    assert clear.isVisible()
    assert timeline.range_bar.rect().contains(clear.geometry())
    assert not clear.geometry().intersects(text.geometry())
