"""Every action with its shortcut and words: one table, shown by F1, re-bindable in the settings."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """One thing a person can do.

    Attributes:
        name: machine word; label: in menus and in the list of shortcuts; keys: shortcuts, the first one
            shown; group: heading in the list; tip: tooltip, without the keys; checkable: on or off.
    """

    name: str
    label: str
    keys: tuple[str, ...]
    group: str
    tip: str = ""
    checkable: bool = False


def _a(name: str, label: str, keys: str, group: str, tip: str = "", checkable: bool = False) -> ActionSpec:
    return ActionSpec(name, label, tuple(k for k in keys.split("|") if k), group, tip, checkable)


ACTIONS: tuple[ActionSpec, ...] = (
    _a("open", "Open video or project…", "Ctrl+O", "File", "Open a video, a folder of pictures or a project"),
    _a(
        "several",
        "Several cameras…",
        "Ctrl+Shift+O",
        "File",
        "Put videos of several calibrated cameras of one room together",
    ),
    _a("demo", "Open the demo", "", "File", "A rendered operating room with four people"),
    _a("close", "Close project", "Ctrl+W", "File", "Everything is saved already"),
    _a("run", "Run", "Ctrl+R", "File", "Find people and fit bodies in all frames that are not done"),
    _a("run_again", "Run again from the start…", "", "File", "Forget the results and start anew"),
    _a(
        "hands_face",
        "Look for hands and faces too",
        "",
        "File",
        "From the next run on: fingers and jaw move; people close by take about half as long again",
        True,
    ),
    _a("body_free", "Free body", "", "File", "The body that comes with the program", True),
    _a("body_smplx", "SMPL-X", "", "File", "", True),
    _a("body_smplh", "SMPL-H", "", "File", "", True),
    _a("body_smpl", "SMPL", "", "File", "", True),
    _a("body_file", "A file of your own…", "", "File", "SMPL, SMPL-H or SMPL-X as npz", True),
    _a("depth_none", "None", "", "File", "People's distance is told by their size alone", True),
    _a(
        "depth_folder",
        "A folder of depth pictures…",
        "",
        "File",
        "16-bit png or tif, in millimetres, aligned to the colour picture: one a frame, or named by time",
        True,
    ),
    _a(
        "depth_file",
        "A depth video or arrays…",
        "",
        "File",
        "A grey 16-bit video (ffv1, gray16le), or npz or npy with an array a frame",
        True,
    ),
    _a("pause", "Pause or go on", "Ctrl+Shift+R", "File", "Hold the running work, or go on"),
    _a("cancel_work", "Stop the running work", "", "File", "What is finished is kept"),
    _a("export", "Export…", "Ctrl+E", "File", "Write the de-identified video and the data"),
    _a("quit", "Quit", "Ctrl+Q", "File"),
    _a("undo", "Undo", "Ctrl+Z", "Edit"),
    _a("redo", "Redo", "Ctrl+Shift+Z|Ctrl+Y", "Edit"),
    _a("carry", "Carry along", "Ctrl+Shift+P", "Edit", "The frames around follow what you corrected here"),
    _a("swap", "Swap two people from here on", "Ctrl+T", "Edit", "The two people were taken for each other"),
    _a("delete_person", "Delete person", "Del", "Edit", "It was no person; undo brings them back"),
    _a("hide_person", "Hide or show person", "H", "Edit", "In the window only: the export covers everybody"),
    _a("cover_person", "Cover person otherwise…", "P", "Edit", "Another way, or not at all, in some frames"),
    _a("draw_region", "Cover a region", "G", "Edit", "A clock, a monitor, a name tag, a tattoo"),
    _a("mark_reviewed", "Mark as reviewed", "R", "Edit", "You have looked at this person in this frame"),
    _a("play", "Play or stop", "Space", "Play"),
    _a("stop", "Stop", "K", "Play"),
    _a("play_forward", "Play forwards, again for faster", "L", "Play"),
    _a("play_backward", "Play backwards, again for faster", "J", "Play"),
    _a("next_frame", "Next frame", "Right|.", "Play"),
    _a("previous_frame", "Previous frame", "Left|,", "Play"),
    _a("ten_forward", "Ten frames forwards", "Ctrl+Right", "Play"),
    _a("ten_back", "Ten frames back", "Ctrl+Left", "Play"),
    _a("first_frame", "First frame", "Home", "Play"),
    _a("last_frame", "Last frame", "End", "Play"),
    _a("go_to", "Go to frame or time…", "Ctrl+G", "Play"),
    _a("range_in", "Begin the range here", "I", "Play"),
    _a("range_out", "End the range here", "O", "Play"),
    _a("range_clear", "Forget the range", "Shift+I", "Play"),
    _a("next_item", "Next to review", "Tab", "Review"),
    _a("previous_item", "Previous to review", "Shift+Tab", "Review"),
    _a("accept_item", "Accept what is shown", "Return|Enter", "Review", "It is right as it is"),
    _a("cover_leak", "Cover what the audit found", "C", "Review", "The place, through all its frames"),
    _a("release_leak", "Release what the audit found…", "V", "Review", "It may stay visible; you say why"),
    _a("next_person", "Next person", "N", "Review"),
    *(_a(f"person_{n}", f"Choose person {n}", str(n), "Review") for n in range(1, 10)),
    _a(
        "sensitivity",
        "Occlusion sensitivity…",
        "",
        "Analysis",
        "Slide a patch over the chosen person and see what it breaks",
    ),
    _a("confidence", "Confidence", "T", "Analysis", "How far bodies can be trusted: colours, limits, spread"),
    _a("view_original", "Original", "Ctrl+1", "View", "The picture as it was filmed"),
    _a("view_meshes", "Meshes", "Ctrl+2", "View", "Bodies and keypoints over the picture"),
    _a("view_deidentified", "De-identified", "Ctrl+3", "View", "The picture as it will be exported"),
    _a("view_split", "Split", "Ctrl+4", "View", "Original and de-identified side by side"),
    _a("space_camera", "Camera", "Ctrl+5", "View", "From where the camera stood"),
    _a("space_room", "Room 3D", "Ctrl+6", "View", "Go round the bodies in the room"),
    *(_a(f"camera_{n}", f"Look through camera {n}", f"Alt+{n}", "View") for n in range(1, 10)),
    _a("next_camera", "Next camera", "Alt+Right", "View", "The same moment through another camera"),
    _a("previous_camera", "Previous camera", "Alt+Left", "View"),
    _a("never_seen", "Never-seen areas", "U", "View", "Stripe what was filled in behind people", True),
    _a("keypoints", "Show keypoints", "B", "View", "", True),
    _a("wireframe", "Wireframe", "W", "View", "Draw the bodies' edges only", True),
    _a("more_opaque", "Bodies more solid", "]", "View"),
    _a("less_opaque", "Bodies more transparent", "[", "View"),
    _a("fit", "Show everything", "F", "View"),
    _a("zoom_in", "Zoom in", "+|=", "View"),
    _a("zoom_out", "Zoom out", "-", "View"),
    _a("panels", "Show or hide the side panels", "F9", "View"),
    _a("theme", "Dark or light", "Ctrl+D", "View"),
    _a("fullscreen", "Full screen", "F11", "View"),
    _a("shortcuts", "Shortcuts", "F1", "Help"),
    _a("about", "About Understudy", "", "Help"),
)

MOUSE: tuple[tuple[str, str], ...] = (
    ("Drag a keypoint", "The body follows; one undo takes it back"),
    ("Right button on a keypoint", "Visible, occluded or absent"),
    ("Alt+drag", "Move a whole person"),
    ("Escape while dragging", "Put it back"),
    ("Drag a region or its corners", "It is there in this frame and moves in between"),
    ("Wheel", "Zoom at the pointer"),
    ("Drag beside people, or middle button", "Move the picture"),
    ("Double click", "Show everything"),
)
"""What the mouse does, for the list of shortcuts."""


def spec(name: str) -> ActionSpec:
    """The action of that name."""
    return _BY_NAME[name]


_BY_NAME = {a.name: a for a in ACTIONS}
