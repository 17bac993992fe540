"""What people wear and look like: outfits by role, drawn at random within the role."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

Color = tuple[int, int, int]

SKIN_TONES: tuple[Color, ...] = (
    (246, 237, 228), (243, 231, 219), (247, 234, 208), (234, 218, 186), (215, 189, 150),
    (160, 126, 86), (130, 92, 67), (96, 65, 52), (58, 49, 42), (41, 36, 32),
)  # fmt: skip
"""The ten tones of the Monk Skin Tone Scale (Monk 2019), lightest to darkest, sRGB."""

SCRUBS: tuple[Color, ...] = (
    (38, 118, 104), (44, 84, 150), (122, 48, 66), (58, 128, 160), (70, 74, 92), (96, 148, 112), (38, 56, 96),
)  # fmt: skip
_GOWNS: tuple[Color, ...] = ((72, 142, 156), (58, 112, 150), (86, 150, 128))
_CAPS: tuple[Color, ...] = ((86, 160, 168), (120, 70, 130), (150, 62, 80), (60, 120, 190), (112, 160, 120))
_MASKS: tuple[Color, ...] = ((178, 208, 226), (160, 200, 204), (222, 228, 230))
_GLOVES: tuple[Color, ...] = ((228, 222, 206), (226, 224, 214), (120, 150, 196))
_SHOES: tuple[Color, ...] = ((60, 70, 78), (226, 226, 224), (52, 62, 96), (96, 150, 150))
_HAIR: tuple[Color, ...] = (
    (34, 26, 22),
    (58, 40, 28),
    (96, 66, 40),
    (168, 128, 76),
    (150, 148, 146),
    (24, 22, 22),
)
_SHIRTS: tuple[Color, ...] = (
    (226, 228, 230), (136, 164, 196), (92, 60, 66), (64, 88, 74), (190, 170, 140), (52, 58, 74),
    (176, 92, 70),
)  # fmt: skip
_TROUSERS: tuple[Color, ...] = ((50, 56, 70), (78, 76, 72), (118, 108, 92), (44, 62, 96))


class Hair(StrEnum):
    """How the hair is worn."""

    NONE = "none"
    SHORT = "short"
    BUN = "bun"
    LONG = "long"


class Cap(StrEnum):
    """What covers the hair."""

    NONE = "none"
    SKULL = "skull"
    BOUFFANT = "bouffant"


@dataclass(frozen=True, slots=True)
class Outfit:
    """What somebody wears; colours are sRGB, None is "not worn".

    ``sleeves``: how far the sleeves reach, 0 at the shoulder, 1 at the wrist. ``tunic``: metres that the top
    hangs below the hips. ``beard`` in [0, 1].
    """

    skin: Color
    hair_color: Color
    hair: Hair
    top: Color
    trousers: Color
    shoes: Color
    sleeves: float = 0.36
    tunic: float = 0.10
    neck_depth: float = 0.09
    cap: Cap = Cap.NONE
    cap_color: Color = (86, 160, 168)
    mask: Color | None = None
    gown: Color | None = None
    gloves: Color | None = None
    glasses: bool = False
    badge: bool = False
    beard: float = 0.0


class Role(StrEnum):
    """Why somebody is in the room."""

    STERILE = "sterile"
    STAFF = "staff"
    VISITOR = "visitor"
    CIVIL = "civil"


def _pick(rng: np.random.Generator, colors: tuple[Color, ...]) -> Color:
    return colors[int(rng.integers(len(colors)))]


def dressed_for(role: Role, woman: bool, rng: np.random.Generator, tone: int | None = None) -> Outfit:
    """An outfit for a role. ``tone``: index of the skin tone; by default drawn evenly from all."""
    tone = int(rng.integers(len(SKIN_TONES))) if tone is None else tone
    skin = SKIN_TONES[tone]
    dark = tone >= 5
    hair_color = _pick(rng, (_HAIR[0], _HAIR[5]) if dark else _HAIR)
    if woman:
        hair = (Hair.BUN, Hair.LONG, Hair.SHORT)[int(rng.choice(3, p=(0.45, 0.35, 0.2)))]
        beard = 0.0
    else:
        hair = (Hair.SHORT, Hair.NONE)[int(rng.choice(2, p=(0.85, 0.15)))]
        beard = float(rng.choice((0.0, 0.25, 0.45, 1.0), p=(0.4, 0.3, 0.15, 0.15)))
    glasses = bool(rng.random() < 0.3)
    if role is Role.CIVIL:
        return Outfit(
            skin, hair_color, hair, _pick(rng, _SHIRTS), _pick(rng, _TROUSERS), _pick(rng, _SHOES),
            sleeves=float(rng.choice((0.34, 0.97))), tunic=float(rng.uniform(0.04, 0.12)),
            neck_depth=float(rng.choice((0.02, 0.08))), glasses=glasses, beard=beard,
        )  # fmt: skip
    scrubs = _pick(rng, SCRUBS)
    cap = Cap.BOUFFANT if hair in (Hair.BUN, Hair.LONG) or rng.random() < 0.35 else Cap.SKULL
    mask = _pick(rng, _MASKS) if role is not Role.VISITOR else None
    sterile = role is Role.STERILE
    return Outfit(
        skin, hair_color, Hair.SHORT if hair is Hair.LONG else hair, scrubs, scrubs, _pick(rng, _SHOES),
        cap=cap, cap_color=_pick(rng, _CAPS), mask=mask,
        gown=_pick(rng, _GOWNS) if sterile else None, gloves=_pick(rng, _GLOVES) if sterile else None,
        glasses=glasses, badge=not sterile, beard=beard,
    )  # fmt: skip
