"""Who is who, with drawn figures and a stand-in for the networks that sees exactly what is drawn.

A figure is a block of colour with a body in it. The stand-in finds a body where its hips show their own
colour, so a figure that is behind another or painted over is not seen: as with real pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.project.arrays import from_json, to_json
from backends.detection.tiles import Tile
from backends.detection.types import Region
from backends.errors import InputError
from backends.keypoints.layout import INDEX, N_KEYPOINTS
from backends.keypoints.types import Keypoints, PoseEstimate
from backends.masks import encode_mask
from backends.tracking import stream as stream_module
from backends.tracking.appearance import look_of
from backends.tracking.observer import Observation
from backends.tracking.stream import PeopleStream, TrackDecisions

WIDTH, HEIGHT, RADIUS = 640, 360, 60.0
RED, BLUE, GREEN = (200, 30, 30), (30, 40, 200), (20, 150, 60)

OFFSETS = np.zeros((N_KEYPOINTS, 2), np.float32)
for _name, _x, _y in (
    ("shoulder", 9, -28), ("elbow", 12, -12), ("wrist", 12, 2), ("hip", 6, 0), ("knee", 6, 24),
    ("ankle", 6, 46), ("eye", 2, -42), ("ear", 4, -41), ("big_toe", 8, 50), ("heel", 6, 49),
):  # fmt: skip
    OFFSETS[INDEX[f"left_{_name}"]], OFFSETS[INDEX[f"right_{_name}"]] = (_x, _y), (-_x, _y)
OFFSETS[INDEX["nose"]] = (0, -40)
OFFSETS[INDEX["left_small_toe"]] = OFFSETS[INDEX["right_small_toe"]] = (0, 50)


@dataclass(frozen=True)
class Figure:
    """Hips' place at a frame (None: not there) and colour; later figures of a list are in front."""

    at: Callable[[int], tuple[float, float] | None]
    colour: tuple[int, int, int]
    score: float = 0.99
    bones: float = 0.05


def draw(figures: Sequence[Figure], frame: int) -> np.ndarray:
    image = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
    for figure in figures:
        place = figure.at(frame)
        if place is not None:
            x, y = (round(v) for v in place)
            image[max(0, y - 50) : max(0, y + 52), max(0, x - 16) : max(0, x + 17)] = figure.colour
    image[0, 0] = (frame % 256, frame // 256, 0)  # tells the stand-in which frame it looks at
    return image


class StandIn:
    """Takes the place of the networks."""

    def __init__(self, figures: Sequence[Figure]) -> None:
        self.figures = figures
        self.tiles = 0

    def observe(
        self,
        image: np.ndarray,
        regions: Sequence[Region],
        tiles: Sequence[Tile] = (),
        *,
        threshold: float = 0.5,
        twice: bool = False,
    ) -> tuple[list[Observation | None], list[list[Region]]]:
        self.tiles += len(tiles)
        shown = self._shown(image)
        return [self._nearest(image, shown, r) for r in regions], [
            [
                Region(p, p - [0, RADIUS], 0.9) for p, f in shown
                if t.x0 <= p[0] < t.x0 + t.side and t.y0 <= p[1] < t.y0 + t.side
            ]
            for t in tiles
        ]  # fmt: skip

    def _shown(self, image: np.ndarray) -> list[tuple[np.ndarray, Figure]]:
        frame = int(image[0, 0, 0]) + 256 * int(image[0, 0, 1])
        result = []
        for figure in self.figures:
            place = figure.at(frame)
            if place is None or not (0 <= place[0] < WIDTH and 0 <= place[1] < HEIGHT):
                continue
            if tuple(image[round(place[1]), round(place[0])]) == figure.colour:
                result.append((np.array(place, float), figure))
        return result

    def _nearest(
        self, image: np.ndarray, shown: Sequence[tuple[np.ndarray, Figure]], region: Region
    ) -> Observation | None:
        near = sorted(shown, key=lambda s: np.hypot(*(s[0] - region.centre)))
        if not near or np.hypot(*(near[0][0] - region.centre)) > 0.8 * region.radius:
            return None
        place, figure = near[0]
        xy = (OFFSETS + place).astype(np.float32)
        box = np.clip([place[0] - 16, place[1] - 50, place[0] + 17, place[1] + 52],
                      0, [WIDTH - 1, HEIGHT - 1] * 2).astype(np.float32)  # fmt: skip
        x, y, w, h = int(box[0]), int(box[1]), int(box[2] - box[0]), int(box[3] - box[1])
        estimate = PoseEstimate(
            Keypoints(xy, np.full(N_KEYPOINTS, 0.9, np.float32), np.full(N_KEYPOINTS, 2, np.uint8),
                      np.zeros(N_KEYPOINTS, np.uint8)),
            box, figure.score, None, encode_mask(np.ones((h, w), bool), x, y),
        )  # fmt: skip
        return Observation(Region(place, place - [0, RADIUS]), estimate, look_of(image, xy), figure.bones)


@dataclass
class Run:
    """What a stream said about figures: ids per frame by figure (None: not found)."""

    ids: list[list[int | None]]
    doubles: int
    decisions: TrackDecisions
    stand_in: StandIn

    def final(self, figure: int) -> set[int]:
        """The identities that a figure ends up with after the decisions."""
        result = set()
        for row in self.ids:
            track = row[figure]
            if track is not None and track not in self.decisions.discarded:
                while track in self.decisions.merged:
                    track = self.decisions.merged[track]
                result.add(track)
        return result


@pytest.fixture
def follow(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Run]:
    def run(figures: Sequence[Figure], frames: int, restart_at: int | None = None) -> Run:
        stand_in = StandIn(figures)
        monkeypatch.setattr(stream_module, "Observer", lambda *a, **k: stand_in)
        people = PeopleStream(Path("a"), Path("b"))
        ids: list[list[int | None]] = []
        doubles = 0
        for frame in range(frames):
            if frame == restart_at:
                state = from_json(to_json(people.state()))
                people = PeopleStream(Path("a"), Path("b"))
                people.restore(state)
            row: list[int | None] = [None] * len(figures)
            for pose in people.step(frame, draw(figures, frame)):
                hips = pose.estimate.keypoints.xy[[11, 12]].mean(axis=0)
                places = [f.at(frame) or (1e9, 1e9) for f in figures]
                who = int(np.argmin([np.hypot(*(hips - p)) for p in places]))
                doubles += row[who] is not None
                row[who] = pose.track_id
            ids.append(row)
        return Run(ids, doubles, people.finish(), stand_in)

    return run


def walk(x: float, y: float, dx: float, first: int = 0, last: int = 10_000) -> Any:
    return lambda i: (x + dx * i, y) if first <= i <= last else None


@pytest.mark.parametrize(("back", "front"), [(RED, BLUE), (BLUE, RED), (RED, RED)])
def test_two_people_who_pass_each_other_keep_their_identities(
    follow: Callable[..., Run], back: tuple[int, int, int], front: tuple[int, int, int]
) -> None:
    run = follow([Figure(walk(100, 180, 5), back), Figure(walk(540, 190, -5), front)], 85)
    assert run.final(0) == {run.ids[0][0]}
    assert run.final(1) == {run.ids[0][1]}
    assert run.ids[0][0] != run.ids[0][1]
    assert run.doubles == 0


def test_two_people_who_walk_side_by_side_stay_two(follow: Callable[..., Run]) -> None:
    run = follow([Figure(walk(100, 180, 4), RED), Figure(walk(126, 184, 4), BLUE)], 80)
    assert run.final(0) == {run.ids[0][0]}
    assert run.final(1) == {run.ids[0][1]}
    assert all(None not in row for row in run.ids)


def test_somebody_hidden_for_a_while_gets_their_identity_back(follow: Callable[..., Run]) -> None:
    def behind_a_post(i: int) -> tuple[float, float] | None:
        return None if 30 <= i < 45 else (80 + 4 * i, 180)

    run = follow([Figure(behind_a_post, RED)], 90)
    assert run.final(0) == {1}
    assert sum(row[0] is not None for row in run.ids) >= 90 - 15 - 4


def test_a_long_absence_is_joined_at_the_end(follow: Callable[..., Run]) -> None:
    def away(i: int) -> tuple[float, float] | None:
        return None if 40 <= i < 85 else (200.0 + (i % 3), 180)

    run = follow([Figure(away, RED), Figure(walk(450, 180, 0), BLUE)], 130)
    assert run.final(0) == {run.ids[0][0]}


def test_another_person_in_the_same_place_is_not_taken_for_the_one_who_left(
    follow: Callable[..., Run],
) -> None:
    figures = [
        Figure(lambda i: (200.0 + i % 3, 180) if i < 30 else None, RED),
        Figure(lambda i: (200.0 + i % 3, 180) if i >= 45 else None, BLUE),
    ]
    run = follow(figures, 80)
    assert run.final(0).isdisjoint(run.final(1))
    assert len(run.final(1)) == 1


def test_a_change_of_light_does_not_break_a_track(follow: Callable[..., Run]) -> None:
    figures = [
        Figure(lambda i: (100.0 + 4 * i, 180) if i < 40 else None, (200, 60, 60)),
        Figure(lambda i: (100.0 + 4 * i, 180) if i >= 40 else None, (90, 10, 10)),
    ]
    run = follow(figures, 80)
    assert run.final(0) == run.final(1) == {1}


def test_somebody_who_enters_is_found_within_a_few_frames(follow: Callable[..., Run]) -> None:
    run = follow([Figure(walk(100, 180, 1), RED), Figure(walk(700, 180, -5), BLUE)], 60)
    enters = 14  # hips within the picture
    found = next(i for i, row in enumerate(run.ids) if row[1] is not None)
    assert found - enters <= 6


def test_a_still_scene_costs_fewer_looks_of_the_detector_than_a_busy_one(
    follow: Callable[..., Run],
) -> None:
    calm = follow([Figure(walk(100, 180, 0), RED)], 60)
    assert calm.stand_in.tiles < 60 + 20


def test_short_odd_and_weak_still_finds_are_discarded_and_people_are_not(
    follow: Callable[..., Run],
) -> None:
    figures = [
        Figure(walk(100, 180, 0), RED),
        Figure(walk(220, 180, 0), GREEN, score=0.85, bones=0.23),  # a heap of cloth
        Figure(walk(340, 180, 0), BLUE, score=0.7),  # a poster
        Figure(walk(460, 180, 0, 20, 23), BLUE),  # a flash
        Figure(walk(500, 180, 1), GREEN, score=0.7),  # hard to see, but it moves
    ]
    run = follow(figures, 60)
    assert [bool(run.final(i)) for i in range(5)] == [True, False, False, False, True]


@pytest.mark.parametrize("frames", [1, 3])
def test_people_in_very_short_footage_are_kept(follow: Callable[..., Run], frames: int) -> None:
    run = follow([Figure(walk(100, 180, 2), RED)], frames)
    assert run.final(0) == {1}


def test_somebody_who_comes_in_at_the_very_end_is_kept(follow: Callable[..., Run]) -> None:
    run = follow([Figure(walk(100, 180, 1), RED), Figure(walk(300, 180, 1, first=54), BLUE)], 60)
    assert run.final(1)


def test_a_restored_stream_goes_on_exactly(follow: Callable[..., Run]) -> None:
    figures = [Figure(walk(100, 180, 5), RED), Figure(walk(540, 190, -5), BLUE)]
    straight = follow(figures, 85)
    for at in (1, 37, 44, 50):
        again = follow(figures, 85, restart_at=at)
        assert again.ids == straight.ids
        assert again.decisions == straight.decisions


def test_pictures_of_another_size_begin_anew(follow: Callable[..., Run]) -> None:
    figures = [Figure(walk(100, 180, 0), RED)]
    follow(figures, 1)
    people = PeopleStream(Path("a"), Path("b"))
    image = draw(figures, 0)
    (first,) = people.step(0, image)
    (second,) = people.step(1, np.ascontiguousarray(image[:, :600]))
    assert second.track_id != first.track_id


@pytest.mark.parametrize("shape", [(40, 40), (40, 40, 4), (40, 40, 1)])
def test_what_is_no_colour_picture_is_refused(follow: Callable[..., Run], shape: tuple[int, ...]) -> None:
    follow([], 1)
    with pytest.raises(InputError, match=r"\(H, W, 3\)"):
        PeopleStream(Path("a"), Path("b")).step(0, np.zeros(shape, np.uint8))


def test_floating_point_pictures_are_refused(follow: Callable[..., Run]) -> None:
    follow([], 1)
    with pytest.raises(InputError):
        PeopleStream(Path("a"), Path("b")).step(0, np.zeros((40, 40, 3)))


def test_a_tiny_picture_holds_nobody(follow: Callable[..., Run]) -> None:
    follow([], 1)
    people = PeopleStream(Path("a"), Path("b"))
    assert people.step(0, np.zeros((8, 8, 3), np.uint8)) == []
    assert people.finish() == TrackDecisions(frozenset(), {})
