"""Texts that other programs read: strings of TOML, cells of a spreadsheet, words of a Markdown page."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def toml_value(value: object) -> str:
    r"""A text, number, truth or list of them as TOML, whatever characters a text holds.

    Example:
        >>> print(toml_value(["a\tb", 0.5, True, float("inf")]))
        ["a\tb", 0.5, true, inf]
    """
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(toml_value, value))}]"
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    # JSON escapes what TOML asks to be escaped but for one character.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def spreadsheet_text(text: str) -> str:
    """A text as the cell of a CSV file: one that a spreadsheet would take for a formula gets an apostrophe before it.

    Source: OWASP, "CSV Injection".

    Example:
        >>> [spreadsheet_text(text) for text in ("coat", "=1+2", "@SUM(A1)", "-20%")]
        ['coat', "'=1+2", "'@SUM(A1)", "'-20%"]
    """
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def spreadsheet_cells(frame: pd.DataFrame) -> pd.DataFrame:
    """A table whose texts, headings too, a spreadsheet shows as texts; numbers and dates stay what they are."""

    def cell(value: Any) -> Any:
        return spreadsheet_text(value) if isinstance(value, str) else value

    safe = frame.rename(columns=cell)
    for name in safe.select_dtypes(exclude=["number", "bool", "datetime"]).columns:
        safe[name] = safe[name].map(cell)
    return safe


def markdown_text(text: str) -> str:
    """A text on a Markdown page: tags and entities are shown and not read.

    Example:
        >>> print(markdown_text("C&A <script>"))
        C&A &lt;script>
    """
    return re.sub(r"&(?=#?\w+;)", "&amp;", " ".join(text.splitlines())).replace("<", "&lt;")


def markdown_cell(text: str) -> str:
    r"""A text in a cell of a Markdown table, where a bar would end it.

    Example:
        >>> print(markdown_cell("a|b <b>"))
        a\|b &lt;b>
    """
    return markdown_text(text).replace("|", r"\|")
