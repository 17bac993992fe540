"""How people are covered in the export: a few rows, each with a menu, and what is otherwise."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QMenu, QSizePolicy, QVBoxLayout, QWidget

from app.review.privacy import PlanRow, fill_label
from app.review.types import (
    AUDIO_WHY_NOT,
    BACKGROUND_LABELS,
    CODEC_LABELS,
    COVER_LABELS,
    COVER_WHY_NOT,
    FILL_LABELS,
    FILL_WHY_NOT,
    LOOK_LABELS,
    DeidSettings,
)
from widgets import theme
from widgets.panels.paint import MARGIN, draw_text, hint_label, section_label
from widgets.panels.plan_list import PlanList

AUDIO_LABELS: dict[bool, str] = {False: "Removed", True: "Kept"}
SHADOWS_LABELS: dict[bool, str] = {True: "Under the feet", False: "None"}
LIMBS_LABELS: dict[bool, str] = {True: "Only what is believed", False: "All, guesses too"}
_ROW = 24


class ValueRow(QAbstractButton):
    """A label, a value, and a menu that opens on press, space or enter."""

    chosen = Signal(object)

    def __init__(
        self, label: str, options: Mapping[Any, str], tip: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._label = label
        self._options = dict(options)
        self._value: Any = None
        self._shown = ""
        self.setToolTip(tip)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.clicked.connect(self._open)
        theme.notifier().changed.connect(self.update)

    @property
    def shown(self) -> str:
        """The value as it is written."""
        return self._shown

    def sizeHint(self) -> QSize:
        """One line."""
        return QSize(180, _ROW)

    def set_options(self, options: Mapping[Any, str]) -> None:
        """Other words for what can be chosen."""
        self._options = dict(options)

    def set_value(self, value: Any, instead: str = "") -> None:
        """Show a value, by its name or by the words given instead."""
        self._value = value
        self._shown = instead or self._options.get(value, str(value))
        self.setText(f"{self._label}: {self._shown}")
        self.setAccessibleName(self.text())
        self.update()

    def menu(self) -> QMenu:
        """All values, the one in use ticked."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        group = QActionGroup(menu)
        for value, text in self._options.items():
            action = QAction(text, menu)
            menu.addAction(action)
            action.setCheckable(True)
            action.setChecked(value == self._value)
            action.triggered.connect(self._chooser(value))
            group.addAction(action)
        return menu

    def _chooser(self, value: Any) -> Callable[[], None]:
        return lambda: self.chosen.emit(value)

    def _open(self) -> None:
        menu = self.menu()
        menu.popup(self.mapToGlobal(QPoint(self.width() - menu.sizeHint().width(), self.height())))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint line, label and value."""
        palette = theme.current()
        painter = QPainter(self)
        painter.setPen(QPen(palette.line, 1))
        painter.drawLine(0, 0, self.width(), 0)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.hasFocus():
            painter.setPen(QPen(palette.accent, 1))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 1.5, -0.5, -0.5), 4, 4)
        box = QRectF(self.rect()).adjusted(3, 1, -3, 0)
        draw_text(painter, box, self._label)
        value = palette.text if self.underMouse() and self.isEnabled() else palette.secondary
        place = box.adjusted(painter.fontMetrics().horizontalAdvance(self._label) + 10, 0, 0, 0)
        draw_text(painter, place, self._shown, color=value, right=True)


class DeidPanel(QWidget):
    """Cover, With, Look, Limbs, Background, Shadows, Audio, Video; below them exceptions and regions.

    Signals: changed(DeidSettings); region_wanted(); row_chosen(PlanRow); row_removed(PlanRow);
    row_menu_wanted(PlanRow, QPoint).
    """

    changed = Signal(object)
    region_wanted = Signal()
    row_chosen = Signal(object)
    row_removed = Signal(object)
    row_menu_wanted = Signal(object, QPoint)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._settings = DeidSettings()
        self._plate_state = ""
        self.cover = ValueRow("Cover", COVER_LABELS, "What of each person is covered", self)
        self.fill = ValueRow("With", FILL_LABELS, "What people are covered with", self)
        self.look = ValueRow("Look", LOOK_LABELS, "How the body mesh looks", self)
        self.limbs = ValueRow(
            "Limbs", LIMBS_LABELS,
            "Legs and arms that nobody saw, behind a table or below the picture, fade out of body meshes. "
            "What is covered stays covered.", self,
        )  # fmt: skip
        self.shadows = ValueRow(
            "Shadows", SHADOWS_LABELS, "Body meshes before the empty room stand on a soft shadow", self
        )
        self.background = ValueRow(
            "Background",
            BACKGROUND_LABELS,
            "What is seen beside the body mesh: the footage or the empty room",
            self,
        )
        self.audio = ValueRow(
            "Audio", AUDIO_LABELS, "Voices identify people: sound is removed unless kept", self
        )
        self.codec = ValueRow(
            "Video", CODEC_LABELS, "H.264 plays everywhere; H.265 is smaller and not read by all", self
        )
        self.codec.chosen.connect(lambda value: self._change(codec=value))
        self.cover.chosen.connect(lambda value: self._change(cover=value))
        self.fill.chosen.connect(lambda value: self._change(fill=value))
        self.look.chosen.connect(lambda value: self._change(look=value))
        self.limbs.chosen.connect(lambda value: self._change(believed_only=value))
        self.shadows.chosen.connect(lambda value: self._change(shadows=value))
        self.background.chosen.connect(lambda value: self._change(background=value))
        self.audio.chosen.connect(lambda value: self._change(keep_audio=value))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(MARGIN, 14, MARGIN, 8)
        layout.setSpacing(0)
        layout.addWidget(section_label("De-identification", self))
        layout.addSpacing(9)
        rows = (
            self.cover, self.fill, self.look, self.limbs, self.background, self.shadows, self.audio,
            self.codec,
        )  # fmt: skip
        for row in rows:
            layout.addWidget(row)
        self.why_not = hint_label("", self)
        self.why_not.setContentsMargins(3, 6, 0, 0)
        layout.addWidget(self.why_not)
        layout.addSpacing(12)
        self.plan = PlanList(self)
        self.plan.region_wanted.connect(self.region_wanted)
        self.plan.chosen.connect(self.row_chosen)
        self.plan.removed.connect(self.row_removed)
        self.plan.menu_wanted.connect(self.row_menu_wanted)
        layout.addWidget(self.plan)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._show()

    @property
    def settings(self) -> DeidSettings:
        """What is shown."""
        return self._settings

    def set_settings(self, settings: DeidSettings) -> None:
        """Show these settings; no signal."""
        self._settings = settings
        self._show()

    def set_rows(self, rows: Sequence[PlanRow], *, editable: bool) -> None:
        """Exceptions and regions."""
        self.plan.set_rows(rows, editable=editable)

    def set_plate_state(self, text: str) -> None:
        """How the empty room is written ("Plate, 96 % seen", "Plate, building…"); "" for its plain name."""
        self._plate_state = text
        self._show()

    def _change(self, **values: Any) -> None:
        settings = replace(self._settings, **values)
        if settings != self._settings:
            self._settings = settings
            self._show()
            self.changed.emit(settings)

    def _show(self) -> None:
        settings = self._settings
        self.cover.set_value(settings.cover)
        self.fill.set_options({fill: fill_label(settings.cover, fill) for fill in FILL_LABELS})
        self.fill.set_value(settings.fill)
        why_not = [FILL_WHY_NOT.get(settings.fill, "") or COVER_WHY_NOT.get(settings.cover, "")]
        why_not += [AUDIO_WHY_NOT] if settings.keep_audio else []
        self.why_not.setText("\n".join(w for w in why_not if w))
        self.why_not.setVisible(any(why_not))
        self.look.set_value(settings.look)
        self.look.setVisible(settings.fill == "mesh")
        self.limbs.set_value(settings.believed_only)
        whole = settings.fill == "mesh" and settings.cover == "whole"
        self.limbs.setVisible(whole)
        self.shadows.set_value(settings.shadows)
        self.shadows.setVisible(whole and settings.background == "plate")
        self.background.set_value(
            settings.background, self._plate_state if settings.background == "plate" else ""
        )
        self.audio.set_value(settings.keep_audio)
        self.codec.set_value(settings.codec)
