"""Two estimators that disagree: how wrong is the mesh? *Confidence on Mesh* (arXiv 2305.17245) and beyond.

The networks that need torch are in :mod:`.model`, which is not imported here: a start must stay quick.
"""

from backends.confidence.agreement.colours import (
    agreement_rgb,
    jet_rgb,
    part_of_vertex,
    part_values,
    spread_rgb,
)
from backends.confidence.agreement.features import (
    CROP,
    GOOD_SE,
    Agreement,
    Skeleton,
    check_rows,
    compare,
    fit_for_training,
    is_good,
    mask_missing,
    mesh_error,
    nearest_person,
    project_spin,
    published_distances,
    skeleton_from_coco18,
    skeleton_from_keypoints,
    skeleton_from_points23,
    skeleton_from_spin,
    spin_translation,
    worst_joint,
)
from backends.confidence.agreement.joints import AGREEMENT_JOINTS, MIRROR, N_JOINTS, PARTS
from backends.confidence.agreement.published import (
    PUBLISHED_CONSTANTS,
    PublishedNetworks,
    Standardise,
    load_published,
    published_data,
    save_checkpoint,
    train_mc,
    train_wjc,
)

__all__ = [
    "AGREEMENT_JOINTS", "CROP", "GOOD_SE", "MIRROR", "N_JOINTS", "PARTS", "PUBLISHED_CONSTANTS", "Agreement",
    "PublishedNetworks", "Skeleton", "Standardise", "agreement_rgb", "check_rows", "compare",
    "fit_for_training", "is_good", "jet_rgb", "load_published", "mask_missing", "mesh_error",
    "nearest_person", "part_of_vertex", "part_values", "project_spin", "published_data",
    "published_distances",
    "save_checkpoint", "skeleton_from_coco18", "skeleton_from_keypoints", "skeleton_from_points23",
    "skeleton_from_spin", "spin_translation", "spread_rgb", "train_mc", "train_wjc", "worst_joint",
]  # fmt: skip
