"""From an export's manifest to the words of its report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.audit.report.blocks import Block, Cell, Content, Facts, Section, Table, Text, Tone
from app.audit.report.findings import findings_section
from app.audit.report.words import (
    DICOM_WHY,
    background_words,
    frames_words,
    method_words,
    number,
    person_name,
    share,
    spared_span,
    when_words,
)

TITLE = "De-identification report"


def make_content(manifest: Mapping[str, Any], pictures: Mapping[str, bytes]) -> Content:
    """The report of one export; ``pictures`` (JPEG by finding) are shown where they are given."""
    audit = manifest.get("audit") or {}
    stamp, tone = _stamp(manifest, audit)
    sections = [
        _files(manifest), _people(manifest), _places(manifest), findings_section(manifest, pictures),
        _standard(manifest), _limits(manifest), _tools(manifest),
    ]  # fmt: skip
    return Content(
        TITLE, stamp, tone, _verdict(manifest, audit), when_words(str(manifest.get("made", ""))),
        f"Understudy {manifest.get('versions', {}).get('understudy', '')}".strip(),
        _figures(manifest, audit), tuple(s for s in sections if s is not None),
    )  # fmt: skip


def _stamp(manifest: Mapping[str, Any], audit: Mapping[str, Any]) -> tuple[str, Tone]:
    if manifest.get("verified"):
        return "Verified", "good"
    if audit.get("searched"):
        return "Not verified", "bad"
    return ("Not searched", "warning") if audit else ("No video", "plain")


def _verdict(manifest: Mapping[str, Any], audit: Mapping[str, Any]) -> str:
    events: Sequence[Mapping[str, Any]] = audit.get("events", ())
    spared = [p for p in manifest.get("people", ()) if any(e.get("spared") for e in p.get("exceptions", ()))]
    beside = (
        f" {number(len(spared), 'person')} stayed visible on purpose; the reason is given below."
        if spared
        else ""
    )
    if manifest.get("verified"):
        frames = number(int(audit.get("frames", 0)), "frame")
        n = len(events)
        if not n:
            return f"All of {frames} of the finished video were searched, and nobody was found.{beside}"
        return (
            f"All of {frames} of the finished video were searched. "
            f"{'The one finding was' if n == 1 else f'All {n} findings were'} looked at by a person and "
            f"released with a reason.{beside}"
        )
    if audit.get("searched"):
        n = sum(e["state"] == "open" for e in events)
        if n:
            places = number(n, "place")
            return f"Somebody may be seen in {places} of the video. It should not be given away.{beside}"
    return f"{audit.get('why') or 'No video was written.'}{beside}"


def _figures(manifest: Mapping[str, Any], audit: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    first, last = manifest["frames"]
    events = audit.get("events", ())
    figures = [(str(last - first + 1), "frames"), (str(len(manifest.get("people", ()))), "people found")]
    if audit.get("searched"):
        figures += [
            (str(audit["frames"]), "frames searched"), (str(len(events)), "findings"),
            (str(sum(e["state"] == "open" for e in events)), "open"),
        ]  # fmt: skip
    seen = (manifest.get("background") or {}).get("never_seen_share_of_replaced_pixels")
    if seen is not None:
        figures.append((share(seen), "of replaced pixels made up"))
    return tuple(figures)


def _files(manifest: Mapping[str, Any]) -> Section:
    source: Mapping[str, Any] = manifest["input"]
    first, last = (int(v) for v in manifest["frames"])
    whole = (first, last) == (0, source["frames"] - 1)
    fps = f", {source['fps']:.2f} frames/s" if source.get("fps") else ""
    span = "all frames" if whole else f"frames {first + 1} to {last + 1}"
    sound = bool(source.get("sound"))
    kept = bool(manifest.get("deidentification", {}).get("keep_audio")) and sound
    rows = [
        ("Recording", f"{source['frames']} frames, {source['width']} × {source['height']} pixels{fps}"),
        ("SHA-256 of the recording", str(source["sha256"])),
        ("Exported", span),
        ("Sound", "kept: a voice identifies" if kept else "removed" if sound else "the recording has none"),
        ("Other data in the file", "none: no names, dates, places or devices; read back and checked"),
    ]
    code = {"SHA-256 of the recording"}
    outputs = Table(
        ("Written", "Holds", "SHA-256"),
        tuple(
            (Cell(_OUTPUTS.get(o["kind"], o["kind"])), Cell(f"{o['count']} {o['unit']}"), Cell(o["sha256"]))
            for o in manifest.get("outputs", ())
        ),
        (0.26, 0.16, 0.58),
        frozenset({2}),
    )
    return Section("Files", (Facts(tuple(rows), frozenset(code)), outputs))


_OUTPUTS = {
    "video": "De-identified video", "dicom": "The same as DICOM", "coco": "Keypoints (COCO)",
    "smplx": "Bodies (SMPL-X)",
    "csv": "Confidence table", "meshes_obj": "Meshes (obj)", "meshes_ply": "Meshes (ply)",
    "meshes_glb": "Meshes (glb)",
}  # fmt: skip


def _people(manifest: Mapping[str, Any]) -> Section:
    people = manifest.get("people", ())
    default = manifest.get("deidentification", {})
    drawn = ""
    if default.get("believed_only") and default.get("fill") == "mesh" and default.get("cover") == "whole":
        drawn = " Limbs that nobody saw are covered, and not drawn."
    blocks: list[Block] = [Text(f"Unless a line below says otherwise: {method_words(default)}.{drawn}")]
    if not people:
        blocks.append(Text("No people were found.", "warning"))
        return Section("People and how they are covered", tuple(blocks))
    rows = []
    for person in people:
        rows.append(
            (Cell(person_name(person["id"])), Cell(_where(person)), Cell(method_words(person)),
             Cell("yes" if person["corrected"] else "no"))
        )  # fmt: skip
        for rule in person.get("exceptions", ()):
            span = spared_span(rule, manifest)
            if rule["spared"]:
                text = Cell(f"Left visible on purpose: {rule['reason']}", "warning")
            else:
                text = Cell(f"Instead: {method_words(rule)}")
            rows.append((Cell(""), Cell(span), text, Cell("")))
    blocks.append(
        Table(("Person", "Found", "Covered by", "Corrected"), tuple(rows), (0.14, 0.28, 0.46, 0.12))
    )
    lost = manifest.get("frames_where_a_found_person_is_uncovered", ())
    if lost:
        blocks.append(
            Text(
                f"In {number(len(lost), 'frame')}, first in frame {lost[0] + 1}, somebody who was found "
                "before and after is lost from sight for too long to be covered by their path. A person "
                "confirmed the export all the same.",
                "warning",
            )
        )
    return Section("People and how they are covered", tuple(blocks))


def _where(person: Mapping[str, Any]) -> str:
    if not person.get("found_in_frames"):
        return "not in these frames"
    return f"{number(person['found_in_frames'], 'frame')}, {frames_words(person['first'], person['last'])}"


def _places(manifest: Mapping[str, Any]) -> Section:
    blocks: list[Block] = [Text(background_words(manifest.get("background")))]
    regions = manifest.get("regions", ())
    if regions:
        rows = tuple(
            (
                Cell(f"Region {r['id']}"), Cell(frames_words(r["first"], r["last"])), Cell(_FILLS[r["fill"]]),
                Cell(f"finding {r['mends']} of an earlier search" if r["mends"] else "drawn by a person"),
            )
            for r in regions
        )  # fmt: skip
        blocks.append(Table(("Region", "Frames", "Covered by", "Why"), rows, (0.16, 0.26, 0.22, 0.36)))
    else:
        blocks.append(Text("No regions were drawn over clocks, monitors, name tags or other places."))
    return Section("Background and regions", tuple(blocks))


_FILLS = {"solid": "solid colour", "pixels": "pixels", "remove": "background", "blur": "blur"}


def _standard(manifest: Mapping[str, Any]) -> Section | None:
    codes = manifest.get("dicom_codes", ())
    if not codes:
        return None
    rows = tuple(
        (
            Cell(c["code"]), Cell(c["meaning"]),
            Cell("claimed", "good") if c["applies"] else Cell("not claimed"),
            Cell(DICOM_WHY[c["code"], bool(c["applies"])]),
        )
        for c in codes
    )  # fmt: skip
    intro = Text(
        "What may be recorded in a DICOM object as De-identification Method Code Sequence (0012,0064), "
        "after DICOM PS3.15 annex E."
    )
    table = Table(("Code", "Option", "", "Because"), rows, (0.1, 0.3, 0.14, 0.46))
    return Section("DICOM options", (intro, table))


def _limits(manifest: Mapping[str, Any]) -> Section:
    cover = manifest.get("deidentification", {}).get("cover", "whole")
    seen = {
        "whole": "Of everybody the way they move remains, which is what the video is for.",
        "head": "Bodies, clothes, hands, tattoos and the way people move remain visible.",
        "face": "Hair, ears, bodies, clothes, tattoos and the way people move remain visible.",
    }[cover]
    return Section(
        "What this report does not say",
        (
            Text(seen),
            Text(
                "The search looks for faces and people. It does not read: names, dates and numbers on "
                "monitors, labels and clothes have to be found and covered by a person."
            ),
            Text(
                "Networks miss now and then, most of all faces below 24 pixels or turned away. Therefore "
                "each frame is searched by a network that took no part in covering, a second one looks at "
                "the whole picture every second, and each known head is checked by arithmetic; certainty it "
                "is not."
            ),
        ),
    )


def _tools(manifest: Mapping[str, Any]) -> Section:
    audit = manifest.get("audit") or {}
    rows = [(Cell("Finding people"), Cell(k), Cell(v)) for k, v in manifest["networks"].items()]
    masks = manifest.get("segmentations", {})
    rows += [(Cell("Covering people"), Cell(k), Cell(v)) for k, v in masks.items()]
    rows += [
        (Cell("Searching the video"), Cell(s["network"] or s["name"]), Cell(s["sha256"] or "arithmetic"))
        for s in audit.get("searches", ())
    ]  # fmt: skip
    networks = Table(("Used for", "Network", "SHA-256"), tuple(rows), (0.26, 0.24, 0.5), frozenset({2}))
    versions = ", ".join(f"{k} {v}" for k, v in manifest["versions"].items())
    facts = Facts((("Body", str(manifest["body"])), ("Versions", versions)))
    return Section("Networks and tools", (networks, facts) if rows else (facts,))
