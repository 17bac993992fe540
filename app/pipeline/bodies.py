"""Which body a project's people have: chosen by the run, kept with the project, the same for all of it."""

from __future__ import annotations

from app.errors import ProjectError
from app.models.bodies import FREE_REF, BodyRef, find_body, noted_body
from app.project.notes import body_note, set_body_note
from app.project.store import ProjectStore
from backends.body import BodyModel

CALIBRATED_WITH = FREE_REF.name
"""The body whose fits the model of expected errors learned from."""


def project_ref(store: ProjectStore) -> BodyRef:
    """The body of a project, as it remembers it."""
    return BodyRef.of(body_note(store))


def project_body(store: ProjectStore) -> BodyModel:
    """The body that a project's parameters speak of.

    Raises:
        ModelError: its file is gone, or another one now.
    """
    return noted_body(project_ref(store))


def chosen_body(store: ProjectStore, wanted: str | None) -> tuple[BodyModel, BodyRef]:
    """The body that a run is to fit; nothing is changed.

    Args:
        wanted: "free", "smplx", "smplh", "smpl" or a path; None: as the project has it.

    Raises:
        ModelError: it has not been added, or its file is no body.
    """
    if wanted is None:
        noted = project_ref(store)
        return noted_body(noted), noted
    return find_body(wanted)


def keep_body(store: ProjectStore, ref: BodyRef) -> None:
    """From now on the project's people have this body.

    Raises:
        ProjectError: the project holds bodies of another kind.
    """
    noted = project_ref(store)
    if (ref.id, ref.sha256) == (noted.id, noted.sha256):
        return
    if store.processed():
        raise ProjectError(
            f"The bodies of this project are of the kind {noted.name}. To fit {ref.name} instead, run again "
            "from the start (--restart)."
        )
    set_body_note(store, ref.plain())


def confidence_words(ref: BodyRef, views: int = 0) -> str:
    """What the expected errors of such bodies rest on; "" where they were measured with this very body.

    Args:
        views: from how many cameras together the bodies come; 0 where from one.
    """
    if views:
        return (
            f"These bodies come from {views} cameras together. Expected errors are what the cameras' own "
            "agreement tells; what was measured of single cameras does not hold for them."
        )
    if ref.free:
        return ""
    return (
        f"Expected errors were learned and measured with the {CALIBRATED_WITH.lower()}; of {ref.name} they "
        "are a guide, and their bounds are not proven."
    )
