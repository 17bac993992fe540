"""Several cameras: which videos, how they are calibrated, where to; then how it goes and what came out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.multiview.inspection import CALIBRATION_SUFFIXES, VIDEO_SUFFIXES, FoundCamera, Inspection
from widgets.cameras.done import CamerasDone
from widgets.cameras.row import CameraRow
from widgets.cameras.working import CamerasWorking
from widgets.dialogs.message import primary
from widgets.dialogs.stages import quiet_line
from widgets.panels.paint import counted
from widgets.paragraph import Paragraph

_WIDTH = 720
_LIST_HEIGHT = 280
_VIDEOS = f"Videos ({' '.join(f'*{s}' for s in sorted(VIDEO_SUFFIXES))});;All files (*)"
_CALIBRATIONS = f"Calibrations ({' '.join(f'*{s}' for s in sorted(CALIBRATION_SUFFIXES))});;All files (*)"
_NO_CALIBRATION = (
    "It says where each camera stands: calibration.json, EasyMocap's intri.yml, Pose2Sim's toml, or a "
    "folder of DisguisOR's"
)
_EMPTY = (
    "Drop the cameras' videos here, or a folder that holds them and their calibration.\nOne video or folder "
    "of pictures for each camera, all of the same moment."
)


def _calibration_name(path: Path | None) -> str:
    if path is None:
        return "None yet"
    return f"In the folder {path.name}" if path.is_dir() else path.name


def _section(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "section")
    return label


class CamerasDialog(QDialog):
    """Shows what it is told; :class:`widgets.cameras.several.SeveralCameras` does the work.

    Signals: added(paths); removed(path); calibration_chosen(path); output_changed(); start_wanted();
    stop_wanted(); look_wanted().
    """

    added = Signal(object)
    removed = Signal(object)
    calibration_chosen = Signal(object)
    output_changed = Signal()
    start_wanted = Signal()
    stop_wanted = Signal()
    look_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Several cameras")
        self.setFixedWidth(_WIDTH)
        self.setAcceptDrops(True)
        self.folder = Path.home()
        """Where choosing files begins."""
        self._rows: dict[Path, CameraRow] = {}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 20, 24, 18)
        self.work_page, self.end_page = CamerasWorking(), CamerasDone()
        self.work_page.stop_wanted.connect(self.stop_wanted)
        self.end_page.back_wanted.connect(self.choose_again)
        self.end_page.close_wanted.connect(self.look_wanted)
        self._choose_page = self._choose()
        self._pages = (self._choose_page, self.work_page, self.end_page)
        self._page: QWidget = self._choose_page
        for page in self._pages:
            layout.addWidget(page)
        self.show_page(self._choose_page)

    def show_page(self, shown: QWidget) -> None:
        """One of the three; the dialog gets as high as it, which stacked pages would not."""
        self._page = shown
        for page in self._pages:
            page.setVisible(page is shown)
        self._fit()

    def _fit(self) -> None:
        layout = self.layout()
        if layout is not None:
            layout.activate()
        self.adjustSize()

    # --- choosing -----------------------------------------------------------------------------

    def _choose(self) -> QWidget:
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(9)
        head = QHBoxLayout()
        self._title = _section("CAMERAS")
        videos, folder = QPushButton("Add videos…"), QPushButton("Add folder…")
        for button, does in ((videos, self._ask_videos), (folder, self._ask_folder)):
            button.setAutoDefault(False)
            button.clicked.connect(does)
        head.addWidget(self._title)
        head.addStretch(1)
        head.addWidget(videos)
        head.addWidget(folder)
        column.addLayout(head)
        self.empty = QLabel(_EMPTY)
        self.empty.setWordWrap(True)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setProperty("role", "drop")
        self.empty.setMinimumHeight(132)
        column.addWidget(self.empty)
        inside = QWidget()
        self._list = QVBoxLayout(inside)
        self._list.setContentsMargins(0, 0, 0, 0)
        self._list.setSpacing(2)
        self._list.addStretch(1)
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setWidget(inside)
        self._scroll.setFixedHeight(_LIST_HEIGHT)
        self._scroll.hide()
        column.addWidget(self._scroll)
        column.addSpacing(4)
        column.addWidget(_section("CALIBRATION"))
        place = QHBoxLayout()
        self._calibration, self._known = Paragraph(""), Paragraph("", "secondary")
        self._calibration.setMinimumHeight(18)
        words = QVBoxLayout()
        words.setSpacing(1)
        words.addWidget(self._calibration)
        words.addWidget(self._known)
        place.addLayout(words, 1)
        choose = QPushButton("Choose…")
        choose.setToolTip("calibration.json, intri.yml beside extri.yml, or a toml of Pose2Sim")
        choose.setAutoDefault(False)
        choose.clicked.connect(self._ask_calibration)
        place.addWidget(choose, 0, Qt.AlignmentFlag.AlignTop)
        column.addLayout(place)
        self.refine = QCheckBox("Touch up the calibration")
        self.refine.setToolTip(
            "Turns and moves cameras a little until what they see of people meets: for a calibration that "
            "is old, or a tripod that was knocked"
        )
        touch_up = QHBoxLayout()
        touch_up.setSpacing(14)
        touch_up.addWidget(self.refine)
        touch_up.addWidget(quiet_line("where it is old, or a tripod was knocked"), 1)
        column.addLayout(touch_up)
        column.addSpacing(4)
        column.addWidget(_section("WHERE"))
        where = QHBoxLayout()
        self._output = QLineEdit()
        self._output.setAccessibleName("Folder for the results")
        self._output.textChanged.connect(self.output_changed)
        browse = QPushButton("Choose…")
        browse.setToolTip("Choose the folder for the projects and files")
        browse.setAutoDefault(False)
        browse.clicked.connect(self._ask_output)
        where.addWidget(self._output, 1)
        where.addWidget(browse)
        column.addLayout(where)
        self._goes_on = Paragraph("", "secondary")
        column.addWidget(self._goes_on)
        column.addStretch(1)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        self.why = QLabel("")
        self.why.setProperty("role", "secondary")
        cancel = QPushButton("Cancel")
        cancel.setAutoDefault(False)
        cancel.clicked.connect(self.reject)
        self.start_button = primary("Start")
        self.start_button.clicked.connect(self.start_wanted)
        buttons.addWidget(self.why, 1)
        buttons.addWidget(cancel)
        buttons.addWidget(self.start_button)
        column.addLayout(buttons)
        return page

    def set_cameras(self, cameras: Sequence[FoundCamera], waiting: Sequence[tuple[Path, str]]) -> None:
        """What was recognised, and what is still being looked at (paths and names), in order."""
        wanted = [*(c.path for c in cameras), *(p for p, _ in waiting)]
        for path in [p for p in self._rows if p not in wanted]:
            row = self._rows.pop(path)
            row.hide()
            row.deleteLater()
        for path, name in [*((c.path, c.name) for c in cameras), *waiting]:
            if path not in self._rows:
                row = CameraRow(name)
                row.removed.connect(lambda p=path: self.removed.emit(p))
                self._rows[path] = row
                self._list.insertWidget(self._list.count() - 1, row)
        for camera in cameras:
            self._rows[camera.path].set_camera(camera)
        self._title.setText(f"CAMERAS · {len(wanted)}" if wanted else "CAMERAS")
        self.empty.setVisible(not wanted)
        self._scroll.setVisible(bool(wanted))
        self._fit()

    def set_inspection(self, found: Inspection, *, waiting: bool) -> None:
        """Whether it fits together."""
        there = found.calibration is not None
        self._calibration.setText(_calibration_name(found.calibration))
        self._calibration.setProperty("role", "" if there else "secondary")
        self._calibration.style().polish(self._calibration)
        names = ", ".join(found.known)
        said = f"{counted(len(found.known), 'camera')}: {names}" if there else _NO_CALIBRATION
        self._known.setText(found.calibration_trouble or said)
        self._known.setProperty("role", "bad" if found.calibration_trouble else "secondary")
        self._known.style().polish(self._known)
        self._goes_on.setText(
            "An earlier start has left results there: what it found is kept, and this one goes on."
            if found.goes_on
            else ""
        )
        self._goes_on.setVisible(found.goes_on)
        why = "Looking at the videos…" if waiting else found.trouble
        why = why or ("" if self._output.text().strip() else "Choose a folder for the results")
        self.why.setText(why)
        self.start_button.setEnabled(not why)

    @property
    def output(self) -> Path | None:
        """The folder for the results."""
        text = self._output.text().strip()
        return Path(text).expanduser() if text else None

    def set_output(self, folder: Path) -> None:
        """Where to, unless the person says otherwise."""
        self._output.setText(str(folder))

    def offsets(self, paths: Sequence[Path]) -> list[int]:
        """The frame of moment 0 of each camera."""
        return [self._rows[p].offset for p in paths]

    def rows(self) -> list[CameraRow]:
        """The cameras' rows."""
        return list(self._rows.values())

    def _ask_videos(self) -> None:
        names, _ = QFileDialog.getOpenFileNames(self, "Add videos", str(self.folder), _VIDEOS)
        if names:
            self.added.emit([Path(n) for n in names])

    def _ask_folder(self) -> None:
        name = QFileDialog.getExistingDirectory(self, "Add a folder", str(self.folder))
        if name:
            self.added.emit([Path(name)])

    def _ask_calibration(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self, "Choose the calibration", str(self.folder), _CALIBRATIONS)
        if name:
            self.calibration_chosen.emit(Path(name))

    def _ask_output(self) -> None:
        name = QFileDialog.getExistingDirectory(self, "Where to", self._output.text())
        if name:
            self.set_output(Path(name))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Files and folders may be dropped anywhere on it."""
        choosing = self._page is self._choose_page
        if choosing and any(u.isLocalFile() for u in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Take them in."""
        paths = [Path(u.toLocalFile()) for u in event.mimeData().urls() if u.isLocalFile()]
        if paths:
            event.acceptProposedAction()
            self.added.emit(paths)

    # --- working, and the end -----------------------------------------------------------------

    @property
    def working(self) -> bool:
        """While it runs."""
        return self._page is self.work_page

    def begin(self) -> None:
        """It starts."""
        self.work_page.begin()
        self.show_page(self.work_page)

    def set_done(
        self, summary: dict[str, Any], folder: Path, warnings: Sequence[str], *, to_open: bool = False
    ) -> None:
        """What came out; ``to_open``: its projects wait for a press of the button."""
        self.end_page.set_done(summary, str(folder), warnings)
        self.end_page.close_button.setText("Look at it" if to_open else "Close")
        self.show_page(self.end_page)

    def set_ended(self, heading: str, message: str) -> None:
        """Why not."""
        self.end_page.set_ended(heading, message)
        self.show_page(self.end_page)

    def choose_again(self) -> None:
        """Back to the first page."""
        self.show_page(self._choose_page)
        self.output_changed.emit()

    def reject(self) -> None:
        """Escape while it works asks the work to stop instead of hiding it."""
        if self.working:
            self.work_page.stop.click()
            return
        super().reject()
