"""Segmentations that were added or are installed: their masks add to what is covered."""

from __future__ import annotations

from importlib.metadata import entry_points

from app.deidentify.segmentations import open_segmentation, segmentations
from app.errors import ModelError
from backends.deidentify.sources import GROUP, PersonMasks


def installed_sources() -> list[PersonMasks]:
    """All of them.

    Raises:
        ModelError: one was added or is installed and cannot be used: to leave it out would cover less than
            was meant.
    """
    found = [open_segmentation(chosen) for chosen in segmentations()]
    for entry in entry_points(group=GROUP):
        try:
            source = entry.load()()
        except Exception as error:
            raise ModelError(
                f"The segmentation “{entry.name}” is installed but does not start ({type(error).__name__}). "
                "Mend it or uninstall it."
            ) from error
        if not isinstance(source, PersonMasks):
            raise ModelError(f"The segmentation “{entry.name}” is none: it gives no masks. Uninstall it.")
        found.append(source)
    return found
