"""What each number means and who defined it, for the foot of the report."""

from __future__ import annotations

from typing import Final

DEFINITIONS: Final[dict[str, tuple[str, str]]] = {
    "mpjpe": (
        "MPJPE: mean distance of joints after the root was laid on the true one",
        "Ionescu et al., Human3.6M, PAMI 2014",
    ),
    "pa_mpjpe": (
        "PA-MPJPE: the same after the best rotation, translation and scale, without reflection",
        "Bogo et al., SMPLify, ECCV 2016; Umeyama, PAMI 1991",
    ),
    "n_mpjpe": ("N-MPJPE: the same after the best scale only", "Rhodin et al., ECCV 2018"),
    "pck3d": (
        "PCK3D: share of joints within 150 mm, root-relative; area: its mean over 0, 5 ... 150 mm",
        "Mehta et al., 3DV 2017",
    ),
    "pve": ("PVE: mean distance of vertices of the same mesh", "Pavlakos et al., CVPR 2018"),
    "ap": (
        "AP, AR: COCO's average precision and recall of keypoints by object keypoint similarity (OKS); an "
        "outline's area where the truth has one, else 0.53 of the box",
        "Lin et al., COCO, ECCV 2014",
    ),
    "pck_0.05": (
        "PCK: share of labelled keypoints within a share of the box' longer side",
        "Yang and Ramanan, PAMI 2013"
    ),
    "acceleration_error": (
        "Acceleration error: distance of the second differences of joints", "Kanazawa et al., CVPR 2019"
    ),
    "jitter": ("Jitter: mean third derivative of joints", "Yi et al., TransPose, SIGGRAPH 2021"),
    "foot_sliding": (
        "Foot sliding: how far the feet move while the true ones stand (under 1 cm in 1/30 s)",
        "Shin et al., WHAM, CVPR 2024",
    ),
    "hota": (
        "HOTA: the geometric mean of detection and association accuracy over 19 similarities",
        "Luiten et al., IJCV 2021",
    ),
    "idf1": ("IDF1: F-measure of the best one-to-one choice of identities", "Ristani et al., ECCV 2016"),
    "switches": (
        "Identity switches, MOTA: CLEAR MOT at a similarity of 0.5", "Bernardin and Stiefelhagen, 2008"
    ),
    "mask_iou": (
        "Mask IoU and outline F: DAVIS' region and contour measures", "Perazzi et al., CVPR 2016"
    ),
    "leak_events": (
        "Leak event: a maximal run of frames in which a seen head is less than 90 % covered", ""
    ),
    "auroc": (
        "AUROC: chance that a wrong joint has a larger expected error than a right one",
        "Hanley and McNeil, 1982",
    ),
    "ause": (
        "AUSE: area between the sparsification curves of the confidence and of the true errors, over the "
        "mean error",
        "Ilg et al., ECCV 2018",
    ),
    "aurc": ("Risk and coverage: mean error of the surest share of joints", "El-Yaniv and Wiener, JMLR 2010"),
    "ece": (
        "ECE: expected calibration error of the chance to be within the tolerance, 15 bins",
        "Naeini et al., AAAI 2015; Guo et al., ICML 2017",
    ),
}  # fmt: skip
"""By the key of a row."""
