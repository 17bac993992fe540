"""The main window. It assembles; the work is done by the controllers."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QByteArray, Qt
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QMainWindow, QStackedWidget

from widgets import theme
from widgets.bodies import BodyTool
from widgets.cameras.several import CAMERA_SUFFIXES, SeveralCameras
from widgets.cameras.tool import KEYS, CameraTool
from widgets.commands import Commands
from widgets.controller import Controller
from widgets.depth import DepthTool
from widgets.desk import Desk
from widgets.dialogs.welcome import WelcomePage
from widgets.editing import Editing
from widgets.files import Files
from widgets.leaks import LeakTool
from widgets.never_seen import NeverSeenTool
from widgets.occlusion import OcclusionTool
from widgets.privacy import PrivacyTool
from widgets.settings import Settings
from widgets.sheets import Sheets
from widgets.trust import TrustTool
from widgets.work import Work

TITLE = "Understudy"

_NEEDS_PROJECT = (
    "close", "run", "run_again", "play", "stop", "play_forward", "play_backward", "next_frame",
    "previous_frame",
    "ten_forward", "ten_back", "first_frame", "last_frame", "go_to", "range_in", "range_out", "range_clear",
    "view_original", "view_meshes", "keypoints", "wireframe", "fit", "zoom_in", "zoom_out", "panels",
    "more_opaque", "less_opaque", "space_camera",
)  # fmt: skip
_NEEDS_RESULTS = (
    "export", "next_item", "previous_item", "accept_item", "next_person", "view_deidentified", "view_split",
    "space_room", "swap", "hide_person", "mark_reviewed", "delete_person", "cover_person", "draw_region",
    "cover_leak", "release_leak", "never_seen",
    "sensitivity", "confidence",
)  # fmt: skip


class MainWindow(QMainWindow):
    """Welcome page or review desk."""

    def __init__(self, settings: Settings | None = None) -> None:
        super().__init__()
        self.settings = settings or Settings()
        self.setWindowTitle(TITLE)
        self.setAcceptDrops(True)
        self.setMinimumSize(900, 560)
        self.commands = Commands(self, self.settings.get("keys", {}))
        self.welcome = WelcomePage()
        self.desk = Desk(self.commands.menu())
        self.pages = QStackedWidget()
        self.pages.addWidget(self.welcome)
        self.pages.addWidget(self.desk)
        self.setCentralWidget(self.pages)
        self.controller = Controller(self.desk, self)
        self.editing = Editing(self.controller, self)
        self.work = Work(self.controller, self)
        self.occlusion = OcclusionTool(self.controller, self)
        self.trust = TrustTool(self.controller, self)
        self.privacy = PrivacyTool(self.controller, self)
        self.leaks = LeakTool(self.controller, self.work, self)
        self.never_seen = NeverSeenTool(self.controller, self)
        self.bodies = BodyTool(self, self.controller, self.work, self.commands, self.settings)
        self.depth_sensor = DepthTool(self, self.controller, self.work, self.commands, self.settings)
        self.files = Files(self, self.controller, self.settings)
        self.several = SeveralCameras(self, self.controller, self.work, self.settings)
        self.cameras = CameraTool(self.controller, self.work, self.commands, self)
        self.sheets = Sheets(self, self.controller, self.work, self.commands, self.cameras)
        self._connect()
        self._restore()
        self._opened(None)

    def _connect(self) -> None:
        c, d, e = self.controller, self.desk, self.editing
        self.commands.connect_all(
            {
                "open": self.files.ask_open, "several": self.several.show,
                "demo": self.files.open_demo, "close": self.files.close,
                "run": self.work.run, "run_again": self.sheets.ask_run_again, "pause": self.work.toggle_pause,
                "cancel_work": self.work.cancel, "export": self.sheets.show_export, "quit": self.close,
                "undo": e.undo, "redo": e.redo, "carry": self._carry, "swap": e.swap_selected,
                "delete_person": e.delete_selected, "hide_person": e.hide_selected,
                "mark_reviewed": e.mark_reviewed, "draw_region": self.privacy.draw_region,
                "cover_person": self.privacy.ask_cover_selected,
                "never_seen": lambda: self.never_seen.set_on(self.commands["never_seen"].isChecked()),
                "cover_leak": self.leaks.cover, "release_leak": self.leaks.ask_release,
                "play": c.playback.toggle, "stop": c.playback.stop,
                "play_forward": lambda: c.playback.play(1), "play_backward": lambda: c.playback.play(-1),
                "next_frame": lambda: c.go_to(c.frame + 1), "previous_frame": lambda: c.go_to(c.frame - 1),
                "ten_forward": lambda: c.go_to(c.frame + 10), "ten_back": lambda: c.go_to(c.frame - 10),
                "first_frame": lambda: c.go_to(0), "last_frame": lambda: c.go_to(1 << 30),
                "go_to": self.sheets.ask_frame,
                "range_in": lambda: d.timeline.set_range_in(c.frame),
                "range_out": lambda: d.timeline.set_range_out(c.frame),
                "range_clear": d.timeline.clear_range,
                "next_item": d.review.next_item, "previous_item": d.review.previous_item,
                "accept_item": e.accept_current, "next_person": c.next_person,
                "sensitivity": self.occlusion.start, "confidence": self.trust.toggle,
                "view_original": lambda: c.set_mode("original"), "view_meshes": lambda: c.set_mode("meshes"),
                "view_deidentified": lambda: c.set_mode("deidentified"),
                "view_split": lambda: c.set_mode("split"),
                "space_camera": lambda: c.set_space("camera"), "space_room": lambda: c.set_space("room"),
                "next_camera": lambda: self.cameras.step(1),
                "previous_camera": lambda: self.cameras.step(-1),
                "keypoints": self._toggle_keypoints, "hands_face": self._toggle_details,
                "wireframe": self._toggle_wireframe,
                "more_opaque": lambda: d.toolbar.set_opacity(min(d.toolbar.opacity + 0.1, 1.0)),
                "less_opaque": lambda: d.toolbar.set_opacity(max(d.toolbar.opacity - 0.1, 0.0)),
                "fit": d.viewport.fit, "zoom_in": lambda: d.viewport.zoom(1.25),
                "zoom_out": lambda: d.viewport.zoom(0.8),
                "panels": lambda: d.set_panels_shown(not d.panels_shown), "theme": self._toggle_theme,
                "fullscreen": self._toggle_fullscreen, "shortcuts": self.sheets.show_shortcuts,
                "about": self.sheets.show_about,
            }
        )  # fmt: skip
        for number in range(1, 10):
            self.commands[f"person_{number}"].triggered.connect(lambda _=False, n=number: c.select_number(n))
        for number in range(1, KEYS + 1):
            self.commands[f"camera_{number}"].triggered.connect(
                lambda _=False, n=number - 1: self.cameras.show_camera(n)
            )
        d.keypoints.carry.requested.connect(self.work.carry)
        d.toolbar.run_clicked.connect(self.work.run)
        d.toolbar.export_clicked.connect(self.sheets.show_export)
        self.welcome.open_requested.connect(self.files.ask_open)
        self.welcome.several_requested.connect(self.several.show)
        self.several.finished.connect(self.files.open_path)
        self.several.networks_missing.connect(self.sheets.show_missing_networks)
        self.cameras.changed.connect(self._update_actions)
        self.welcome.demo_requested.connect(self.files.open_demo)
        self.welcome.recent_requested.connect(lambda p: self.files.open_path(Path(p)))
        c.opened.connect(self._opened)
        c.results_changed.connect(self._update_actions)
        self.work.changed.connect(self._update_actions)
        for source in (
            c.failed,
            e.failed,
            self.work.failed,
            self.files.failed,
            self.bodies.failed,
            self.depth_sensor.failed,
            self.occlusion.failed,
            self.privacy.failed,
            self.leaks.failed,
            self.several.failed,
            self.cameras.failed,
        ):
            source.connect(self.sheets.show_error)
        self.commands["keypoints"].setChecked(True)
        self.work.hands_face = self.settings.get("hands_face", False)
        self.commands["hands_face"].setChecked(self.work.hands_face)

    def _opened(self, session: object) -> None:
        opened = session is not None
        self.pages.setCurrentWidget(self.desk if opened else self.welcome)
        self.welcome.set_recent(self.files.recent_rows())
        name = self.controller.session.name if self.controller.session is not None else ""
        self.setWindowTitle(f"{name} – {TITLE}" if name else TITLE)
        if opened:
            self.desk.viewport.setFocus(Qt.FocusReason.OtherFocusReason)
        self._update_actions()

    def _update_actions(self) -> None:
        s = self.controller.session
        results = s is not None and s.has_results
        complete = s is not None and s.complete
        running = self.work.running
        self.commands.enable(_NEEDS_PROJECT, s is not None)
        self.commands.enable(_NEEDS_RESULTS, results)
        self.commands.enable(("run",), s is not None and not running and not complete and not s.read_only)
        self.commands.enable(("run_again",), results and not running and s is not None and not s.read_only)
        self.commands.enable(("export",), results and not running)
        self.commands.enable(("pause", "cancel_work"), running)
        can_carry = results and not running and s is not None and not s.read_only
        self.commands.enable(("carry",), can_carry)
        self.desk.keypoints.carry.setEnabled(can_carry)
        room = self.cameras.room
        names = tuple(f"camera_{n}" for n in range(1, KEYS + 1))
        for n, name in enumerate(names):
            self.commands.enable((name,), room is not None and n < len(room.names))
        self.commands.enable(("next_camera", "previous_camera"), room is not None)
        undo, redo = self.commands["undo"], self.commands["redo"]
        undo.setEnabled(s is not None and s.can_undo)
        redo.setEnabled(s is not None and s.can_redo)
        undo.setText(f"Undo: {s.undo_label}" if s is not None and s.can_undo else "Undo")
        redo.setText(f"Redo: {s.redo_label}" if s is not None and s.can_redo else "Redo")
        # Carrying along takes a moment, in which the large buttons need not change.
        busy = self.work.kind if self.work.kind != "carry" else ""
        waiting = "run" if not complete else "done" if s is not None and s.people() else "nobody"
        self.desk.set_waiting("running" if self.work.kind == "run" else waiting)
        self.desk.toolbar.set_ready(
            opened=s is not None, has_results=results, running=busy, complete=complete
        )

    def _carry(self) -> None:
        self.work.carry(self.desk.keypoints.carry.reach)

    # --- the view -----------------------------------------------------------------------------

    def _toggle_keypoints(self) -> None:
        self.desk.viewport.set_keypoints_shown(self.commands["keypoints"].isChecked())

    def _toggle_details(self) -> None:
        self.work.hands_face = self.commands["hands_face"].isChecked()
        self.settings.set("hands_face", self.work.hands_face)

    def _toggle_wireframe(self) -> None:
        self.desk.viewport.set_wireframe(self.commands["wireframe"].isChecked())

    def _toggle_theme(self) -> None:
        palette = theme.LIGHT if theme.current().is_dark else theme.DARK
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        theme.apply(app, palette)
        self.settings.set("theme", palette.name)

    def _toggle_fullscreen(self) -> None:
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    # --- the window itself --------------------------------------------------------------------

    def _restore(self) -> None:
        geometry = self.settings.get("geometry", "")
        if not (geometry and self.restoreGeometry(QByteArray.fromBase64(geometry.encode()))):
            self.resize(1600, 1000)
        self.desk.set_sizes(self.settings.get("splits", []))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Files may be dropped anywhere."""
        if any(u.isLocalFile() for u in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open it; several at once are several cameras."""
        paths = [Path(u.toLocalFile()) for u in event.mimeData().urls() if u.isLocalFile()]
        if len(paths) > 1 and all(p.is_dir() or p.suffix.lower() in CAMERA_SUFFIXES for p in paths):
            self.several.show(paths)
        elif paths:
            self.files.open_path(paths[0])

    def closeEvent(self, event: QCloseEvent) -> None:
        """Everything is saved already; running work is asked about."""
        if (self.work.running or self.several.running) and not self.sheets.confirm_stop():
            event.ignore()
            return
        self.several.shut_down()
        self.settings.set("geometry", bytes(self.saveGeometry().toBase64().data()).decode())
        self.settings.set("splits", self.desk.sizes())
        self.controller.shut_down()
        event.accept()
