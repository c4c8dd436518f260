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

Device = Annotated[
    str,
    typer.Option("--device", help="Where paths are drawn: cpu, cuda, or auto, a GPU for 256 paths or more."),
]


def numbers_of(option: str, given: str | None) -> list[float] | None:
    """The numbers of an option that are set apart by commas; ``None`` where it is not given.

    Raises:
        ValueError: a part is no number.

    Example:
        >>> numbers_of("levels", "80, 97.5")
        [80.0, 97.5]
    """
    if given is None:
        return None
    try:
        return [float(part) for part in given.split(",")]
    except ValueError as error:
        raise ValueError(f"{option}: expected numbers with commas between, as in 80,95; got {given!r}") from error
