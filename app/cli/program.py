"""The commands and how they end."""

from __future__ import annotations

import inspect
import os
import sys
from typing import Annotated, Any

import typer

from app.cli import console
from app.cli.audit import audit
from app.cli.bench import bench
from app.cli.confidence import confidence
from app.cli.dataset import dataset
from app.cli.deidentify import deidentify
from app.cli.demo import demo
from app.cli.doctor import doctor
from app.cli.evaluate import evaluate
from app.cli.export import export
from app.cli.info import info, version_text
from app.cli.masks import masks
from app.cli.models import models
from app.cli.run import run as run_command
from app.cli.synthesize import synthesize
from app.cli.train_confidence import train_confidence
from app.cli.views import views
from app.cli.window import show_window
from app.errors import UnderstudyError
from backends.errors import BackendError

_UNEXPECTED = 1
_INTERRUPTED = 130

app = typer.Typer(
    name="understudy",
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("run")(run_command)
app.command("export")(export)
app.command("deidentify")(deidentify)
app.command("audit")(audit)
app.command("synthesize")(synthesize)
app.command("evaluate")(evaluate)
app.command("views")(views)
app.command("info")(info)
app.command("doctor")(doctor)
app.command("demo")(demo)
app.add_typer(confidence, name="confidence")
app.add_typer(train_confidence, name="confidence-model")
app.add_typer(models, name="models")
app.add_typer(masks, name="masks")
app.add_typer(bench, name="bench")
app.add_typer(dataset, name="dataset")


def _show_version(wanted: bool) -> None:
    if wanted:
        console.out.print(version_text())
        raise typer.Exit


@app.callback(invoke_without_command=True)
def understudy(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Finds people in footage, gives each a 3D body with a confidence for every vertex, lets you correct
    it, and exports a de-identified copy. Nothing leaves this machine.

    Without a command the window opens.

    Exit codes: 0 done, 1 unexpected, 2 wrong usage, 3 footage, 4 project, 5 networks, 6 export,
    7 storage, 8 device, 9 set-up, 130 stopped by you.
    """
    if context.invoked_subcommand is None:
        raise typer.Exit(show_window())


def unwrap_help(command: Any) -> None:
    """Let the terminal break lines of help, of this command and all below it: docstrings break them as code
    does, and the half-empty lines that makes are what people would see."""
    if command.help:
        paragraphs = inspect.cleandoc(command.help).split("\n\n")
        command.help = "\n\n".join(p if "\n " in p else p.replace("\n", " ") for p in paragraphs)
    for below in getattr(command, "commands", {}).values():
        unwrap_help(below)


def run(arguments: list[str] | None = None) -> int:
    """Run the command line; the exit code. Errors become one sentence on stderr."""
    command = typer.main.get_command(app)
    unwrap_help(command)
    try:
        ended = command.main(args=arguments, prog_name=console.command_name(), standalone_mode=False)
        return ended if isinstance(ended, int) else 0
    except (UnderstudyError, BackendError) as error:
        console.fail(str(error))
        return error.exit_code if isinstance(error, UnderstudyError) else _UNEXPECTED
    except (KeyboardInterrupt, typer.Abort):
        console.fail("Stopped. Everything finished so far is kept.")
        return _INTERRUPTED
    except BrokenPipeError:
        # The reader (head, less) has gone; Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _UNEXPECTED
    except MemoryError:
        console.fail("This machine ran out of memory. Close other programs and run again to go on.")
        return _UNEXPECTED
    except Exception as error:
        if hasattr(error, "format_message") and hasattr(error, "show"):  # wrong usage: typer's own words
            error.show()
            return int(getattr(error, "exit_code", 2))
        if os.environ.get("UNDERSTUDY_TRACE"):
            raise
        console.fail(
            f"Something unexpected went wrong ({type(error).__name__}: {error}). "
            "Set UNDERSTUDY_TRACE=1 to see where."
        )
        return _UNEXPECTED
