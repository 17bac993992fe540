"""The review queue."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QRectF, Qt
from PySide6.QtWidgets import QApplication

from app.review.types import ReviewItem
from widgets import theme
from widgets.panels.review import ReviewPanel
from widgets.panels.review_cards import kind_of, more_rect, more_text

TITLES = (
    "Right arm not to be believed",
    "Left leg not to be believed",
    "Person lost from sight",
    "Head doubtful",
)


def items(count: int = 4, done: tuple[int, ...] = ()) -> list[ReviewItem]:
    return [
        ReviewItem(
            f"i{k}", 2 if k % 4 < 3 else 1, TITLES[k % 4], f"Person 1 · frame {k}", 1, k, k, None, k in done
        )
        for k in range(count)
    ]


@pytest.fixture
def panel(qtbot) -> ReviewPanel:
    theme.apply(QApplication.instance(), theme.DARK)
    widget = ReviewPanel()
    qtbot.addWidget(widget)
    widget.resize(300, 400)
    widget.set_items(items())
    with qtbot.waitExposed(widget):
        widget.show()
    return widget


@pytest.fixture
def told(panel: ReviewPanel) -> list[str]:
    heard: list[str] = []
    panel.activated.connect(heard.append)
    return heard


def shown(panel: ReviewPanel) -> list[str]:
    return [item.item_id for item in panel.model.shown]


def test_what_is_done_is_counted_but_not_shown(panel: ReviewPanel):
    panel.set_items(items(done=(1, 2)))
    assert panel.heading.text() == "To review · 2 of 4"
    assert shown(panel) == ["i0", "i3"]
    panel.set_filter(None, with_done=True)
    assert shown(panel) == ["i0", "i1", "i2", "i3"]


def test_next_and_previous_go_round(panel: ReviewPanel, told: list[str]):
    for _ in range(5):
        panel.next_item()
    panel.previous_item()
    assert told == ["i0", "i1", "i2", "i3", "i0", "i3"]


def test_previous_without_a_current_one_is_the_last(panel: ReviewPanel, told: list[str]):
    panel.previous_item()
    assert told == ["i3"]


def test_after_an_accepted_item_comes_the_one_that_took_its_place(panel: ReviewPanel, told: list[str]):
    panel.set_current("i1")
    panel.set_items(items(done=(1,)))
    assert panel.current() is None
    panel.next_item()
    assert told == ["i2"]


def test_marking_from_outside_is_silent(panel: ReviewPanel, told: list[str]):
    panel.set_current("i2")
    panel.set_items(items())
    assert panel.current() == "i2"
    assert told == []


def test_a_press_goes_there_once_and_again_on_the_same_card(panel: ReviewPanel, told: list[str], qtbot):
    where = panel.view.visualRect(panel.model.index(2)).center()
    for _ in range(2):
        qtbot.mouseClick(panel.view.viewport(), Qt.MouseButton.LeftButton, pos=where)
    assert told == ["i2", "i2"]


def test_arrows_go_through_and_enter_accepts(panel: ReviewPanel, told: list[str], qtbot):
    panel.set_current("i0")
    qtbot.keyClick(panel.view, Qt.Key.Key_Down)
    assert told == ["i1"]
    with qtbot.waitSignal(panel.accepted) as accepted:
        qtbot.keyClick(panel.view, Qt.Key.Key_Return)
    assert accepted.args == ["i1"]


def test_nothing_marked_nothing_accepted(panel: ReviewPanel, qtbot):
    with qtbot.assertNotEmitted(panel.accepted):
        panel.accept_current()


def test_the_filter_shows_one_kind_whatever_the_body_part(panel: ReviewPanel):
    menu = panel.filter_menu()
    texts = [a.text() for a in menu.actions() if a.text()]
    assert texts[0] == "All · 4"
    assert "Not to be believed · 2" in texts
    next(a for a in menu.actions() if a.text().startswith("Not to be believed")).trigger()
    assert shown(panel) == ["i0", "i1"]
    assert panel.filter_button.text().startswith("Not to be believed")


@pytest.mark.parametrize(
    ("title", "reason"),
    [
        ("Right hand not to be believed", "Not to be believed"),
        ("Left and right legs may be swapped", "May be swapped"),
        ("Face visible for 3 frames", "Visible for some frames"),
        ("Track begins in mid-picture", "Track begins in mid-picture"),
    ],
)
def test_kinds_leave_out_sides_parts_and_counts(title: str, reason: str):
    assert kind_of(title) == reason


def test_each_empty_list_says_why(panel: ReviewPanel):
    panel.set_items([])
    panel.set_empty_text("Nothing to review yet.")
    assert panel.empty.text() == "Nothing to review yet."
    panel.set_items(items(done=(0, 1, 2, 3)))
    assert "All looked at" in panel.empty.text()
    panel.set_items(items(done=(3,)))
    panel.set_filter("Doubtful")
    assert "of this kind" in panel.empty.text()
    assert panel.empty.isVisible()


def test_thousands_of_items_are_taken_and_walked(panel: ReviewPanel, told: list[str]):
    many = items(2000)
    panel.set_items(many)
    panel.set_current("i1999")
    panel.next_item()
    panel.set_items([replace(item, done=item.item_id == "i0") for item in many])
    assert told == ["i0"]
    assert panel.heading.text() == "To review · 1999 of 2000"
    assert not panel.grab().isNull()


def test_screen_readers_hear_how_bad_it_is(panel: ReviewPanel):
    assert "serious" in panel.model.index(0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert "doubtful" in panel.model.index(3).data(Qt.ItemDataRole.AccessibleTextRole)


# --- what is alike is folded ----------------------------------------------------------------


def alike(done: tuple[int, ...] = ()) -> list[ReviewItem]:
    return [replace(item, group="1:arms" if k != 2 else "1:lost") for k, item in enumerate(items(4, done))]


def test_of_what_is_alike_one_card_stands_for_all(panel: ReviewPanel):
    panel.set_items(alike())
    assert shown(panel) == ["i0", "i2"]
    assert panel.model.more == {"i0": 2}
    tip = panel.model.index(0).data(Qt.ItemDataRole.ToolTipRole)
    assert tip.endswith("2 more like this")
    assert "2 more like this" in panel.model.index(0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert panel.heading.text() == "To review · 4 of 4", "folded or not, they wait"


def test_the_next_of_its_kind_takes_the_place_of_an_accepted_one(panel: ReviewPanel, told: list[str]):
    panel.set_items(alike())
    panel.set_current("i0")
    panel.set_items(alike(done=(0,)))
    assert shown(panel) == ["i1", "i2"]
    panel.next_item()
    assert told == ["i1"]


def test_right_unfolds_and_left_folds(panel: ReviewPanel, qtbot):
    panel.set_items(alike())
    panel.set_current("i0")
    qtbot.keyClick(panel.view, Qt.Key.Key_Right)
    assert shown(panel) == ["i0", "i1", "i3", "i2"], "those alike stand together"
    assert panel.current() == "i0"
    qtbot.keyClick(panel.view, Qt.Key.Key_Right)
    assert len(shown(panel)) == 4
    qtbot.keyClick(panel.view, Qt.Key.Key_Left)
    assert shown(panel) == ["i0", "i2"]


def test_a_press_on_the_count_unfolds_and_does_not_go_there(panel: ReviewPanel, told: list[str], qtbot):
    panel.set_items(alike())
    place = more_rect(QRectF(panel.view.visualRect(panel.model.index(0))), more_text(2, False))
    qtbot.mouseClick(panel.view.viewport(), Qt.MouseButton.LeftButton, pos=place.center().toPoint())
    assert shown(panel) == ["i0", "i1", "i3", "i2"]
    assert told == []
    assert not panel.grab().isNull()


def test_a_filter_shows_all_of_its_kind(panel: ReviewPanel):
    panel.set_items(alike())
    panel.set_filter("Not to be believed")
    assert shown(panel) == ["i0", "i1"]
    panel.set_filter(None, with_done=True)
    panel.set_items(alike(done=(1,)))
    assert shown(panel) == ["i0", "i1", "i2"], "what is done is not folded"


def test_all_that_are_alike_are_accepted_at_once(panel: ReviewPanel):
    heard: list[str] = []
    panel.accepted.connect(heard.append)
    panel.set_items(alike())
    panel.accept_alike(0)
    assert heard == ["i0", "i1", "i3"]
    panel.accept_alike(1)
    assert heard[3:] == ["i2"]
