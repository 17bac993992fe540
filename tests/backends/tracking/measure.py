"""Runs the whole stage over a clip and prints what it did. By hand: python measure.py CLIP [--width W].

Prints speed, every track, and for ``pedestrians.avi`` how many of the people in
``pedestrians_truth.json`` were found; with ``--draw FOLDER`` also sheets of each person over time.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np
from scipy.optimize import linear_sum_assignment

from app.footage import open_footage
from app.models.store import ModelStore
from backends.keypoints.plausible import bone_error
from backends.keypoints.types import PoseEstimate
from backends.tracking.stream import PeopleStream, TrackDecisions, TrackedPose

TRUTH = Path(__file__).with_name("pedestrians_truth.json")


def box_overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two boxes x0 y0 x1 y1."""
    sides = np.maximum(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0)
    both = float(np.prod(sides))
    return both / (float(np.prod(a[2:] - a[:2])) + float(np.prod(b[2:] - b[:2])) - both)


def recall(boxes: list[list[float]], people: list[PoseEstimate], least: float = 0.4) -> int:
    """How many of the true boxes have a person of their own."""
    if not people:
        return 0
    ious = np.array([[box_overlap(np.array(b), p.box) for p in people] for b in boxes])
    return sum(bool(ious[i, j] > least) for i, j in zip(*linear_sum_assignment(-ious)))


def final_id(track: int, decisions: TrackDecisions) -> int:
    """The identity after joining."""
    while track in decisions.merged:
        track = decisions.merged[track]
    return track


def sheet(frames: list[np.ndarray], seen: list[tuple[int, PoseEstimate]]) -> np.ndarray:
    """Sixteen moments of one person in a row, with the keypoints (red: not visible)."""
    row = []
    for k in np.linspace(0, len(seen) - 1, 16).astype(int):
        index, person = seen[k]
        image = frames[index].copy()
        x0, y0, x1, y1 = person.box
        scale = 86 / max(y1 - y0, x1 - x0, 8)
        for (x, y), v in zip(person.keypoints.xy, person.keypoints.visibility):
            colour = {1: (255, 0, 0), 2: (0, 255, 0)}.get(int(v))
            if colour:
                cv2.circle(image, (int(x), int(y)), max(1, int(1 / scale)), colour, -1)
        shift = np.array([[scale, 0, 40 - scale * (x0 + x1) / 2], [0, scale, 55 - scale * (y0 + y1) / 2]])
        crop = cv2.warpAffine(image, shift, (80, 110), flags=cv2.INTER_AREA)
        cv2.putText(crop, str(index), (1, 10), cv2.FONT_HERSHEY_SIMPLEX, 0.35, (255, 255, 0), 1)
        row.append(crop)
    return np.hstack(row)


def main() -> None:
    """See the module's text."""
    parser = argparse.ArgumentParser()
    parser.add_argument("clip", type=Path)
    parser.add_argument("--width", type=int)
    parser.add_argument("--draw", type=Path)
    arguments = parser.parse_args()
    store, footage = ModelStore(), open_footage(arguments.clip)
    stream = PeopleStream(store.path("blazepose-detector"), store.path("blazepose-landmarks"))
    found: list[list[TrackedPose]] = []
    frames, spent, cpu = [], [], time.process_time()
    decoding = 0.0
    for index, frame in footage.iter_frames():
        before = time.process_time()
        image = frame
        if arguments.width:
            size = (arguments.width, round(footage.height * arguments.width / footage.width))
            image = np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8)
        decoding += time.process_time() - before
        begin = time.perf_counter()
        found.append(stream.step(index, image))
        spent.append(time.perf_counter() - begin)
        if arguments.draw:
            frames.append(image)
    decisions = stream.finish()
    cpu = (time.process_time() - cpu - decoding) / len(spent)
    print(f"{len(spent) / sum(spent):.1f} frames/s, median {np.median(spent) * 1e3:.1f} ms, 95 % below "
          f"{np.percentile(spent, 95) * 1e3:.1f} ms, processor time with decoding {cpu * 1e3:.1f} ms/frame, "
          f"{np.mean([len(f) for f in found]):.2f} people/frame")  # fmt: skip
    tracks: dict[int, list[tuple[int, PoseEstimate]]] = defaultdict(list)
    for index, people in enumerate(found):
        for person in people:
            tracks[person.track_id].append((index, person.estimate))
    whole: dict[int, list[tuple[int, PoseEstimate]]] = defaultdict(list)
    for track, seen in sorted(tracks.items()):
        state = "discarded" if track in decisions.discarded else f"person {final_id(track, decisions)}"
        presence = np.mean([e.score for _, e in seen])
        bones = np.mean([bone_error(e.world, e.keypoints.score) for _, e in seen])
        print(f"track {track:3d}: frames {seen[0][0]}-{seen[-1][0]} ({len(seen)}), presence {presence:.2f}, "
              f"bones {bones:.2f}, {state}")  # fmt: skip
        if track not in decisions.discarded:
            whole[final_id(track, decisions)] += seen
    if arguments.clip.name == "pedestrians.avi":
        truth = json.loads(TRUTH.read_text())["people"]
        hits = {
            k: recall(boxes, [p.estimate for p in found[int(k)] if p.track_id not in decisions.discarded])
            for k, boxes in truth.items()
        }
        total = sum(len(b) for b in truth.values())
        print(f"found {sum(hits.values())} of {total}:", {k: f"{hits[k]}/{len(truth[k])}" for k in truth})
    if arguments.draw and whole:
        arguments.draw.mkdir(parents=True, exist_ok=True)
        rows = [sheet(frames, sorted(s, key=lambda v: v[0])) for _, s in sorted(whole.items())]
        for k in range(0, len(rows), 10):
            path = arguments.draw / f"{arguments.clip.stem}_{k // 10}.png"
            cv2.imwrite(str(path), np.vstack(rows[k : k + 10])[:, :, ::-1])


if __name__ == "__main__":
    main()
