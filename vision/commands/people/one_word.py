"""A group of commands of which one is meant where none is named."""

from __future__ import annotations

import typer
from typer.core import TyperGroup


class DrawsByDefault(TyperGroup):
    """Commands of which ``draw`` is meant where the first word is none of them."""

    # The context that typer hands on is one of its own, whatever click it brings.
    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Put ``draw`` before words that begin with no command."""
        if args and args[0] not in (*self.commands, "--help"):
            args = ["draw", *args]
        return super().parse_args(ctx, args)
