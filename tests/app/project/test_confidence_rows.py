"""What is stored of the errors of a body comes back close enough, and damage is named."""

from __future__ import annotations

import numpy as np
import pytest

from app.errors import ProjectError
from app.project.arrays import pack, unpack
from app.project.confidence_rows import pack_single, read_confidence, read_single, site_blobs
from backends.confidence.types import BodyConfidence, SiteErrors


def errors() -> SiteErrors:
    rng = np.random.default_rng(3)
    mm = rng.uniform(8, 240, 27).astype(np.float32)
    moved = rng.normal(size=(27, 90)) + rng.normal(size=90)
    length = np.linalg.norm(moved, axis=1)
    alike = (moved @ moved.T) / (length[:, None] * length)
    spread = (alike * np.outer(1.1 * mm, 1.1 * mm)).astype(np.float32)
    centre, scale = rng.normal(4, 1, 27).astype(np.float32), rng.uniform(0.2, 1, 27).astype(np.float32)
    return SiteErrors(mm, 2 * mm, (np.arange(27) % 12).astype(np.uint8), spread, centre, scale)


def row_of(confidence: BodyConfidence) -> dict[str, object]:
    return {
        "joint_mm": pack(confidence.joint_mm, np.float16), "mean_mm": confidence.mean_mm,
        "keypoint_mm": pack(confidence.keypoint_mm, np.float16), **site_blobs(confidence),
    }  # fmt: skip


def test_errors_of_sites_come_back_to_a_hundredth() -> None:
    e = errors()
    stored = BodyConfidence(np.full(23, 20, np.float32), np.full(55, 30, np.float32), 25.0, e)
    found = read_confidence(row_of(stored))
    assert found is not None
    assert found.sites is not None
    for name in ("mm", "bound_mm", "centre", "scale"):
        np.testing.assert_allclose(getattr(found.sites, name), getattr(e, name), rtol=2e-3, atol=2e-3)
    np.testing.assert_array_equal(found.sites.row, e.row)
    size = np.sqrt(np.diag(e.spread))
    np.testing.assert_allclose(
        found.sites.spread / np.outer(size, size), e.spread / np.outer(size, size), atol=0.01
    )
    assert sum(len(b) for b in site_blobs(stored).values() if b is not None) < 700


def test_a_body_without_them_stays_without() -> None:
    bare = BodyConfidence(np.full(23, 20, np.float32), np.full(55, 30, np.float32), 25.0)
    found = read_confidence(row_of(bare))
    assert found is not None
    assert found.sites is None


@pytest.mark.parametrize("what", ["shape", "nan"])
def test_damage_is_named(what: str) -> None:
    row = row_of(BodyConfidence(np.full(23, 20, np.float32), np.full(55, 30, np.float32), 25.0, errors()))
    sites = np.asarray(unpack(row["sites"])).copy()  # type: ignore[arg-type]
    sites[0, 0] = np.nan
    row["sites"] = pack(sites if what == "nan" else sites[:2])
    with pytest.raises(ProjectError, match=r"damaged|array of shape"):
        read_confidence(row)


def test_a_single_frames_sites_come_back_to_a_tenth_of_a_millimetre() -> None:
    single = np.random.default_rng(0).normal(0, 0.5, (27, 3)).astype(np.float32)
    found = read_single(pack_single(single))
    assert found is not None
    np.testing.assert_allclose(found, single, atol=6e-5)
    assert read_single(pack_single(None)) is None
