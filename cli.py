"""The `hemline` command: mounts each room's commands and turns errors into one line."""

from __future__ import annotations

import io
import logging
import os
import re
import signal
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, TextIO, cast

import typer

from . import __version__
from .runtime.arguments.naming import in_words
from .runtime.texts import visible
from .runtime.threads import begin_with_threads

app = typer.Typer(
    help="Joint probabilistic forecasts of many related series.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


# What typer raises for words that it does not understand; some of its releases bring a click of their own.
_NotUnderstood = next(cls for cls in typer.BadParameter.__mro__ if cls.__name__ == "ClickException")


def main() -> None:
    """Run the command line; exits with 1 or 2 and one line on bad input, with a traceback under ``--debug``."""
    _hold_streams()
    try:
        os.getcwd()
    except OSError as error:
        # What calculates cannot be loaded there, and says so at a length.
        sys.exit(_failed(f"the current folder cannot be read ({error.strerror}); change to another one", 1))
    # gluonts keeps business days as periods, which pandas announces to drop; nothing a user could do about it.
    warnings.filterwarnings("ignore", message=".*Period with BDay freq is deprecated.*", category=FutureWarning)
    warnings.filterwarnings("ignore", message=".*PeriodDtype\\[B\\] is deprecated.*", category=FutureWarning)
    # Taken out here, so that they may stand behind a command as well.
    words = [word for word in sys.argv[1:] if word != "--debug"]
    debug = len(words) < len(sys.argv) - 1
    words, threads = _without("--threads", words)
    try:
        # Convolutions over photos are the work that gains from more threads.
        begin_with_threads(threads, usual=None if words[:1] == ["vision"] else 1)
    except ValueError as error:
        sys.exit(_failed(in_words(error), 1))
    if not debug:
        warnings.showwarning = show_in_one_line
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    # Names come from files of others.
    sys.stdout = cast("TextIO", _Visible(sys.stdout))
    # What gluonts says of its trainings is not for the user of a command.
    logging.getLogger("gluonts").setLevel(logging.ERROR)
    # Nor each time that the hub did not answer, before it is told that it does not.
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    mount()
    # A polite kill is an interrupt: what is finished is kept, and nothing more is begun.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(run(words, debug))


def _hold_streams() -> None:
    """Have something stand where a stream of the process is closed, so that no file is opened in its place."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(number)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "r" if number == 0 else "w", encoding="utf-8"))  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a letter that a terminal has not is shown by its number


class _Visible:
    """Standard output that shows control characters of what it is told, rather than obey them, but for colours."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        self.stream.write("".join(part if _COLOUR.fullmatch(part) else visible(part) for part in _COLOUR.split(text)))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


_COLOUR = re.compile(r"(\x1b\[[0-9;]*m)")


def run(words: Sequence[str], debug: bool = False) -> int:
    """Run one command.

    Arguments:
        words: what stands behind ``hemline``.
        debug: whether an error of the command is raised, rather than told in one line on standard error.

    Returns:
        The exit status: 0 where it did what was asked, 2 for words that are no command or options, else 1.
    """
    if (option := _without_value(words)) is not None:
        return _failed(f"{option}: expected a value, got an empty one", 2)
    try:
        return typer.main.get_command(app).main(list(words), prog_name="hemline", standalone_mode=False) or 0
    except typer.Abort:
        return _failed("aborted", 1)
    except _NotUnderstood as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            error.show()
            return error.exit_code
        if debug:
            raise
        path = "hemline" if error.ctx is None else error.ctx.command_path
        return _failed(f"{error.format_message().rstrip('.')}; see {path} --help", error.exit_code)
    except Exception as error:
        if debug:
            raise
        known = isinstance(error, (ValueError, OSError, FloatingPointError)) and str(error).strip()
        return _failed(in_words(error) + ("" if known else "; --debug shows where"), 1)


def _failed(text: str, status: int) -> int:
    typer.echo(f"hemline: {visible(text)}", err=True)
    return status


def _without(option: str, words: list[str]) -> tuple[list[str], str | None]:
    """The words of a command without an option that may stand anywhere, and its value; ``None`` if it is not there."""
    left, value = [], None
    rest = iter(words)
    for word in rest:
        if word.partition("=")[0] != option:
            left.append(word)
        else:
            value = word.partition("=")[2] if "=" in word else next(rest, "")
    return left, value


def _without_value(words: Sequence[str]) -> str | None:
    """The first option whose value is empty, as that of ``--out "$FOLDER"`` is where nothing set it; a path would
    mean the current folder.
    """
    for word, behind in zip(words, [*words[1:], None], strict=True):
        name, sign, value = word.partition("=")
        if name.startswith("--") and (behind == "" if not sign else not value):
            return name.removeprefix("--")
    return None


def show_in_one_line(message: Warning | str, *_: Any, **__: Any) -> None:
    """A warning without the place in the code that gave it."""
    typer.echo(f"warning: {visible(' '.join(str(message).split()))}", err=True)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    threads: Annotated[
        int | None, typer.Option("--threads", help="Threads to compute with; else HEMLINE_THREADS.")
    ] = None,
    # Eager, so that it needs no command behind it.
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and stop.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Joint probabilistic forecasts of many related series."""


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the tables and the report.")] = Path("runs/demo"),
) -> None:
    """Train three models on simulated sales, print their scores beside the naive rows, and write a report."""
    from .datasets.simulated.sales import simulated_sales
    from .evaluation.grids.backtest import backtest
    from .evaluation.reports.report import report
    from .evaluation.tables.table import table
    from .forecasting.registry.named import build_model

    data = simulated_sales()
    training = {"train": {"max_epochs": 12, "batches_per_epoch": 50}}
    settings = {
        "sales-maf": training,
        "gru-maf": training,
        "deepar": training,
        "seasonal-naive": {},
        "seasonal-walk": {},
    }
    models = {name: build_model(name, data.metadata, changes) for name, changes in settings.items()}
    scores = backtest(models, data, seeds=(0, 1), out=out)
    typer.echo(table(scores))
    typer.echo(f"\nThe report lies in {report(out)}")


def mount() -> None:
    """Mount the rooms' commands; their imports are slow, so they wait for the first call."""
    from .datasets.commands import app as data
    from .datasets.registry import get_dataset
    from .decisions.commands import register as register_decisions
    from .evaluation.commands import register as register_evaluation
    from .evaluation.tune_command import register as register_tune
    from .forecasting.commands.train import register as register_forecasting
    from .forecasting.registry.named import build_model, model_names
    from .recommendation.commands import app as recommend
    from .studio.commands import register as register_studio
    from .vision.commands.commands import app as vision

    app.add_typer(data, name="data")
    app.add_typer(vision, name="vision")
    app.add_typer(recommend, name="recommend")
    register_forecasting(app, get_dataset)
    register_decisions(app, get_dataset)
    register_evaluation(app, build_model, model_names(), get_dataset)
    register_studio(app, get_dataset)
    register_tune(app, build_model, model_names(), get_dataset)
