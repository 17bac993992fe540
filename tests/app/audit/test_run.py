"""The search of a finished video: what it finds, what it discounts, how it stops and fails."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.audit.known import ARITHMETIC
from app.audit.record import CoverageRecord
from app.audit.run import audit_file
from app.errors import Cancelled, FootageError, ModelError
from app.footage.writer import VideoWriter
from app.models.store import ModelStore
from app.pipeline.events import Event, Progress, StageStarted
from app.pipeline.job import Control
from backends.audit.types import Finding

H, W, N = 240, 320, 20
HEAD = (200, 100, 44)
"""Where the head is: left, top, height."""


@pytest.fixture(scope="session")
def head(two_faces: tuple[np.ndarray, list[np.ndarray]]) -> np.ndarray:
    """(44, 36, 3) one head, cut out."""
    image, boxes = two_faces
    x0, y0, x1, y1 = (int(v) for v in boxes[0])
    return cv2.resize(image[y0:y1, x0:x1], (36, 44), interpolation=cv2.INTER_AREA)


def room(i: int) -> np.ndarray:
    """A wall, and a blue card that moves."""
    y, x = np.mgrid[:H, :W]
    image = np.stack([100 + x // 12, 120 + y // 12, 110 + (x + y) // 24], -1).astype(np.uint8)
    cv2.rectangle(image, (10 + 3 * i, 30), (40 + 3 * i, 90), (70, 90, 200), -1)
    return image


def with_head(image: np.ndarray, head: np.ndarray) -> np.ndarray:
    image = image.copy()
    image[HEAD[1] : HEAD[1] + head.shape[0], HEAD[0] : HEAD[0] + head.shape[1]] = head
    return image


def written(path: Path, frames: list[np.ndarray]) -> Path:
    writer = VideoWriter(path, W, H, np.arange(len(frames)), Fraction(1, 25))
    for frame in frames:
        writer.write(frame)
    writer.close()
    return path


@pytest.fixture
def leaky(tmp_path: Path, head: np.ndarray) -> Path:
    """A video in which a face is seen in frames 7 to 9."""
    frames = [with_head(room(i), head) if 7 <= i <= 9 else room(i) for i in range(N)]
    return written(tmp_path / "leaky.mp4", frames)


def installed() -> None:
    store = ModelStore()
    if not all(store.has(n) for n in ("centerface", "face-detector-full-range", "blazepose-detector")):
        pytest.skip("the audit's networks are not installed")


@pytest.mark.network_weights
def test_a_face_of_three_frames_is_one_event_with_its_place_and_picture(leaky: Path) -> None:
    installed()
    heard: list[Event] = []
    result = audit_file(leaky, listener=heard.append)
    assert len(result.events) == 1
    event = result.events[0]
    assert (event.kind, event.first, event.last) == ("face", 7, 9)
    assert event.severity == 2
    middle = event.boxes.reshape(-1, 2, 2).mean(axis=1)
    np.testing.assert_allclose(middle, [[218, 124]] * 3, atol=8)
    picture = cv2.imdecode(np.frombuffer(result.pictures[event.event_id], np.uint8), cv2.IMREAD_COLOR)
    assert min(picture.shape[:2]) >= 44
    assert result.n_frames == N
    assert len(result.output_sha256) == 64
    assert heard[0] == StageStarted("audit", "Searching the finished video")
    assert [e.done for e in heard if isinstance(e, Progress)] == list(range(1, N + 1))


@pytest.mark.network_weights
def test_a_clean_video_has_no_events(tmp_path: Path) -> None:
    installed()
    assert audit_file(written(tmp_path / "clean.mp4", [room(i) for i in range(N)])).events == ()


@pytest.mark.network_weights
def test_the_face_of_a_cover_does_not_count_but_one_that_the_mask_only_claims_does(
    leaky: Path, head: np.ndarray
) -> None:
    installed()
    mask = np.zeros((H, W), np.bool_)
    mask[90:154, 190:246] = True
    honest, lying = CoverageRecord(H, W, first=100), CoverageRecord(H, W, first=100)
    for i in range(N):
        covered = with_head(room(i), head) if 7 <= i <= 9 else room(i)
        here = mask if 7 <= i <= 9 else np.zeros_like(mask)
        honest.add(100 + i, room(i), covered, here)
        lying.add(100 + i, covered, covered, here)  # nothing was painted
    assert audit_file(leaky, record=honest).events == ()
    found = audit_file(leaky, record=lying).events
    assert [(e.first, e.last) for e in found] == [(107, 109)]


@pytest.mark.network_weights
def test_heads_that_arithmetic_finds_uncovered_are_events_of_their_tracks(tmp_path: Path) -> None:
    installed()
    path = written(tmp_path / "clean.mp4", [room(i) for i in range(N)])

    class Known:
        """Somebody whose head is open in frames 4 and 5."""

        follows = False

        def heads(self, frame: int) -> list[Finding]:
            box = np.float32([220, 150, 250, 180])
            return [Finding("head", box, 0.9, ARITHMETIC, track_id=3)] if frame in (4, 5) else []

        def is_spared(self, frame: int, finding: Finding) -> bool:
            return False

        def is_free(self, frame: int, box: np.ndarray) -> bool:
            return free

        def track_of(self, frame: int, box: np.ndarray) -> int | None:
            return None

    free = True  # the place looks as it does without anybody: somebody walks behind a post
    assert audit_file(path, known=Known()).events == ()
    free = False
    result = audit_file(path, known=Known())
    assert [(e.kind, e.track_id, e.first, e.last) for e in result.events] == [("head", 3, 4, 5)]
    assert ARITHMETIC in [s.name for s in result.searches]


@pytest.mark.network_weights
def test_stopping_ends_the_search_at_once(leaky: Path) -> None:
    installed()
    control = Control()

    def listener(event: Event) -> None:
        if isinstance(event, Progress) and event.done == 3:
            control.stop()

    with pytest.raises(Cancelled):
        audit_file(leaky, control=control, listener=listener)


def test_without_networks_it_says_what_to_type(leaky: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="models install"):
        audit_file(leaky, models=ModelStore(tmp_path / "nothing"))


@pytest.mark.network_weights
def test_a_damaged_network_is_not_trusted(leaky: Path, tmp_path: Path) -> None:
    installed()
    store, root = ModelStore(), tmp_path / "models"
    for name in ("centerface", "face-detector-full-range", "blazepose-detector"):
        target = root / name / store.path(name).name
        target.parent.mkdir(parents=True)
        target.write_bytes(store.path(name).read_bytes())
    target.write_bytes(target.read_bytes()[:-1] + b"?")
    with pytest.raises(ModelError, match="not what was installed"):
        audit_file(leaky, models=ModelStore(root))


@pytest.mark.network_weights
def test_what_is_no_video_or_cut_off_is_an_error(leaky: Path, tmp_path: Path) -> None:
    installed()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(leaky.read_bytes()[:900])
    for path in (cut, tmp_path / "nowhere.mp4"):
        with pytest.raises(FootageError):
            audit_file(path)


def test_a_record_gives_back_what_was_noted_and_nothing_else() -> None:
    record = CoverageRecord(H, W)
    mask = np.zeros((H, W), np.bool_)
    mask[16:80, 8:120] = True
    covered = np.where(mask[..., None], np.uint8(0), room(0))
    record.add(4, room(0), covered, mask)
    assert record.at(4).claimed[2:10, 1:15].all()
    assert record.at(4).replaced[2:10, 1:15].all()
    assert record.at(4).replaced.sum() == 8 * 14
    assert not record.at(5).claimed.any()
    assert record.bytes < 400
