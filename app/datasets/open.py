"""Opening whatever data set a person points at."""

from __future__ import annotations

from pathlib import Path

from app.datasets.errors import DataSetError
from app.datasets.read import (
    amass,
    coco,
    disguisor,
    easymocap,
    human36m,
    mpi_inf_3dhp,
    own,
    panoptic,
    pose2sim,
    threedoh,
    threedpw,
)
from app.datasets.types import TruthSet


def open_truth(path: Path) -> TruthSet:
    """Open a data set with truth, recognised by its files; frames are read when asked for.

    Args:
        path: a folder of the program's own layout, of DisguisOR's or EasyMocap's; a folder of 3DPW (or
            one sequence, pkl), 3DOH50K (or ``annots.json``), Human3.6M (or one ``_data.json``),
            MPI-INF-3DHP (or one ``annot.mat``), CMU Panoptic, COCO (or one json), Pose2Sim (or one trc),
            or of npz in AMASS's layout (or one of them).

    Raises:
        DataSetError: missing, damaged, or of no layout that is known.
    """
    try:
        truth = _open(path)
    except OSError as error:
        raise DataSetError(f"{path.name} cannot be read: {error.strerror or error}.") from error
    if truth is None:
        raise DataSetError(
            f"{path.name} is no data set that this program knows. It reads its own layout, DisguisOR, "
            "EasyMocap, 3DPW, 3DOH50K, Human3.6M (json), MPI-INF-3DHP, CMU Panoptic, COCO, Pose2Sim and "
            "AMASS: choose the data set's top folder, or one of its files of annotations."
        )
    return truth


def _open(path: Path) -> TruthSet | None:
    if not path.exists():
        raise DataSetError(f"There is no {path.name} in {path.parent}. Check the path.")
    if own.recognise(path):
        return own.open_own(path if path.is_dir() else path.parent)
    if disguisor.recognise(path):
        return disguisor.open_disguisor(path)
    if easymocap.recognise(path):
        return easymocap.open_easymocap(path)
    if panoptic.recognise(path):
        return panoptic.open_panoptic(path)
    if sequences := threedpw.find(path):
        return threedpw.open_3dpw(path, sequences)
    if annots := threedoh.find(path):
        return threedoh.open_3doh(annots)
    if subjects := human36m.find(path):
        return human36m.open_human36m(path, subjects)
    if recordings := mpi_inf_3dhp.find(path):
        return mpi_inf_3dhp.open_mpi_inf_3dhp(path, recordings)
    if markers := pose2sim.find(path):
        return pose2sim.open_pose2sim(*markers)
    if captured := amass.find(path):
        return amass.open_amass(path, captured)
    if annotations := coco.find(path):
        return coco.open_coco(annotations)
    return None
