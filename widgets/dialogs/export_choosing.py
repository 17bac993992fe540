"""Choosing an export: what to write where, and what whoever exports should know before."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QFileDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLayout,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.export.bodies import FITTED
from app.export.names import Earlier, earlier_export
from app.models.bodies import BodyChoice
from app.review.privacy import PlanRow, deid_notes, deid_words
from app.review.types import DeidSettings, ExportKind, ExportRequest, LearnedInpainter
from widgets.dialogs.message import primary
from widgets.panels.paint import counted
from widgets.paragraph import Paragraph

_WHAT: dict[ExportKind, tuple[str, str]] = {
    "video": ("De-identified video", "mp4, the source's frame times, no metadata"),
    "dicom": ("The video as DICOM", "the same stream, with the codes for what was done"),
    "coco": ("Keypoints", "COCO json, with the feet"),
    "smplx": ("Bodies", "SMPL-X parameters, npz"),
    "csv": ("Confidence", "csv, expected errors in mm"),
    "meshes_glb": ("Meshes, glb", "one a person and frame, with confidence colours"),
    "meshes_ply": ("Meshes, ply", "one a person and frame, with confidence colours"),
    "meshes_obj": ("Meshes, obj", "one a person and frame"),
}
_NAMES_WIDTH = 156
_USUAL: tuple[ExportKind, ...] = ("video", "coco", "smplx", "csv")
_CONFIRM = "I have looked at it; export all the same"
_CONFIRM_ALL = "I have looked at all of them; export all the same"
_ROOM, _LEAST = 48, 160
"""Logical pixels of the screen that the sheet leaves free, for its title; the least height of its choices."""
_REPLACE = "Replace files that are there already"
_ALIKE = "People have the same number and clothes in all of them."


def _label(text: str, role: str = "secondary") -> QLabel:
    return Paragraph(text, role)


class ExportChoosing(QWidget):
    """Signals: export_wanted(ExportRequest), cancel_wanted()."""

    export_wanted = Signal(object)
    cancel_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._stem = ""
        self._earlier: Earlier = ""
        self._checks: dict[ExportKind, QCheckBox] = {}
        self._range: tuple[int, int] | None = None
        self._folders = Path(), Path()
        self._choices = QWidget()
        column = self._inside = QVBoxLayout(self._choices)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(9)
        self._cameras_row = QWidget()
        cameras = QVBoxLayout(self._cameras_row)
        cameras.setContentsMargins(0, 0, 0, 6)
        cameras.setSpacing(6)
        cameras.addWidget(_label("CAMERAS", "section"))
        choices = QHBoxLayout()
        choices.setSpacing(18)
        self.one_camera, self.all_cameras = QRadioButton(""), QRadioButton("")
        self.one_camera.setChecked(True)
        together = QButtonGroup(self)
        for choice in (self.one_camera, self.all_cameras):
            together.addButton(choice)
            choices.addWidget(choice)
        choices.addStretch(1)
        cameras.addLayout(choices)
        self._cameras_words = _label(_ALIKE)
        cameras.addWidget(self._cameras_words)
        self._cameras_row.hide()
        self.all_cameras.toggled.connect(self._cameras_chosen)
        column.addWidget(self._cameras_row)
        column.addWidget(_label("WHAT", "section"))
        grid = QGridLayout()
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(1, 1)
        grid.setColumnMinimumWidth(0, _NAMES_WIDTH)
        for i, kind in enumerate(_WHAT):
            title, detail = _WHAT[kind]
            check = QCheckBox(title)
            check.setChecked(kind in _USUAL)
            check.toggled.connect(self._check_ready)
            if kind == "dicom":
                check.toggled.connect(self._with_video)
            grid.addWidget(check, i, 0)
            grid.addWidget(_label(detail), i, 1, Qt.AlignmentFlag.AlignVCenter)
            self._checks[kind] = check
        column.addLayout(grid)
        self._body_row = QWidget()
        bodies = QHBoxLayout(self._body_row)
        bodies.setContentsMargins(0, 0, 0, 0)
        self.body = QComboBox()
        self.body.setAccessibleName("Bodies and meshes as")
        self.body.setToolTip("Bodies are carried over; the file says how far joints lie apart")
        bodies.addWidget(_label("Bodies and meshes as", ""))
        bodies.addWidget(self.body, 1)
        column.addWidget(self._body_row)
        self._room_row = QWidget()
        rooms = QHBoxLayout(self._room_row)
        rooms.setContentsMargins(0, 0, 0, 0)
        self.inpainter = QComboBox()
        self.inpainter.setAccessibleName("Empty room by")
        self.inpainter.setToolTip(
            "From the clip: what other frames show. A network makes up what it paints; all of it counts as "
            "never seen"
        )
        rooms.addWidget(_label("Empty room", ""))
        rooms.addWidget(self.inpainter, 1)
        column.addWidget(self._room_row)
        self._deid = _label("")
        self._notes = _label("", "warning")
        column.addWidget(self._deid)
        column.addWidget(self._notes)
        column.addSpacing(6)
        column.addWidget(_label("PROOF", "section"))
        proof = QGridLayout()
        proof.setVerticalSpacing(6)
        proof.setColumnStretch(1, 1)
        proof.setColumnMinimumWidth(0, _NAMES_WIDTH)
        self.audit, self.report = QCheckBox("Search the video"), QCheckBox("Report")
        self.audit.setToolTip("Without it the file is called “unverified”")
        self.pictures = QCheckBox("Pictures in it")
        self.pictures.setToolTip(
            "What the search has found may be somebody's face: such a report is patient data"
        )
        for check in (self.audit, self.report):
            check.setChecked(True)
            check.toggled.connect(self._check_ready)
        details = (
            "all frames of the finished file, for faces and people", "html, pdf, json, for a reviewer",
            "of what was found; may show a patient, keep it inside",
        )  # fmt: skip
        for i, (check, detail) in enumerate(zip((self.audit, self.report, self.pictures), details)):
            proof.addWidget(check, i, 0)
            proof.addWidget(_label(detail), i, 1, Qt.AlignmentFlag.AlignVCenter)
        column.addLayout(proof)
        column.addSpacing(6)
        column.addWidget(_label("FRAMES", "section"))
        row = QHBoxLayout()
        self._all, self._part = QRadioButton("All frames"), QRadioButton("The marked range")
        self._all.setChecked(True)
        row.addWidget(self._all)
        row.addWidget(self._part)
        row.addStretch(1)
        column.addLayout(row)
        column.addSpacing(6)
        column.addWidget(_label("WHERE", "section"))
        place = QHBoxLayout()
        self._folder = QLineEdit()
        self._folder.setAccessibleName("Folder")
        self._folder.textChanged.connect(self._look_into_folder)
        browse = QPushButton("Choose…")
        browse.setToolTip("Choose the folder to write to")
        browse.setAutoDefault(False)
        browse.clicked.connect(self._browse)
        place.addWidget(self._folder, 1)
        place.addWidget(browse)
        column.addLayout(place)
        self._overwrite = QCheckBox(_REPLACE)
        self._overwrite.toggled.connect(self._check_ready)
        column.addWidget(self._overwrite)
        self._warning = _label("", "warning")
        self._confirm = QCheckBox(_CONFIRM)
        self._confirm.toggled.connect(self._check_ready)
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setWidget(self._choices)
        column.addStretch(1)
        column = self._beside = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(9)
        column.addWidget(self._area)
        column.addWidget(self._warning)
        column.addWidget(self._confirm)
        column.addStretch(1)
        column.addSpacing(8)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        cancel = QPushButton("Cancel")
        cancel.clicked.connect(self.cancel_wanted)
        self.export_button = primary("Export")
        self.export_button.clicked.connect(self._go)
        buttons.addWidget(cancel)
        buttons.addWidget(self.export_button)
        column.addLayout(buttons)

    def set_context(
        self, folder: Path, n_frames: int, marked: tuple[int, int] | None, uncovered_frames: int,
        people: int, has_audio: bool, deid: DeidSettings, *, unprocessed: int = 0, cut_tracks: int = 0,
        bodies: Sequence[BodyChoice] = (), inpainters: Sequence[LearnedInpainter] = (), camera: str = "",
        n_cameras: int = 0, plan: Sequence[PlanRow] = (), stem: str = "", masks: Sequence[str] = (),
    ) -> None:  # fmt: skip
        """What the project is like.

        Args:
            uncovered_frames: in which somebody is lost from sight; unprocessed: not looked at at all;
            cut_tracks: people whose track ends in mid-picture and has not been accepted.
            bodies: that the export may speak of, the fitted one first.
            inpainters: networks that may paint the empty room.
            camera: this project's camera, and how many its room has that can be exported with it.
            plan: who is covered otherwise, who may be seen, which regions are covered as well.
            stem: what the files' names begin with. masks: names of segmentations that were added.
        """
        self._stem = stem
        self._cameras_row.setVisible(n_cameras > 1)
        self.one_camera.setText(f"{camera} only")
        self.all_cameras.setText(f"All {n_cameras} cameras")
        ready = [b for b in bodies if b.ready]
        self.body.clear()
        for choice in ready:
            self.body.addItem(choice.label, choice.id)
        self._body_row.setVisible(len(ready) > 1)
        self.inpainter.clear()
        self.inpainter.addItem("put together from the clip", None)
        for painter in inpainters:
            self.inpainter.addItem(f"painted by {painter.name}", painter)
        self._room_row.setVisible(bool(inpainters) and deid.background == "plate")
        self._folders = folder, folder.with_name("All cameras export")
        self._folder.setText(str(folder))
        self._all.setText(f"All {n_frames} frames")
        self._range = marked
        self._part.setEnabled(marked is not None)
        if marked is not None:
            self._part.setText(f"Frames {marked[0] + 1} to {marked[1] + 1}")
            self._part.setChecked(True)
        else:
            self._part.setToolTip("Mark a range in the timeline with I and O")
        self._deid.setText(deid_words(deid, plan, has_audio=has_audio, masks=masks))
        notes = deid_notes(deid, plan, has_audio=has_audio)
        self._notes.setText("\n".join(notes))
        self._notes.setVisible(bool(notes))
        warnings = []
        if unprocessed:
            many = counted(unprocessed, "frame")
            warnings.append(f"{many} not processed yet: whoever is in them would be seen.")
        elif people == 0:
            warnings.append("Nobody was found: the video would be exported as it is.")
        if uncovered_frames:
            many = counted(uncovered_frames, "frame")
            warnings.append(f"Somebody may be seen in {many}: look at “Person lost from sight”.")
        if cut_tracks:
            many = counted(cut_tracks, "track")
            warnings.append(f"{many} ended in mid-picture: somebody may still be there, uncovered.")
        warning = "\n".join(warnings)
        self._warning.setText(warning)
        self._warning.setVisible(bool(warning))
        self._confirm.setVisible(bool(warning))
        self._look_into_folder()
        self.fit()

    def fit(self) -> None:
        """Make the dialog as high as what there is to choose, as long as the buttons stay on the screen; more
        is scrolled."""
        for wait in (0, 20):  # paragraphs take their height when they are laid out
            QTimer.singleShot(wait, self, self._fit_now)

    def _fit_now(self) -> None:
        dialog, screen = self.window(), self.screen().availableGeometry()
        whole = dialog.layout()
        if whole is None or not self.isVisible():
            return
        margins = whole.contentsMargins()
        wanted = self._inside.totalHeightForWidth(dialog.width() - margins.left() - margins.right())
        beyond = self._height_with(wanted, whole) - (screen.height() - _ROOM)
        dialog.resize(dialog.width(), self._height_with(max(wanted - max(beyond, 0), _LEAST), whole))
        top, owner = dialog.y(), dialog.parentWidget()
        if owner is not None:  # Qt has placed it before it was as high as this
            top = owner.window().frameGeometry().center().y() - dialog.height() // 2
        lowest = screen.bottom() - dialog.height()
        dialog.move(dialog.x(), max(screen.top(), min(top, lowest)))

    def _height_with(self, choices: int, whole: QLayout) -> int:
        """How high the dialog is with so much room for the choices."""
        self._area.setFixedHeight(choices)
        self._beside.activate()  # inside out: what is outside remembers how high this was
        whole.activate()
        return whole.totalHeightForWidth(self.window().width())

    def showEvent(self, event: QShowEvent) -> None:
        """Qt's hook."""
        super().showEvent(event)
        self.fit()

    def _look_into_folder(self) -> None:
        """An export that did not pass its check is there to be replaced; one that did is worth a question."""
        folder = self._folder.text().strip()
        self._earlier = ""
        if folder and self._stem:
            self._earlier = earlier_export(Path(folder).expanduser(), self._stem)
        replaced = f"Replace the {self._earlier} export in this folder"
        self._overwrite.setText(replaced if self._earlier else _REPLACE)
        self._overwrite.setChecked(self._earlier == "unverified")
        self._check_ready()

    def _cameras_chosen(self, every: bool) -> None:
        """What the other cameras show is not known here: whoever may be seen there is told at the end."""
        self._cameras_words.setText(
            "As this one is covered; regions are each camera's own. One in which somebody may be seen is "
            "left out, unless you confirm it below."
            if every
            else _ALIKE
        )
        one, common = self._folders
        if self._folder.text() == str(one if every else common):
            self._folder.setText(str(common if every else one))
        self._confirm.setText(_CONFIRM_ALL if every else _CONFIRM)
        self._confirm.setVisible(every or bool(self._warning.text()))
        self._check_ready()
        self.fit()

    def _with_video(self, on: bool) -> None:
        """A DICOM file is made from the video."""
        if on:
            self._checks["video"].setChecked(True)

    def _check_ready(self) -> None:
        chosen = [k for k, c in self._checks.items() if c.isChecked()]
        why = ""
        if not chosen:
            why = "Choose something to write"
        elif "dicom" in chosen and "video" not in chosen:
            why = "DICOM is made from the de-identified video: choose it too"
        elif not self._folder.text().strip():
            why = "Choose a folder"
        elif self._warning.text() and "video" in chosen and not self._confirm.isChecked():
            why = "Confirm the warning first"
        elif self._earlier and not self._overwrite.isChecked() and not self.all_cameras.isChecked():
            why = "An export is in this folder already: replace it, or choose another folder"
        self.pictures.setEnabled(self.report.isChecked() and self.audit.isChecked() and "video" in chosen)
        self.export_button.setEnabled(not why)
        self.export_button.setToolTip(why)

    def _browse(self) -> None:
        name = QFileDialog.getExistingDirectory(self, "Where to", self._folder.text())
        if name:
            self._folder.setText(name)

    def _go(self) -> None:
        part = self._range if self._part.isChecked() else None
        request = ExportRequest(
            folder=Path(self._folder.text()).expanduser(),
            kinds=tuple(k for k, c in self._checks.items() if c.isChecked()),
            first=part[0] if part else None, last=part[1] if part else None,
            overwrite=self._overwrite.isChecked(), allow_uncovered=self._confirm.isChecked(),
            audit=self.audit.isChecked(), report=self.report.isChecked(),
            report_pictures=self.pictures.isEnabled() and self.pictures.isChecked(),
            inpainter=self.inpainter.currentData(),
            body=self.body.currentData() or FITTED,
        )  # fmt: skip
        self.export_wanted.emit(request)
