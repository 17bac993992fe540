"""The card behind the legend: tolerance, limit, how expected errors are spread, what they are worth."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.review.trust import Histogram, Measured
from widgets.panels.paint import hint_label, section_label
from widgets.panels.trust_plots import CalibrationPlot, HistogramPlot
from widgets.paragraph import Paragraph

WIDTH = 292
TOLERANCES = (20, 150)
LIMITS = (20, 205)
"""Millimetres between which the sliders go; the last place of the limit means none."""
_STEP = 5
EVERYBODY, PERSON = "everybody", "person"


class TrustCard(QFrame):
    """Signals: closed(); tolerance_chosen(mm); limit_chosen(mm or infinity); scope_chosen(name)."""

    closed = Signal()
    tolerance_chosen = Signal(float)
    limit_chosen = Signal(float)
    scope_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedWidth(WIDTH)
        self.setAccessibleName("Confidence")
        head = QHBoxLayout()
        head.addWidget(section_label("Confidence", self), 1)
        self.close_button = QToolButton(self)
        self.close_button.setText("✕")
        self.close_button.setToolTip("Close")
        self.close_button.setAccessibleName("Close confidence")
        self.close_button.clicked.connect(self.closed)
        head.addWidget(self.close_button)
        self.tolerance = _slider(self, TOLERANCES, "White at")
        self.limit = _slider(self, LIMITS, "Grey above")
        self._tolerance_words, self._limit_words = _value(self), _value(self)
        grid = QGridLayout()
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(6)
        rows = (
            ("White at", self.tolerance, self._tolerance_words,
             "The expected error at which the colours turn from blue to orange"),
            ("Grey above", self.limit, self._limit_words,
             "Parts that are expected to be farther off are drawn grey"),
        )  # fmt: skip
        for row, (name, slider, words, tip) in enumerate(rows):
            label = QLabel(name, self)
            for widget in (label, slider):
                widget.setToolTip(tip)
            grid.addWidget(label, row, 0)
            grid.addWidget(slider, row, 1)
            grid.addWidget(words, row, 2)
        grid.setColumnStretch(1, 1)
        self.scope = QComboBox(self)
        self.scope.setAccessibleName("Whose expected errors")
        self.scope.addItem("Everybody, all frames", EVERYBODY)
        self.scope.addItem("Chosen person, all frames", PERSON)
        self.plot = HistogramPlot(self)
        self.words = hint_label("", self)
        self.kept = section_label("Kept on scenes with truth", self)
        self.curve = CalibrationPlot(self)
        self.worth = hint_label("", self)
        self.note = Paragraph("", "warning", self)
        self.note.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 12, 12)
        column.setSpacing(8)
        column.addLayout(head)
        column.addLayout(grid)
        parts: tuple[QWidget, ...] = (
            self.scope, self.plot, self.words, self.note, self.kept, self.curve, self.worth,
        )  # fmt: skip
        for part in parts:
            column.addWidget(part)
        self.tolerance.valueChanged.connect(lambda v: self._chose_tolerance(float(v * _STEP)))
        self.limit.valueChanged.connect(lambda _v: self._chose_limit())
        self.scope.currentIndexChanged.connect(lambda _i: self.scope_chosen.emit(self.scope.currentData()))
        self._measured = False
        self._say()

    def fit_into(self, height: int) -> None:
        """In a low window the calibration, which does not change, gives way."""
        for roomy in (True, False):
            for widget in (self.kept, self.curve, self.worth):
                widget.setVisible(roomy and self._measured)
            self.adjustSize()
            if self.height() <= height:
                break

    @property
    def limit_mm(self) -> float:
        """Beyond this everything is grey; infinity for no limit."""
        value = self.limit.value() * _STEP
        return float("inf") if value >= LIMITS[1] else float(value)

    def set_tolerance(self, mm: float) -> None:
        """The tolerance in use; no signal."""
        self.tolerance.blockSignals(True)
        self.tolerance.setValue(round(mm / _STEP))
        self.tolerance.blockSignals(False)
        self._say()

    def set_histogram(self, histogram: Histogram | None, tolerance_mm: float) -> None:
        """Show how the errors are spread; None where there are no bodies."""
        self.plot.setVisible(histogram is not None)
        self.plot.set_histogram(histogram, tolerance_mm, self.limit_mm)
        if histogram is None:
            self.words.setText("Nobody has a body yet. Press Run to find people.")
        else:
            self.words.setText(
                f"{_percent(histogram.within)} of the keypoints are expected within {tolerance_mm:.0f} mm;"
                f" half of them within {histogram.middle:.0f} mm."
            )
        self.adjustSize()

    def set_measured(self, measured: Measured | None, note: str = "") -> None:
        """Show what the expected errors are worth; nothing where that is not known.

        Args:
            note: what has to be said besides: another body than the one they were measured with.
        """
        self.note.setText(note)
        self.note.setVisible(bool(note))
        self._measured = measured is not None
        for widget in (self.kept, self.curve, self.worth):
            widget.setVisible(self._measured)
        self.curve.set_measured(measured)
        if measured is not None:
            apart = ", ".join(f"{name} {_percent(share)}" for name, share in measured.held_by)
            joints = f"{measured.joints:,}".replace(",", "\u202f")
            self.worth.setText(
                f"The bound of nine in ten held for {_percent(measured.held)} ({apart}) of {joints} joints in"
                f" {measured.scenes} drawn scenes."
            )
        self.adjustSize()

    def _chose_tolerance(self, mm: float) -> None:
        self._say()
        self.tolerance_chosen.emit(mm)

    def _chose_limit(self) -> None:
        self._say()
        self.limit_chosen.emit(self.limit_mm)

    def _say(self) -> None:
        self._tolerance_words.setText(f"{self.tolerance.value() * _STEP} mm")
        limit = self.limit_mm
        self._limit_words.setText("off" if limit == float("inf") else f"{limit:.0f} mm")


def _percent(share: float) -> str:
    return f"{100 * share:.0f}\u00a0%"


def _slider(parent: QWidget, span: tuple[int, int], name: str) -> QSlider:
    slider = QSlider(Qt.Orientation.Horizontal, parent)
    slider.setRange(span[0] // _STEP, span[1] // _STEP)
    slider.setValue(span[1] // _STEP)
    slider.setPageStep(2)
    slider.setAccessibleName(name)
    return slider


def _value(parent: QWidget) -> QLabel:
    label = QLabel(parent)
    label.setMinimumWidth(48)
    label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    return label
