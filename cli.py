"""The `hemline` command: mounts each room's commands and turns errors into one line."""

from __future__ import annotations

import logging
import os
import signal
import sys
import warnings
from pathlib import Path
from typing import Annotated, Any

import typer

from . import __version__

app = typer.Typer(
    help="Joint probabilistic forecasts of many related series.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def main() -> None:
    """Run the command line; exits with 1 and one line on bad input, with a traceback under ``--debug``."""
    # gluonts keeps business days as periods, which pandas announces to drop; nothing a user could do about it.
    warnings.filterwarnings("ignore", message=".*Period with BDay freq is deprecated.*", category=FutureWarning)
    warnings.filterwarnings("ignore", message=".*PeriodDtype\\[B\\] is deprecated.*", category=FutureWarning)
    debug = "--debug" in sys.argv
    # Taken out here, so that it may stand behind a command as well.
    sys.argv = [word for word in sys.argv if word != "--debug"]
    if not debug:
        warnings.showwarning = _show_in_one_line
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    from .evaluation.grids.backtest import BacktestError

    mount()
    # `module:Class` may be a file of the current folder; last, so that it hides no installed package.
    sys.path.append(os.getcwd())
    # A polite kill is an interrupt: what is finished is kept, and nothing more is begun.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        app()
    except (ValueError, OSError, FloatingPointError, BacktestError) as error:
        if debug:
            raise
        typer.echo(f"hemline: {' '.join(str(error).split())}", err=True)
        sys.exit(1)


def _show_in_one_line(message: Warning | str, *_: Any, **__: Any) -> None:
    """A warning without the place in the code that gave it."""
    typer.echo(f"warning: {' '.join(str(message).split())}", err=True)


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    """Joint probabilistic forecasts of many related series."""
    if version:
        typer.echo(__version__)
        raise typer.Exit


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
    from .evaluation.commands import register as register_evaluation
    from .forecasting.commands.train import register as register_forecasting
    from .forecasting.registry.named import build_model, model_names
    from .vision.commands.commands import app as vision

    app.add_typer(data, name="data")
    app.add_typer(vision, name="vision")
    register_forecasting(app, get_dataset)
    register_evaluation(app, build_model, model_names(), get_dataset)
