"""How well the empty room was recovered: what the export shows where people were, against the true room."""

from __future__ import annotations

from app.evaluate.recording import Recording
from app.evaluate.report import Better, Row, row
from app.evaluate.samples import Samples
from app.models.store import ModelStore
from backends.errors import WeightsError
from backends.metrics.lpips import Lpips
from backends.metrics.pictures import U1, psnr, ssim
from backends.metrics.score import Score

Missing = list[tuple[str, str]]

WEIGHTS = "lpips_alex.pth"
"""LPIPS' weights, in the folder of the networks; they are not shipped."""
_TITLE = "The empty room"


def room_rows(
    recording: Recording, truth: U1 | None, samples: Samples, *, moves: bool, measured: bool = True,
) -> tuple[list[Row], Missing]:  # fmt: skip
    """PSNR, SSIM and, with its weights, LPIPS of the recovered background.

    Args:
        truth: (H, W, 3) the empty room as the camera truly sees it, or None.
        moves: the camera moves, so that there is no one room.
        measured: whether it was asked for.
    """
    if not measured:
        return [], [(_TITLE, "it was not asked for")]
    if truth is None:
        return [], [(_TITLE, "the truth has no picture of it")]
    if moves:
        return [], [(_TITLE, "the camera moves")]
    footage = recording.footage()
    if footage is None:
        return [], [(_TITLE, recording.why)]
    if truth.shape[:2] != (footage.height, footage.width):
        return [], [(_TITLE, "the truth's picture of it has another size than the footage")]
    room = recording.room()
    assert room is not None
    found = room.at(0).rgb
    return _scores(found, truth, samples)


def _scores(found: U1, truth: U1, samples: Samples) -> tuple[list[Row], Missing]:
    note = "the export's background against the room without people, in the light as it is"

    def stated(key: str, name: str, value: float, unit: str, better: Better = "higher") -> Row:
        return row("pictures", key, name, Score(value, 1, 0), unit, "picture", better=better, note=note)

    rows = [stated("room_psnr", "PSNR", psnr(found, truth), "dB")]
    if samples.hidden is not None and samples.hidden.any():
        behind = psnr(found, truth, samples.hidden)
        rows.append(stated("room_psnr_behind", "PSNR where people were seen", behind, "dB"))
    rows.append(stated("room_ssim", "SSIM", ssim(found, truth), ""))
    try:
        distance = Lpips(ModelStore().root / WEIGHTS)(found, truth)
    except WeightsError as error:
        return rows, [(f"{_TITLE}, LPIPS", str(error).rstrip("."))]
    return [*rows, stated("room_lpips", "LPIPS (AlexNet)", distance, "", "lower")], []
