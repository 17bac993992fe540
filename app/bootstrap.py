"""Makes the environment on a fresh machine. Standard library only: nothing else is there yet.

The packages go into ``.venv`` next to main.py, in exactly the versions of ``constraints.txt``, from
whatever index pip is configured with. A stamp inside ``.venv`` says what was done, so that the next
start does nothing and needs no network.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from app import system

EXIT_SETUP = 9
"""Exit code when the environment could not be made."""

_NEEDS_NETWORKS = frozenset({"", "demo", "test", "run", "bench"})
_SHOWS_WINDOW = frozenset({"", "demo", "test"})
_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*")


class SetupError(Exception):
    """The environment cannot be made; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things are in a checkout."""

    root: Path

    @property
    def venv(self) -> Path:
        """The environment's folder."""
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        """The environment's interpreter."""
        return self.venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    @property
    def stamp(self) -> Path:
        """The file that says what the environment holds."""
        return self.venv / "understudy-setup.json"

    @property
    def inside(self) -> bool:
        """True when this process runs in the environment."""
        return Path(sys.prefix).resolve() == self.venv.resolve()


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a set-up has done. ``networks`` are the files of the default networks."""

    digest: str = ""
    python: str = ""
    extras: frozenset[str] = frozenset()
    libraries: bool = False
    networks: tuple[str, ...] = field(default=())

    def covers(self, digest: str, extras: Iterable[str]) -> bool:
        """True where the packages need no second look."""
        same = self.digest == digest and self.python == python_version()
        return same and self.extras.issuperset(extras)

    @property
    def has_networks(self) -> bool:
        """True where the default networks were fetched and are still there."""
        return bool(self.networks) and all(Path(p).is_file() for p in self.networks)


def python_version() -> str:
    """The version that the environment is tied to ("3.11")."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def read_stamp(path: Path) -> Stamp:
    """The stamp; an empty one where it is missing or cannot be understood."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return Stamp(
            digest=str(data["digest"]), python=str(data["python"]), extras=frozenset(data["extras"]),
            libraries=bool(data["libraries"]), networks=tuple(str(p) for p in data["networks"]),
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError):
        return Stamp()


def write_stamp(path: Path, stamp: Stamp) -> None:
    """Store the stamp (beside, then renamed: a half-written one would look like a damaged set-up)."""
    data = {
        "digest": stamp.digest, "python": stamp.python, "extras": sorted(stamp.extras),
        "libraries": stamp.libraries, "networks": list(stamp.networks),
    }  # fmt: skip
    beside = path.with_suffix(".part")
    beside.write_text(json.dumps(data, indent=1), encoding="utf-8")
    beside.replace(path)


def wanted_digest(root: Path) -> str:
    """A hash over everything that decides which packages are installed."""
    digest = hashlib.sha256()
    for name in ("pyproject.toml", "constraints.txt"):
        digest.update((root / name).read_bytes())
    return digest.hexdigest()


def read_pins(constraints: str) -> dict[str, str]:
    """Normalised package name -> "name==version" of a constraints file."""
    pins = {}
    for line in constraints.splitlines():
        line = line.partition("#")[0].strip()
        if "==" in line:
            pins[normalised(line.partition("==")[0])] = line
    return pins


def normalised(name: str) -> str:
    """A package's name as the index compares it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name.strip()).lower()


def requirements(pyproject: str, constraints: str, extras: Iterable[str]) -> list[str]:
    """What pip is asked for: the project's dependencies, each with its exact pin.

    A bare name or a range could make pip look at, or even fetch, gigabytes of other builds (torch).

    Raises:
        SetupError: where a dependency has no pin.
    """
    project = tomllib.loads(pyproject)["project"]
    asked = list(project["dependencies"])
    for extra in sorted(extras):
        asked += project["optional-dependencies"][extra]
    pins = read_pins(constraints)
    exact = []
    for line in asked:
        match = _NAME.match(line)
        pin = pins.get(normalised(match.group())) if match else None
        if pin is None:
            raise SetupError(f"constraints.txt has no exact version for '{line}'. Add one.")
        exact.append(pin)
    return exact


def say(text: str) -> None:
    """One line for the person; on stderr, since a command's own output may be read by a script."""
    print(text, file=sys.stderr, flush=True)


def make_venv(layout: Layout) -> None:
    """Create (or mend) the environment.

    Raises:
        SetupError: when it cannot be created.
    """
    say(f"Making the environment {layout.venv}")
    command = [sys.executable, "-m", "venv", "--clear", str(layout.venv)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0 and "ensurepip" in done.stdout + done.stderr and system.install(["python3-venv"]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0 and layout.python.exists():
        return
    if "ensurepip" in done.stdout + done.stderr:
        raise SetupError(
            f"This Python cannot make environments. Type: {system.install_line(['python3-venv'])}"
        )
    if not os.access(layout.root, os.W_OK):
        raise SetupError(
            f"The folder {layout.root} cannot be written. Copy the program to a folder of yours."
        )
    tail = (done.stderr or done.stdout).strip().splitlines()
    raise SetupError(f"The environment could not be made: {tail[-1] if tail else 'no reason was given'}")


def install_packages(layout: Layout, extras: Iterable[str]) -> None:
    """Install the pinned packages, showing what happens.

    Raises:
        SetupError: when pip fails; its last lines are shown before.
    """
    asked = requirements(
        (layout.root / "pyproject.toml").read_text(encoding="utf-8"),
        (layout.root / "constraints.txt").read_text(encoding="utf-8"),
        extras,
    )
    say(f"Installing {len(asked)} packages and what they need. The first time this takes some minutes.")
    command = [
        str(layout.python), "-m", "pip", "install", "--disable-pip-version-check", "--no-input",
        "--constraint", str(layout.root / "constraints.txt"), *asked,
    ]  # fmt: skip
    start = time.monotonic()
    if sys.stderr.isatty():
        code = subprocess.run(command, stdout=sys.stderr.fileno(), check=False).returncode
    else:
        code = _condensed(command)
    if code != 0:
        raise SetupError(
            "The packages could not be installed (see above). Check the connection and start again; "
            "what was fetched is kept."
        )
    say(f"The packages are installed ({time.monotonic() - start:.0f} s).")


def interesting(line: str, seen: int) -> str | None:
    """What to show of a line of pip's where there is no terminal for its own progress bars."""
    words = line.split()
    if not words:
        return None
    if words[0] == "Collecting" and len(words) > 1:
        return f"  [{seen + 1}] {words[1]}"
    if words[0] == "Downloading" and re.search(r"\(\d+(\.\d+)? [MG]B\)$", line.strip()):
        return f"      fetching {words[-2].lstrip('(')} {words[-1].rstrip(')')}"
    if line.startswith("Installing collected packages:"):
        return f"  unpacking {line.count(',') + 1} packages"
    return None


def _condensed(command: Sequence[str]) -> int:
    tail: list[str] = []
    seen = 0
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as pip:
        for line in pip.stdout or ():
            tail = [*tail[-14:], line.rstrip()]
            shown = interesting(line, seen)
            if shown:
                seen += shown.lstrip().startswith("[")
                say(shown)
    if pip.returncode != 0:
        say("\n".join(tail))
    return pip.returncode


def fetch_networks(layout: Layout) -> tuple[str, ...]:
    """Get the default networks through the program's own store; their files, or () when it failed."""
    done = subprocess.run(
        [str(layout.python), str(layout.root / "main.py"), "models", "install", "--default", "--json"],
        stdout=subprocess.PIPE, text=True, check=False, cwd=layout.root,
    )  # fmt: skip
    if done.returncode != 0:
        return ()
    return tuple(entry["path"] for entry in json.loads(done.stdout))


def prepare(layout: Layout, extras: frozenset[str], *, networks: bool, window: bool) -> None:
    """Bring the environment to what is asked for; instant and off-line when it is there already.

    Args:
        extras: optional dependencies of pyproject.toml.
        networks: the default networks are wanted.
        window: a window will be shown.

    Raises:
        SetupError: when it cannot be done.
    """
    stamp = read_stamp(layout.stamp)
    digest = wanted_digest(layout.root)
    fresh = False
    if not (layout.python.exists() and stamp.covers(digest, extras)):
        if stamp.python != python_version() or not layout.python.exists():
            if layout.inside:
                raise SetupError("The environment is not complete. Start main.py with the system's Python.")
            make_venv(layout)
            stamp = Stamp()
        extras = extras | stamp.extras
        install_packages(layout, extras)
        stamp = replace(stamp, digest=digest, python=python_version(), extras=extras)
        write_stamp(layout.stamp, stamp)
        fresh = True
    if not stamp.libraries and (fresh or window):
        stamp = replace(stamp, libraries=system.provide_libraries(say, may_install=fresh))
        write_stamp(layout.stamp, stamp)
    if networks and not stamp.has_networks:
        stamp = replace(stamp, networks=fetch_networks(layout))
        write_stamp(layout.stamp, stamp)


def _run(command: Sequence[str], cwd: Path | None = None) -> int:
    """Run to the end; Ctrl-C goes to the child, whose exit code counts."""
    with subprocess.Popen(list(command), cwd=cwd) as child:
        while True:
            try:
                return child.wait()
            except KeyboardInterrupt:
                continue


def run_tests(layout: Layout, arguments: Sequence[str]) -> int:
    """pytest in the environment, on a virtual screen where there is none."""
    command = [str(layout.python), "-m", "pytest", *arguments]
    if system.needs_virtual_screen():
        if not system.have_virtual_screen() and not system.install(system.VIRTUAL_SCREEN_PACKAGES):
            line = system.install_line(system.VIRTUAL_SCREEN_PACKAGES)
            raise SetupError(f"The tests need a virtual screen. Type: {line}")
        command = [*system.VIRTUAL_SCREEN, *command]
    return _run(command, cwd=layout.root)


def start(arguments: Sequence[str]) -> int:
    """Set up what ``arguments`` need, then run them in the environment; the exit code."""
    layout = Layout(Path(__file__).resolve().parent.parent)
    command = next(iter(arguments), "")
    os.environ.setdefault("UNDERSTUDY_COMMAND", "py main.py" if os.name == "nt" else "python3 main.py")
    testing = command == "test"
    try:
        prepare(
            layout,
            frozenset({"test"} if testing else ()),
            networks=command in _NEEDS_NETWORKS,
            window=command in _SHOWS_WINDOW,
        )
        if testing:
            return run_tests(layout, arguments[1:])
    except SetupError as error:
        say(f"Set-up stopped: {error}")
        return EXIT_SETUP
    except OSError as error:
        say(f"Set-up stopped: {error.strerror or error} ({error.filename or layout.venv}).")
        return EXIT_SETUP
    except KeyboardInterrupt:
        say("Set-up stopped. Start again to go on.")
        return 130
    if layout.inside:
        from app.cli import main

        return main(list(arguments))
    child = [str(layout.python), str(layout.root / "main.py"), *arguments]
    if os.name != "nt":  # Windows' execv loses quotes and returns at once
        os.execv(child[0], child)
    return _run(child)
