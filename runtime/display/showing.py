"""How an object shows itself as the last line of a cell: a line in a shell, a small table in a notebook."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Collection, Mapping, Sequence
from html import escape

WIDEST = 72
"""Characters of a value that are shown."""


class Shown:
    """What shows what it is in a line, and in notebooks in a table of a few rows; all that it holds is left out.

    Dataclasses below it are made with ``repr=False``.
    """

    def _shown(self) -> dict[str, object]:
        """What is said of the object: a few words each, by name."""
        raise NotImplementedError

    def __repr__(self) -> str:
        said = ", ".join(f"{name.replace(' ', '_')}={in_short(value)}" for name, value in self._shown().items())
        return f"{type(self).__name__}({said})"

    def _repr_html_(self) -> str:
        """The object in a notebook; names of articles are shown and not read as HTML."""
        cells = {name: in_short(value).strip("'") for name, value in self._shown().items()}
        return html_table([[name, value] for name, value in cells.items()], caption=type(self).__name__)


def html_table(
    rows: Sequence[Sequence[str]],
    caption: str = "",
    heading: Sequence[str] = (),
    bold: Collection[tuple[int, int]] = (),
) -> str:
    """A table of texts for a notebook, each escaped; what stands in the first column is a heading.

    Arguments:
        rows: cells of each row.
        caption: what the table is.
        heading: of the columns; none where there is nothing.
        bold: the cells (row, column) that are printed bold.

    Example:
        >>> print(html_table([["<b>", "1"]]))
        <table><tbody><tr><th scope="row" style="text-align:left">&lt;b&gt;</th><td>1</td></tr></tbody></table>
    """
    above = f"<caption>{escape(caption)}</caption>" if caption else ""
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in heading)
    first = '<th scope="row" style="text-align:left">{}</th>'
    lines = []
    for number, row in enumerate(rows):
        cells = [
            f"<b>{escape(text)}</b>" if (number, place) in bold else escape(text) for place, text in enumerate(row)
        ]
        lines.append("<tr>" + first.format(cells[0]) + "".join(f"<td>{cell}</td>" for cell in cells[1:]) + "</tr>")
    top = f"<thead><tr>{head}</tr></thead>" if head else ""
    return f"<table>{above}{top}<tbody>{''.join(lines)}</tbody></table>"


def in_short(value: object) -> str:
    """A value in few words: of many names the first, of a dataclass what differs from its defaults.

    Example:
        >>> in_short(["a", "b", "c", "d", "e"])
        'a, b, c … (5)'
    """
    if isinstance(value, str):
        text = repr(value)
    elif isinstance(value, Mapping | list | tuple):
        names = [str(item) for item in value]
        several = ", ".join(names[:3]) + (f" … ({len(names)})" if len(names) > 3 else "")
        text = several or "none"
    elif dataclasses.is_dataclass(value) and not isinstance(value, type | Shown):
        given = {
            field.name: getattr(value, field.name)
            for field in dataclasses.fields(value)
            if field.init and field.repr and not _is_default(field, getattr(value, field.name))
        }
        said = ", ".join(f"{name}={in_short(item)}" for name, item in given.items())
        text = f"{type(value).__name__}({said})"
    else:
        text = repr(value)
    text = " ".join(text.split())
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"


def given_settings(maker: type, settings: Mapping[str, object]) -> dict[str, object]:
    """The settings that differ from the defaults of a constructor, in its order.

    Arguments:
        maker: the class.
        settings: the arguments of its constructor, by name.
    """
    defaults = {name: each.default for name, each in inspect.signature(maker).parameters.items()}
    return {name: value for name, value in settings.items() if not _is_same(value, defaults.get(name))}


def _is_default(field: dataclasses.Field[object], value: object) -> bool:
    made = field.default
    if field.default_factory is not dataclasses.MISSING:
        made = field.default_factory()
    return _is_same(value, made)


def _is_same(value: object, default: object) -> bool:
    if type(value) is not type(default):
        return False
    try:
        return bool(value == default)
    except (TypeError, ValueError):  # arrays have no truth of their equality
        return False
