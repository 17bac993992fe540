"""Networks that tell people apart by face or figure: the program's own, and others by entry point."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Final

from app.errors import ModelError
from app.models.store import ModelStore
from backends.errors import WeightsError
from backends.identity import Embedder

GROUP = "understudy.embedders"
"""An entry point of this group is a function without arguments that gives an ``Embedder``."""


def _face(weights: Path) -> Embedder:
    from backends.identity.dlib_face import DlibFaceEmbedder

    return DlibFaceEmbedder(weights)


def _appearance(weights: Path) -> Embedder:
    from backends.identity.appearance import AppearanceEmbedder

    return AppearanceEmbedder(weights)


OWN: Final[Mapping[str, Callable[[Path], Embedder]]] = {
    "face-identity": _face, "person-appearance": _appearance,
}  # fmt: skip
"""By id of the catalogue; none is fetched without being asked for."""


def open_embedders(store: ModelStore | None = None) -> list[Embedder]:
    """All that are installed, ready to be asked.

    Raises:
        ModelError: none is installed, or one is damaged or does not start.
    """
    models = store or ModelStore()
    found: list[Embedder] = []
    try:
        for model_id, opened in OWN.items():
            if models.has(model_id):
                models.verify(model_id)
                found.append(opened(models.path(model_id)))
        found += [point.load()() for point in entry_points(group=GROUP)]
    except (WeightsError, ImportError) as error:
        raise ModelError(str(error)) from error
    if not found:
        raise ModelError(
            "No network that tells people apart is installed, so it cannot be measured what is left of "
            f"identity. Type: understudy models install {' '.join(OWN)}"
        )
    return found
