"""A small clip with people whose every pixel is known, and its project as a run would have left it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from app.footage import Footage
from app.footage.writer import VideoWriter
from app.project.records import FittedBody, PersonRecord
from app.project.store import ProjectStore
from app.review.opening import create_project
from backends.body import BodyParams, load_body, posed_keypoints, posed_vertices
from backends.camera import assumed_camera
from backends.confidence.types import BodyConfidence
from backends.keypoints.types import Keypoints, PoseEstimate
from backends.masks import encode_mask
from backends.render import Mesh, rasterize

WIDTH, HEIGHT, N = 192, 144, 24
SKIN = (255, 0, 255)
BODY = load_body()
CAMERA = assumed_camera(WIDTH, HEIGHT)
TIME_BASE = Fraction(1, 1000)


def stamps(n: int = N) -> np.ndarray:
    """Time stamps of a variable rate: 40 and 60 ms in turn."""
    return np.cumsum([0] + [40 if i % 2 else 60 for i in range(n - 1)]).astype(np.int64) + 5000


def room() -> np.ndarray:
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    image = np.stack([60 + x // 4, 90 + y // 4, 80 + (x + y) // 8], axis=-1).astype(np.uint8)
    for k in range(6):
        cv2.rectangle(image, (12 + 30 * k, 20), (26 + 30 * k, 60), (120, 150, 90 + 15 * k), -1)
    return image


def body_at(person: int, frame: int) -> BodyParams:
    """Person 1 walks across, about 0.1 m a frame; person 2 stands and turns."""
    params = BodyParams.rest(BODY.n_betas)
    params.pose[0] = (np.pi, 0.0, 0.0)
    if person == 1:
        params.transl[:] = (-1.2 + 0.1 * frame, 0.35, 4.0)
        params.pose[16, 2] = -1.1
        params.pose[17, 2] = 1.1
    else:
        params.transl[:] = (0.7, 0.35, 3.6)
        params.pose[16, 2] = -1.2 + 0.02 * frame
        params.pose[17, 2] = 1.0
    return params


def drawn(people: list[BodyParams]) -> np.ndarray:
    """Where bodies are drawn."""
    meshes = [Mesh(posed_vertices(BODY, p), BODY.faces, (0, 0, 0)) for p in people]
    return rasterize(meshes, CAMERA).coverage > 0


def silhouette(params: BodyParams) -> np.ndarray:
    """Where the "real" person is: the body a little wider, as clothes are."""
    return cv2.dilate(drawn([params]).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0


def picture(frame: int, people: tuple[int, ...] = (1, 2)) -> np.ndarray:
    image = room()
    for person in people:
        image[silhouette(body_at(person, frame))] = SKIN
    return image


def skin(image: np.ndarray) -> np.ndarray:
    """Pixels in which the people's colour shows, after compression too."""
    rgb = image.astype(int)
    return (rgb[..., 0] - rgb[..., 1] > 60) & (rgb[..., 2] - rgb[..., 1] > 60)


def record(person: int, frame: int) -> PersonRecord:
    """What a good run would have found."""
    params = body_at(person, frame)
    real = silhouette(params)
    rows, columns = np.flatnonzero(real.any(axis=1)), np.flatnonzero(real.any(axis=0))
    y0, y1, x0, x1 = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    xy = CAMERA.project(posed_keypoints(BODY, params)).astype(np.float32)
    keypoints = Keypoints(xy, np.full(23, 0.9, np.float32), np.full(23, 2, np.uint8), np.zeros(23, np.uint8))
    estimate = PoseEstimate(
        keypoints, np.array([x0, y0, x1, y1], np.float32), 0.95,
        mask=encode_mask(real[y0:y1, x0:x1], x0, y0),
    )  # fmt: skip
    error = np.linspace(10, 120, 55).astype(np.float32)
    confidence = BodyConfidence(np.linspace(5, 150, 23).astype(np.float32), error, 42.0)
    return PersonRecord(frame, person, estimate, FittedBody(params, xy, 1.5), confidence)


@dataclass
class Theatre:
    """A project with its footage; ``seen`` says who was found in which frame."""

    store: ProjectStore
    footage: Footage

    def run(self, seen: dict[int, range | list[int]], last: int = N - 1) -> None:
        """Store what a run would have found in frames 0 .. ``last``."""
        people = [record(p, f) for p, frames in seen.items() for f in frames if f <= last]
        self.store.store_chunk(0, last, people, {})


def make_theatre(
    folder: Path, *, people: tuple[int, ...] = (1, 2), n: int = N, sound: bool = False
) -> Theatre:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "clip.mp4"
    writer = VideoWriter(path, WIDTH, HEIGHT, stamps(n), TIME_BASE, crf=8)
    for i in range(n):
        writer.write(picture(i, people))
    writer.close()
    if sound:
        add_sound(path)
    store, footage = create_project(path)
    return Theatre(store, footage)


def add_sound(path: Path) -> None:
    """A tone beside the picture, and a title that nobody should see."""
    silent = path.with_name("silent.mp4")
    path.rename(silent)
    with av.open(str(silent)) as inp, av.open(str(path), "w") as out:
        out.metadata["title"] = "Mr Smith, left knee"
        video = inp.streams.video[0]
        copy = out.add_stream_from_template(video)
        tone = out.add_stream("aac", rate=16000)
        tone.layout = "mono"
        for packet in inp.demux(video):
            if packet.dts is not None:
                packet.stream = copy
                out.mux(packet)
        for k in range(16):
            wave = np.sin(np.arange(1024) * 0.2 + 1024 * k).astype(np.float32)[None] * 0.3
            frame = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
            frame.rate, frame.pts, frame.time_base = 16000, 1024 * k, Fraction(1, 16000)
            out.mux(tone.encode(frame))
        out.mux(tone.encode(None))
    silent.unlink()
