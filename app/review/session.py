"""All that the window knows of a project: what to show, what a person does, what runs in the background."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.audit.finish import may_be_verified
from app.export.cameras import CameraExport
from app.footage import Footage
from app.footage.cache import FrameCache
from app.models.bodies import noted_body
from app.pipeline.bodies import confidence_words, project_ref
from app.pipeline.device import cpu
from app.pipeline.events import Job, Listener
from app.pipeline.fit_stage import FitStage
from app.project.edits import Edit, EditLog
from app.project.notes import finished, from_views
from app.project.room import RoomNote, room_note
from app.project.store import ProjectStore
from app.review import opening
from app.review.carry import span_of
from app.review.depth import DepthSetting
from app.review.drag import Drag
from app.review.editing import Editor
from app.review.findings import Findings
from app.review.items import TrackEnds, review_items, touches_border
from app.review.lanes import Series, longest_gap
from app.review.leaks import Leaks, with_leaks
from app.review.level import Level
from app.review.long_work import LongWork
from app.review.never_seen import room_words
from app.review.people import person_rows
from app.review.preview import Preview
from app.review.privacy import PlanRow, Privacy
from app.review.scene import SceneBuilder, scene_model
from app.review.session_edits import SessionEdits
from app.review.thumbnails import Thumbnails
from app.review.together import plain_kind
from app.review.types import (
    BACKGROUND_LABELS,
    COVERED,
    LEAK,
    PREDICTED,
    SPARED,
    CameraView,
    CarryRange,
    EditLabel,
    ExportRequest,
    FrameCallback,
    Lane,
    PersonRow,
    ReviewItem,
    RunOptions,
    Scene,
)
from app.review.warm import warm_up
from backends.camera import Camera

_OF_ONE_FRAME = ("move_keypoint", "move_person", "visibility", "reviewed")
_OF_TRACKS = ("merge", "swap", "delete")
_OF_NO_FRAME = ("accept", "setting", "deid_rule", "deid_region", "leak")
"""Edits after which nobody is another, and nobody's body."""


class Session(SessionEdits):
    """One open project. Every method returns at once; long work is handed out as jobs.

    Callbacks and listeners run on worker threads; everything else belongs to the thread that made the
    session.
    """

    def __init__(self, store: ProjectStore, footage: Footage) -> None:
        self._store = store
        self._footage = footage
        self._ref = project_ref(store)
        self._body = noted_body(self._ref)
        self._cache = FrameCache(footage)
        camera = store.camera()
        self._stage = FitStage(self._body, camera)
        self._log = EditLog(store)
        self._editor = Editor(store, self._log, self._stage)
        self._scenes = SceneBuilder(store, self._body, camera)
        self._series = Series(store, footage.n_frames)
        self._series.load()
        self._finished = finished(store)
        self._scenes.set_live(not self._finished)
        self._tracks = {t.track_id: t for t in store.tracks()}
        self._drag: Drag | None = None
        self._work = LongWork(self._editor, footage.path, footage.fps, footage.n_frames)
        self.changed: Callable[[], None] = lambda: None
        """Called (from any thread) when thumbnails or the background have become ready."""
        self._findings = Findings(store, self._stage, self._series, self._looked_again)
        self._thumbnails = Thumbnails(store, footage, lambda: self.changed())
        self._preview = Preview(store, footage, self._body, lambda: self.changed())
        self._items: list[ReviewItem] | None = None
        self.privacy = Privacy(
            store,
            footage.n_frames,
            lambda: self._log,
            lambda edit: self._after(edit),
            self._writable,
            lambda: self._together,
        )
        self.leaks = Leaks(store, lambda: self._log, lambda edit: self._after(edit), self._writable)
        self.depth = DepthSetting(store, footage, self._writable)
        self._warm = warm_up(self._stage, depth=bool(self.depth.name))
        self.model = scene_model(self._body)
        self._level = Level(store, self._body, camera, lambda: self.changed())
        self.name = store.path.stem
        self.project_path = store.path
        self.footage_path = footage.path
        self.read_only = store.read_only
        self.n_frames = footage.n_frames
        self.width, self.height = footage.width, footage.height
        self.fps = footage.fps
        self.times = footage.times
        self.has_audio = footage.has_audio
        self.device_label = cpu().label

    @staticmethod
    def create(footage: Path, project: Path | None = None) -> Session:
        """A new project for footage, by default beside it.

        Raises:
            FootageError, ProjectError, StorageError.
        """
        return Session(*opening.create_project(footage, project))

    @staticmethod
    def open_project(path: Path, *, footage: Path | None = None) -> Session:
        """An existing project; ``footage`` says where the footage lies when it has moved.

        Raises:
            ProjectError: no project, or damaged.
            MissingFootage: the footage is not where it was, or not the same.
        """
        return Session(*opening.open_project(path, footage=footage))

    def close(self) -> None:
        """Stop all work and close the files. What is finished is stored already."""
        self._work.close()
        self._findings.close()
        self._warm.join(20.0)  # it may be compiling; it ends by itself
        self._preview.close()
        self._thumbnails.close()
        self._level.close()
        self._cache.close()
        self._footage.close()
        self._store.close()

    def rest(self) -> None:
        """Another camera of the room is looked at: give back the memory of frames."""
        self._cache.forget()

    @property
    def room_note(self) -> RoomNote | None:
        """The other cameras of this project's room; None where it stands alone."""
        return room_note(self._store)

    # --- what to show -------------------------------------------------------------------------

    @property
    def has_results(self) -> bool:
        """True once any frame has been processed."""
        return bool(self._series.processed.any())

    @property
    def complete(self) -> bool:
        """True when every frame has been processed and the last run came to its end."""
        return bool(self._series.processed.all()) and self._finished

    def request_frame(
        self, i: int, callback: FrameCallback, *, direction: int = 0,
        on_error: Callable[[int, str], None] | None = None,
    ) -> None:  # fmt: skip
        """Frame ``i`` to ``callback``: at once where it is in memory, else from a worker; newest wins."""
        image = self._cache.peek(i)
        if image is not None:
            callback(i, image)
        else:
            self._cache.request(i, callback, on_error)
        self._cache.prefetch(i, direction)

    def scene(self, i: int) -> Scene:
        """What is drawn over frame ``i``."""
        return self._scenes.scene(i, self._tracks, processed=bool(self._series.processed[i]))

    def people(self) -> list[PersonRow]:
        """The people of this project, in order of their colour."""
        return person_rows(self._series, self._tracks.values(), self.privacy.method_of, self._thumbnails.get)

    def plan_rows(self) -> list[PlanRow]:
        """Exceptions and free regions of the de-identification, in words."""
        return self.privacy.rows(self._tracks)

    def lanes(self) -> list[Lane]:
        """One lane a person."""
        people = [(t.track_id, t.name, t.color_index) for t in self._tracks.values()]
        return self._series.lanes(people, self.fps)

    def coverage(self) -> npt.NDArray[np.uint8]:
        """(N,) per frame whether the export covers everybody; see :mod:`app.review.types`."""
        result = self._series.coverage(self._tracks, self.fps)
        spared = self.privacy.spared_frames(self._series, self._tracks)
        result[spared & np.isin(result, (COVERED, PREDICTED))] = SPARED
        result[self.leaks.open_frames(self.n_frames)] = LEAK
        return result

    @property
    def n_lost_frames(self) -> int:
        """In how many frames somebody is lost from sight, whatever a search has found."""
        return int(np.count_nonzero(self._series.coverage(self._tracks, self.fps) == LEAK))

    def review_items(self) -> list[ReviewItem]:
        """What to look at, the worst first."""
        if self._items is None:
            done = {
                r["item_id"] for r in self._store.query("SELECT item_id FROM reviews WHERE done = 1")
            }  # fmt: skip
            names = [(t.track_id, t.name) for t in self._tracks.values()]
            longest = longest_gap(self.fps)
            items = review_items(self._series, names, done, self._track_ends, longest, self._findings.reasons)
            self._items = with_leaks(items, self.leaks.items(self._tracks))
        return self._items

    def _looked_again(self) -> None:
        self._items = None
        self.changed()

    def _track_ends(self, track: int) -> TrackEnds:
        span = self._store.track_span(track)
        people = [self._store.person(f, track) for f in span] if span is not None else []
        inside = [
            p is not None and not touches_border(p.estimate.box, self.width, self.height) for p in people
        ]
        return TrackEnds(inside[0], inside[1]) if inside else TrackEnds(False, False)

    @property
    def series(self) -> Series:
        """Expected errors of everybody over time."""
        return self._series

    def vertex_words(self, frame: int, person: int, vertex: int) -> tuple[str, str, str]:
        """What a vertex is, its expected error, and the bound; "" for what is not known."""
        return self._scenes.vertex_words(self.model, frame, person, vertex)

    @property
    def tolerance_mm(self) -> float:
        """The error at which the colours turn, mm."""
        return self._scenes.tolerance_mm

    def set_tolerance(self, mm: float) -> None:
        """Change the tolerance of the view (it is no edit)."""
        self._scenes.tolerance_mm = mm
        self._scenes.forget()

    def audited(self) -> None:
        """An export has ended: what its audit found is in the project."""
        self.leaks.forget()
        self._items = None

    def refresh(self, first: int | None = None, last: int | None = None) -> None:
        """Read frames ``first`` .. ``last`` (default: all) anew after a job has written them."""
        if first is None:
            self._log = EditLog(self._store)
            self._editor.log = self._log
            self._series = Series(self._store, self.n_frames)
            self._series.load()
            self._findings.read(self._series)
            self._finished = finished(self._store)
            self._scenes.forget()
            self._preview.forget_plate()
            self._thumbnails.forget()
            self.privacy.forget()
            self.leaks.forget()
        else:
            self._series.load(first, last)
        self._wear()
        self._scenes.set_live(not finished(self._store))
        camera = self._store.camera()
        if self._see(camera) or first is None:
            self._level.look(self._body, camera)
        self._tracks = {t.track_id: t for t in self._store.tracks()}
        self._items = None

    def catch_up(self) -> None:
        """Another camera of the room has edited this project."""
        self._log = self._editor.log = EditLog(self._store)
        self._tracks = {t.track_id: t for t in self._store.tracks()}
        self._series.load()
        self._scenes.forget()
        self.privacy.forget()
        self._items = None

    def _wear(self) -> None:
        """A run may have chosen another body."""
        ref = project_ref(self._store)
        if ref == self._ref:
            return
        self._ref, self._body = ref, noted_body(ref)
        tolerance = self.tolerance_mm
        camera = self._store.camera()
        self._stage = FitStage(self._body, camera)
        self._editor.stage = self._stage
        self._findings.judge_with(self._stage)
        self._scenes = SceneBuilder(self._store, self._body, camera)
        self._scenes.tolerance_mm = tolerance
        self._preview.wear(self._body)
        self._warm.join()
        self._warm = warm_up(self._stage, depth=bool(self.depth.name))
        self.model = scene_model(self._body)

    @property
    def body_name(self) -> str:
        """The body that this project's people have."""
        return self._ref.name

    @property
    def confidence_note(self) -> str:
        """What the expected errors rest on, where that has to be said; else ""."""
        return confidence_words(self._ref, from_views(self._store))

    def _see(self, camera: Camera) -> bool:
        """Whether a run has estimated the focal length."""
        if np.array_equal(camera.K, self._stage.camera.K) and camera.assumed == self._stage.camera.assumed:
            return False
        self._stage.see(camera)
        self._scenes.see(camera)
        self._preview.forget_plate()
        return True

    @property
    def camera(self) -> CameraView:
        """The view's camera, and how the room lies about it, as far as that is known."""
        return self._level.view

    @property
    def plate_state(self) -> str:
        """What is known of the background, in words."""
        if self.deid.background != "plate":
            return BACKGROUND_LABELS["original"]
        plate = self._preview.plate
        if plate is not None:
            return room_words(plate)
        return "Plate, building…" if self._preview.building else BACKGROUND_LABELS["plate"]

    def _after(self, edit: Edit | None) -> EditLabel | None:
        if edit is None:
            return None
        carried, kind = span_of(edit), plain_kind(edit)
        if carried is not None:
            self._scenes.forget()
            self._series.load(*carried)
            self._findings.edited(*carried)
        elif kind in _OF_ONE_FRAME and edit.frame is not None:
            self._scenes.forget(edit.frame)
            self._series.load(edit.frame, edit.frame)
            if kind != "reviewed":
                self._findings.edited(edit.frame, edit.frame)
        elif kind not in _OF_NO_FRAME:
            self._scenes.forget()
            self._series.load()
            if kind in _OF_TRACKS:
                self._findings.edited(0, self.n_frames - 1)
            self._tracks = {t.track_id: t for t in self._store.tracks()}
        self._items = None
        self.privacy.forget()
        self.leaks.forget()
        return EditLabel(edit.label, edit.frame, edit.track_id)

    # --- long work ----------------------------------------------------------------------------

    def run(self, listener: Listener, options: RunOptions | None = None) -> Job:
        """Find people and fit bodies in all frames that are not processed yet.

        Raises:
            ModelError: the networks are not installed.
            ProjectError: the project is read-only.
        """
        self._writable()
        return self._work.run(options or RunOptions(), listener)

    def export(self, request: ExportRequest, listener: Listener, cameras: Sequence[CameraExport] = ()) -> Job:
        """Write de-identified video and data, of all ``cameras`` of the room where some are given."""
        return self._work.export(request, self.deid, self._preview.plate, listener, cameras)

    def may_verify(self, folder: Path) -> bool:
        """True where a video in ``folder`` waits only for its name: all that was found has been released."""
        return may_be_verified(self._store, folder)

    def finish_verification(self, folder: Path, listener: Listener) -> Job:
        """Give a video of which everything was released its name, and say so in manifest and report.

        Raises:
            ProjectError: something else runs.
        """
        return self._work.verify(folder, listener)

    def carry(self, frame: int, person: int, reach: CarryRange, listener: Listener) -> Job:
        """Let the frames around a correction follow it; :meth:`keep_carried` stores what has come of it.

        Raises:
            ProjectError: the project is read-only, nothing is corrected there, or something else runs.
        """
        self._writable()
        return self._work.carry(frame, person, reach, listener)

    def keep_carried(self) -> EditLabel | None:
        """Store as one edit what the last :meth:`carry` came to; None where there is nothing.

        Raises:
            ProjectError: the frames have been edited since.
        """
        return self._after(self._work.keep_carried())

    def preview_deidentified(
        self, i: int, callback: FrameCallback, learning: Callable[[float], None] = lambda _: None,
        failed: Callable[[str], None] = lambda _: None,
    ) -> None:  # fmt: skip
        """Frame ``i`` as the export will show it; newest wins. On a worker thread: ``callback``, and before
        it ``learning(share)`` while the empty room is learnt, or ``failed(message)`` where it cannot be."""
        self._preview.request(i, self.deid, callback, learning, self.camera.R[:, 2], failed)

    def preview_never_seen(self, i: int, callback: FrameCallback) -> None:
        """RGBA: where the empty room of frame ``i`` was filled in, because no frame shows it."""
        self._preview.request_never_seen(i, callback)

    def default_export_folder(self) -> Path:
        """Where an export goes unless the person says otherwise."""
        return self.project_path.parent / f"{self.name} export"
