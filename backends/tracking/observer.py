"""The networks at work: several people and tiles at once, one network and one core each."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

import numpy as np
import numpy.typing as npt

from backends.detection.blazepose import PersonDetector
from backends.detection.tiles import Tile
from backends.detection.types import Region
from backends.keypoints.blazepose import LandmarkNetwork, to_estimate
from backends.keypoints.plausible import bone_error
from backends.keypoints.types import PoseEstimate
from backends.tracking.appearance import look_of

U1 = npt.NDArray[np.uint8]
F8 = npt.NDArray[np.float64]

_MIN_RADIUS = 6.0
"""Pixels; whatever is smaller cannot be told from noise."""

_WORTH_A_SECOND = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """Somebody seen in one picture.

    Attributes:
        region: where they are, the start for the next picture.
        estimate: keypoints, world landmarks, mask.
        look: (6, 3) colours, see :func:`backends.tracking.appearance.look_of`.
        bones: see :func:`backends.keypoints.plausible.bone_error`.
    """

    region: Region
    estimate: PoseEstimate
    look: F8
    bones: float

    @property
    def score(self) -> float:
        """Presence, in [0, 1]."""
        return self.estimate.score


class Observer:
    """Runs landmarks on regions and the detector on tiles.

    One network over two cores waits for both at each of its layers; two networks with a core each do
    not, and keep their pace when something else runs beside them. What does not fill a round of the
    cores, and would leave the others idle, goes to a network over all of them. The answers are the same.

    Raises:
        WeightsError: from the constructor, when a network is missing or damaged.
    """

    def __init__(self, detector_path: Path, landmark_path: Path, *, workers: int) -> None:
        self._workers = workers
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="people")
        self._detectors: SimpleQueue[PersonDetector] = SimpleQueue()
        self._networks: SimpleQueue[LandmarkNetwork] = SimpleQueue()
        self._wide_detector = PersonDetector(detector_path, threads=workers)
        self._wide_network = LandmarkNetwork(landmark_path, threads=workers)
        for _ in range(workers):
            self._detectors.put(PersonDetector(detector_path, threads=1))
            self._networks.put(LandmarkNetwork(landmark_path, threads=1))

    def observe(
        self,
        image: U1,
        regions: Sequence[Region],
        tiles: Sequence[Tile] = (),
        *,
        threshold: float = 0.5,
        twice: bool = False,
    ) -> tuple[list[Observation | None], list[list[Region]]]:
        """Who is in each region (None where nobody is), and what the detector finds in each tile."""
        single = (len(regions) + len(tiles)) % self._workers == 1
        alone = regions[-1] if single and not tiles else None
        last_tile = tiles[-1] if single and tiles else None
        people = [
            self._pool.submit(self._look_narrow, image, region, twice)
            for region in (regions[:-1] if alone is not None else regions)
        ]
        places = [
            self._pool.submit(self._detect, image, tile, threshold)
            for tile in (tiles[:-1] if last_tile is not None else tiles)
        ]
        seen, found = [p.result() for p in people], [p.result() for p in places]
        if alone is not None:
            seen.append(self._look(self._wide_network, image, alone, twice))
        if last_tile is not None:
            found.append(self._wide_detector.detect(image, last_tile, threshold))
        return seen, found

    def _look_narrow(self, image: U1, region: Region, twice: bool) -> Observation | None:
        network = self._networks.get()
        try:
            return self._look(network, image, region, twice)
        finally:
            self._networks.put(network)

    @staticmethod
    def _look(network: LandmarkNetwork, image: U1, region: Region, twice: bool) -> Observation | None:
        landmarks = network.run(image, region)
        if twice and landmarks is not None and landmarks.score > _WORTH_A_SECOND:
            # From the region that the first pass gives the second sees more sharply.
            landmarks = network.run(image, landmarks.region())
        if landmarks is None:
            return None
        new = landmarks.region()
        if not (np.isfinite(new.centre).all() and np.isfinite(new.up).all()) or new.radius < _MIN_RADIUS:
            return None
        height, width = image.shape[:2]
        estimate = to_estimate(landmarks, width, height)
        seen = estimate.keypoints
        return Observation(new, estimate, look_of(image, seen.xy), bone_error(estimate.world, seen.score))

    def _detect(self, image: U1, tile: Tile, threshold: float) -> list[Region]:
        detector = self._detectors.get()
        try:
            return detector.detect(image, tile, threshold)
        finally:
            self._detectors.put(detector)
