"""A group of commands of which one is meant where none is named."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup


class DrawsByDefault(TyperGroup):
    """Commands of which ``draw`` is meant where the first word is none of them."""

    # Any: typer has its own copy of click in some releases, and its context is of that.
    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put ``draw`` before words that begin with no command."""
        if args and args[0] not in (*self.commands, "--help"):
            args = ["draw", *args]
        return super().parse_args(ctx, args)
