"""The ``cxbus`` command: the options and the error handling that all verbs share."""

from __future__ import annotations

import os
import shutil
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from .given import Given
from .output import obeys_escapes, unread
from .problem import TOLD, Code, Problem, explained
from .verbs import VERBS, commands_of

EXIT_CODES = (
    "Exit codes: 0 all is well; 1 something is wrong; 2 the command or a setting is invalid; "
    "3 timed out, or Kafka is unreachable."
)
FLAGS, VALUES = ("--verbose", "-v"), ("--bootstrap", "--data-dir")
"""Options of ``cxbus`` itself; they may stand anywhere on the command line."""


class Root(TyperGroup):
    """Prints errors as a sentence, and the traceback only with ``--verbose``."""

    def __init__(self, *, commands: Mapping[str, Any] | None = None, **more: Any) -> None:
        super().__init__(commands={**commands_of(VERBS), **(commands or {})}, **more)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Move the options of ``cxbus`` itself to the front, wherever they stand."""
        try:
            with _read_to_the_end():
                return super().parse_args(ctx, hoisted(args))
        except OSError as error:  # no space to write the help
            raise _told(error) from error

    def invoke(self, ctx: Any) -> Any:
        """Run the command. All its exceptions are handled here."""
        try:
            with _read_to_the_end():
                found = super().invoke(ctx)
                sys.stdout.flush()  # an error such as "no space left" can still be reported here
                return found
        except (typer.Exit, typer.Abort, typer.TyperException):
            raise
        except Exception as error:
            if ctx.params.get("verbose"):
                traceback.print_exc()
            raise _told(error) from error


@contextmanager
def _read_to_the_end() -> Iterator[None]:
    """Exit with code 0 when the reader of the output (such as ``| head``) has closed the pipe."""
    try:
        yield
    except BrokenPipeError:
        if not unread():
            raise
        raise typer.Exit(Code.OK) from None
    except SystemExit as ended:
        if not isinstance(ended.__context__, BrokenPipeError):  # Rich, which prints the help, exits so on a closed pipe
            raise
        raise typer.Exit(Code.OK) from None


def hoisted(args: Sequence[str]) -> list[str]:
    """``args`` with the options of ``FLAGS`` and ``VALUES`` moved to the front; everything after ``--`` stays."""
    front: list[str] = []
    rest: list[str] = []
    left = iter(args)
    for word in left:
        if word == "--":
            rest += [word, *left]
        elif word in FLAGS or word.startswith(tuple(f"{name}=" for name in VALUES)):
            front.append(word)
        elif word in VALUES:
            front += [word, *([value] if (value := next(left, None)) is not None else [])]
        else:
            rest.append(word)
    return front + rest


def _told(error: Exception) -> typer.Exit:
    """Print what went wrong to stderr; return the exit."""
    problem = explained(error) or _unexpected(error)
    print(f"{TOLD}{problem}", file=sys.stderr)
    return typer.Exit(problem.code)


def _unexpected(error: Exception) -> Problem:
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return Problem(f"This should not happen ({what}). `cxbus --verbose …` shows where; please report it.", Code.WRONG)


app = typer.Typer(
    cls=Root, no_args_is_help=True, pretty_exceptions_enable=False, epilog=EXIT_CODES, rich_markup_mode="rich"
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # as slow to import as everything else here together

        print(f"cxbus {version('cxbus')}")
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    bootstrap: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="Kafka to use; default CXBUS_BOOTSTRAP, else the embedded one."),
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the bus keeps its data; default CXBUS_DATA_DIR or .cxbus.")
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show tracebacks and more of the log.")] = False,
    version: Annotated[  # noqa: ARG001 -- its callback does it
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """The customer-experience bus: departments publish what happened, and learn what they should know in time.

    Example: cxbus run, and in another terminal: cxbus send events.jsonl
    """
    context.obj = Given(bootstrap, data_dir, verbose)


def main() -> None:
    """The entry point. Exits with one of ``problem.Code``."""
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the parent process
            setattr(sys, name, Path(os.devnull).open("r" if name == "stdin" else "w"))  # noqa: SIM115 -- for good
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # an encoding without ✓ must not raise
    if not obeys_escapes():
        size = shutil.get_terminal_size()  # Rich assumes 80 columns on such a terminal unless both are set
        os.environ.setdefault("COLUMNS", str(size.columns))
        os.environ.setdefault("LINES", str(size.lines))
    try:
        app()
    finally:
        unread()  # a closed pipe must not cause a traceback at the very end either


if __name__ == "__main__":
    main()
