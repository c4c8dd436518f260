"""The commands of this room: ``hemline vision classify|annotate|embed``."""

from __future__ import annotations

import typer

from .classify_commands import app as classify

app = typer.Typer(help="Read facts off the photos of articles.", no_args_is_help=True)
app.add_typer(classify, name="classify")
