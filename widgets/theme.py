"""Colours, type and the style sheet: the only place that knows what anything looks like."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication


@dataclass(frozen=True, slots=True)
class Palette:
    """The colour tokens of one theme."""

    name: str
    window: QColor
    panel: QColor
    raised: QColor
    line: QColor
    text: QColor
    secondary: QColor
    accent: QColor
    on_accent: QColor
    warning: QColor
    bad: QColor
    canvas: QColor

    @property
    def is_dark(self) -> bool:
        """True for the dark theme."""
        return self.name == "dark"


def _palette(name: str, *colors: str) -> Palette:
    return Palette(name, *(QColor(c) for c in colors))


DARK = _palette(
    "dark", "#12151a", "#191d24", "#222832", "#2c333f", "#e7eaf0", "#98a2b3", "#35c2b0", "#08201d",
    "#f0b429", "#ef6461", "#0c0e12",
)  # fmt: skip
LIGHT = _palette(
    "light", "#eef1f4", "#ffffff", "#f4f6f8", "#d8dee6", "#1c232d", "#5d6878", "#0b7f73", "#ffffff",
    "#8f5d10", "#c53b38", "#dfe4ea",
)  # fmt: skip

PEOPLE = tuple(
    QColor(c) for c in ("#56b4e9", "#e69f00", "#009e73", "#cc79a7", "#f0e442", "#d55e00", "#0072b2")
)
"""Okabe and Ito's colours, told apart by colour-blind eyes."""


class _Notifier(QObject):
    changed = Signal()


_state: dict[str, Palette] = {"current": DARK}
_notifier: list[_Notifier] = []


def notifier() -> _Notifier:
    """Tells when the theme has changed."""
    if not _notifier:
        _notifier.append(_Notifier())
    return _notifier[0]


def current() -> Palette:
    """The theme in use."""
    return _state["current"]


def person_color(index: int) -> QColor:
    """A person's colour."""
    return PEOPLE[index % len(PEOPLE)]


def base_font(pixels: int = 13) -> QFont:
    """The one sans face, with figures of equal width."""
    family = "Inter" if "Inter" in QFontDatabase.families() else QGuiApplication.font().family()
    font = QFont(family)
    font.setPixelSize(pixels)
    font.setFeature(QFont.Tag("tnum"), 1)
    return font


def section_font() -> QFont:
    """Capitals of section heads."""
    font = base_font(11)
    font.setCapitalization(QFont.Capitalization.AllUppercase)
    font.setLetterSpacing(QFont.SpacingType.AbsoluteSpacing, 0.7)
    font.setWeight(QFont.Weight.DemiBold)
    return font


def wanted_theme(choice: str) -> Palette:
    """The palette for "dark", "light" or "system"."""
    if choice == "system":
        scheme = QGuiApplication.styleHints().colorScheme()
        return LIGHT if scheme == Qt.ColorScheme.Light else DARK
    return LIGHT if choice == "light" else DARK


def apply(app: QApplication, palette: Palette) -> None:
    """Dress the whole program."""
    _state["current"] = palette
    app.setStyle("Fusion")
    app.setFont(base_font())
    qt = QPalette()
    roles = {
        QPalette.ColorRole.Window: palette.panel,
        QPalette.ColorRole.WindowText: palette.text,
        QPalette.ColorRole.Base: palette.window,
        QPalette.ColorRole.AlternateBase: palette.raised,
        QPalette.ColorRole.Text: palette.text,
        QPalette.ColorRole.Button: palette.raised,
        QPalette.ColorRole.ButtonText: palette.text,
        QPalette.ColorRole.BrightText: palette.bad,
        QPalette.ColorRole.ToolTipBase: palette.raised,
        QPalette.ColorRole.ToolTipText: palette.text,
        QPalette.ColorRole.PlaceholderText: palette.secondary,
        QPalette.ColorRole.Highlight: palette.accent,
        QPalette.ColorRole.HighlightedText: palette.on_accent,
        QPalette.ColorRole.Link: palette.accent,
        QPalette.ColorRole.Mid: palette.line,
        QPalette.ColorRole.Accent: palette.accent,
    }
    for role, color in roles.items():
        qt.setColor(role, color)
    for role in (QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText, QPalette.ColorRole.WindowText):
        qt.setColor(QPalette.ColorGroup.Disabled, role, _mix(palette.secondary, palette.panel, 0.35))
    app.setPalette(qt)
    app.setStyleSheet(_sheet(palette))
    notifier().changed.emit()


def _mix(a: QColor, b: QColor, share: float) -> QColor:
    return QColor.fromRgbF(*(x + (y - x) * share for x, y in zip(a.getRgbF()[:3], b.getRgbF()[:3])))


def _sheet(p: Palette) -> str:
    c = {name: getattr(p, name).name() for name in
         ("window", "panel", "raised", "line", "text", "secondary", "accent", "on_accent", "warning", "bad",
          "canvas")}  # fmt: skip
    c["hover"] = _mix(p.raised, p.text, 0.08).name()
    c["pressed"] = _mix(p.raised, p.window, 0.5).name()
    c["accent_hover"] = _mix(p.accent, p.text, 0.12).name()
    c["faint"] = _mix(p.secondary, p.panel, 0.45).name()
    sheet = _SHEET
    for name, value in c.items():
        sheet = sheet.replace(f"@{name};", f"{value};").replace(f"@{name} ", f"{value} ")
    return sheet


_SHEET = """
* { outline: none; }
QWidget { color: @text; background: transparent; font-size: 13px; }
QMainWindow, QDialog, QWidget[role="window"] { background: @window; }
QWidget[role="panel"] { background: @panel; }
QFrame[role="line"] { background: @line; border: none; }
QLabel[role="section"] { color: @secondary; font-size: 11px; font-weight: 600; letter-spacing: 0.7px; }
QLabel[role="secondary"], QLabel[role="detail"] { color: @secondary; font-size: 12px; }
QLabel[role="name"] { font-weight: 600; }
QLabel[role="title"] { font-size: 22px; font-weight: 600; }
QLabel[role="warning"] { color: @warning; }
QLabel[role="bad"] { color: @bad; }
QLabel[role="accent"] { color: @accent; }
QLabel[role="chip"] { background: @raised; border-radius: 5px; padding: 3px 8px; font-size: 12px; }
QLabel[role="key"] { background: @window; border: 1px solid @line; border-radius: 4px; padding: 1px 5px;
    font-size: 11px; color: @secondary; }
QFrame[role="card"] { background: @raised; border: 1px solid @raised; border-radius: 6px; }
QFrame[role="card"][selected="true"] { border: 1px solid @accent; }
QPushButton { background: @raised; border: 1px solid @line; border-radius: 6px; padding: 5px 12px; }
QPushButton:hover { background: @hover; }
QPushButton:pressed { background: @pressed; }
QPushButton:focus { border: 1px solid @accent; }
QPushButton:disabled { color: @faint; }
QPushButton[role="primary"] { background: @accent; border: 1px solid @accent; color: @on_accent; font-weight: 600; }
QPushButton[role="primary"]:hover { background: @accent_hover; }
QPushButton[role="primary"]:focus { border: 1px solid @text; }
QPushButton[role="primary"]:disabled { background: @line; border: 1px solid @line; color: @secondary; }
QPushButton[role="flat"], QToolButton { background: transparent; border: 1px solid transparent;
    border-radius: 5px; padding: 3px 7px; }
QPushButton[role="flat"]:hover, QToolButton:hover { background: @raised; }
QToolButton:focus, QPushButton[role="flat"]:focus { border: 1px solid @accent; }
QToolButton:checked { background: @raised; }
QToolButton::menu-indicator { image: none; width: 0; }
QPushButton[role="segment"] { background: transparent; border: none; border-radius: 4px; padding: 4px 10px;
    color: @secondary; }
QPushButton[role="segment"]:hover { color: @text; }
QPushButton[role="segment"]:checked { background: @window; color: @text; }
QPushButton[role="segment"]:focus { color: @accent; }
QPushButton[role="segment"]:disabled { color: @faint; }
QFrame[role="segments"] { background: @raised; border-radius: 6px; }
QLineEdit, QSpinBox, QDoubleSpinBox, QComboBox, QPlainTextEdit { background: @window; border: 1px solid @line;
    border-radius: 5px; padding: 4px 7px; selection-background-color: @accent; selection-color: @on_accent; }
QLineEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus, QComboBox:focus { border: 1px solid @accent; }
QComboBox::drop-down { border: none; width: 18px; }
QComboBox QAbstractItemView { background: @raised; border: 1px solid @line; selection-background-color: @hover;
    selection-color: @text; }
QMenu { background: @raised; border: 1px solid @line; padding: 4px; }
QMenu::item { padding: 5px 22px 5px 12px; border-radius: 4px; }
QMenu::item:selected { background: @hover; }
QMenu::item:disabled { color: @faint; }
QMenu::separator { height: 1px; background: @line; margin: 4px 6px; }
QToolTip { background: @raised; color: @text; border: 1px solid @line; padding: 4px 7px; font-size: 12px; }
QProgressBar { background: @raised; border: none; border-radius: 2px; }
QProgressBar::chunk { background: @accent; border-radius: 2px; }
QSlider::groove:horizontal { height: 3px; background: @line; border-radius: 1px; }
QSlider::sub-page:horizontal { background: @accent; border-radius: 1px; }
QSlider::handle:horizontal { width: 12px; height: 12px; margin: -5px 0; border-radius: 6px; background: @text; }
QSlider::handle:horizontal:hover { background: @accent; }
QCheckBox::indicator, QRadioButton::indicator { width: 14px; height: 14px; border: 1px solid @secondary;
    background: @window; }
QCheckBox::indicator { border-radius: 3px; }
QRadioButton::indicator { border-radius: 8px; }
QCheckBox::indicator:checked, QRadioButton::indicator:checked { background: @accent; border: 1px solid @accent; }
QCheckBox::indicator:focus, QRadioButton::indicator:focus { border: 1px solid @text; }
QCheckBox:disabled, QRadioButton:disabled { color: @faint; }
QScrollArea { border: none; }
QScrollBar:vertical { width: 10px; background: transparent; margin: 0; }
QScrollBar:horizontal { height: 10px; background: transparent; margin: 0; }
QScrollBar::handle { background: @line; border-radius: 3px; min-height: 24px; min-width: 24px; margin: 2px; }
QScrollBar::handle:hover { background: @secondary; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QListView, QTableView { background: transparent; border: none; }
QHeaderView::section { background: @panel; color: @secondary; border: none; border-bottom: 1px solid @line;
    padding: 4px 6px; font-size: 12px; }
QTabBar::tab { background: transparent; color: @secondary; padding: 7px 11px; border-bottom: 2px solid transparent; }
QTabBar::tab:selected { color: @text; border-bottom: 2px solid @accent; }
QTabWidget::pane { border: none; }
QSplitter::handle { background: @line; }
"""
