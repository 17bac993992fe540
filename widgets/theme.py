"""Colours, type and the style sheet: the only place that knows what anything looks like."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

_SHEET = Path(__file__).resolve().parents[1] / "resources" / "look" / "theme.qss"


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
    def between(x: float, y: float) -> float:
        return x + (y - x) * share

    red, green = between(a.redF(), b.redF()), between(a.greenF(), b.greenF())
    return QColor.fromRgbF(red, green, between(a.blueF(), b.blueF()))


def _sheet(p: Palette) -> str:
    c = {name: getattr(p, name).name() for name in
         ("window", "panel", "raised", "line", "text", "secondary", "accent", "on_accent", "warning", "bad",
          "canvas")}  # fmt: skip
    # What is chosen lies sunken in the dark and raised in the light, where grey on grey would not be seen.
    c["groove"] = (p.raised if p.is_dark else p.window).name()
    c["chosen"] = (p.window if p.is_dark else p.panel).name()
    c["chosen_line"] = (p.window if p.is_dark else p.line).name()
    c["hover"] = _mix(p.raised, p.text, 0.08).name()
    c["pressed"] = _mix(p.raised, p.window, 0.5).name()
    c["accent_hover"] = _mix(p.accent, p.text, 0.12).name()
    c["faint"] = _mix(p.secondary, p.panel, 0.45).name()
    sheet = _SHEET.read_text(encoding="utf-8")
    for name, value in c.items():
        sheet = sheet.replace(f"@{name};", f"{value};").replace(f"@{name} ", f"{value} ")
    for sign in ("tick", "chevron"):
        sheet = sheet.replace(f"@{sign}_file", (_SHEET.parent / f"{sign}_{p.name}.svg").as_posix())
    return sheet
