"""Options that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

Trust = Annotated[
    list[str] | None,
    typer.Option(
        "--trust", help="A class of your own that the predictor's files may name, as module:Class; may be repeated."
    ),
]
