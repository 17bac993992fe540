"""A scene: a room, people in it, cameras on it; drawn frame by frame with everything that is true."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from backends.camera import Camera
from backends.render import UNLIT, Mesh, Picture, rasterize
from backends.synthetic.backdrop import Backdrop, FixedBackdrop, MovingBackdrop, View
from backends.synthetic.cameras import HandHeld, Mount
from backends.synthetic.lighting import F4, RoomLight, in_camera
from backends.synthetic.people import Actor, Posed, lit_colors, overlapping, truth_of
from backends.synthetic.props import Occluder, drawn, held
from backends.synthetic.screens import Monitors
from backends.synthetic.sensor import Sensor, spread_flow
from backends.synthetic.sets.types import Room
from backends.synthetic.shapes import F8, Solid
from backends.synthetic.types import U1, CameraFrame, SceneFrame

_STEP_S = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class _Moment:
    """What all cameras see of one moment: people, what they hold, and the shadows they throw."""

    time: float
    people: tuple[Posed, ...]
    colors: tuple[U1, ...]
    props: tuple[tuple[F8, Solid], ...]
    shadows: list[F4]
    soles: F8
    textures: list[U1]
    later: tuple[F8, ...]


class Scene:
    """A room with people and cameras. The same seed gives the same truth and the same pictures.

    Attributes:
        preset: its name; fps: frames a second; n_frames: how many; width, height: of the pictures.
        camera_names: ``cam01``, ``cam02``, ...
    """

    def __init__(
        self, preset: str, room: Room, actors: Sequence[Actor], cameras: Sequence[Mount | HandHeld], *,
        seconds: float, fps: float, width: int, height: int, seed: int, occluder: Occluder | None = None,
        light_swing: float = 0.0,
    ) -> None:  # fmt: skip
        self.preset, self.fps, self.width, self.height, self.seed = preset, fps, width, height, seed
        self.n_frames = max(round(seconds * fps), 1)
        self.camera_names = tuple(f"cam{k + 1:02d}" for k in range(len(cameras)))
        self.actors = tuple(actors)
        self.moving = tuple(isinstance(c, HandHeld) for c in cameras)
        self._room, self._rigs, self._occluder = room, tuple(cameras), occluder
        self._sensors = [Sensor(width, height, seed * 64 + k, light_swing) for k in range(len(cameras))]
        self._monitors = Monitors(tuple(s.kind for s in room.screens), seed)
        self._light: RoomLight | None = None
        self._backdrops: list[Backdrop] = []

    def camera(self, number: int, time: float) -> Camera:
        """Camera ``number`` at ``time`` seconds."""
        return self._rigs[number].at(time, self._subject(time), self.width, self.height)

    def frames(self) -> Iterator[SceneFrame]:
        """Every frame, drawn when asked for."""
        self.prepare()
        for index in range(self.n_frames):
            moment = self._moment(index / self.fps)
            views = tuple(self._seen(k, index, moment) for k in range(len(self._rigs)))
            yield SceneFrame(index, moment.time, tuple(p.world for p in moment.people), views)

    def plates(self) -> tuple[U1, ...]:
        """The empty room as each camera sees it in the first frame, without noise and drift of the light."""
        return tuple(sensor.still(self._nobody(k, 0.0)) for k, sensor in enumerate(self._sensors))

    def empty(self, number: int, index: int) -> U1:
        """What camera ``number`` would see in frame ``index`` were nobody there, without noise or blur."""
        time = index / self.fps
        return self._sensors[number].lit(self._nobody(number, time), time)

    def _nobody(self, number: int, time: float) -> U1:
        self.prepare()
        light = self._light
        assert light is not None
        view = self._backdrops[number].seen_by(self.camera(number, time))
        return view.picture(light.shadows_of([]), np.zeros((0, 4)), self._monitors.at(time))

    def prepare(self, check: Callable[[], object] = lambda: None) -> None:
        """Light the room for every camera, some seconds each; the first frame does it where nobody else did.

        ``check`` is called in between and may raise to stop.
        """
        if self._light is not None:
            return
        light = RoomLight(self._room, self.seed)
        moving: MovingBackdrop | None = None
        for k, rig in enumerate(self._rigs):
            check()
            if isinstance(rig, HandHeld):
                moving = moving or MovingBackdrop(light)
                self._backdrops.append(moving)
            else:
                self._backdrops.append(FixedBackdrop(light, self.camera(k, 0.0)))
        self._light = light

    def _subject(self, time: float) -> F8 | None:
        """Where a hand-held camera looks: where the first person is, as somebody follows who reacts late."""
        if not any(self.moving) or not self.actors:
            return None
        times = time - np.linspace(0.0, 1.2, 7)
        places = np.array([self.actors[0].motion.at(t).transl for t in times])
        smooth: F8 = np.average(places, axis=0, weights=np.hanning(9)[1:-1])
        return smooth

    def _moment(self, time: float) -> _Moment:
        light = self._light
        assert light is not None
        people = tuple(a.posed(time) for a in self.actors)
        shadows = light.shadows_of([p.actor.caster(p.vertices) for p in people])
        colors = tuple(lit_colors(p, light.on_people(p.vertices, shadows)) for p in people)
        props: list[tuple[F8, Solid]] = []
        for p in people:
            props += held(p.actor.body, p.params, p.actor.motion.holds(time))
        if self._occluder is not None:
            card = self._occluder.world_mesh(time, self.camera(0, time))
            props.append((card.vertices, card))
        later = tuple(a.posed(time + _STEP_S).vertices for a in self.actors)
        soles = np.concatenate([p.soles for p in people]) if people else np.zeros((0, 4))
        return _Moment(time, people, colors, tuple(props), shadows, soles, self._monitors.at(time), later)

    def _seen(self, number: int, index: int, moment: _Moment) -> CameraFrame:
        camera = self.camera(number, moment.time)
        light = self._light
        assert light is not None
        view = self._backdrops[number].seen_by(camera)
        image = view.picture(moment.shadows, moment.soles, moment.textures)
        meshes = [
            Mesh(in_camera(camera, p.vertices), p.actor.dressed.body.faces, c)
            for p, c in zip(moment.people, moment.colors)
        ]
        props = [drawn(v, s, camera) for v, s in moment.props]
        depth, truths = view.depth, []
        instances, heads = np.zeros(depth.shape, np.uint8), np.zeros(depth.shape, np.uint8)
        flow: F4 | None = None
        if meshes or props:
            picture = rasterize([*meshes, *props], camera, light=light.for_people(camera))
            _lay(image, picture, view.depth)
            depth = np.minimum(picture.depth, view.depth)
            front = picture.depth <= view.depth
            flow = self._flow(number, camera, moment, meshes, picture, view)
            corners = [_corners(m, camera) for m in (*meshes, *props)]
            for k, posed in enumerate(moment.people):
                mine = (picture.mesh_id == k) & front
                alone = (
                    picture if not overlapping(k, corners) else rasterize([meshes[k]], camera, light=UNLIT)
                )
                silhouette = int((alone.crop_mesh_id == (k if alone is picture else 0)).sum())
                seen = min(float(mine.sum()) / max(silhouette, 1), 1.0)
                truths.append(truth_of(posed, camera, depth, mine, seen))
                instances[mine] = posed.actor.person_id
                cut = mine[picture.window]
                on_head = posed.actor.dressed.head[picture.crop_face_id[cut]]
                heads[picture.window][cut] = np.where(on_head, posed.actor.person_id, 0)
        sensor = self._sensors[number]
        return CameraFrame(
            name=self.camera_names[number], camera=camera,
            image=sensor.expose(image, flow, index, moment.time, self.fps),
            depth=depth, depth_mm=sensor.depth(depth, index), instances=instances, heads=heads,
            people=tuple(truths),
        )  # fmt: skip

    def _flow(
        self,
        number: int,
        camera: Camera,
        moment: _Moment,
        meshes: Sequence[Mesh],
        picture: Picture,
        view: View,
    ) -> F4:
        """(H, W, 2) pixels that each point moves in a frame's time."""
        after = self.camera(number, moment.time + _STEP_S) if self.moving[number] else camera
        scale = 1.0 / (_STEP_S * self.fps)
        flow = np.zeros((*view.depth.shape, 2), np.float32)
        if self.moving[number]:
            flow += _camera_flow(camera, after, view.depth) * np.float32(scale)
        rows, columns = picture.window
        # Every other pixel is enough: blur is soft.
        ids, faces = picture.crop_mesh_id[::2, ::2], picture.crop_face_id[::2, ::2]
        crop = np.ascontiguousarray(flow[rows, columns][::2, ::2])
        inside = np.zeros(ids.shape, np.bool_)
        for k, later in enumerate(moment.later):
            mine = ids == k
            if not mine.any():
                continue
            mesh = meshes[k]
            moved = after.project(later @ after.R.T + after.t) - camera.project(mesh.vertices)
            step = np.nan_to_num(moved).astype(np.float32) * np.float32(scale)
            crop[mine] = step[mesh.faces[faces[mine], 0]]
            inside |= mine
        if not self.moving[number]:
            crop = spread_flow(crop, inside)
        size = (columns.stop - columns.start, rows.stop - rows.start)
        flow[rows, columns] = cv2.resize(crop, size, interpolation=cv2.INTER_LINEAR)
        return flow


def _camera_flow(now: Camera, after: Camera, depth: F4) -> F4:
    """(H, W, 2) how pixels of a still room move between two cameras, from every eighth pixel."""
    step = 8
    rows, columns = np.mgrid[0 : now.height : step, 0 : now.width : step]
    z = np.where(np.isfinite(depth[::step, ::step]), depth[::step, ::step], 20.0)
    x = (columns - now.K[0, 2]) / now.fx * z
    y = (rows - now.K[1, 2]) / now.fy * z
    world = (np.stack([x, y, z], -1) - now.t) @ now.R
    moved = after.project(world @ after.R.T + after.t) - np.stack([columns, rows], -1)
    small = np.nan_to_num(moved).astype(np.float32)
    out: F4 = cv2.resize(small, (now.width, now.height), interpolation=cv2.INTER_LINEAR)
    return out


def _corners(mesh: Mesh, camera: Camera) -> tuple[F8, F8]:
    """The mesh's rectangle in the picture; an empty one for what lies behind the camera."""
    xy = camera.project(mesh.vertices)
    xy = xy[np.isfinite(xy).all(axis=1)]
    if not len(xy):
        return np.full(2, np.inf), np.full(2, -np.inf)
    return xy.min(axis=0), xy.max(axis=0)


def _lay(image: U1, picture: Picture, behind: F4) -> None:
    """Draw people over the room where nothing of the room is before them; edges mix by coverage."""
    window = picture.window
    # Where a pixel's centre misses the body but its edge does not, the nearest body depth decides.
    depth = np.where(np.isfinite(picture.crop_depth), picture.crop_depth, 0.0).astype(np.float32)
    depth = np.where(depth > 0, depth, cv2.dilate(depth, np.ones((3, 3), np.uint8)))
    before = (depth < behind[window]).astype(np.float32)
    soft = np.minimum(cv2.blur(before, (3, 3)) * 1.5, 1.0) * before
    alpha = (picture.crop_coverage * soft)[..., None]
    below = image[window]
    image[window] = (below + (picture.crop_rgb.astype(np.float32) - below) * alpha + 0.5).astype(np.uint8)
