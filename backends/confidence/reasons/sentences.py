"""Reasons in words that a clinician understands."""

from __future__ import annotations

from backends.confidence.reasons.types import Found, ReasonKind

_PLAIN = {
    "pelvis": "hips", "spine1": "lower back", "spine2": "back", "spine3": "upper back", "head": "head",
    "neck": "neck", "collar": "collarbone",
}  # fmt: skip


def joint_words(joint: str) -> str:
    """``left_elbow`` -> ``left elbow``."""
    side, _, part = joint.partition("_")
    if side in ("left", "right") and part:
        return f"{side} {_PLAIN.get(part, part)}"
    return _PLAIN.get(joint, joint.replace("_", " "))


def sentence(found: Found) -> str:
    """One short sentence about a reason."""
    where = joint_words(found.joint)
    if found.kind is ReasonKind.KEYPOINT_FAR:
        return f"The {where} of the mesh lies far from where the {where} was seen."
    if found.kind is ReasonKind.SIDES_SWAPPED:
        limb = "arms" if found.words == "elbow" else "legs"
        return f"Left and right seem swapped in the {limb} ({where})."
    if found.kind is ReasonKind.BENT_WRONG:
        return f"The {where} bends the wrong way."
    if found.kind is ReasonKind.JUMP:
        return f"The {where} jumps from one frame to the next."
    if found.kind is ReasonKind.FOOT_SLIDES:
        return f"The {where.replace('ankle', 'foot')} slides although it stands still in the picture."
    if found.kind is ReasonKind.TWO_TRACKS:
        return f"{found.words or 'Another track'} lies on the same person."
    if found.kind is ReasonKind.OUTSIDE_MASK:
        return f"The {where} of the mesh lies outside the person's outline."
    if found.kind is ReasonKind.CUT_OFF:
        return f"The picture's border cuts the person off: the {where} is a guess."
    if found.kind is ReasonKind.DISAGREE:
        return f"Two estimates of the {where} lie {found.words} apart."
    if found.kind is ReasonKind.DEPTH_APART:
        return f"The depth sensor has the {where} {found.words} than the mesh."
    if not found.joint:
        return "It is not sure that this is a person."
    return f"The {where} is hard to see."


def title(found: Found) -> str:
    """The same in a few words, for a card."""
    where = joint_words(found.joint)
    named = where[:1].upper() + where[1:]
    limb = "arms" if found.words == "elbow" else "legs"
    return {
        ReasonKind.KEYPOINT_FAR: f"{named} far from the mesh",
        ReasonKind.SIDES_SWAPPED: f"Left and right {limb} may be swapped",
        ReasonKind.BENT_WRONG: f"{named} bent the wrong way",
        ReasonKind.JUMP: f"{named} jumps",
        ReasonKind.FOOT_SLIDES: f"{named.replace('ankle', 'foot')} slides",
        ReasonKind.TWO_TRACKS: "Two tracks on one person",
        ReasonKind.OUTSIDE_MASK: f"{named} outside the outline",
        ReasonKind.CUT_OFF: f"Cut off by the border ({where})",
        ReasonKind.DISAGREE: f"Estimates of the {where} differ",
        ReasonKind.DEPTH_APART: f"Depth sensor disagrees at the {where}",
        ReasonKind.LOW_SCORE: f"{named} hard to see" if found.joint else "May not be a person",
    }[found.kind]
