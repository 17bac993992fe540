"""The networks and the body that a run works with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from app.models.store import ModelStore
from backends.body import BodyModel, load_body
from backends.tracking.stream import PeopleStream, TrackDecisions, TrackedPose

DETECTOR = "blazepose-detector"
LANDMARKS = "blazepose-landmarks"


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


@dataclass(frozen=True, slots=True)
class Engine:
    """Everything that a run works with. ``hashes`` names the weights for the record."""

    body: BodyModel
    perception: Callable[[], Perception]
    hashes: Mapping[str, str]


def default_engine(store: ModelStore | None = None) -> Engine:
    """BlazePose and the free body.

    Raises:
        ModelError: when the networks are not installed; the message says what to type.
    """
    models = store or ModelStore()
    detector, landmarks = models.path(DETECTOR), models.path(LANDMARKS)
    return Engine(
        body=load_body(),
        perception=lambda: PeopleStream(detector, landmarks),
        hashes={name: models.sha256(name) for name in (DETECTOR, LANDMARKS)},
    )


def require_networks(store: ModelStore | None = None) -> None:
    """Check that the default networks are there, without loading them.

    Raises:
        ModelError: when they are not installed; the message says what to type.
    """
    models = store or ModelStore()
    for name in (DETECTOR, LANDMARKS):
        models.path(name)
