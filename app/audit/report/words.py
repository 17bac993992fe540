"""Words of the report that several of its parts use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_COVERS = {"whole": "whole person", "head": "head", "face": "face"}
_FILLS = {
    "mesh": "body mesh", "solid": "solid colour", "pixels": "pixels", "remove": "background", "blur": "blur",
}  # fmt: skip
_LOOKS = {
    "shaded": "",
    "plain": " (plain)",
    "confidence": " (coloured by confidence)",
    "clothed": " (clothed)",
}

DICOM_WHY = {
    ("113101", True): "regions over what is burnt into the pictures were drawn by a person, and the video is "
    "verified",
    (
        "113101",
        False,
    ): "nobody drew regions over what is burnt into the pictures, or the video is not verified",
    ("113102", True): "the video is verified, nobody is spared, and nobody is merely blurred",
    ("113102", False): "the video is not verified, somebody is spared, or somebody is merely blurred",
}


def number(n: int, word: str) -> str:
    """ "1 frame", "3 frames", "2 people"."""
    if n == 1:
        return f"1 {word}"
    return f"{n} {'people' if word == 'person' else word + 's'}"


def share(value: float) -> str:
    """A share as a percentage with as many places as it needs."""
    percent = 100 * value
    return f"{percent:.1f} %" if 0 < percent < 10 else f"{percent:.0f} %"


def frames_words(first: int, last: int) -> str:
    """Frames as people count them, from 1."""
    return f"frame {first + 1}" if first == last else f"frames {first + 1}–{last + 1}"


def clock(seconds: float) -> str:
    """ "0:07.48", "1:02:03.00"."""
    hundredths = round(100 * seconds)
    minutes, rest = divmod(hundredths, 6000)
    hours, minutes = divmod(minutes, 60)
    tail = f"{rest // 100:02d}.{rest % 100:02d}"
    return f"{hours}:{minutes:02d}:{tail}" if hours else f"{minutes}:{tail}"


def person_name(track: int | None) -> str:
    """People are numbers: a typed name may be a patient's."""
    return "nobody known" if track is None else f"Person {track}"


def method_words(method: Mapping[str, Any]) -> str:
    """ "whole person replaced by body mesh"."""
    cover, fill = str(method.get("cover", "")), str(method.get("fill", ""))
    by = "head mesh" if fill == "mesh" and cover != "whole" else _FILLS.get(fill, fill)
    verb = "blurred" if fill == "blur" else f"replaced by {by}"
    look = _LOOKS.get(str(method.get("look", "shaded")), "") if fill == "mesh" else ""
    return f"{_COVERS.get(cover, cover)} {verb}{look}"


def spared_span(rule: Mapping[str, Any], manifest: Mapping[str, Any]) -> str:
    """The frames of an exception, within those exported."""
    first, last = manifest["frames"]
    return frames_words(max(int(rule["first"]), first), min(int(rule["last"]), last))


def background_words(background: Mapping[str, Any] | None) -> str:
    """What is shown where people were (see :mod:`app.export.background`)."""
    if not background:
        return "Around what covers people, the pictures show what the camera saw."
    never = share(float(background.get("never_seen_share_of_replaced_pixels", 0.0)))
    filled = f"{never} of the replaced pixels lie where no frame shows it; there the picture is made up"
    if background.get("camera") == "fixed":
        return (
            "Where people were, the empty room is shown, put together from moments in which each place "
            f"was free. {filled} from what is around."
        )
    return (
        "The camera moves: where people were, their surroundings from frames before and after are shown. "
        f"{filled} from what is around."
    )


def when_words(stored: str) -> str:
    """ "2026-11-26T15:00:00+00:00" as "2026-11-26 15:00 UTC"."""
    return f"{stored[:10]} {stored[11:16]} UTC" if len(stored) >= 16 else stored
