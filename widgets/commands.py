"""Connects the table of actions with what they do."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from widgets import actions

_MENU = (
    ("File", ("open", "several", "demo", "", "run", "run_again", "hands_face", "pause", "cancel_work", "",
              "export", "", "close", "quit")),
    ("Body", ("body_free", "body_smplx", "body_smplh", "body_smpl", "", "body_file")),
    ("Depth sensor", ("depth_none", "", "depth_folder", "depth_file")),
    ("Edit", ("undo", "redo", "", "carry", "swap", "hide_person", "mark_reviewed", "delete_person", "",
              "cover_person", "draw_region")),
    ("Play", ("play", "play_backward", "play_forward", "", "first_frame", "last_frame", "go_to", "",
              "range_in", "range_out", "range_clear")),
    ("Review", ("next_item", "previous_item", "accept_item", "", "cover_leak", "release_leak", "",
                "next_person")),
    ("Analysis", ("confidence", "sensitivity")),
    ("View", ("view_original", "view_meshes", "view_deidentified", "view_split", "", "space_camera",
              "space_room", "", "next_camera", "previous_camera", "", "never_seen",
              "keypoints", "wireframe", "more_opaque", "less_opaque", "",
              "fit", "zoom_in", "zoom_out", "", "panels", "theme", "fullscreen")),
    ("", ("shortcuts", "about")),
)  # fmt: skip


_FAMILIES = {"person_": "Choose a person", "camera_": "Look through a camera"}
"""Nine actions each, that take one line in the list of shortcuts."""


class Commands(QObject):
    """One ``QAction`` an entry of the table, with the person's own keys where they have some."""

    def __init__(self, window: QWidget, own_keys: dict[str, list[str]]) -> None:
        super().__init__(window)
        self._window = window
        self._actions: dict[str, QAction] = {}
        for spec in actions.ACTIONS:
            action = QAction(spec.label, window)
            keys = own_keys.get(spec.name, list(spec.keys))
            action.setShortcuts([QKeySequence(k) for k in keys if isinstance(k, str)])
            action.setToolTip(spec.tip or spec.label)
            action.setCheckable(spec.checkable)
            window.addAction(action)
            self._actions[spec.name] = action

    def __getitem__(self, name: str) -> QAction:
        return self._actions[name]

    def connect_all(self, does: dict[str, Callable[[], object]]) -> None:
        """What each action does; checkable ones read their own state."""
        for name, function in does.items():
            self._actions[name].triggered.connect(lambda _=False, f=function: f())

    def enable(self, names: tuple[str, ...], enabled: bool) -> None:
        """Those that make no sense now are greyed out."""
        for name in names:
            self._actions[name].setEnabled(enabled)

    def menu(self) -> QMenu:
        """The program's menu, behind its name in the tool bar."""
        menu = QMenu(self._window)
        for title, names in _MENU:
            target = menu.addMenu(title) if title else menu
            target.setToolTipsVisible(title in ("Body", "Depth sensor"))
            if not title:
                menu.addSeparator()
            for name in names:
                if name:
                    target.addAction(self._actions[name])
                else:
                    target.addSeparator()
        return menu

    def rows(self) -> list[tuple[str, str, str]]:
        """(group, label, keys) of everything that has keys, for the list of shortcuts."""
        rows = []
        for spec in actions.ACTIONS:
            family = spec.name.rstrip("123456789")
            if family in _FAMILIES and spec.name != f"{family}1":
                continue  # one line for all nine
            keys = [k.toString(QKeySequence.SequenceFormat.NativeText) for k in self[spec.name].shortcuts()]
            if keys:
                rows.append((spec.group, spec.label.rstrip("…"), "  or  ".join(keys)))
            if family in _FAMILIES and keys:
                last = self[f"{family}9"].shortcut().toString(QKeySequence.SequenceFormat.NativeText)
                rows[-1] = (spec.group, _FAMILIES[family], f"{keys[0]} … {last}")
        return rows + [("Mouse", does, gesture) for gesture, does in actions.MOUSE]
