"""The options of DICOM's de-identification that an export may claim (PS3.15 annex E, CID 7050)."""

from __future__ import annotations

from dataclasses import dataclass

from app.deidentify.plan import DeidPlan


@dataclass(frozen=True, slots=True)
class DeidCode:
    """One entry of the De-identification Method Code Sequence (0012,0064), of the scheme DCM."""

    value: str
    meaning: str


CLEAN_PIXEL_DATA = DeidCode("113101", "Clean Pixel Data Option")
CLEAN_VISUAL_FEATURES = DeidCode("113102", "Clean Recognizable Visual Features Option")


def applicable_codes(plan: DeidPlan, *, verified: bool) -> tuple[DeidCode, ...]:
    """What may be claimed of a video that was made after ``plan``.

    113102 (nobody can be recognised by sight) holds where the finished video was searched and nothing is
    open, nobody is spared, and nobody is merely blurred. 113101 (words and numbers burnt into the pictures
    are gone) holds where a person drew regions over them and the video was searched: no program here
    reads what is burnt in, so without a region nothing is claimed.

    Args:
        verified: the finished video was searched and no event is open.
    """
    if not verified:
        return ()
    codes = []
    if any(not region.event_id and region.fill != "blur" for region in plan.regions):
        codes.append(CLEAN_PIXEL_DATA)
    methods = [plan.default, *(rule.method for rule in plan.rules if rule.method is not None)]
    if not plan.spared() and all(method.fill != "blur" for method in methods):
        codes.append(CLEAN_VISUAL_FEATURES)
    return tuple(codes)


def method_text(plan: DeidPlan, *, verified: bool) -> str:
    """One line for De-identification Method (0012,0063); at most 64 characters, as DICOM's LO allows."""
    cover = {"whole": "whole person", "head": "head", "face": "face"}[plan.settings.cover]
    fill = {"mesh": "body mesh", "solid": "colour", "pixels": "pixels", "remove": "background"}
    by = f"Understudy: {cover} replaced by {fill.get(plan.settings.fill, 'blur')}"
    return f"{by}, {'verified' if verified else 'not verified'}"[:64]
