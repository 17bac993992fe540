"""The networks that a run works with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from app.models.store import ModelStore
from app.pipeline.detail_stage import DetailStage
from app.pipeline.faces import WatchedPeople
from backends.detection.faces import FullRangeFace
from backends.tracking.stream import PeopleStream, TrackDecisions, TrackedPose

DETECTOR = "blazepose-detector"
LANDMARKS = "blazepose-landmarks"
HANDS, FACE = "hand-landmarks", "face-landmarks"
FACES = "face-detector-full-range"


class Perception(Protocol):
    """People in pictures, with an identity over time: what the run needs of an estimator."""

    def step(self, index: int, image_rgb: Any) -> list[TrackedPose]:
        """Everybody in the next picture."""

    def finish(self) -> TrackDecisions:
        """Which tracks were no people, and which belong together."""

    def state(self) -> dict[str, Any]:
        """Plain values and arrays to go on from."""

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""


class DetailFinder(Protocol):
    """Hands and faces of people who were found."""

    def look(self, image: Any, people: Sequence[TrackedPose]) -> list[TrackedPose]:
        """The same people with what can be seen of their hands and faces."""


@dataclass(frozen=True, slots=True)
class Engine:
    """The networks that a run works with; the body is the project's (:mod:`app.pipeline.bodies`).

    ``hashes`` names the weights for the record; ``details`` makes what looks for hands and faces.
    """

    perception: Callable[[], Perception]
    hashes: Mapping[str, str]
    details: Callable[[], DetailFinder] | None = None


def default_engine(store: ModelStore | None = None) -> Engine:
    """BlazePose and what looks for hands and faces.

    Raises:
        ModelError: when the networks are not installed; the message says what to type.
    """
    models = store or ModelStore()
    detector, landmarks = models.path(DETECTOR), models.path(LANDMARKS)
    return Engine(
        perception=lambda: _watched(PeopleStream(detector, landmarks), models),
        hashes={name: models.sha256(name) for name in (DETECTOR, LANDMARKS)},
        details=lambda: DetailStage(models.path(HANDS), models.path(FACE)),
    )


def _watched(people: PeopleStream, models: ModelStore) -> Perception:
    """People, and faces that nobody owns where the network for them is installed."""
    if not models.has(FACES):
        return people
    return WatchedPeople(people, FullRangeFace(models.path(FACES)))


def require_networks(store: ModelStore | None = None, *, hands_face: bool = False) -> None:
    """Check that the default networks are there, and those of hands and face, without loading them.

    Raises:
        ModelError: when they are not installed; the message says what to type.
    """
    models = store or ModelStore()
    for name in (DETECTOR, LANDMARKS, *((HANDS, FACE) if hands_face else ())):
        models.path(name)
