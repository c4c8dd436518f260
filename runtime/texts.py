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


_FORMULA = re.compile(r'(?:^|(?<=[;\t\r\n]))("?)(?=[-=+@\t\r\n＝＋－＠])')

_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""What steers a terminal, or turns the order of what is read round; not tabs and ends of lines."""


def visible(text: str) -> str:
    r"""A text whose control characters are shown and not obeyed.

    Example:
        >>> print(visible("coat\x1b[2J"))
        coat\x1b[2J
    """
    return _UNSEEN.sub(lambda found: repr(found[0])[1:-1], text)


def spreadsheet_text(text: str) -> str:
    """A text as the cell of a CSV file: one that a spreadsheet would take for a formula gets an apostrophe before it.

    So does what another language's spreadsheet, which parts cells at semicolons or tabs, would take for one.

    Source: OWASP, "CSV Injection".

    Example:
        >>> [spreadsheet_text(text) for text in ("coat", "=1+2", "@SUM(A1)", "-20%", "a;=1+2")]
        ['coat', "'=1+2", "'@SUM(A1)", "'-20%", "a;'=1+2"]
    """
    return _FORMULA.sub(r"\1'", text)


def spreadsheet_cells(frame: pd.DataFrame) -> pd.DataFrame:
    """A table whose texts, headings too, a spreadsheet shows as texts; numbers and dates stay what they are."""

    def cell(value: Any) -> Any:
        return spreadsheet_text(value) if isinstance(value, str) else value

    safe = frame.rename(columns=cell)
    for name in safe.select_dtypes(exclude=["number", "bool", "datetime"]).columns:
        safe[name] = safe[name].map(cell)
    return safe


def markdown_text(text: str) -> str:
    r"""A text on a Markdown page: tags, entities, links and pictures are shown and not read.

    Example:
        >>> print(markdown_text("C&A <script> ![](http://a/b)"))
        C&A &lt;script> ![]\(http://a/b)
    """
    line = visible(" ".join(text.splitlines()))
    return re.sub(r"&(?=#?\w+;)", "&amp;", line).replace("<", "&lt;").replace("](", r"]\(")


def markdown_cell(text: str) -> str:
    r"""A text in a cell of a Markdown table, where a bar would end it.

    Example:
        >>> print(markdown_cell("a|b <b>"))
        a\|b &lt;b>
    """
    return markdown_text(text).replace("|", r"\|")
