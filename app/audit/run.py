"""The search of a finished video: decoded, every frame; faces by a network that took no part in covering."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from app.audit.events import make_events
from app.audit.known import ARITHMETIC, FOLLOWED, Known
from app.audit.record import CoverageRecord
from app.audit.types import AuditResult, Search
from app.footage import open_footage
from app.footage.base import Image
from app.models.store import ModelStore, file_sha256
from app.pipeline.channel import Channel
from app.pipeline.events import Event, Listener, Progress, StageStarted
from app.pipeline.job import Control
from app.pipeline.rate import RateMeter
from backends.audit.link import Chain, Linker
from backends.audit.search import CENTERFACE, FULL_RANGE, PEOPLE, Look, Searcher
from backends.audit.types import Finding

STAGE = "audit"
AUDIT_STAGE = (STAGE, "Searching the finished video")
"""The stage's name, and what people read."""
NETWORKS = {CENTERFACE: "centerface", FULL_RANGE: "face-detector-full-range", PEOPLE: "blazepose-detector"}
"""The searches and the networks that make them."""

_EVERY_S = 1.0
"""From one search of the whole picture by all networks to the next."""

_FACE_GAP_S = 0.4
_DEPTH = 4
_AHEAD = 4
"""Frames whose search has begun while that of an earlier one goes on."""

_PICTURE = 96
_JPEG = 88


def audit_file(
    path: Path,
    *,
    control: Control | None = None,
    listener: Listener | None = None,
    record: CoverageRecord | None = None,
    known: Known | None = None,
    models: ModelStore | None = None,
) -> AuditResult:
    """Search a finished video, whoever made it.

    Args:
        record: what the export replaced in each frame. Without it everything that looks like a face counts,
            also that of a drawn body.
        known: the people whom the export knew: their heads are reckoned, and who is spared may be seen.

    Returns:
        Everything found; frames are numbered as in the footage (from ``record.first`` on).

    Raises:
        ModelError: a network is missing or damaged. FootageError: the video cannot be read to its end.
        Cancelled: asked to stop.
    """
    begun = time.monotonic()
    control, tell = control or Control(), listener or _ignore
    searches, searcher_of = _networks(models or ModelStore())
    first = record.first if record is not None else 0
    tell(StageStarted(*AUDIT_STAGE))
    # What an export has written it has decoded once to its end, before it came here.
    with open_footage(path, complete=record is not None) as video:
        every = max(2, round(_EVERY_S * video.fps))
        linker = Linker({"face": max(3, round(_FACE_GAP_S * video.fps)), "head": 2, "person": 2 * every})
        pictures = _Pictures()
        meter = RateMeter(video.n_frames)
        read: Channel[tuple[int, Image]] = Channel(_DEPTH, control)
        thread = threading.Thread(
            target=_decode, args=(video.iter_frames(), read), name="audit decode", daemon=True
        )
        begun_looks: deque[_Begun] = deque()

        def end_one() -> None:
            look = begun_looks.popleft()
            found = searcher.end(look.look)
            if known is not None:
                found = [f for f in found if not known.is_spared(look.frame, f)] + look.heads
            for finding, chain in zip(found, linker.add(look.frame, found)):
                pictures.offer(chain, finding, look.image)
            meter.advance()
            tell(Progress(STAGE, meter.done, meter.total, meter.rate, meter.remaining_s))

        with searcher_of(every) as searcher:
            thread.start()
            try:
                for index, image in read:
                    if control.check():
                        meter.hold()
                    frame = first + index
                    replaced = record.at(frame).replaced if record is not None else None
                    look = searcher.begin(image, replaced, last=index == video.n_frames - 1)
                    heads = known.heads(frame) if known is not None else []
                    heads = [h for h in heads if not _hidden(h, searcher, known, first)]
                    begun_looks.append(_Begun(frame, image, look, heads))
                    if len(begun_looks) > _AHEAD:
                        end_one()
                while begun_looks:
                    end_one()
            finally:
                read.abandon()
                thread.join()
        n_frames, whole_searches = video.n_frames, searcher.whole_searches
    events, jpegs = make_events(
        linker.finish(), pictures.jpegs, known.track_of if known is not None else None
    )
    if known is not None:
        searches += (Search(ARITHMETIC), *((Search(FOLLOWED),) if known.follows else ()))
    return AuditResult(
        events, n_frames, time.monotonic() - begun, searches, first, first + n_frames - 1,
        whole_searches, file_sha256(path), jpegs,
    )  # fmt: skip


def require_audit_networks(models: ModelStore | None = None) -> None:
    """Check that everything is there that an audit needs, before the long work begins.

    Raises:
        ModelError: a network is missing or damaged; the message says what to type.
    """
    store = models or ModelStore()
    for model_id in NETWORKS.values():
        store.verify(model_id)


def _networks(models: ModelStore) -> tuple[tuple[Search, ...], Callable[[int], Searcher]]:
    require_audit_networks(models)
    searches = tuple(Search(name, i, models.sha256(i)) for name, i in NETWORKS.items())
    paths = [models.path(i) for i in NETWORKS.values()]
    return searches, lambda every: Searcher(paths[0], paths[1], paths[2], every=every)


@dataclass(frozen=True, slots=True, eq=False)
class _Begun:
    """A frame that is being searched; ``heads`` that are known and not covered need no search."""

    frame: int
    image: Image
    look: Look
    heads: list[Finding]


def _hidden(head: Finding, searcher: Searcher, known: Known | None, first: int) -> bool:
    """Whether the place of a head looks as it does when nobody is there: then something stands before it."""
    frames = [first + frame for frame in searcher.alike(head.box)]
    return known is not None and any(known.is_free(frame, head.box) for frame in frames)


def _decode(frames: object, read: Channel[tuple[int, Image]]) -> None:
    try:
        for item in frames:  # type: ignore[attr-defined]
            if not read.put(item):
                return
    except Exception as error:
        read.finish(error)
    else:
        read.finish()


def _ignore(event: Event) -> None:
    """Nobody listens."""


@dataclass
class _Best:
    score: float
    jpeg: bytes


class _Pictures:
    """The best sighting of every chain as a small JPEG."""

    def __init__(self) -> None:
        self._best: dict[int, _Best] = {}
        self._chains: dict[int, Chain] = {}

    def offer(self, chain: Chain, finding: Finding, image: Image) -> None:
        """Keep this sighting where it is clearly the best so far."""
        key = id(chain)
        best = self._best.get(key)
        if best is None or finding.score > best.score + 0.05:
            self._best[key] = _Best(finding.score, _cut_out(image, finding.box))
            self._chains[key] = chain

    def jpegs(self, chain: Chain) -> bytes | None:
        """A chain's picture."""
        best = self._best.get(id(chain))
        return best.jpeg if best is not None else None


def _cut_out(image: Image, box: npt.NDArray[np.float32]) -> bytes:
    """What is found and as much again around it."""
    height, width = image.shape[:2]
    middle = (box[:2] + box[2:]) / 2
    half = max(float((box[2:] - box[:2]).max()), _PICTURE / 2)
    x0, y0 = (int(max(0.0, v - half)) for v in middle)
    x1, y1 = int(min(width, middle[0] + half + 1)), int(min(height, middle[1] + half + 1))
    crop = image[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)]
    ok, coded = cv2.imencode(".jpg", crop[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _JPEG])
    return bytes(coded.tobytes()) if ok else b""
